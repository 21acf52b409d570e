-- Pictures that were drawn, and what people said of them.

-- name: keep_figure(id, conversation_id, turn_id, key, source, media, verdict, version, now)!
INSERT INTO figure (id, conversation_id, turn_id, key, source, media, verdict, version, created_at)
VALUES (:id, :conversation_id, :turn_id, :key, :source, :media, :verdict, :version, :now)
ON CONFLICT (id) DO NOTHING;

-- name: figure_by_id(id)^
SELECT id, conversation_id, turn_id, key, source, media, verdict, version, review, reviewed_by, reviewed_at, created_at
FROM figure WHERE id = :id;

-- name: review_figure(id, review, person, now)!
UPDATE figure SET review = :review, reviewed_by = :person, reviewed_at = :now
WHERE id = :id AND review IS NULL;
