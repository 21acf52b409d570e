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

-- name: take_names(source, names, inbox_id)!
-- Every name at once (:names is a JSON list), in order, so that two processes that share some wait instead of blocking
-- each other for ever.
INSERT INTO inbox_alias (source, alias, inbox_id)
SELECT :source, value, :inbox_id FROM json_each(:names) WHERE 1 = 1 ORDER BY value
ON CONFLICT (source, alias) DO NOTHING;

-- name: take_names__postgresql(source, names, inbox_id)!
INSERT INTO inbox_alias (source, alias, inbox_id)
SELECT :source, value, :inbox_id FROM json_array_elements_text(CAST(:names AS json)) AS given (value) ORDER BY value
ON CONFLICT (source, alias) DO NOTHING;

-- name: inbox_by_names(source, names, but)^
SELECT inbox_id AS id FROM inbox_alias
WHERE source = :source AND alias IN (SELECT value FROM json_each(:names)) AND inbox_id <> :but
ORDER BY inbox_id LIMIT 1;

-- name: inbox_by_names__postgresql(source, names, but)^
SELECT inbox_id AS id FROM inbox_alias
WHERE source = :source AND inbox_id <> :but
AND alias IN (SELECT value FROM json_array_elements_text(CAST(:names AS json)) AS given (value))
ORDER BY inbox_id LIMIT 1;

-- name: give_names(source, names, before, after)!
UPDATE inbox_alias SET inbox_id = :after
WHERE source = :source AND alias IN (SELECT value FROM json_each(:names)) AND inbox_id = :before;

-- name: give_names__postgresql(source, names, before, after)!
UPDATE inbox_alias SET inbox_id = :after WHERE source = :source AND inbox_id = :before
AND alias IN (SELECT value FROM json_array_elements_text(CAST(:names AS json)) AS given (value));

-- name: forget_inbox(id)!
DELETE FROM inbox WHERE id = :id AND state = 'pending';

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
RETURNING id, payload, attempts, received_at, stopped_by;

-- name: first_pending(conversation_id, before)^
SELECT id, payload FROM inbox
WHERE conversation_id = :conversation_id AND state = 'pending' AND id < :before ORDER BY id LIMIT 1;

-- name: stop(id, by)!
UPDATE inbox SET stopped_by = :by WHERE id = :id AND state = 'pending' AND stopped_by IS NULL;

-- name: stopping()
SELECT inbox.id, word.payload FROM inbox JOIN inbox AS word ON word.id = inbox.stopped_by
WHERE inbox.stopped_by IS NOT NULL AND inbox.state = 'pending';

-- name: stopped_by(by)^
SELECT turn.state FROM inbox JOIN turn ON turn.id = inbox.id
WHERE inbox.stopped_by IS NOT NULL AND inbox.state = 'done' AND inbox.stopped_by = :by;

-- name: word_of(id)^
SELECT payload FROM inbox WHERE id = :id;

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
SELECT DISTINCT owner FROM outbox WHERE owner IS NOT NULL;

-- name: free_conversations(owner, now)!
UPDATE conversation SET owner = NULL, ready_at = :now WHERE owner = :owner;

-- name: free_deliveries(owner)!
-- A placeholder that was asked for may be there; what was being edited is there.
UPDATE outbox SET
    is_doubtful = CASE WHEN state = 'placing' THEN 1 ELSE is_doubtful END,
    state = CASE WHEN state = 'placing' THEN 'pending' ELSE 'placed' END,
    owner = NULL
WHERE owner = :owner;

-- name: taken_deliveries(owner)
SELECT id FROM outbox WHERE owner = :owner;

-- name: free_delivery(id, owner)!
UPDATE outbox SET
    is_doubtful = CASE WHEN state = 'placing' THEN 1 ELSE is_doubtful END,
    state = CASE WHEN state = 'placing' THEN 'pending' ELSE 'placed' END,
    owner = NULL
WHERE id = :id AND owner = :owner;

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

-- name: put_outbox(channel, conversation_id, turn_id, dedupe, key, kind, payload, priority, sameness, expires_at, now)^
-- A row whose key a finished message has edits it: that is how a press is answered, so it goes first (priority 0).
-- Whom a turn answers is known by its inbox row, which has the turn's id.
INSERT INTO outbox (channel, conversation_id, turn_id, dedupe, key, kind, origin, payload, priority, sameness,
                    due, expires_at, created_at)
