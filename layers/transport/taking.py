"""From rows that are due to deliveries: what is late, forbidden, overtaken or paced stays behind, each with its reason.

One transaction looks at one batch. Rows of a channel inside the database are shown in it. Nothing here calls anybody.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from layers.failpoint import Point, reach
from layers.store import Row, Tx
from layers.transport.buckets import Bucket, Deed, buckets_of
from layers.transport.contacts import is_contact
from layers.transport.notices import expire_late, tell
from layers.transport.outbox import put_shown
from layers.transport.pace import Gate, close_bucket
from layers.transport.policy import Decision, Facts, Origin, Policy, Verdict, decide
from layers.transport.rules import FOR_EVER, LIVES_S, State, load_outbound
from layers.transport.types import Channels, Delivery, LocalChannel, Taken
from layers.types import OutboundKind

log = logging.getLogger(__name__)

OPEN = Policy()
"""For a channel of which nothing is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the operator has set, and where transport tells what became of a message."""

    policies: Mapping[str, Policy]
    """By channel."""
    notes: str = ""
    """The conversation where the owner is told of what did not arrive; empty for nowhere."""

    def of(self, channel: str) -> Policy:
        """The policy of a channel."""
        return self.policies.get(channel, OPEN)


NO_RULES = Rules(policies={})


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A row that only its buckets can hold back."""

    delivery: Delivery
    buckets: tuple[Bucket, ...]


def take_due(tx: Tx, channels: Channels, limit: int, rules: Rules = NO_RULES) -> Taken:
    """Take due rows, up to `limit`. Those of a local channel are written and marked here and now."""
    elsewhere = "".join(f"|{name}|" for name, channel in channels.items() if channel is None)
    handled = 0
    while handled < limit:
        rows = tx.all("transport.due_deliveries", now=tx.now, limit=limit - handled, elsewhere=elsewhere)
        if not rows:
            return Taken(handled=handled, wait_s=next_in(tx))
        handled += len(rows)
        waiting: list[Waiting] = []
        has_remote = False
        for row in rows:
            if isinstance(channel := channels.get(row["channel"]), LocalChannel):
                show_here(tx, channel, row, rules)
                continue
            has_remote = True
            if found := look(tx, channels, row, rules):
                waiting.append(found)
        if has_remote:  # once in a transaction: a second batch would lock buckets in another order
            return Taken(deliveries=tuple(depart(tx, waiting)), handled=handled, is_more=True)
    return Taken(handled=handled, is_more=True)


def next_in(tx: Tx) -> float | None:
    """Seconds until something that waits for a time may go on; None when nothing does."""
    row = tx.one("transport.next_delivery", now=tx.now) or {}
    times = [at for at in row.values() if at is not None and at < FOR_EVER]
    return max(0.0, min(times) - tx.now) if times else None


def show_here(tx: Tx, channel: LocalChannel, row: Row, rules: Rules) -> None:
    """Write a row's message and mark it, in this very transaction."""
    try:
        delivery = as_delivery(row)
        body = channel.render(delivery.outbound)
    except Exception as error:  # one message that cannot be shown must not hold up all the others
        log.exception("outbox.unrenderable", extra={"outbox": row["id"]})
        bury(tx, row, error, rules)
        return
    written = channel.write(tx, delivery.outbound, body, delivery.dedupe)
    reach(Point.DELIVER_AFTER)
    tx.run("transport.mark_sent", id=delivery.outbox_id, provider_ref=written)
    if delivery.outbound.kind is OutboundKind.CARD:  # of these it counts how long they were there to be read
        put_shown(tx, delivery.outbound, written)


def bury(tx: Tx, row: Row, error: Exception, rules: Rules) -> None:
    """End a row that nobody can read or render."""
    reason = f"cannot be shown: {type(error).__name__}"
    if tx.run("transport.end_delivery", id=row["id"], state=State.FAILED.value, error=reason):
        tell(tx, row["id"], State.FAILED, reason, rules.notes)


