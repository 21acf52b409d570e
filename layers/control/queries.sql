-- name: add_approval(id, conversation_id, turn_id, kind, capability, plan, digest, scope, risk, requested_by, by_agent, reason, number, choices, is_drill, now, expires_at)!
INSERT INTO approval (id, conversation_id, turn_id, kind, capability, plan, digest, scope, risk, requested_by, by_agent,
                      reason, number, choices, is_drill, state, created_at, expires_at)
VALUES (:id, :conversation_id, :turn_id, :kind, :capability, :plan, :digest, :scope, :risk, :requested_by, :by_agent,
        :reason, :number, :choices, :is_drill, 'pending', :now, :expires_at);

-- name: approval(id)^
SELECT * FROM approval WHERE id = :id;

-- name: add_card(handle_hash, approval_id, conversation_id, message_key, purpose, seal, now)!
INSERT INTO approval_card (handle_hash, approval_id, conversation_id, message_key, purpose, seal, made_at)
VALUES (:handle_hash, :approval_id, :conversation_id, :message_key, :purpose, :seal, :now);

-- name: card(handle_hash)^
SELECT * FROM approval_card WHERE handle_hash = :handle_hash;

-- name: drop_cards(approval_id, purpose)!
DELETE FROM approval_card WHERE approval_id = :approval_id AND purpose = :purpose;

-- name: cards(approval_id)
SELECT conversation_id, message_key FROM approval_card WHERE approval_id = :approval_id ORDER BY made_at, handle_hash;

-- name: pending()
SELECT * FROM approval WHERE state = 'pending' ORDER BY created_at, id;

-- name: asked_since(since)
SELECT * FROM approval WHERE created_at >= :since ORDER BY created_at, id;

-- name: due(now)
SELECT * FROM approval WHERE state = 'pending' AND expires_at <= :now ORDER BY expires_at, id;

-- name: twin(digest, conversation_id, requested_by, now)^
SELECT id FROM approval
WHERE digest = :digest AND conversation_id = :conversation_id AND requested_by = :requested_by
  AND state = 'pending' AND expires_at > :now
ORDER BY created_at LIMIT 1;

-- name: denials(digest, since)^
SELECT COUNT(*) AS denials FROM approval WHERE digest = :digest AND created_at >= :since AND state = 'denied';

-- name: waiting(conversation_id)^
SELECT COUNT(*) AS waiting FROM approval WHERE conversation_id = :conversation_id AND state = 'pending';

-- name: drills()^
SELECT COUNT(*) AS asked, COALESCE(SUM(CASE WHEN state = 'denied' THEN 1 ELSE 0 END), 0) AS caught,
       COALESCE(SUM(CASE WHEN state = 'pending' THEN 1 ELSE 0 END), 0) AS waiting,
       COALESCE(SUM(CASE WHEN state IN ('approved', 'invalidated') THEN 1 ELSE 0 END), 0) AS missed
FROM approval WHERE is_drill = 1;

-- name: each_drill()
SELECT id, created_at, requested_by, state, decided_by, decided_at FROM approval WHERE is_drill = 1 ORDER BY created_at, id;

-- name: decide(id, digest, before, after, had, said_yes, decided_by, decided_at, now)!
-- The one statement that decides. A Deny also takes back what was approved and nobody has claimed.
UPDATE approval SET state = :after, said_yes = :said_yes, decided_by = :decided_by, decided_at = :decided_at,
                    warrant = ''
WHERE id = :id AND state = :before AND digest = :digest AND said_yes = :had
  AND state IN ('pending', 'approved') AND (state = 'approved' OR expires_at > :now);

-- name: say_why(id, person, why)!
UPDATE approval SET why = :why WHERE id = :id AND state = 'denied' AND decided_by = :person AND why = '';

-- name: count_wrong_number(id)!
UPDATE approval SET wrong_numbers = wrong_numbers + 1 WHERE id = :id AND state = 'pending';

-- name: deny_wrong_numbers(id, after, decided_by, limit, now)!
UPDATE approval SET state = :after, decided_by = :decided_by, decided_at = :now
WHERE id = :id AND state = 'pending' AND wrong_numbers >= :limit;

-- name: settle(id, digest, after, decided_by, attempts, now)!
-- What an approver says of an unknown outcome.
UPDATE approval SET state = :after, decided_by = :decided_by, decided_at = :now, attempt = attempt + :attempts,
                    stopped_by = ''
WHERE id = :id AND state = 'unknown' AND digest = :digest;

-- name: resume(id, digest, after, decided_by, attempts, now)!
-- What an approver says of a patch that could not be committed: once more, or no more.
UPDATE approval SET state = :after, decided_by = :decided_by, decided_at = :now, attempt = attempt + :attempts,
                    warrant = ''
WHERE id = :id AND state = 'failed' AND kind = 'patch' AND digest = :digest;

-- name: cancel(id, after, decided_by, now)!
UPDATE approval SET state = :after, decided_by = :decided_by, decided_at = :now, warrant = ''
WHERE id = :id AND state IN ('pending', 'approved');