SELECT :channel, :conversation_id, CAST(:turn_id AS bigint), :dedupe, :key, :kind,
    CASE
        WHEN CAST(:turn_id AS bigint) IS NULL THEN 'house'
        WHEN EXISTS (
            SELECT 1 FROM inbox
            WHERE id = CAST(:turn_id AS bigint) AND conversation_id = :conversation_id AND kind IN ('message', 'press')
        ) THEN 'reply'
        ELSE 'agent'
    END,
    :payload,
    CASE WHEN :kind <> 'working' AND EXISTS (
        SELECT 1 FROM outbox WHERE conversation_id = :conversation_id AND key = :key AND kind <> 'working'
    ) THEN 0 ELSE CAST(:priority AS bigint) END,
    :sameness, CAST(:now AS double precision), CAST(:expires_at AS double precision), CAST(:now AS double precision)
WHERE 1 = 1
ON CONFLICT (dedupe) DO NOTHING
RETURNING id;

-- name: outbox_by_dedupe(dedupe)^
SELECT id FROM outbox WHERE dedupe = :dedupe;

-- name: outbox_by_key(conversation_id, key)^
SELECT payload FROM outbox WHERE conversation_id = :conversation_id AND key = :key AND kind <> 'notice'
ORDER BY id DESC LIMIT 1;

-- name: outbox_by_id(id)^
SELECT id, channel, conversation_id, key, kind, payload, state, expires_at FROM outbox WHERE id = :id;

-- name: said(conversation_id, after)
SELECT id, payload FROM outbox WHERE conversation_id = :conversation_id AND id > :after AND state = 'sent' ORDER BY id;

-- name: end_delivery(id, state, error)!
UPDATE outbox SET state = :state, owner = NULL, last_error = :error
WHERE id = :id AND state IN ('pending', 'placing', 'placed', 'editing');

-- name: due_deliveries(now, limit, elsewhere)
-- By priority, the oldest first, and only the first open one of each conversation: order within a conversation is kept.
-- Only the answer to a press, which edits what is there already, waits for nothing but rows of its own key; and no answer
-- waits for what nobody asked for, which may be held back until the morning.
-- Nothing of an account that a person must look at, nothing of a channel that is closed or empty as a whole, nothing of
-- one that another process has (:elsewhere is their names, each between bars).
SELECT id, channel, dedupe, key, kind, origin, conversation_id, payload, is_doubtful, attempts, due, expires_at, sameness,
    created_at
FROM outbox AS o
WHERE state IN ('pending', 'placing', 'placed', 'editing') AND owner IS NULL AND due <= :now AND NOT EXISTS (
    SELECT 1 FROM outbox AS earlier
    WHERE earlier.conversation_id = o.conversation_id AND earlier.id < o.id
    AND earlier.state IN ('pending', 'placing', 'placed', 'editing')
    AND (earlier.key = o.key OR (o.priority > 0 AND (earlier.origin <> 'agent' OR o.origin = 'agent')))
) AND NOT EXISTS (SELECT 1 FROM account WHERE account.channel = o.channel AND account.closed_until > :now)
AND NOT EXISTS (SELECT 1 FROM pace WHERE pace.bucket = o.channel AND pace.closed_until > :now)
AND replace(CAST(:elsewhere AS text), '|' || o.channel || '|', '') = CAST(:elsewhere AS text)
ORDER BY priority, due, id LIMIT :limit;

-- name: due_deliveries__postgresql(now, limit, elsewhere)
SELECT id, channel, dedupe, key, kind, origin, conversation_id, payload, is_doubtful, attempts, due, expires_at, sameness,
    created_at
FROM outbox AS o
WHERE state IN ('pending', 'placing', 'placed', 'editing') AND owner IS NULL AND due <= :now AND NOT EXISTS (
    SELECT 1 FROM outbox AS earlier
    WHERE earlier.conversation_id = o.conversation_id AND earlier.id < o.id
    AND earlier.state IN ('pending', 'placing', 'placed', 'editing')
    AND (earlier.key = o.key OR (o.priority > 0 AND (earlier.origin <> 'agent' OR o.origin = 'agent')))
) AND NOT EXISTS (SELECT 1 FROM account WHERE account.channel = o.channel AND account.closed_until > :now)
AND NOT EXISTS (SELECT 1 FROM pace WHERE pace.bucket = o.channel AND pace.closed_until > :now)
AND replace(CAST(:elsewhere AS text), '|' || o.channel || '|', '') = CAST(:elsewhere AS text)
ORDER BY priority, due, id LIMIT :limit FOR UPDATE SKIP LOCKED;

