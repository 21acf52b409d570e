"""Who is let in, who is who, and who goes: presses on `p:` buttons, `/pair` and `/people`.

Each is decided, audited and answered in the transaction that ends the turn.
"""

from __future__ import annotations

from bot.commands import Pair
from bot.dispatcher.parts import Parts
from bot.dispatcher.work import Work
from layers import control
from layers.errors import Refused
from layers.store import Tx
from layers.transport import (
    Choice,
    Decided,
    Known,
    KnownIdentity,
    by_code,
    decide,
    everybody,
    may_decide,
    offer_removal,
    remove,
)
from layers.types import Button, ButtonStyle, InboundKind, Outbound, OutboundKind, Person

VERBS = frozenset(choice.value for choice in Choice)
UNPROVEN = "mail"
"""The channel whose senders are whoever they say they are."""


async def press(_parts: Parts, work: Work, verb: str, handle: str) -> None:
    """A button of a pairing's card, or Remove in the list of people."""
    person = work.turn.inbound.person
    key = work.key()

    def settle(tx: Tx) -> Outbound | None:
        if verb == "remove":
            return told(work, key, audited(tx, person, verb, remove(tx, handle, person)))
        decided = audited(tx, person, verb, decide(tx, handle, Choice(verb), person))
        return told(work, key, decided) if decided.refused else None  # all its cards say it, also the pressed one

    if verb != "remove" and verb not in VERBS:
        raise Refused("this button is none of Bulkhead's; nothing was done")
    work.add(settle)


def pair(work: Work, command: Pair) -> None:
    """`/pair`: the same decision, by the code.

    Raises:
        Refused: it came by mail, whose sender is anybody who says so, or by the clock.
    """
    if work.turn.inbound.kind is not InboundKind.MESSAGE:
        raise Refused("a schedule decides nothing; send `/pair` yourself, when you see the code")
    if work.turn.inbound.address.channel == UNPROVEN:
        raise Refused("nothing is decided by mail; open the page and press the button there")
    person, choice = work.turn.inbound.person, Choice(command.choice)
    key = work.key()
    work.add(lambda tx: told(work, key, audited(tx, person, choice.value, by_code(tx, command.code, choice, person))))


def audited(tx: Tx, person: Person, verb: str, decided: Decided) -> Decided:
    """What was decided about whom, in the audit trail; a refusal as well."""
    if decided.refused:
        control.audit.append(
            tx, person.id, "refused", decided.identity, {"verb": f"pair.{verb}", "why": decided.refused}
        )
    else:
        control.audit.append(tx, person.id, f"pair.{verb}", decided.identity, {"person": decided.person})
    return decided


def told(work: Work, key: str, decided: Decided) -> Outbound:
    """The answer."""
    kind = OutboundKind.ERROR if decided.refused else OutboundKind.MESSAGE
    return Outbound(address=work.turn.inbound.address, key=key, text=decided.refused or decided.text, kind=kind)


def listing(work: Work) -> None:
    """`/people`."""
    address, person = work.turn.inbound.address, work.turn.inbound.person
    key = work.key()

    def show(tx: Tx) -> Outbound:
        if not may_decide(tx, person):
            text = f"{person.name} may not see who is here; an approver can."
            return Outbound(address=address, key=key, text=text, kind=OutboundKind.ERROR)
        known = everybody(tx)
        offered = offer_removal(tx, known)
        return Outbound(address=address, key=key, text=people_text(known), buttons=remove_buttons(offered))

    work.add(show)


def people_text(known: list[Known]) -> str:
    """Everybody with their accounts, and where each can be changed."""
    lines = ["**Who is here**", ""]
    for each in known:
        source = "bulkhead.toml" if each.is_of_file else "let in"
        role = ", approver" if each.is_approver else ""
        lines.append(f"- **{each.person.name}** (`{each.person.id}`{role}, {source})")
        lines += [
            f"  - `{account.identity.replace('`', chr(39))}`{'' if account.is_of_file else ', let in here'}"
            for account in each.identities
        ]
    lines += ["", "Whoever stands in bulkhead.toml is changed there, and known after a restart."]
    return "\n".join(lines)


def remove_buttons(offered: list[KnownIdentity]) -> tuple[Button, ...]:
    """One for each identity that was let in here."""
    return tuple(
        Button(label=f"Remove {each.identity}"[:75], value=f"p:remove:{each.handle}", style=ButtonStyle.DANGER)
        for each in offered
    )
