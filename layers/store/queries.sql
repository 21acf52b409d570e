-- name: register(id, host, pid, now)!
INSERT INTO worker (id, host, pid, started_at, beat_at) VALUES (:id, :host, :pid, :now, :now)
ON CONFLICT (id) DO UPDATE SET beat_at = excluded.beat_at;

-- name: beat(id, now)!
UPDATE worker SET beat_at = :now WHERE id = :id;

-- name: forget(id)!
DELETE FROM worker WHERE id = :id;

-- name: workers()
SELECT id, host, pid, started_at, beat_at FROM worker ORDER BY started_at;

-- name: clock()^
SELECT (julianday('now') - 2440587.5) * 86400.0 AS now;

-- name: clock__postgresql()^
SELECT CAST(extract(epoch FROM clock_timestamp()) AS double precision) AS now;

-- name: worker_is_gone__postgresql(space, worker, stale)^
-- A live worker holds this session lock on its listening connection; whoever can take it has found a dead one. A frozen
-- one holds it still, but its heart has stopped.
SELECT pg_try_advisory_xact_lock(:space, hashtext(:worker))
    OR EXISTS (SELECT 1 FROM worker WHERE id = :worker AND beat_at < :stale) AS gone;

-- name: lock_session__postgresql(space, worker)^
SELECT pg_try_advisory_lock(:space, hashtext(:worker)) AS locked;

-- name: notify__postgresql(topics)^
SELECT pg_notify('bulkhead', :topics) AS sent;

-- name: version()^
SELECT version_num FROM alembic_version;
