"""How the providers' accounts are, and the word that one may be called again: `/transports` and `h:` buttons."""

from __future__ import annotations

from bot.dispatcher.answers import clock
from bot.dispatcher.parts import Parts
from bot.dispatcher.work import Work
from layers import control
from layers.errors import Refused
from layers.store import Tx
from layers.transport import Standing, may_decide, resume, standings
from layers.types import Button, ButtonStyle, Outbound, OutboundKind

NONE = "No provider's account is set up; the page needs none. README tells how to connect Telegram, Slack and mail."


def listing(work: Work) -> None:
    """`/transports`."""
    address, key = work.turn.inbound.address, work.key()

    def show(tx: Tx) -> Outbound:
        found = standings(tx)
        return Outbound(address=address, key=key, text=transports_text(found), buttons=resume_buttons(found))

    work.add(show)


def transports_text(found: list[Standing]) -> str:
    """One line for each account."""
    if not found:
        return NONE
    return "\n".join(["**Transports**", "", *(row for each in found for row in lines(each))])


def lines(standing: Standing) -> list[str]:
    """An account: its state, since when, why, what waits, and what the provider asked to be left alone for a while."""
    account = standing.account
    reason = f": {account.reason}" if account.reason else ""
    counts = f"{standing.waiting} {'parked' if account.is_closed else 'waiting'}, {standing.unknown} of unknown outcome"
    head = f"- **{account.channel}** is {account.state.value} since {clock(account.since)}{reason} ({counts})"
    return [head, *(f"  - `{bucket}` is closed until {clock(until)}" for bucket, until in standing.closed)]


def resume_buttons(found: list[Standing]) -> tuple[Button, ...]:
    """One for each account that waits for a person."""
    return tuple(
        Button(
            label=f"Resume {each.account.channel}",
            value=f"h:resume:{each.account.channel}",
            style=ButtonStyle.PRIMARY,
        )
        for each in found
        if each.account.is_closed
    )


async def press(_parts: Parts, work: Work, verb: str, channel: str) -> None:
    """Resume. The message that told of the trouble says who did it; all else goes on by itself."""
    address, person, key = work.turn.inbound.address, work.turn.inbound.person, work.key()
    if verb != "resume":
        raise Refused("this button is none of Bulkhead's; nothing was done")

    def go_on(tx: Tx) -> Outbound:
        may = may_decide(tx, person)
        refused = resume(tx, channel, person) if may else f"{person.name} may not resume an account; an approver can"
        if refused:
            control.audit.append(tx, person.id, "refused", channel[:40], {"verb": "resume", "why": refused})
            return Outbound(address=address, key=key, text=refused, kind=OutboundKind.ERROR)
        control.audit.append(tx, person.id, "resume", channel, {})
        return Outbound(
            address=address, key=key, text=f"**{channel}** is being connected again; what waits there goes out then."
        )

    work.add(go_on)