-- name: next_delivery(now)^
-- When something that waits for a time may go on.
SELECT
    (SELECT min(due) FROM outbox
     WHERE state IN ('pending', 'placing', 'placed', 'editing') AND due > :now) AS due,
    (SELECT min(closed_until) FROM pace WHERE closed_until > :now AND closed_until > 0) AS opens,
    (SELECT min(closed_until) FROM account WHERE closed_until > :now) AS resumes;

-- name: overtake(conversation_id, key)!
-- Progress that a later row of the same key overtook; the last row of the key stays.
UPDATE outbox SET state = 'merged'
WHERE conversation_id = :conversation_id AND key = :key AND kind = 'working' AND owner IS NULL
AND state IN ('pending', 'placed') AND id < (
    SELECT max(last.id) FROM outbox AS last WHERE last.conversation_id = :conversation_id AND last.key = :key
);

-- name: is_repeat(id, conversation_id, sameness, after)^
SELECT id FROM outbox
WHERE conversation_id = :conversation_id AND sameness = :sameness AND id < :id AND created_at > :after
AND state NOT IN ('merged', 'failed', 'expired') LIMIT 1;

-- name: waiting(conversation_id)
SELECT id, channel, key, kind, payload, expires_at FROM outbox AS o
WHERE conversation_id = :conversation_id AND state IN ('pending', 'placing', 'placed', 'editing') AND state = 'pending'
AND kind <> 'digest' AND NOT EXISTS (
    SELECT 1 FROM visible WHERE visible.conversation_id = o.conversation_id AND visible.key = o.key
) ORDER BY id;

-- name: expire(id, digest)!
UPDATE outbox SET state = 'expired', digest = :digest, last_error = 'it came too late' WHERE id = :id AND state = 'pending';

-- name: name_digest(dedupe, digest)!
UPDATE outbox SET digest = :digest WHERE dedupe = :dedupe;

-- name: note_shown(conversation_id, key)^
SELECT id FROM outbox WHERE conversation_id = :conversation_id AND key = :key AND kind IN ('notice', 'digest') LIMIT 1;

-- name: open_digest(conversation_id)^
SELECT id, digest FROM outbox
WHERE conversation_id = :conversation_id AND state IN ('pending', 'placing', 'placed', 'editing') AND state = 'pending'
AND kind = 'digest' AND owner IS NULL;

-- name: expired_of(digest)
SELECT id, conversation_id, key, kind, payload, state FROM outbox WHERE digest = :digest AND state = 'expired' ORDER BY id;

-- name: rewrite(id, payload)!
UPDATE outbox SET payload = :payload WHERE id = :id AND state = 'pending';

-- name: send_again(id, now, expires_at)!
-- Not where a newer form of the message exists: it would be taken back.
UPDATE outbox SET
    state = CASE WHEN EXISTS (
        SELECT 1 FROM visible WHERE visible.conversation_id = outbox.conversation_id AND visible.key = outbox.key
    ) THEN 'placed' ELSE 'pending' END,
    attempts = 0, due = :now, expires_at = :expires_at, digest = NULL, sameness = NULL, last_error = NULL
WHERE id = :id AND state IN ('unknown', 'failed', 'expired') AND NOT EXISTS (
    SELECT 1 FROM outbox AS later
    WHERE later.conversation_id = outbox.conversation_id AND later.key = outbox.key AND later.id > outbox.id
    AND later.kind <> 'notice'
);

-- name: drop_notes(conversation_id, key)!
UPDATE outbox SET state = 'merged'
WHERE conversation_id = :conversation_id AND key = :key AND kind = 'notice' AND owner IS NULL
AND state IN ('pending', 'placed');

-- name: is_overtaken(id, conversation_id, key)^
SELECT id FROM outbox
WHERE conversation_id = :conversation_id AND key = :key AND id > :id AND kind <> 'notice' LIMIT 1;

-- name: lock_bucket(bucket, now)^
INSERT INTO pace (bucket, tat, closed_until, since) VALUES (:bucket, 0, 0, :now)
ON CONFLICT (bucket) DO UPDATE SET bucket = excluded.bucket
RETURNING tat, since;

