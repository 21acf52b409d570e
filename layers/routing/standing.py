"""The standing rules of a conversation, which people add and remove: `no commas`, `in French`. Rows in, rules out.

A rule is kept as its text. Its clauses are read again for every answer, so that a better reader reads old rules too.
"""

from __future__ import annotations

from dataclasses import dataclass

from layers.errors import BadInput, Refused
from layers.store import Tx

MOST_RULES = 20
"""Of one conversation: each of them is sent along with every question to a model."""
LONGEST_RULE = 500
"""Characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingRule:
    """One rule."""

    id: int
    text: str
    created_by: str
    """A person's id."""


def add_rule(tx: Tx, conversation: str, text: str, created_by: str) -> StandingRule:
    """Keep a rule; the same text again is the same rule. One turn at a time per conversation, so no lock is needed.

    Raises:
        BadInput: the text is empty, too long, or a command.
        Refused: the conversation has `MOST_RULES` already.
    """
    text = " ".join(text.split())
    if not text:
        raise BadInput("A rule needs a text, for example `/rules add no commas`.", expected="a text")
    if len(text) > LONGEST_RULE:
        raise BadInput(f"The rule has {len(text)} characters; at most {LONGEST_RULE} are kept. Make it two.")
    if text.startswith("/"):
        raise BadInput(f"{text[:40]!r} is a command and no rule; a rule says how answers must be, in words.")
    rules = rules_of(tx, conversation)
    if known := next((rule for rule in rules if rule.text == text), None):
        return known
    if len(rules) >= MOST_RULES:
        raise Refused(
            f"This conversation has {MOST_RULES} rules, which is the limit; "
            "remove one with `/rules remove <number>` first."
        )
    row = tx.one("routing.rule_add", conversation_id=conversation, text=text, created_by=created_by, now=tx.now)
    assert row is not None  # an INSERT ... RETURNING that did not raise returns its row
    return StandingRule(id=row["id"], text=text, created_by=created_by)


def remove_rule(tx: Tx, conversation: str, number: int) -> None:
    """Forget a rule of this conversation.

    Raises:
        Refused: it has none of that number.
    """
    if tx.run("routing.rule_remove", id=number, conversation_id=conversation) == 0:
        others = ", ".join(str(rule.id) for rule in rules_of(tx, conversation))
        has = f"there are {others}" if others else "there are none"
        raise Refused(f"This conversation has no rule {number}; {has} (`/rules` lists them).")


def rules_of(tx: Tx, conversation: str) -> list[StandingRule]:
    """The rules of a conversation, oldest first."""
    rows = tx.all("routing.standing_rules", conversation_id=conversation)
    return [StandingRule(id=row["id"], text=row["text"], created_by=row["created_by"]) for row in rows]
