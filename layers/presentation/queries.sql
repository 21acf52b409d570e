-- Pictures that were drawn, and what people said of them.

-- name: keep_figure(id, root, conversation_id, turn_id, key, source, media, verdict, version, now)!
INSERT INTO figure (id, root, conversation_id, turn_id, key, source, media, verdict, version, created_at)
VALUES (:id, :root, :conversation_id, :turn_id, :key, :source, :media, :verdict, :version, :now)
ON CONFLICT (id) DO NOTHING;

-- name: figure_by_id(id)^
SELECT id, root, conversation_id, turn_id, key, source, media, verdict, version, review, reviewed_by, reviewed_at,
  comment
FROM figure WHERE id = :id;

-- name: review_figure(id, review, person, comment, now)!
UPDATE figure SET review = :review, reviewed_by = :person, comment = :comment, reviewed_at = :now
WHERE id = :id AND review IS NULL;

-- name: add_canary(model, defect, was_found, now)!
INSERT INTO judge_canary (model, defect, was_found, created_at) VALUES (:model, :defect, :was_found, :now);

-- name: recalls(window)
SELECT model, COUNT(*) AS asked, CAST(SUM(was_found) AS BIGINT) AS found
FROM (
  SELECT model, was_found, ROW_NUMBER() OVER (PARTITION BY model ORDER BY id DESC) AS place FROM judge_canary
) AS placed
WHERE place <= :window GROUP BY model ORDER BY model;

-- name: add_case(id, figure_id, conversation_id, reported_by, comment, now)!
INSERT INTO lint_case (id, figure_id, conversation_id, reported_by, comment, created_at)
VALUES (:id, :figure_id, :conversation_id, :reported_by, :comment, :now) ON CONFLICT (id) DO NOTHING;

-- name: cases(most)
SELECT lint_case.id, lint_case.figure_id, lint_case.conversation_id, lint_case.reported_by, lint_case.comment,
  lint_case.created_at, figure.source, figure.verdict, figure.media, figure.version
FROM lint_case JOIN figure ON figure.id = lint_case.figure_id
ORDER BY lint_case.created_at DESC, lint_case.id DESC LIMIT :most;

-- name: versions_of(root)
SELECT version FROM figure WHERE root = :root ORDER BY version, id;