-- name: closed_buckets(now)
SELECT bucket, closed_until FROM pace WHERE closed_until > :now AND closed_until > 0;

-- name: draw(bucket, tat)!
UPDATE pace SET tat = :tat WHERE bucket = :bucket;

-- name: close_bucket(bucket, until, now)!
INSERT INTO pace (bucket, tat, closed_until, since) VALUES (:bucket, 0, :until, :now)
ON CONFLICT (bucket) DO UPDATE SET
    closed_until = CASE WHEN pace.closed_until > excluded.closed_until THEN pace.closed_until ELSE excluded.closed_until END;

-- name: closed_until(bucket)^
SELECT closed_until FROM pace WHERE bucket = :bucket;

-- name: forget_buckets(before, kept)!
-- One that is full again is as good as one that was never used; only a budget per day remembers its beginning.
DELETE FROM pace WHERE tat < :before AND closed_until < :before AND bucket NOT LIKE :kept;

-- name: take_seat(person, conversation_id, now)!
INSERT INTO seat (person, conversation_id, at) VALUES (:person, :conversation_id, :now)
ON CONFLICT (person, conversation_id) DO NOTHING;

-- name: seats(person)
SELECT conversation_id FROM seat WHERE person = :person ORDER BY conversation_id;

-- name: contact(channel, recipient)^
SELECT source, at FROM contact WHERE channel = :channel AND recipient = :recipient;

-- name: add_contact(channel, recipient, source, now)!
INSERT INTO contact (channel, recipient, source, at) VALUES (:channel, :recipient, :source, :now)
ON CONFLICT (channel, recipient) DO NOTHING;

-- name: reference(conversation_id, key)^
SELECT reference FROM visible WHERE conversation_id = :conversation_id AND key = :key;

-- name: key_by_reference(conversation_id, reference, ending)^
-- The message whose last part that is: buttons hang on the last one.
SELECT key FROM visible
WHERE conversation_id = :conversation_id AND (reference = :reference OR reference LIKE :ending) LIMIT 1;

-- name: shown_at(conversation_id, key)^
SELECT shown_at FROM visible WHERE conversation_id = :conversation_id AND key = :key;

-- name: put_shown(conversation_id, key, reference, now)!
INSERT INTO visible (conversation_id, key, reference, shown_at) VALUES (:conversation_id, :key, :reference, :now)
ON CONFLICT (conversation_id, key) DO UPDATE SET
    reference = excluded.reference, shown_at = COALESCE(visible.shown_at, excluded.shown_at);

-- name: put_reference(conversation_id, key, reference)!
INSERT INTO visible (conversation_id, key, reference) VALUES (:conversation_id, :key, :reference)
ON CONFLICT (conversation_id, key) DO UPDATE SET reference = excluded.reference;

-- name: move_due(id, due)!
UPDATE outbox SET due = :due WHERE id = :id AND owner IS NULL;

-- name: hold(id, due, expires_at)!
UPDATE outbox SET due = :due, expires_at = :expires_at WHERE id = :id AND owner IS NULL;

-- name: postpone(id, due, error, owner)!
UPDATE outbox SET state = CASE WHEN state = 'placing' THEN 'pending' ELSE 'placed' END, owner = NULL, due = :due, last_error = :error
WHERE id = :id AND owner = :owner;

-- name: lock_account(channel, now)^
-- Makes the row if need be and locks it: of two processes that see the same trouble one tells of it.
INSERT INTO account (channel, state, reason, closed_until, since)
VALUES (:channel, 'degraded', 'not connected yet', 0, :now)
ON CONFLICT (channel) DO UPDATE SET channel = excluded.channel
RETURNING channel, state, reason, closed_until, since, fingerprint, generation, notice;

-- name: put_account(channel, state, reason, closed_until, now)!
UPDATE account SET
    state = :state, reason = :reason, closed_until = :closed_until,
    since = CASE WHEN state = :state THEN since ELSE :now END
WHERE channel = :channel;

-- name: enrol_account(channel, fingerprint, generation)!
UPDATE account SET fingerprint = :fingerprint, generation = :generation WHERE channel = :channel;

-- name: put_notice(channel, notice)!
UPDATE account SET notice = :notice WHERE channel = :channel;