-- name: supersede(id, digest, after, decided_by, now)!
UPDATE approval SET state = :after, decided_by = :decided_by, decided_at = :now, ended_at = :now
WHERE id = :id AND state = 'pending' AND digest = :digest AND expires_at > :now;

-- name: tell_successor(id, outcome)!
UPDATE approval SET outcome = :outcome WHERE id = :id AND state = 'superseded';

-- name: stop(id, stopped_by)!
UPDATE approval SET stopped_by = :stopped_by
WHERE id = :id AND kind = 'capability' AND state IN ('claimed', 'running') AND stopped_by = '';

-- name: stopping()
SELECT id, attempt FROM approval
WHERE state IN ('approved', 'claimed', 'running') AND stopped_by <> '' ORDER BY created_at, id;

-- name: withdraw(id, after, now)!
UPDATE approval SET state = :after, ended_at = :now WHERE id = :id AND state = 'approved';

-- name: claim(id, digest, after)!
UPDATE approval SET state = :after WHERE id = :id AND state = 'approved' AND digest = :digest;

-- name: start(id, attempt, after)!
UPDATE approval SET state = :after WHERE id = :id AND attempt = :attempt AND state = 'claimed';

-- name: keep_warrant(id, warrant)!
UPDATE approval SET warrant = :warrant WHERE id = :id AND state = 'approved';

-- name: conclude(id, attempt, after, outcome, now)!
UPDATE approval SET state = :after, outcome = :outcome, ended_at = :now
WHERE id = :id AND attempt = :attempt AND state IN ('claimed', 'running');

-- name: expire(id, now)!
UPDATE approval SET state = 'expired', ended_at = :now WHERE id = :id AND state = 'pending' AND expires_at <= :now;

-- name: freeze()^
SELECT is_frozen, set_by, set_at, reason FROM freezing WHERE id = 1;

-- name: set_freeze(is_frozen, set_by, reason, now, asked_at)!
INSERT INTO freezing (id, is_frozen, set_by, reason, set_at) VALUES (1, :is_frozen, :set_by, :reason, :now)
ON CONFLICT (id) DO UPDATE SET is_frozen = :is_frozen, set_by = :set_by, reason = :reason, set_at = :now
WHERE freezing.is_frozen <> :is_frozen AND freezing.set_at <= :asked_at;

-- name: add_grant(id, capability, parameters, manifest_digest, granted_by, uses_left, seal, now, expires_at)!
INSERT INTO standing_grant (id, capability, parameters, manifest_digest, granted_by, uses_left, seal, created_at,
                            expires_at)
VALUES (:id, :capability, :parameters, :manifest_digest, :granted_by, :uses_left, :seal, :now, :expires_at);

-- name: grant(id)^
SELECT * FROM standing_grant WHERE id = :id;

-- name: grants(now)
SELECT * FROM standing_grant WHERE expires_at > :now AND uses_left > 0 AND revoked_at IS NULL ORDER BY expires_at, id;

-- name: fitting_grants(capability, parameters, now)
SELECT * FROM standing_grant
WHERE capability = :capability AND parameters = :parameters AND expires_at > :now AND uses_left > 0
  AND revoked_at IS NULL
ORDER BY expires_at, id;

-- name: spend_grant(id, now)!
UPDATE standing_grant SET uses_left = uses_left - 1
WHERE id = :id AND uses_left > 0 AND expires_at > :now AND revoked_at IS NULL;

-- name: approve_by_grant(id, digest, after, decided_by, grant_id, now)!
UPDATE approval SET state = :after, decided_by = :decided_by, decided_at = :now, grant_id = :grant_id
WHERE id = :id AND state = 'pending' AND digest = :digest AND expires_at > :now;

-- name: revoke_grant(id, now)!
UPDATE standing_grant SET revoked_at = :now WHERE id = :id AND revoked_at IS NULL;

-- name: lock_audit_head()^
SELECT seq, hash FROM audit_head WHERE id = 1;

-- name: lock_audit_head__postgresql()^
SELECT seq, hash FROM audit_head WHERE id = 1 FOR UPDATE;

-- name: add_audit(seq, body, previous, hash)!
INSERT INTO audit (seq, body, previous, hash) VALUES (:seq, :body, :previous, :hash);

-- name: move_audit_head(seq, hash)!
UPDATE audit_head SET seq = :seq, hash = :hash WHERE id = 1;

-- name: audit_head()^
SELECT seq, hash, (SELECT COALESCE(MAX(seq), 0) FROM audit) AS last FROM audit_head WHERE id = 1;

-- name: audit_page(after, last, limit)
SELECT seq, body, previous, hash FROM audit WHERE seq > :after AND seq <= :last ORDER BY seq LIMIT :limit;

-- name: key()^
SELECT public FROM control_key WHERE id = 1;

-- name: put_key(public, now)!
INSERT INTO control_key (id, public, at) VALUES (1, :public, :now) ON CONFLICT (id) DO NOTHING;

-- name: drop_key()!
DELETE FROM control_key WHERE id = 1;
