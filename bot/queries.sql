-- What comes back by itself, and who may run what must run once in a fleet.

-- name: schedule_add(conversation_id, cron, timezone, text, next_fire, created_by, now)^
INSERT INTO schedule (conversation_id, cron, timezone, text, next_fire, created_by, created_at)
VALUES (:conversation_id, :cron, :timezone, :text, :next_fire, :created_by, :now)
RETURNING id;

-- name: schedules(conversation_id)
SELECT id, conversation_id, cron, timezone, text, next_fire, created_by, enabled
FROM schedule
WHERE conversation_id = :conversation_id
ORDER BY id;

-- name: schedules_due(now, few)
SELECT id, conversation_id, cron, timezone, text, next_fire, created_by, enabled
FROM schedule
WHERE enabled = 1 AND next_fire <= :now
ORDER BY next_fire
LIMIT :few;

-- name: schedule_fire(id, seen, next_fire)!
UPDATE schedule SET next_fire = :next_fire
WHERE id = :id AND next_fire = :seen AND enabled = 1;

-- name: schedule_disable(id, seen)!
UPDATE schedule SET enabled = 0
WHERE id = :id AND next_fire = :seen AND enabled = 1;

-- name: schedule_remove(id, conversation_id)!
DELETE FROM schedule
WHERE id = :id AND conversation_id = :conversation_id;

-- name: role_hold(name, owner, until, now)^
INSERT INTO role_lease (name, owner, until, epoch)
VALUES (:name, :owner, :until, 1)
ON CONFLICT (name) DO UPDATE SET
    owner = excluded.owner,
    until = excluded.until,
    epoch = role_lease.epoch + CASE WHEN role_lease.owner = excluded.owner THEN 0 ELSE 1 END
WHERE role_lease.owner = excluded.owner OR role_lease.until <= :now
RETURNING epoch;

-- name: role_release(name, owner)!
UPDATE role_lease SET until = 0
WHERE name = :name AND owner = :owner;

-- name: role_owner(name)^
SELECT owner FROM role_lease WHERE name = :name;

-- name: undelivered()
-- Requests that wait, and the places where their newest card did not arrive, or cannot while the account is closed.
SELECT approval.id, outbox.conversation_id, COALESCE(outbox.last_error, account.reason, '') AS reason,
       EXISTS (SELECT 1 FROM inbox
               WHERE inbox.source = outbox.channel AND inbox.event_id = 'undelivered:' || approval.id) AS is_told
FROM approval
JOIN approval_card ON approval_card.approval_id = approval.id
JOIN outbox ON outbox.conversation_id = approval_card.conversation_id AND outbox.key = approval_card.message_key
LEFT JOIN account ON account.channel = outbox.channel AND account.state IN ('challenged', 'suspended', 'revoked')
WHERE approval.state = 'pending' AND outbox.kind = 'card'
  AND (outbox.state IN ('unknown', 'failed', 'expired')
       OR (account.channel IS NOT NULL AND outbox.state IN ('pending', 'placing', 'placed', 'editing')))
  AND NOT EXISTS (SELECT 1 FROM outbox newer
                  WHERE newer.conversation_id = outbox.conversation_id AND newer.key = outbox.key
                    AND newer.id > outbox.id AND newer.kind = 'card')
ORDER BY approval.created_at, approval.id, outbox.conversation_id;

-- name: proposals(workspace, few)
-- Patches and what was decided about them, newest first; of every workspace where none is named.
SELECT proposal.id, proposal.workspace, proposal.author, proposal.state, proposal.commit_id, proposal.summary,
       proposal.base_commit, proposal.request, proposal.note, proposal.created_at, changeset.id AS changeset,
       approval.state AS decision, approval.decided_by, approval.said_yes, approval.requested_by
FROM proposal
LEFT JOIN approval ON approval.id = proposal.request
LEFT JOIN changeset ON changeset.proposal = proposal.id
WHERE (proposal.workspace = :workspace OR :workspace = '')
  AND (proposal.request IS NOT NULL OR proposal.state <> 'denied') -- what may not even be asked for is a changeset's end
ORDER BY proposal.created_at DESC, proposal.id
LIMIT :few;

-- name: proposal(id)
-- The same of one, by its own id, its request's, or the one under which it was handed in.
SELECT proposal.id, proposal.workspace, proposal.author, proposal.state, proposal.commit_id, proposal.summary,
       proposal.base_commit, proposal.request, proposal.note, proposal.created_at, changeset.id AS changeset,
       approval.state AS decision, approval.decided_by, approval.said_yes, approval.requested_by
FROM proposal
LEFT JOIN approval ON approval.id = proposal.request
LEFT JOIN changeset ON changeset.proposal = proposal.id
WHERE proposal.id = :id OR proposal.request = :id OR proposal.id = (SELECT proposal FROM changeset WHERE id = :id);

-- name: changesets(workspace, few)
-- What was handed in and is no proposal: not tried yet, or refused.
SELECT id, workspace, actor, state, note, created_at
FROM changeset
WHERE proposal IS NULL AND (workspace = :workspace OR :workspace = '')
ORDER BY created_at DESC, id
LIMIT :few;

-- name: changeset(id)
SELECT id, workspace, actor, state, note, created_at FROM changeset WHERE proposal IS NULL AND id = :id;
