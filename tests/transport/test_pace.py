"""Pacing in the database: shared by replicas, closed by a 429 for one bucket only, first things first."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from layers.errors import RateLimited
from layers.store import Store, Tx, open_store
from layers.transport import Policy, closed_until, put_reference, send
from layers.transport.buckets import Bucket
from layers.transport.pace import Gate, close_bucket, forget_buckets
from layers.transport.policy import DEFAULTS
from layers.transport.taking import Rules, take_due
from layers.types import Outbound, OutboundKind
from tests.transport.provider import Provider, message, rules, settle, state_of

QUICK = replace(DEFAULTS["telegram"], pace_factor=20.0, is_contact_needed=False)
"""A private chat gets three at once, then one every 50 ms."""


def gate(tx: Tx, buckets: list[Bucket], times: int) -> int:
    """How many of `times` draws are let through, in one transaction."""
    opened = Gate(tx, buckets)
    count = sum(opened.draw(buckets) is None for _ in range(times))
    opened.close()
    return count


async def test_a_draw_takes_from_every_bucket_or_from_none(store: Store) -> None:
    wide = Bucket(name="x:wide", interval_s=60, burst=3)
    narrow = Bucket(name="x:narrow", interval_s=60, burst=1)
    assert await store.run(gate, [narrow, wide], 5) == 1
    assert await store.run(gate, [wide], 5) == 2


async def test_two_replicas_share_a_bucket_and_never_wait_for_each_other_for_ever(postgres_url: str) -> None:
    stores = [await open_store(postgres_url) for _ in range(2)]
    names = [f"x:{n}" for n in range(6)]
    buckets = {name: Bucket(name=name, interval_s=3600, burst=10) for name in names}

    async def draw(store: Store, seed: int) -> int:
        mine = [buckets[names[(seed + n * 5) % 6]] for n in range(3)]  # each in another order
        return await store.run(gate, mine, 1)

    won = await asyncio.gather(*(draw(stores[n % 2], n) for n in range(120)))
    rows = await stores[0].run(lambda tx: [tx.one("transport.lock_bucket", bucket=name, now=tx.now) for name in names])
    now = await stores[0].run(lambda tx: tx.now)
    drawn = [round((row["tat"] - now) / 3600 + 0.49) for row in rows if row]
    assert sum(drawn) == 3 * sum(won)
    assert max(drawn) <= 10
    for store in stores:
        await store.close()


async def test_two_couriers_of_a_fleet_keep_one_pace(postgres_url: str) -> None:
    stores = [await open_store(postgres_url) for _ in range(2)]
    policy = Policy(provider="telegram", pace_factor=0.001)  # nothing comes back while the test runs
    for n in range(20):
        await stores[0].run(send, message(str(n), f"c{n // 10}", "telegram"), str(n))
    provider = Provider()
    given = rules(telegram=policy)
    await asyncio.gather(*(settle(store, {"telegram": provider}, given, until_s=1) for store in stores))
    placed = Counter(where for deed, where in provider.calls if deed == "place")
    assert placed == {"telegram:c0": 3, "telegram:c1": 3}
    for store in stores:
        await store.close()


async def test_one_closed_chat_delays_none_of_49_others_and_gets_no_call(store: Store) -> None:
    provider, closed_at = Provider(), "telegram:c0"

    def before(deed: str, outbound: Outbound) -> None:
        if outbound.address.id == closed_at:
            raise RateLimited("slow down", retry_after_s=30, bucket="telegram:chat:c0")

    provider.before = before
    for n in range(50):
        for part in range(2):
            await store.run(send, message(f"{n}.{part}", f"c{n}", "telegram"), f"{n}.{part}")
    await settle(store, {"telegram": provider}, rules(telegram=QUICK), until_s=2)
    assert Counter(where for _, where in provider.calls)[closed_at] == 1  # the one that was answered 429
    assert len(provider.texts) == 98
    assert await store.run(closed_until, "telegram:chat:c0") > 0
    assert await store.run(closed_until, "telegram:chat:c1") == 0


async def test_a_429_of_the_whole_channel_stops_the_channel_and_no_other(store: Store) -> None:
    slow, other, errors = Provider(), Provider(), [RateLimited("slow down", retry_after_s=30, bucket="telegram")]

    def before(deed: str, outbound: Outbound) -> None:
        if errors:
            raise errors.pop()

    slow.before = before
    await store.run(send, message("first", "c0", "telegram"), "first")
    await settle(store, {"telegram": slow, "remote": other}, rules(telegram=QUICK), until_s=0.3)
    for n in range(20):
        await store.run(send, message(f"t{n}", f"c{n}", "telegram"), f"t{n}")
        await store.run(send, message(f"r{n}", f"c{n}"), f"r{n}")
    await settle(store, {"telegram": slow, "remote": other}, rules(telegram=QUICK), until_s=0.6)
    assert len(slow.calls) == 1
    assert len(other.texts) == 20


async def test_a_thousand_waiting_rows_are_not_touched_while_their_channel_is_empty(store: Store) -> None:
    def fill(tx: Tx) -> None:
        for n in range(1000):
            send(tx, message(str(n), f"c{n}", "telegram"), str(n))
        close_bucket(tx, "telegram", tx.now + 30)
        send(tx, message("mine", "c", "remote"), "mine")

    await store.run(fill)
    given = Rules(policies={"telegram": QUICK})
    taken = await store.run(take_due, {"telegram": Provider(), "remote": Provider()}, 64, given)
    assert [delivery.outbound.text for delivery in taken.deliveries] == ["mine"]
    assert taken.handled == 1
    again = await store.run(take_due, {"telegram": Provider(), "remote": Provider()}, 64, given)
    assert again.wait_s == pytest.approx(30, abs=5)


async def test_an_empty_channel_rests_until_the_very_moment_its_bucket_has_something_again(store: Store) -> None:
    policy = replace(QUICK, pace_factor=0.1)  # the bot: thirty at once, then one every third of a second
    for n in range(40):
        await store.run(send, message(str(n), f"c{n}", "telegram"), str(n))
    given, channels = Rules(policies={"telegram": policy}), {"telegram": Provider()}
    taken = await store.run(take_due, channels, 64, given)
    assert len(taken.deliveries) == 30
    idle = await store.run(take_due, channels, 64, given)
    assert (idle.handled, idle.deliveries) == (0, ())
    assert idle.wait_s is not None
    assert 0 < idle.wait_s <= 0.34


async def test_first_come_presses_then_cards_then_replies_then_progress(store: Store) -> None:
    card = replace(message("card", "c1", "telegram"), kind=OutboundKind.CARD)
    progress = replace(message("progress", "c3", "telegram"), kind=OutboundKind.WORKING)
    await store.run(send, replace(message("old", "c0", "telegram"), kind=OutboundKind.CARD), "old")
    await settle(store, {"telegram": Provider()}, rules(telegram=QUICK))

    def more(tx: Tx) -> None:
        send(tx, progress, "progress")
        send(tx, message("reply", "c2", "telegram"), "reply")
        send(tx, card, "card")
        send(tx, replace(message("pressed", "c0", "telegram"), key="old"), "pressed")

    await store.run(more)
    taken = await store.run(take_due, {"telegram": Provider()}, 64, rules(telegram=QUICK))
    assert [delivery.outbound.text for delivery in taken.deliveries] == ["pressed", "card", "reply", "progress"]


async def test_the_answer_to_a_press_does_not_wait_behind_the_conversations_other_messages(store: Store) -> None:
    provider = Provider()
    await store.run(send, message("card"), "card")
    await settle(store, {"remote": provider})
    for n in range(5):
        await store.run(send, message(str(n)), str(n))
    await store.run(send, replace(message("decided"), key="card"), "decided")
    await settle(store, {"remote": provider})
    assert provider.order.index("decided") <= 2
    assert [text for text in provider.order if text.isdigit()] == ["0", "1", "2", "3", "4"]


async def test_progress_that_was_overtaken_never_reaches_the_provider(store: Store) -> None:
    provider, ids = Provider(), []
    for n in range(10):
        working = replace(message(f"step {n}"), key="t1", kind=OutboundKind.WORKING)
        ids.append((await store.run(send, working, f"w{n}")).outbox_id)
    await settle(store, {"remote": provider})
    assert (provider.texts, len(provider.calls)) == (["step 9"], 1)
    assert [await state_of(store, id) for id in ids] == ["merged"] * 9 + ["sent"]
    await store.run(send, replace(message("more"), key="t1", kind=OutboundKind.WORKING), "w10")
    await store.run(send, replace(message("answer"), key="t1"), "answer")
    await settle(store, {"remote": provider})
    assert (provider.texts, provider.orphans) == (["answer"], 0)
    assert len(provider.calls) == 2


async def test_buckets_that_nobody_uses_are_forgotten_but_not_how_old_an_account_is(store: Store) -> None:
    def fill(tx: Tx) -> int:
        for name in ("telegram:chat:5", "mail:day"):
            tx.one("transport.lock_bucket", bucket=name, now=tx.now)
        return forget_buckets(tx)

    assert await store.run(fill) == 1
    assert (await store.run(lambda tx: tx.one("transport.closed_until", bucket="mail:day"))) is not None


async def test_an_adapter_can_close_a_bucket_and_a_longer_closing_stays(store: Store) -> None:
    def close(tx: Tx) -> float:
        close_bucket(tx, "slack:files.info", tx.now + 60)
        close_bucket(tx, "slack:files.info", tx.now + 5)
        put_reference(tx, message("x"), "r")
        return closed_until(tx, "slack:files.info") - tx.now

    assert await store.run(close) == pytest.approx(60)
