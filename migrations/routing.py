"""The tables of layer 5: what was spent, who obeyed, what a conversation is pinned to, which rules stand in it."""

from alembic import op

from migrations.columns import amount, key, number, text, time


def routing() -> None:
    """Create them."""
    op.create_table(
        "spend",
        text("scope", primary_key=True),  # all, person, channel, model
        text("day", primary_key=True),  # of UTC, as 2026-11-22
        text("name", primary_key=True),
        number("calls", server_default="0"),
        number("failures", server_default="0"),
        number("unpriced", server_default="0"),  # calls whose price nobody knows: they are not in `usd`
        number("tokens_in", server_default="0"),
        number("tokens_out", server_default="0"),
        amount("usd"),
        amount("ms"),
    )
    op.create_table(
        "obedience",
        text("model", primary_key=True),
        text("clause", primary_key=True),
        amount("held"),  # weights that grow with time instead of counts that shrink: adding is all there is to do
        amount("broke"),
    )
    op.create_table(
        "pin", text("conversation_id", primary_key=True), text("model"), text("pinned_by"), time("pinned_at")
    )
    op.create_table(
        "standing_rule", key(), text("conversation_id"), text("text"), text("created_by"), time("created_at")
    )
    op.create_index("standing_rule_conversation", "standing_rule", ["conversation_id", "id"])
