-- name: add_approval(id, handle_hash, conversation_id, turn_id, kind, capability, plan, digest, scope, risk, requested_by, by_agent, reason, seal, now, expires_at)!
INSERT INTO approval (id, handle_hash, conversation_id, turn_id, kind, capability, plan, digest, scope, risk,
                      requested_by, by_agent, reason, seal, state, created_at, expires_at)
VALUES (:id, :handle_hash, :conversation_id, :turn_id, :kind, :capability, :plan, :digest, :scope, :risk,
        :requested_by, :by_agent, :reason, :seal, 'pending', :now, :expires_at);

-- name: approval(id)^
SELECT * FROM approval WHERE id = :id;

-- name: approval_by_handle(handle_hash)^
SELECT * FROM approval WHERE handle_hash = :handle_hash OR settle_hash = :handle_hash;

-- name: pending()
SELECT * FROM approval WHERE state = 'pending' ORDER BY created_at, id;

-- name: asked_since(since)
SELECT * FROM approval WHERE created_at >= :since ORDER BY created_at, id;

-- name: due(now)
SELECT * FROM approval WHERE state = 'pending' AND expires_at <= :now ORDER BY expires_at, id;

-- name: decide(handle_hash, digest, after, decided_by, now)!
UPDATE approval SET state = :after, decided_by = :decided_by, decided_at = :now
WHERE handle_hash = :handle_hash AND state = 'pending' AND digest = :digest AND expires_at > :now;

-- name: settle(handle_hash, digest, after, decided_by, attempts, now)!
-- What an approver says of an unknown outcome. Its handle serves once.
UPDATE approval SET state = :after, decided_by = :decided_by, decided_at = :now, attempt = attempt + :attempts
WHERE settle_hash = :handle_hash AND state = 'unknown' AND digest = :digest;

-- name: withdraw(id, after, now)!
UPDATE approval SET state = :after, ended_at = :now WHERE id = :id AND state = 'approved';

-- name: claim(id, digest, after)!
UPDATE approval SET state = :after WHERE id = :id AND state = 'approved' AND digest = :digest;

-- name: start(id, attempt, after)!
UPDATE approval SET state = :after WHERE id = :id AND attempt = :attempt AND state = 'claimed';

-- name: keep_warrant(id, warrant)!
UPDATE approval SET warrant = :warrant WHERE id = :id AND state = 'approved';

-- name: conclude(id, attempt, after, outcome, settle_hash, now)!
UPDATE approval SET state = :after, outcome = :outcome, settle_hash = :settle_hash, ended_at = :now
WHERE id = :id AND attempt = :attempt AND state IN ('claimed', 'running');

-- name: expire(id, now)!
UPDATE approval SET state = 'expired', ended_at = :now WHERE id = :id AND state = 'pending' AND expires_at <= :now;

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
