"""What became of a delivery, written down before its row is let go. All functions take an open transaction."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from layers.errors import AccountTrouble, RateLimited
from layers.store import Tx
from layers.transport.accounts import CLOSED, put_account
from layers.transport.notices import tell
from layers.transport.outbox import put_reference, put_shown
from layers.transport.pace import close_bucket
from layers.transport.rules import MAX_ATTEMPTS, State, retry_delay_s
from layers.transport.types import Delivery


def mark_placed(tx: Tx, delivery: Delivery, reference: str) -> None:
    """The placeholder is there, and its edit is the next thing: from now on it is edited, never placed again."""
    put_reference(tx, delivery.outbound, reference)
    tx.run("transport.mark_placed", id=delivery.outbox_id)


def mark_sent(tx: Tx, delivery: Delivery, reference: str) -> None:
    """The provider took it; the next message of its key will edit it."""
    put_shown(tx, delivery.outbound, reference)
    tx.run("transport.mark_sent", id=delivery.outbox_id, provider_ref=reference)
    tx.wake("outbox")


def postpone(tx: Tx, delivery: Delivery, error: RateLimited) -> None:
    """The provider asked to wait: that closes its bucket, and is no failure of the message."""
    until = tx.now + error.retry_after_s
    close_bucket(tx, error.bucket, until)
    tx.run("transport.postpone", id=delivery.outbox_id, due=until, error=str(error), owner=tx.worker)
    tx.wake("outbox")


def park(tx: Tx, delivery: Delivery, error: AccountTrouble) -> None:
    """Something is wrong with the account: keep the message; where a person must act, call the provider no more."""
    put_account(tx, delivery.outbound.address.channel, error.state, str(error))
    due = tx.now + (0.0 if error.state in CLOSED else retry_delay_s(delivery.attempts + 1))
    tx.run("transport.postpone", id=delivery.outbox_id, due=due, error=str(error), owner=tx.worker)


def mark_failed(tx: Tx, delivery: Delivery, error: str, is_ambiguous: bool, notes: str = "") -> None:
    """The provider did not take it, or nobody knows: try later, or give up and say so once the tries are used up."""
    attempts = delivery.attempts + 1
    if attempts >= MAX_ATTEMPTS:
        give_up(tx, delivery, State.UNKNOWN if is_ambiguous else State.FAILED, error, notes)
        return
    tx.run(
        "transport.mark_failed",
        id=delivery.outbox_id,
        due=tx.now + retry_delay_s(attempts),
        error=error,
        is_ambiguous=int(is_ambiguous),
        owner=tx.worker,
    )
    tx.wake("outbox")


def give_up(tx: Tx, delivery: Delivery, state: State, error: str, notes: str = "") -> None:
    """End a row that was not, or not surely, sent; people are told."""
    values = {"id": delivery.outbox_id, "state": state.value, "error": error, "owner": tx.worker}
    if tx.run("transport.give_up", **values):
        tell(tx, delivery.outbox_id, state, error, notes)
    tx.wake("outbox")


def free_deliveries(tx: Tx, in_flight: AbstractSet[int]) -> int:
    """Free the rows this worker took and does not deliver (the answer of its transaction was lost); how many."""
    taken = {row["id"] for row in tx.all("transport.taken_deliveries", owner=tx.worker)}
    return sum(tx.run("transport.free_delivery", id=id, owner=tx.worker) for id in sorted(taken - in_flight))
