-- The standing rules of conversations.

-- name: rule_add(conversation_id, text, created_by, now)^
INSERT INTO standing_rule (conversation_id, text, created_by, created_at)
VALUES (:conversation_id, :text, :created_by, :now)
RETURNING id;

-- name: standing_rules(conversation_id)
SELECT id, text, created_by
FROM standing_rule
WHERE conversation_id = :conversation_id
ORDER BY id;

-- name: rule_remove(id, conversation_id)!
DELETE FROM standing_rule
WHERE id = :id AND conversation_id = :conversation_id;
