-- name: keep(id, conversation_id, workspace, base_commit, base_tree, result_tree, diff, summary, author, created_at)!
INSERT INTO proposal
    (id, conversation_id, workspace, base_commit, base_tree, result_tree, diff, summary, author, state, created_at)
VALUES
    (:id, :conversation_id, :workspace, :base_commit, :base_tree, :result_tree, :diff, :summary, :author, 'proposed', :created_at)
ON CONFLICT (id) DO NOTHING;

-- name: by_id(id)^
SELECT id, conversation_id, workspace, base_commit, base_tree, result_tree, diff, summary, author, state, commit_id, created_at
FROM proposal
WHERE id = :id;

-- name: mark(id, before, after, commit_id)!
UPDATE proposal
SET state = :after, commit_id = :commit_id
WHERE id = :id AND state = :before;
