-- name: lock_conversation(id)^
-- Makes the row if need be and locks it: whoever accepts and whoever finishes see each other.
INSERT INTO conversation (id) VALUES (:id)
ON CONFLICT (id) DO UPDATE SET id = excluded.id
RETURNING owner, epoch;

-- name: insert_inbox(source, event_id, conversation_id, kind, payload, now)^
INSERT INTO inbox (source, event_id, conversation_id, kind, payload, received_at)
VALUES (:source, :event_id, :conversation_id, :kind, :payload, :now)
ON CONFLICT (source, event_id) DO NOTHING
RETURNING id;

-- name: inbox_by_event(source, event_id)^
SELECT id FROM inbox WHERE source = :source AND event_id = :event_id;

-- name: own_conversation(id, worker)^
UPDATE conversation SET owner = :worker, epoch = epoch + 1, ready_at = NULL
WHERE id = :id AND owner IS NULL
RETURNING epoch;

-- name: mark_ready(id, now)!
UPDATE conversation SET ready_at = coalesce(ready_at, :now) WHERE id = :id AND owner IS NULL;

-- name: ready_conversations(limit)
SELECT id FROM conversation WHERE ready_at IS NOT NULL AND owner IS NULL ORDER BY ready_at LIMIT :limit;

-- name: ready_conversations__postgresql(limit)
SELECT id FROM conversation WHERE ready_at IS NOT NULL AND owner IS NULL ORDER BY ready_at LIMIT :limit
FOR UPDATE SKIP LOCKED;

-- name: begin_first_pending(conversation_id)^
UPDATE inbox SET attempts = attempts + 1
WHERE id = (
    SELECT id FROM inbox WHERE conversation_id = :conversation_id AND state = 'pending' ORDER BY id LIMIT 1
)
RETURNING id, payload, attempts;

-- name: start_turn(id, conversation_id, epoch, now)!
INSERT INTO turn (id, conversation_id, state, epoch, started_at)
VALUES (:id, :conversation_id, 'running', :epoch, :now)
ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch, state = 'running';

-- name: fence(id, epoch, worker)^
SELECT epoch FROM conversation WHERE id = :id AND epoch = :epoch AND owner = :worker;

-- name: fence__postgresql(id, epoch, worker)^
SELECT epoch FROM conversation WHERE id = :id AND epoch = :epoch AND owner = :worker FOR UPDATE;

-- name: end_turn(id, state, now, route)!
UPDATE turn SET state = :state, ended_at = :now, route = :route WHERE id = :id;

-- name: end_inbox(id)!
UPDATE inbox SET state = 'done' WHERE id = :id AND state = 'pending';

-- name: bury_inbox(id)!
UPDATE inbox SET state = 'dead' WHERE id = :id AND state = 'pending';

-- name: next_epoch(id)^
UPDATE conversation SET epoch = epoch + 1 WHERE id = :id RETURNING epoch;

-- name: release(id)!
UPDATE conversation SET owner = NULL, ready_at = NULL WHERE id = :id;

-- name: give_back(id, epoch, worker, now)!
UPDATE conversation SET owner = NULL, ready_at = :now WHERE id = :id AND epoch = :epoch AND owner = :worker;

-- name: owned(worker)
SELECT id, epoch FROM conversation WHERE owner = :worker;

-- name: owners()
SELECT DISTINCT owner FROM conversation WHERE owner IS NOT NULL;

-- name: sending_owners()
SELECT DISTINCT owner FROM outbox WHERE state IN ('pending', 'sending') AND owner IS NOT NULL;

-- name: free_conversations(owner, now)!
UPDATE conversation SET owner = NULL, ready_at = :now WHERE owner = :owner;

-- name: free_deliveries(owner)!
UPDATE outbox SET state = 'pending', owner = NULL WHERE state IN ('pending', 'sending') AND state = 'sending' AND owner = :owner;

-- name: taken_deliveries(owner)
SELECT id FROM outbox WHERE state IN ('pending', 'sending') AND state = 'sending' AND owner = :owner;

-- name: free_delivery(id, owner)!
UPDATE outbox SET state = 'pending', owner = NULL WHERE id = :id AND state = 'sending' AND owner = :owner;

-- name: step(turn_id, n)^
SELECT n, kind, name, state, body FROM step WHERE turn_id = :turn_id AND n = :n;

-- name: steps(turn_id)
SELECT n, kind, name, state, body FROM step WHERE turn_id = :turn_id ORDER BY n;

