-- The page's own tables: its durable log of events and its sessions.

-- name: add_event(conversation_id, key, body, dedupe, now)^
INSERT INTO page_event (conversation_id, key, body, dedupe, at)
VALUES (:conversation_id, :key, :body, :dedupe, :now)
ON CONFLICT (dedupe) DO NOTHING
RETURNING id;

-- name: add_event__postgresql(conversation_id, key, body, dedupe, now)^
-- A sequence hands out ids before the commit, so a reader who resumes after id 8 could miss a slower 7. The lock makes
-- the ids of one conversation visible in their own order. 7262 ("page" on a phone's keys) keeps it apart from other locks.
WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock(7262, hashtext(:conversation_id)))
INSERT INTO page_event (conversation_id, key, body, dedupe, at)
SELECT :conversation_id, :key, :body, :dedupe, :now FROM turn
ON CONFLICT (dedupe) DO NOTHING
RETURNING id;

-- name: event_by_dedupe(dedupe)^
SELECT id FROM page_event WHERE dedupe = :dedupe;

-- name: events_after(conversation_id, after, count)
SELECT id, key, body, at FROM page_event
WHERE conversation_id = :conversation_id AND id > :after
ORDER BY id LIMIT :count;

-- name: last_event(conversation_id)^
SELECT COALESCE(MAX(id), 0) AS id FROM page_event WHERE conversation_id = :conversation_id;

-- name: history(conversation_id, before, count)
-- Walks from the newest backwards over the opening event of each key and stops after `count` of them, so its cost does
-- not grow with the length of the conversation. The newest event of the key is what is shown.
SELECT opening.id AS first_id, opening.at AS first_at, newest.id, newest.key, newest.body
FROM page_event opening
JOIN page_event newest ON newest.id = (
    SELECT MAX(same.id) FROM page_event same
    WHERE same.conversation_id = opening.conversation_id AND same.key = opening.key)
WHERE opening.conversation_id = :conversation_id AND opening.id < :before
  AND NOT EXISTS (
    SELECT 1 FROM page_event older
    WHERE older.conversation_id = opening.conversation_id AND older.key = opening.key AND older.id < opening.id)
ORDER BY opening.id DESC LIMIT :count;

-- name: conversations(count)
-- Skips from one conversation to the next in the index, so its cost grows with their number, not with what was said.
-- Each is named by the first thing a person said, whose keys begin with u (+ 0 keeps SQLite on the index by key).
WITH RECURSIVE named(id) AS (
    SELECT MIN(conversation_id) FROM page_event
    UNION ALL
    SELECT (SELECT MIN(event.conversation_id) FROM page_event event WHERE event.conversation_id > named.id)
    FROM named WHERE named.id IS NOT NULL)
SELECT named.id AS conversation_id, newest.at AS last_at,
    (SELECT said.body FROM page_event said WHERE said.id = (
        SELECT MIN(event.id + 0) FROM page_event event
        WHERE event.conversation_id = named.id AND event.key >= 'u' AND event.key < 'v')) AS first_body
FROM named
JOIN page_event newest ON newest.id = (
    SELECT MAX(event.id) FROM page_event event WHERE event.conversation_id = named.id)
ORDER BY newest.id DESC LIMIT :count;

-- name: add_token(token_hash, kind, person, now, expires_at)!
INSERT INTO page_session (token_hash, kind, person, created_at, expires_at)
VALUES (:token_hash, :kind, :person, :now, :expires_at);

-- name: use_link(token_hash, now)^
UPDATE page_session SET used_at = :now
WHERE token_hash = :token_hash AND kind = 'link' AND used_at IS NULL AND expires_at > :now
RETURNING person;

-- name: token(token_hash, kind)^
SELECT person, expires_at, used_at FROM page_session WHERE token_hash = :token_hash AND kind = :kind;

-- name: end_session(token_hash)!
DELETE FROM page_session WHERE token_hash = :token_hash AND kind = 'session';

-- name: sweep_tokens(now)!
DELETE FROM page_session WHERE expires_at < :now;
