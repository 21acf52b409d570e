"""How each provider's account is. One that needs a person is called no more, by any process, until a person says so.

Whoever is first to see the trouble writes it down and tells the owner, in one transaction: on the page, and wherever
else an approver can be reached.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from layers.errors import AccountState
from layers.store import Row, Tx
from layers.transport.outbox import send
from layers.transport.people import places
from layers.transport.rules import FOR_EVER
from layers.types import Address, Button, ButtonStyle, Outbound, OutboundKind, Person

CLOSED = (AccountState.CHALLENGED, AccountState.SUSPENDED, AccountState.REVOKED)
"""A person must act; every further call would make it worse."""
TOPIC = "accounts"
"""Woken whenever an account was closed or resumed: whoever runs its service looks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRow:
    """An account as the database has it."""

    channel: str
    state: AccountState
    reason: str
    since: float
    """Epoch seconds."""
    generation: int
    """Grows whenever a person says that it may go on: a service of an older one starts again."""
    fingerprint: str
    """Of the secret that the account has now: whoever was started with an older one leaves it alone."""

    @property
    def is_closed(self) -> bool:
        """Whether nothing may be called until a person acts."""
        return self.state in CLOSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An account for people to look at."""

    account: AccountRow
    waiting: int
    """Messages that are not out yet; parked ones while the account is closed."""
    unknown: int = 0
    """Messages of which nobody can tell whether the provider took them."""
    closed: tuple[tuple[str, float], ...] = ()
    """Buckets that the provider closed, and until when (epoch seconds)."""


def as_account(row: Row) -> AccountRow:
    """The row as a noun."""
    return AccountRow(
        channel=row["channel"],
        state=AccountState(row["state"]),
        reason=row["reason"],
        since=row["since"],
        generation=row["generation"],
        fingerprint=row["fingerprint"],
    )


def account(tx: Tx, channel: str) -> AccountRow | None:
    """How one account is."""
    row = tx.one("transport.account", channel=channel)
    return as_account(row) if row else None


def enrol(tx: Tx, channel: str, fingerprint: str) -> AccountRow:
    """A process starts with this account. A closed one stays closed, unless its secret is another one than before."""
    row = lock(tx, channel)
    before = as_account(row)
    if row["fingerprint"] != fingerprint:
        if row["fingerprint"] and before.is_closed:
            write(tx, channel, AccountState.DEGRADED, "its token is another one now, connecting")
            edit_notice(tx, row, "Its token was changed, so it is tried again.")
        generation = before.generation + 1
        tx.run("transport.enrol_account", channel=channel, fingerprint=fingerprint, generation=generation)
    return account(tx, channel) or before


def forget(tx: Tx, configured: frozenset[str]) -> None:
    """Drop accounts that no token is set for any more; a closed one is kept, for it must stay closed."""
    for row in tx.all("transport.accounts"):
        if row["channel"] not in configured:
            tx.run("transport.forget_account", channel=row["channel"])


def put_account(tx: Tx, channel: str, state: AccountState, reason: str, closed_until: float = 0.0) -> None:
    """Write down how an account is. A closed one stays closed until `resume`, whatever its service says."""
    row = lock(tx, channel)
    before = as_account(row)
    if before.is_closed and state not in CLOSED:
        return
    write(tx, channel, state, reason, closed_until)
    if state not in CLOSED:
        return
    tx.wake(TOPIC)
    text = trouble_text(channel, state, reason)
    if before.is_closed:
        edit_notice(tx, row, text, resume_button(channel))
        return
    notice = {"key": f"h-{channel}-{tx.now:.3f}", "places": places(tx, but=channel), "text": text}
    tx.run("transport.put_notice", channel=channel, notice=json.dumps(notice))
    for place in notice["places"]:
        say(tx, str(notice["key"]), place, text, resume_button(channel))


def lock(tx: Tx, channel: str) -> Row:
    """The account's row, made if need be, and nobody else's until the commit."""
    row = tx.one("transport.lock_account", channel=channel, now=tx.now)
    if row is None:
        raise RuntimeError(f"the account {channel!r} could not be written")
    return row


def write(tx: Tx, channel: str, state: AccountState, reason: str, closed_until: float = 0.0) -> None:
    """Change the row."""
    until = FOR_EVER if state in CLOSED else closed_until
    tx.run("transport.put_account", channel=channel, state=state.value, reason=reason, closed_until=until, now=tx.now)
    tx.wake("outbox")


def trouble_text(channel: str, state: AccountState, reason: str) -> str:
    """What the owner is told."""
    advice = {
        AccountState.CHALLENGED: "The provider wants to see a human being: sign in there as one and do what it asks.",
        AccountState.SUSPENDED: "The provider has switched the account off: settle that with them.",
        AccountState.REVOKED: "Its token is worth nothing any more: make a new one, set it, and restart.",
    }
    return (
        f"**{channel} is {state.value}.** {sentence(reason)}\n\n{advice[state]} Until somebody presses Resume, nothing "
        f"is asked of {channel}, and what is to be said there waits. `/transports` shows all accounts."
    )


def sentence(reason: str) -> str:
    """With a capital and a full stop."""
    text = reason.strip().rstrip(".")
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def resume_button(channel: str) -> tuple[Button, ...]:
    """What takes it up again."""
    return (Button(label=f"Resume {channel}", value=f"h:resume:{channel}", style=ButtonStyle.PRIMARY),)


def say(tx: Tx, key: str, place: str, text: str, buttons: tuple[Button, ...]) -> None:
    """One form of the notice in one place; each form once."""
    outbound = Outbound(address=Address.parse(place), key=key, text=text, kind=OutboundKind.CARD, buttons=buttons)
    send(tx, outbound, f"{key}:{place}:{tx.now:.6f}")


def edit_notice(tx: Tx, row: Row, text: str, buttons: tuple[Button, ...] = ()) -> None:
    """The message that told of the trouble says something else now, wherever it is."""
    notice = json.loads(row["notice"] or "{}")
    if not notice or notice["text"] == text:
        return
    for place in notice["places"]:
        say(tx, notice["key"], place, text, buttons)
    kept = {**notice, "text": text} if buttons else {}
    tx.run("transport.put_notice", channel=row["channel"], notice=json.dumps(kept) if kept else "")


def resume(tx: Tx, channel: str, person: Person) -> str:
    """A person says that an account may be called again. Why not, in a sentence; empty when it may from now on."""
    if tx.one("transport.account", channel=channel) is None:
        return f"there is no account {channel[:40]!r} here; `/transports` lists them"
    row = lock(tx, channel)
    before = as_account(row)
    if not before.is_closed:
        return f"{channel} is {before.state.value} and goes on by itself; there is nothing to resume"
    write(tx, channel, AccountState.DEGRADED, f"{person.name} resumed it, connecting")
    tx.run("transport.enrol_account", channel=channel, fingerprint=row["fingerprint"], generation=before.generation + 1)
    told = json.loads(row["notice"] or "{}").get("text", f"**{channel}** was {before.state.value}.")
    first, *_ = told.partition("\n\n")
    edit_notice(tx, row, f"{first}\n\nResumed by **{person.name}**.")
    tx.wake(TOPIC)
    return ""


def standings(tx: Tx) -> list[Standing]:
    """All accounts, with what waits for them, what is in doubt and what is closed."""
    waiting = {row["channel"]: row["messages"] for row in tx.all("transport.waiting_by_channel")}
    unknown = {row["channel"]: row["messages"] for row in tx.all("transport.unknown_by_channel")}
    closed = [(row["bucket"], row["closed_until"]) for row in tx.all("transport.closed_buckets", now=tx.now)]
    return [
        Standing(
            account=each,
            waiting=waiting.get(each.channel, 0),
            unknown=unknown.get(each.channel, 0),
            closed=tuple(one for one in closed if one[0].partition(":")[0] == each.channel),
        )
        for each in map(as_account, tx.all("transport.accounts"))
    ]