-- name: put_step(turn_id, n, kind, name, state, body, epoch, now)!
INSERT INTO step (turn_id, n, kind, name, state, body, epoch, at)
VALUES (:turn_id, :n, :kind, :name, :state, :body, :epoch, :now)
ON CONFLICT (turn_id, n) DO UPDATE SET state = excluded.state, body = excluded.body, epoch = excluded.epoch, at = excluded.at;

-- name: next_sequence(id)^
UPDATE conversation SET sequence = sequence + 1 WHERE id = :id RETURNING sequence;

-- name: add_line(conversation_id, seq, turn_id, role, content, now)!
INSERT INTO message (conversation_id, seq, turn_id, role, content, at)
VALUES (:conversation_id, :seq, :turn_id, :role, :content, :now);

-- name: last_lines(conversation_id, limit)
SELECT role, content FROM message WHERE conversation_id = :conversation_id ORDER BY seq DESC LIMIT :limit;

-- name: last_route(conversation_id)^
SELECT id, route FROM turn WHERE conversation_id = :conversation_id AND route IS NOT NULL ORDER BY id DESC LIMIT 1;

-- name: put_outbox(channel, conversation_id, turn_id, dedupe, key, payload, now)^
INSERT INTO outbox (channel, conversation_id, turn_id, dedupe, key, payload, due, created_at)
VALUES (:channel, :conversation_id, :turn_id, :dedupe, :key, :payload, :now, :now)
ON CONFLICT (dedupe) DO NOTHING
RETURNING id;

-- name: outbox_by_dedupe(dedupe)^
SELECT id FROM outbox WHERE dedupe = :dedupe;

-- name: outbox_by_key(conversation_id, key)^
SELECT payload FROM outbox WHERE conversation_id = :conversation_id AND key = :key ORDER BY id DESC LIMIT 1;

-- name: said(conversation_id, after)
SELECT id, payload FROM outbox WHERE conversation_id = :conversation_id AND id > :after AND state = 'sent' ORDER BY id;

-- name: bury_outbox(id, error)!
UPDATE outbox SET state = 'dead', owner = NULL, last_error = :error WHERE id = :id AND state IN ('pending', 'sending');

-- name: due_deliveries(now, limit, elsewhere)
-- Oldest first, and only the first undelivered one of each conversation: order within a conversation is kept.
-- Nothing of an account that a person must look at, or that asked to be left alone for a while; nothing of a channel
-- that another process has (:elsewhere is their names, each between bars).
SELECT id, channel, dedupe, key, conversation_id, payload, attempts FROM outbox AS o
WHERE state IN ('pending', 'sending') AND state = 'pending' AND due <= :now AND NOT EXISTS (
    SELECT 1 FROM outbox AS earlier
    WHERE earlier.conversation_id = o.conversation_id AND earlier.id < o.id AND earlier.state IN ('pending', 'sending')
) AND NOT EXISTS (SELECT 1 FROM account WHERE account.channel = o.channel AND account.closed_until > :now)
AND replace(CAST(:elsewhere AS text), '|' || o.channel || '|', '') = CAST(:elsewhere AS text)
ORDER BY due, id LIMIT :limit;

-- name: due_deliveries__postgresql(now, limit, elsewhere)
SELECT id, channel, dedupe, key, conversation_id, payload, attempts FROM outbox AS o
WHERE state IN ('pending', 'sending') AND state = 'pending' AND due <= :now AND NOT EXISTS (
    SELECT 1 FROM outbox AS earlier
    WHERE earlier.conversation_id = o.conversation_id AND earlier.id < o.id AND earlier.state IN ('pending', 'sending')
) AND NOT EXISTS (SELECT 1 FROM account WHERE account.channel = o.channel AND account.closed_until > :now)
AND replace(CAST(:elsewhere AS text), '|' || o.channel || '|', '') = CAST(:elsewhere AS text)
ORDER BY due, id LIMIT :limit FOR UPDATE SKIP LOCKED;

-- name: reference(conversation_id, key)^
SELECT reference FROM visible WHERE conversation_id = :conversation_id AND key = :key;

-- name: key_by_reference(conversation_id, reference, ending)^
-- The message whose last part that is: buttons hang on the last one.
SELECT key FROM visible
WHERE conversation_id = :conversation_id AND (reference = :reference OR reference LIKE :ending) LIMIT 1;