def look(tx: Tx, channels: Channels, row: Row, rules: Rules) -> Waiting | None:
    """What a remote row draws from; None for one that ended here, or has to wait for something else."""
    try:
        delivery = as_delivery(row)
    except Exception as error:  # as above
        log.exception("outbox.unreadable", extra={"outbox": row["id"]})
        bury(tx, row, error, rules)
        return None
    if row["channel"] not in channels:
        refuse(tx, row, f"no channel is named {row['channel']!r}", rules)
        return None
    is_progress = row["kind"] == OutboundKind.WORKING
    if is_progress and tx.run("transport.overtake", conversation_id=row["conversation_id"], key=row["key"]):
        return None
    policy, outbound = rules.of(row["channel"]), delivery.outbound
    seen = tx.one("transport.reference", conversation_id=row["conversation_id"], key=row["key"])
    delivery = as_delivery(row, seen["reference"] if seen else "")
    if not delivery.reference and is_late(row, policy, tx.now):
        expire_late(tx, row["conversation_id"], lambda other: is_late(other, policy, tx.now))
        return None
    if not obey(tx, row, decide(policy, facts_of(tx, row, delivery, policy), tx.now), rules):
        return None
    deed = Deed.EDIT if delivery.reference else Deed.PLACE
    return Waiting(delivery=delivery, buckets=buckets_of(policy, outbound, deed))


def facts_of(tx: Tx, row: Row, delivery: Delivery, policy: Policy) -> Facts:
    """What the rules ask about a row; the database only where an answer can change something."""
    origin, outbound = Origin(row["origin"]), delivery.outbound
    is_own_accord = origin is Origin.AGENT
    is_compared = row["sameness"] and policy.same_text_s and (is_own_accord or row["kind"] == OutboundKind.WORKING)
    return Facts(
        address=outbound.address,
        kind=outbound.kind,
        urgency=outbound.urgency,
        origin=origin,
        is_visible=bool(delivery.reference),
        is_contact=not (is_own_accord and policy.is_contact_needed) or is_contact(tx, outbound.address),
        is_repeat=bool(is_compared)
        and tx.one(
            "transport.is_repeat",
            id=row["id"],
            conversation_id=row["conversation_id"],
            sameness=row["sameness"],
            after=tx.now - policy.same_text_s,
        )
        is not None,
        is_first_try=row["attempts"] == 0 and row["due"] <= row["created_at"],
        row=row["id"],
    )


def obey(tx: Tx, row: Row, decision: Decision, rules: Rules) -> bool:
    """Do what the rules say; whether the row may go on."""
    match decision.verdict:
        case Verdict.DROP:
            tx.run("transport.end_delivery", id=row["id"], state=State.MERGED.value, error=decision.reason)
        case Verdict.REFUSE:
            refuse(tx, row, decision.reason, rules)
        case Verdict.WAIT:  # it waits because we want it: that must not make it too late
            later = row["expires_at"] + decision.until - tx.now
            tx.run("transport.hold", id=row["id"], due=decision.until, expires_at=later)
        case Verdict.GO:
            return True
    return False


def refuse(tx: Tx, row: Row, reason: str, rules: Rules) -> None:
    """End a row by a rule of ours, and say so."""
    log.warning("outbox.refused", extra={"outbox": row["id"], "why": reason})
    if tx.run("transport.end_delivery", id=row["id"], state=State.FAILED.value, error=reason):
        tell(tx, row["id"], State.FAILED, reason, rules.notes)


def is_late(row: Row, policy: Policy, now: float) -> bool:
    """Whether a row is no longer worth sending, by its channel's own measure where it has one."""
    default = LIVES_S.get(row["kind"])
    shift = policy.lives_s.get(row["kind"], default) - default if default is not None else 0.0
    return bool(now >= row["expires_at"] + shift)


def depart(tx: Tx, waiting: list[Waiting]) -> list[Delivery]:
    """Those for which every bucket has enough, taken. A row that must wait for a narrow bucket comes due later."""
    gate = Gate(tx, (bucket for each in waiting for bucket in each.buckets))
    resting: set[str] = set()
    leaving: list[Delivery] = []
    for each in waiting:
        delivery, channel = each.delivery, each.delivery.outbound.address.channel
        if channel in resting:
            continue
        if blocked := gate.draw(each.buckets):
            if blocked.is_wide:  # not a row of it is touched: there may be thousands
                resting.add(channel)
                if not blocked.is_closed:
                    close_bucket(tx, channel, blocked.until)
            else:
                tx.run("transport.move_due", id=delivery.outbox_id, due=blocked.until)
            continue
        state = State.EDITING if delivery.reference else State.PLACING
        if tx.run("transport.take_delivery", id=delivery.outbox_id, state=state.value, owner=tx.worker):
            leaving.append(delivery)
    gate.close()
    return leaving


def as_delivery(row: Row, reference: str = "") -> Delivery:
    """The row as a noun."""
    return Delivery(
        outbox_id=row["id"],
        dedupe=row["dedupe"],
        outbound=load_outbound(row["payload"]),
        attempts=row["attempts"],
        reference=reference,
        is_doubtful=bool(row["is_doubtful"]),
        kind=row["kind"],
    )
