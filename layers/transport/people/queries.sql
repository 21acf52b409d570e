-- People, their identities, and wishes to be let in. These tables are small: a household, a team, a company.

-- name: put_person(id, name, approver, source, now)!
INSERT INTO person (id, name, approver, source, created_at) VALUES (:id, :name, :approver, :source, :now)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, approver = excluded.approver, source = excluded.source;

-- name: put_identity(identity, channel, person, source, paired_by, now)!
-- Where they wrote last stays known.
INSERT INTO identity (identity, channel, person, source, paired_by, at)
VALUES (:identity, :channel, :person, :source, :paired_by, :now)
ON CONFLICT (identity) DO UPDATE SET
    person = excluded.person, source = excluded.source, paired_by = excluded.paired_by, at = excluded.at;

-- name: recognise(identity)^
SELECT person.id, person.name, identity.direct FROM identity JOIN person ON person.id = identity.person
WHERE identity.identity = :identity;

-- name: put_direct(identity, direct)!
UPDATE identity SET direct = :direct WHERE identity = :identity;

-- name: person(id)^
SELECT id, name, approver, source FROM person WHERE id = :id;

-- name: person_ids()
SELECT id FROM person;

-- name: approvers()
SELECT id, name FROM person WHERE approver = 1 ORDER BY source, created_at, id;

-- name: persons()
SELECT id, name, approver, source FROM person ORDER BY source, approver DESC, created_at, id;

-- name: identities()
SELECT identity, person, source FROM identity ORDER BY source, at, identity;

-- name: identity_by_handle(handle_hash)^
SELECT identity, person, source FROM identity WHERE handle_hash = :handle_hash;

-- name: put_handle(identity, handle_hash)!
UPDATE identity SET handle_hash = :handle_hash WHERE identity = :identity;

-- name: drop_identity(identity)!
DELETE FROM identity WHERE identity = :identity;

-- name: drop_identities_of_file(kept)!
-- Before those that the file has now are written; what is paired stays.
DELETE FROM identity WHERE source = 'file' AND identity NOT IN (SELECT value FROM json_each(:kept));

-- name: drop_identities_of_file__postgresql(kept)!
DELETE FROM identity WHERE source = 'file'
AND identity NOT IN (SELECT value FROM json_array_elements_text(CAST(:kept AS json)) AS given (value));

-- name: drop_persons_of_file(kept)!
DELETE FROM person WHERE source = 'file' AND id NOT IN (SELECT value FROM json_each(:kept));

-- name: drop_persons_of_file__postgresql(kept)!
DELETE FROM person WHERE source = 'file'
AND id NOT IN (SELECT value FROM json_array_elements_text(CAST(:kept AS json)) AS given (value));

-- name: drop_orphans()!
DELETE FROM identity WHERE person NOT IN (SELECT id FROM person);

-- name: drop_person_without_identity(id)!
DELETE FROM person WHERE id = :id AND source = 'paired'
AND NOT EXISTS (SELECT 1 FROM identity WHERE identity.person = person.id);

-- name: places()
-- Where the approvers can be reached beside the page. An account that a person must look at is called for nothing.
SELECT identity.person, identity.direct FROM identity
JOIN person ON person.id = identity.person
JOIN account ON account.channel = identity.channel
WHERE person.approver = 1 AND identity.direct <> ''
AND account.state NOT IN ('challenged', 'suspended', 'revoked')
ORDER BY identity.direct, identity.person;

-- name: open_of(identity)^
SELECT code, expires_at FROM pairing WHERE identity = :identity AND state = 'open';

-- name: lately(channel, after)^
SELECT count(*) AS requests FROM pairing WHERE channel = :channel AND created_at > :after;

-- name: refused_lately(identity, after)^
SELECT id FROM pairing WHERE identity = :identity AND created_at > :after AND state = 'refused' LIMIT 1;

-- name: add_pairing(id, handle_hash, code, identity, channel, display, conversation_id, places, now, expires_at)!
INSERT INTO pairing (id, handle_hash, code, identity, channel, display, conversation_id, places, created_at, expires_at)
VALUES (:id, :handle_hash, :code, :identity, :channel, :display, :conversation_id, :places, :now, :expires_at)
ON CONFLICT DO NOTHING;

-- name: pairing_by_handle(handle_hash)^
SELECT id, code, identity, display, conversation_id, places, state, expires_at
FROM pairing WHERE handle_hash = :handle_hash;

-- name: pairing_by_id(id)^
SELECT decided_by FROM pairing WHERE id = :id;

-- name: pairing_by_code(code)^
SELECT id, code, identity, display, conversation_id, places, state, expires_at
FROM pairing WHERE code = :code AND state = 'open';

-- name: end_pairing(id, state, choice, decided_by, now)!
UPDATE pairing SET state = :state, choice = :choice, decided_by = :decided_by, decided_at = :now
WHERE id = :id AND state = 'open' AND expires_at > :now;

-- name: due(now)
SELECT id, code, identity, display, conversation_id, places, state, expires_at
FROM pairing WHERE state = 'open' AND expires_at <= :now;

-- name: expire(id, now)!
UPDATE pairing SET state = 'expired', decided_at = :now WHERE id = :id AND state = 'open' AND expires_at <= :now;