-- name: put_reference(conversation_id, key, reference)!
INSERT INTO visible (conversation_id, key, reference) VALUES (:conversation_id, :key, :reference)
ON CONFLICT (conversation_id, key) DO UPDATE SET reference = excluded.reference;

-- name: postpone(id, due, error)!
UPDATE outbox SET state = 'pending', owner = NULL, due = :due, last_error = :error
WHERE id = :id AND state IN ('pending', 'sending');

-- name: put_account(channel, state, reason, closed_until, now)!
INSERT INTO account (channel, state, reason, closed_until, since)
VALUES (:channel, :state, :reason, :closed_until, :now)
ON CONFLICT (channel) DO UPDATE SET
    state = excluded.state, reason = excluded.reason, closed_until = excluded.closed_until,
    since = CASE WHEN account.state = excluded.state THEN account.since ELSE excluded.since END;

-- name: accounts()
SELECT channel, state, reason, closed_until, since FROM account ORDER BY channel;

-- name: take_delivery(id, owner)!
UPDATE outbox SET state = 'sending', owner = :owner WHERE id = :id AND state = 'pending';

-- name: mark_sent(id, provider_ref)!
UPDATE outbox SET state = 'sent', owner = NULL, provider_ref = :provider_ref, last_error = NULL
WHERE id = :id AND state IN ('pending', 'sending');

-- name: mark_failed(id, state, due, error)!
UPDATE outbox SET state = :state, owner = NULL, attempts = attempts + 1, due = :due, last_error = :error
WHERE id = :id AND state IN ('pending', 'sending');

-- name: counts()^
SELECT
    (SELECT count(*) FROM outbox WHERE state = 'dead') AS dead,
    (SELECT count(*) FROM conversation WHERE owner IS NOT NULL) AS running,
    (SELECT count(*) FROM inbox WHERE state = 'pending') AS pending,
    (SELECT count(*) FROM outbox WHERE state IN ('pending', 'sending')) AS unsent;

-- name: unfinished(conversation_id)^
SELECT
    (SELECT count(*) FROM inbox WHERE conversation_id = :conversation_id AND state = 'pending')
    + (SELECT count(*) FROM outbox WHERE conversation_id = :conversation_id AND state IN ('pending', 'sending')) AS left_over;

-- name: put_media(digest, content_type, size_bytes, now)!
INSERT INTO media (digest, content_type, size_bytes, created_at) VALUES (:digest, :content_type, :size_bytes, :now)
ON CONFLICT (digest) DO NOTHING;

-- name: put_piece(digest, n, content)!
INSERT INTO media_piece (digest, n, content) VALUES (:digest, :n, :content)
ON CONFLICT (digest, n) DO NOTHING;

-- name: media(digest)^
SELECT content_type, size_bytes FROM media WHERE digest = :digest;

-- name: piece(digest, n)^
SELECT content FROM media_piece WHERE digest = :digest AND n = :n;

-- name: cursor(channel, name)^
SELECT value FROM cursor WHERE channel = :channel AND name = :name;

-- name: read_until(channel, name, value)!
INSERT INTO cursor (channel, name, value) VALUES (:channel, :name, :value)
ON CONFLICT (channel, name) DO UPDATE SET value = excluded.value;

-- name: put_letter(correspondent, message_id, conversation_id, key, subject, ancestors, hops, now)^
INSERT INTO letter (correspondent, message_id, conversation_id, key, subject, ancestors, hops, at)
VALUES (:correspondent, :message_id, :conversation_id, :key, :subject, :ancestors, :hops, :now)
ON CONFLICT (correspondent, message_id) DO NOTHING
RETURNING id;

-- name: forget_letter(correspondent, message_id)!
DELETE FROM letter WHERE correspondent = :correspondent AND message_id = :message_id;

-- name: letter(correspondent, message_id)^
SELECT conversation_id, key FROM letter WHERE correspondent = :correspondent AND message_id = :message_id;

-- name: sent_letter(message_id)^
SELECT conversation_id, key, correspondent FROM letter WHERE message_id = :message_id AND key <> '' LIMIT 1;

-- name: last_letter(conversation_id)^
SELECT message_id, subject, ancestors, hops FROM letter
WHERE conversation_id = :conversation_id AND key = '' ORDER BY id DESC LIMIT 1;

-- name: first_letter(conversation_id)^
SELECT message_id, subject, ancestors, hops FROM letter WHERE conversation_id = :conversation_id ORDER BY id LIMIT 1;
