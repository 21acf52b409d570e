"""Everything leaves by the outbox: in order, once where that is possible, again after a failure."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

from layers.errors import AccountState, AccountTrouble, RateLimited, Refused, Unavailable
from layers.store import Store, Tx
from layers.transport import Channels, Courier, LocalChannel, RemoteChannel, put_account, send
from layers.transport.rules import (
    MAX_DELAY_S,
    dump_inbound,
    dump_outbound,
    load_inbound,
    load_outbound,
    retry_delay_s,
)
from layers.transport.taking import take_due
from layers.types import (
    Address,
    Button,
    ButtonStyle,
    Inbound,
    InboundKind,
    Outbound,
    OutboundKind,
    Person,
    Picture,
    Press,
)


class Remote:
    """A provider that fails as told, then takes what it gets."""

    def __init__(self, failures: list[Exception], only: str = "") -> None:
        """`failures` are raised one by one, by any message or by the one whose text is `only`."""
        self.failures = failures
        self.only = only
        self.got: list[str] = []
        self.placed: list[str] = []

    async def place(self, outbound: Outbound) -> str:
        await asyncio.sleep(0)
        self.placed.append(outbound.text)
        return f"ref-{len(self.placed)}"

    async def edit(self, reference: str, outbound: Outbound) -> str:
        if self.failures and self.only in ("", outbound.text):
            raise self.failures.pop(0)
        self.got.append(outbound.text)
        return reference


class Local:
    """A channel inside the database."""

    def __init__(self) -> None:
        self.got: list[str] = []

    def render(self, outbound: Outbound) -> str:
        if outbound.text == "poison":
            raise ValueError("cannot be shown")
        return outbound.text

    def write(self, tx: Tx, outbound: Outbound, body: str, dedupe: str) -> str:
        self.got.append(body)
        return dedupe


def message(channel: str, text: str, conversation: str = "c") -> Outbound:
    return Outbound(address=Address(channel=channel, conversation=conversation), key=text, text=text)


async def deliver(store: Store, channels: Channels, until_s: float = 10.0) -> int:
    """Run a courier until nothing is pending; how many rows have failed."""
    courier = asyncio.create_task(Courier(store, channels).run())
    for _ in range(int(until_s / 0.05)):
        counts = await store.fetch_one("transport.counts")
        if counts is not None and counts["unsent"] == 0:
            break
        await asyncio.sleep(0.05)
    courier.cancel()
    await asyncio.gather(courier, return_exceptions=True)
    counts = await store.fetch_one("transport.counts")
    assert counts is not None
    return int(counts["failed"])


async def test_messages_of_a_conversation_arrive_in_order(store: Store) -> None:
    remote, local = Remote([]), Local()
    for n in range(10):
        await store.run(send, message("remote", str(n)), f"r{n}")
        await store.run(send, message("local", str(n)), f"l{n}")
    await deliver(store, {"remote": remote, "local": local})
    assert remote.got == local.got == [str(n) for n in range(10)]


async def test_the_same_dedupe_is_sent_once(store: Store) -> None:
    remote = Remote([])
    first = await store.run(send, message("remote", "a"), "d1")
    again = await store.run(send, message("remote", "a"), "d1")
    assert first.is_new
    assert not again.is_new
    assert first.outbox_id == again.outbox_id
    await deliver(store, {"remote": remote})
    assert remote.got == ["a"]


async def test_an_unavailable_provider_gets_it_later_and_order_holds(store: Store) -> None:
    remote = Remote([Unavailable("down")])
    await store.run(send, message("remote", "first"), "d1")
    await store.run(send, message("remote", "second"), "d2")
    await deliver(store, {"remote": remote}, 5)
    assert remote.got == ["first", "second"]


async def test_a_refused_message_has_failed_and_the_next_one_goes_on(store: Store) -> None:
    remote = Remote([Refused("too long")])
    await store.run(send, message("remote", "bad"), "d1")
    await store.run(send, message("remote", "good"), "d2")
    assert await deliver(store, {"remote": remote}) == 1
    assert "was not sent" in remote.got[0]  # in place of the placeholder that was there
    assert remote.got[1] == "good"
    assert remote.placed == ["bad", "good"]


async def test_a_message_that_cannot_be_shown_does_not_hold_up_the_others(store: Store) -> None:
    local = Local()
    await store.run(send, message("local", "poison"), "d1")
    await store.run(send, message("local", "good"), "d2")
    assert await deliver(store, {"local": local}) == 1
    assert local.got == ["good"]


async def test_a_message_of_the_same_key_edits_the_one_that_is_there(store: Store) -> None:
    remote = Remote([])
    first = message("remote", "working")
    await store.run(send, replace(first, kind=OutboundKind.WORKING), "d1")
    await deliver(store, {"remote": remote})
    await store.run(send, replace(first, text="answer"), "d2")
    await deliver(store, {"remote": remote})
    assert remote.placed == ["working"]
    assert remote.got == ["answer"]


async def test_a_failed_edit_is_tried_again_on_the_same_placeholder(store: Store) -> None:
    remote = Remote([Unavailable("connection dropped")])
    await store.run(send, message("remote", "once"), "d1")
    await deliver(store, {"remote": remote}, 5)
    assert remote.placed == ["once"]
    assert remote.got == ["once"]


async def test_a_rate_limit_of_one_conversation_leaves_the_others_alone(store: Store) -> None:
    remote = Remote([RateLimited("slow down", retry_after_s=0.5, bucket="remote:c")], only="limited")
    other = replace(message("remote", "other"), address=Address(channel="remote", conversation="d"))
    await store.run(send, message("remote", "limited"), "d1")
    await store.run(send, other, "d2")
    await deliver(store, {"remote": remote}, 5)
    assert remote.got == ["other", "limited"]


async def test_an_account_that_needs_a_person_is_called_no_more_until_one_says_so(store: Store) -> None:
    remote = Remote([AccountTrouble("token revoked", state=AccountState.REVOKED)])
    await store.run(send, message("remote", "first"), "d1")
    await store.run(send, replace(message("remote", "x"), address=Address(channel="remote", conversation="e")), "d2")
    await deliver(store, {"remote": remote}, 1)
    calls = len(remote.got)
    (account,) = await store.fetch_all("transport.accounts")
    assert account["state"] == "revoked"
    await store.run(send, replace(message("remote", "y"), address=Address(channel="remote", conversation="f")), "d3")
    await deliver(store, {"remote": remote}, 0.5)
    assert len(remote.got) == calls
    await store.run(put_account, "remote", AccountState.HEALTHY, "")
    await deliver(store, {"remote": remote}, 3)
    assert sorted(remote.got) == ["first", "x", "y"]


async def test_what_another_process_has_is_left_to_it(store: Store) -> None:
    remote, local = Remote([]), Local()
    await store.run(send, message("remote", "theirs"), "d1")
    await store.run(send, message("local", "ours"), "d2")
    await deliver(store, {"remote": None, "local": local}, 0.5)
    assert local.got == ["ours"]
    await deliver(store, {"remote": remote})
    assert remote.got == ["theirs"]


async def test_a_channel_that_is_not_there_fails_the_row(store: Store) -> None:
    await store.run(send, message("nowhere", "x"), "d1")
    assert await deliver(store, {}) == 1


def test_delays_double_up_to_the_cap() -> None:
    assert [retry_delay_s(n) for n in (1, 2, 3, 4)] == [1.0, 2.0, 4.0, 8.0]
    assert retry_delay_s(50) == MAX_DELAY_S


def test_nouns_survive_being_written_down() -> None:
    address = Address(channel="slack", conversation="T1/C2", thread="17.5")
    inbound = Inbound(
        address=address,
        event_id="e",
        person=Person(id="p", name="P"),
        kind=InboundKind.PRESS,
        press=Press(value="a:approve:x", key="k"),
        subject="s",
    )
    outbound = Outbound(
        address=address,
        key="k",
        text="t",
        kind=OutboundKind.CARD,
        picture=Picture(digest="d", alt="a", width=1, height=2),
        buttons=(Button(label="l", value="v", style=ButtonStyle.DANGER),),
    )
    assert load_inbound(dump_inbound(inbound)) == inbound
    assert load_outbound(dump_outbound(outbound)) == outbound
    assert json.loads(dump_outbound(outbound))["kind"] == "card"
    assert Address.parse(address.id) == address


class Hanging:
    """A provider that takes a message and never answers."""

    async def place(self, outbound: Outbound) -> str:
        await asyncio.sleep(3600)
        return ""

    async def edit(self, reference: str, outbound: Outbound) -> str:
        return await self.place(outbound)


async def test_a_provider_that_hangs_holds_up_its_own_conversations_only(store: Store) -> None:
    remote = Remote([])
    for n in range(5):
        await store.run(send, message("dead", "x", f"c{n}"), f"d{n}")
    await store.run(send, message("remote", "y"), "r")
    courier = asyncio.create_task(Courier(store, {"dead": Hanging(), "remote": remote}, patience_s=0.1).run())
    await asyncio.sleep(0.6)
    courier.cancel()
    await asyncio.gather(courier, return_exceptions=True)
    assert remote.got == ["y"]
    rows = await store.run(lambda tx: tx.all("transport.due_deliveries", now=tx.now + 60, limit=10, elsewhere=""))
    assert [row["attempts"] for row in rows] == [1] * 5  # given back, to be tried again


async def test_a_mistake_in_a_channel_costs_a_retry_and_not_the_conversation(store: Store) -> None:
    remote = Remote([KeyError("vendor")])
    await store.run(send, message("remote", "first"), "d1")
    await store.run(send, message("remote", "second"), "d2")
    assert await deliver(store, {"remote": remote}, 5) == 0
    assert remote.got == ["first", "second"]


async def test_what_was_sent_is_marked_although_the_database_was_away_meanwhile(store: Store) -> None:
    remote, refusals = Remote([]), [Unavailable("away"), Unavailable("away")]
    await store.run(send, message("remote", "once"), "d1")

    class Flaky:
        """The real store, whose marks fail twice."""

        def __getattr__(self, name: str) -> object:
            return getattr(store, name)

        async def run(self, fn, *args, **kwargs):  # type: ignore[no-untyped-def]
            if remote.got and refusals:
                raise refusals.pop()
            return await store.run(fn, *args, **kwargs)

    assert await deliver(Flaky(), {"remote": remote}, 8) == 0  # type: ignore[arg-type]
    assert remote.got == ["once"]


async def test_a_row_that_a_lost_answer_left_taken_is_delivered(store: Store) -> None:
    remote = Remote([])
    await store.run(send, message("remote", "x"), "d1")
    taken = await store.run(take_due, {"remote": remote}, 10)
    assert len(taken.deliveries) == 1
    assert await deliver(store, {"remote": remote}, 5) == 0
    assert remote.got == ["x"]


async def test_a_row_that_nobody_can_read_fails_and_holds_up_nobody(store: Store) -> None:
    remote = Remote([])

    def damaged(tx: Tx) -> None:
        values = {"channel": "remote", "conversation_id": "remote:c", "turn_id": None, "key": "k", "kind": "message"}
        more = {"priority": 2, "sameness": None, "expires_at": tx.now + 60, "now": tx.now}
        tx.one("transport.put_outbox", **values, **more, dedupe="d0", payload='{"kind": "dream"}')

    await store.run(damaged)
    await store.run(send, message("remote", "good"), "d1")
    assert await deliver(store, {"remote": remote}) == 1
    assert remote.got == ["good"]


async def test_a_channel_that_went_elsewhere_after_its_row_was_taken_is_left_to_whoever_has_it(store: Store) -> None:
    remote = Remote([])
    channels: dict[str, LocalChannel | RemoteChannel | None] = {"remote": remote}
    await store.run(send, message("remote", "x"), "d1")
    taken = await store.run(take_due, channels, 10)
    channels["remote"] = None
    await Courier(store, channels)._deliver(taken.deliveries[0])
    counts = await store.fetch_one("transport.counts")
    assert counts is not None
    assert (counts["failed"], counts["unsent"]) == (0, 1)
    assert await deliver(store, {"remote": remote}, 5) == 0
    assert remote.got == ["x"]
