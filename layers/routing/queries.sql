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

-- What was spent by whom, which model obeyed, and what conversations are pinned to.

-- name: spend_add(scope, day, name, calls, failures, unpriced, tokens_in, tokens_out, usd, ms)!
INSERT INTO spend (scope, day, name, calls, failures, unpriced, tokens_in, tokens_out, usd, ms)
VALUES (:scope, :day, :name, :calls, :failures, :unpriced, :tokens_in, :tokens_out, :usd, :ms)
ON CONFLICT (scope, day, name) DO UPDATE SET
    calls = spend.calls + excluded.calls,
    failures = spend.failures + excluded.failures,
    unpriced = spend.unpriced + excluded.unpriced,
    tokens_in = spend.tokens_in + excluded.tokens_in,
    tokens_out = spend.tokens_out + excluded.tokens_out,
    usd = spend.usd + excluded.usd,
    ms = spend.ms + excluded.ms;

-- name: spend_of(scope, day, name)^
SELECT usd FROM spend
WHERE scope = :scope AND day = :day AND name = :name;

-- name: spend_since(scope, day)
SELECT day, name, calls, failures, unpriced, tokens_in, tokens_out, usd, ms FROM spend
WHERE scope = :scope AND day >= :day
ORDER BY day, name;

-- name: obedience_add(model, clause, held, broke)!
INSERT INTO obedience (model, clause, held, broke)
VALUES (:model, :clause, :held, :broke)
ON CONFLICT (model, clause) DO UPDATE SET
    held = obedience.held + excluded.held,
    broke = obedience.broke + excluded.broke;

-- name: obedience_all()
SELECT model, clause, held, broke FROM obedience
ORDER BY model, clause;

-- name: pin_set(conversation_id, model, pinned_by, now)!
INSERT INTO pin (conversation_id, model, pinned_by, pinned_at)
VALUES (:conversation_id, :model, :pinned_by, :now)
ON CONFLICT (conversation_id) DO UPDATE SET
    model = excluded.model, pinned_by = excluded.pinned_by, pinned_at = excluded.pinned_at;

-- name: pin_clear(conversation_id)!
DELETE FROM pin
WHERE conversation_id = :conversation_id;

-- name: pin_of(conversation_id)^
SELECT model FROM pin
WHERE conversation_id = :conversation_id;
