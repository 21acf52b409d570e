"""`/rules`: the standing rules of a conversation; shown with what of each is checked, added and removed."""

from __future__ import annotations

from bot import commands
from bot.dispatcher.work import Work
from bot.prompt import TOOLS
from layers.routing import Kind, StandingRule, add_rule, contract_of, described, remove_rule, rules_of
from layers.store import Tx

NONE = "No rule stands here. Try `/rules add no more than 100 words, and no emojis`"
UNCHECKED = "the model is told; nothing here can check it"


def standing(work: Work, command: commands.Command) -> None:
    """All three forms; written and answered in the transaction that ends the turn."""
    conversation, person = work.turn.inbound.address.id, work.turn.inbound.person
    match command:
        case commands.AddRule(text=text):
            work.answer(lambda tx: "From now on: " + line(add_rule(tx, conversation, text, person.id)))
        case commands.RemoveRule(id=number):
            work.answer(lambda tx: removed(tx, conversation, number))
        case _:
            work.answer(lambda tx: listed(rules_of(tx, conversation)))


def removed(tx: Tx, conversation: str, number: int) -> str:
    """Remove a rule and say so. Raises Refused."""
    remove_rule(tx, conversation, number)
    return f"Rule {number} is removed."


def listed(rules: list[StandingRule]) -> str:
    """The list that `/rules` shows."""
    if not rules:
        return NONE
    return "\n".join(["**Rules of this conversation**", "", *(f"- {line(rule)}" for rule in rules)])


def line(rule: StandingRule) -> str:
    """A rule, and what of it is checked in every answer."""
    clauses = contract_of((), rules=(rule.text,), tools=TOOLS).clauses
    checked = "; ".join(described(clause) for clause in clauses if clause.kind is not Kind.TOOL_ARGUMENTS)
    text = rule.text.replace("`", "'")
    return f"`{text}` (rule {rule.id}; {f'checked: {checked}' if checked else UNCHECKED})"