-- name: accounts()
SELECT channel, state, reason, closed_until, since, generation, fingerprint FROM account ORDER BY channel;

-- name: account(channel)^
SELECT channel, state, reason, closed_until, since, generation, fingerprint FROM account WHERE channel = :channel;

-- name: forget_account(channel)!
DELETE FROM account WHERE channel = :channel AND state NOT IN ('challenged', 'suspended', 'revoked');

-- name: waiting_by_channel()
SELECT channel, count(*) AS messages FROM outbox
WHERE state IN ('pending', 'placing', 'placed', 'editing') GROUP BY channel;

-- name: unknown_by_channel()
SELECT channel, count(*) AS messages FROM outbox
WHERE state IN ('unknown', 'failed', 'expired') AND state = 'unknown' GROUP BY channel;

-- name: take_delivery(id, state, owner)!
UPDATE outbox SET state = :state, owner = :owner WHERE id = :id AND owner IS NULL;

-- name: mark_placed(id)!
UPDATE outbox SET state = 'editing', is_doubtful = 0 WHERE id = :id AND state = 'placing';

-- name: mark_sent(id, provider_ref)!
UPDATE outbox SET state = 'sent', owner = NULL, provider_ref = :provider_ref, last_error = NULL
WHERE id = :id AND state IN ('pending', 'placing', 'placed', 'editing');

-- name: mark_failed(id, due, error, is_ambiguous, owner)!
UPDATE outbox SET
    is_doubtful = CASE WHEN state = 'placing' AND :is_ambiguous = 1 THEN 1 ELSE is_doubtful END,
    state = CASE WHEN state = 'placing' THEN 'pending' ELSE 'placed' END,
    owner = NULL, attempts = attempts + 1, due = :due, last_error = :error
WHERE id = :id AND owner = :owner;

-- name: give_up(id, state, error, owner)!
UPDATE outbox SET state = :state, owner = NULL, attempts = attempts + 1, last_error = :error
WHERE id = :id AND owner = :owner;

-- name: counts()^
SELECT
    (SELECT count(*) FROM outbox WHERE state IN ('unknown', 'failed', 'expired') AND state = 'unknown') AS unknown,
    (SELECT count(*) FROM outbox WHERE state IN ('unknown', 'failed', 'expired') AND state = 'failed') AS failed,
    (SELECT count(*) FROM outbox WHERE state IN ('unknown', 'failed', 'expired') AND state = 'expired') AS expired,
    (SELECT count(*) FROM conversation WHERE owner IS NOT NULL) AS running,
    (SELECT count(*) FROM inbox WHERE state = 'pending') AS pending,
    (SELECT count(*) FROM outbox WHERE state IN ('pending', 'placing', 'placed', 'editing')) AS unsent;

-- name: unfinished(conversation_id)^
SELECT
    (SELECT count(*) FROM inbox WHERE conversation_id = :conversation_id AND state = 'pending')
    + (SELECT count(*) FROM outbox
       WHERE conversation_id = :conversation_id AND state IN ('pending', 'placing', 'placed', 'editing')) AS left_over;

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

-- name: takes_part(conversation_id, source, event_id)^
SELECT 1 AS does WHERE EXISTS (SELECT 1 FROM conversation WHERE id = :conversation_id)
OR EXISTS (SELECT 1 FROM visible WHERE conversation_id = :conversation_id)
OR EXISTS (SELECT 1 FROM inbox_alias WHERE source = :source AND alias = :event_id);

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

-- name: cursors_under(channel, prefix, length)
SELECT name, value FROM cursor WHERE channel = :channel AND substr(name, 1, :length) = :prefix;

-- name: read_no_more(channel, name)!
DELETE FROM cursor WHERE channel = :channel AND name = :name;

-- name: ask_back(conversation_id, person, about, key, under, now)!
INSERT INTO question (conversation_id, person, about, key, under, created_at)
VALUES (:conversation_id, :person, :about, :key, :under, :now)
ON CONFLICT (conversation_id, person)
DO UPDATE SET about = :about, key = :key, under = :under, created_at = :now;

-- name: asked_back(conversation_id, person)^
SELECT about, key, under, created_at FROM question WHERE conversation_id = :conversation_id AND person = :person;

-- name: end_question(conversation_id, person)!
DELETE FROM question WHERE conversation_id = :conversation_id AND person = :person;
