"""One event, many names: whichever it comes under, and whichever process takes it, it is journalled once."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.store import Store, open_store
from layers.transport import accept
from layers.types import Address, Inbound, Person

ANN = Person(id="ann", name="Ann")


def event(names: tuple[str, ...], conversation: str = "C1") -> Inbound:
    address = Address(channel="slack", conversation=conversation)
    return Inbound(address=address, event_id=names[0], person=ANN, text="x", aliases=names[1:])


async def taken(store: Store, *inbounds: Inbound) -> list[bool]:
    return [(await store.run(accept, inbound)).is_new for inbound in inbounds]


async def test_an_alias_of_an_event_that_is_there_is_that_event(store: Store) -> None:
    first = await store.run(accept, event(("e1", "C1:17")))
    again = await store.run(accept, event(("e2", "C1:17"), "C2"))
    assert (first.is_new, again.is_new) == (True, False)
    assert again.inbox_id == first.inbox_id
    assert again.turn is None


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (("e1", "x"), ("x",)),  # the alias comes as an id
        (("x",), ("e1", "x")),  # and the other way round
        (("e1", "x", "y"), ("e2", "y", "z")),
        (("e1",), ("e2", "e1")),
    ],
)
async def test_a_name_counts_as_an_id_and_as_an_alias(store: Store, one: tuple[str, ...], two: tuple[str, ...]) -> None:
    assert await taken(store, event(one), event(two)) == [True, False]


async def test_what_a_second_delivery_tells_of_its_names_is_remembered(store: Store) -> None:
    assert await taken(store, event(("a", "b")), event(("c", "b")), event(("d", "c")), event(("d",))) == [
        True,
        False,
        False,
        False,
    ]


async def test_names_of_another_source_are_others(store: Store) -> None:
    other = Inbound(address=Address(channel="telegram", conversation="7"), event_id="e1", person=ANN, text="x")
    assert await taken(store, event(("e1", "x")), other) == [True, True]


async def test_an_event_that_was_seen_leaves_nothing_behind(store: Store) -> None:
    await taken(store, event(("a", "b")), event(("c", "b"), "C9"))
    rows = await store.fetch_all("transport.ready_conversations", limit=10)
    assert rows == []
    counts = await store.fetch_one("transport.counts")
    assert counts is not None
    assert counts["pending"] == 1


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[tuple[int, tuple[str, ...]]], int]:
    """(which real event, its names) in the order of arrival: each shares a name with an earlier one of its event."""
    orders: list[list[tuple[str, ...]]] = []
    count = draw(st.integers(1, 4))
    for n in range(count):
        names = [f"{n}.{i}" for i in range(draw(st.integers(1, 5)))]
        known: list[str] = []
        order = []
        for _ in range(draw(st.integers(1, 5))):
            some = draw(st.lists(st.sampled_from(names), min_size=1, max_size=4, unique=True))
            if known and not set(some) & set(known):
                some.append(draw(st.sampled_from(known)))
            known += some
            order.append(tuple(draw(st.permutations(some))))
        orders.append(order)
    shuffled = draw(st.permutations([n for n, order in enumerate(orders) for _ in order]))
    left = [iter(order) for order in orders]
    return [(n, next(left[n])) for n in shuffled], count


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[asyncio.Runner, Store]]:
    """One store for all examples: to make one takes longer than all of them."""
    with asyncio.Runner() as runner:
        store = runner.run(open_store(f"sqlite:///{tmp_path_factory.mktemp('names') / 'bulkhead.db'}"))
        yield runner, store
        runner.run(store.close())


@given(deliveries())
@settings(max_examples=100)
def test_in_any_order_each_real_event_is_journalled_once(
    ledger: tuple[asyncio.Runner, Store], arriving: tuple[list[tuple[int, tuple[str, ...]]], int]
) -> None:
    (runner, store), (arrivals, count), run = ledger, arriving, uuid.uuid4().hex

    async def go() -> list[int]:
        named = [(n, tuple(f"{run}.{name}" for name in names)) for n, names in arrivals]
        new = await taken(store, *(event(names, f"C{place % 3}") for place, (_, names) in enumerate(named)))
        return [n for (n, _), is_new in zip(named, new, strict=True) if is_new]

    assert sorted(runner.run(go())) == list(range(count))


async def test_processes_that_take_it_at_once_journal_it_once(postgres_url: str) -> None:
    """Other conversations, other event ids, one shared alias: no row of the two is the same but the name's."""
    first, second = await open_store(postgres_url), await open_store(postgres_url)
    try:
        for n in range(40):
            one = event((f"a{n}", f"both{n}", f"m{n}"), f"C{n}")
            two = event((f"b{n}", f"m{n}", f"both{n}"), f"D{n}")
            three = event((f"both{n}",), f"E{n}")
            found = await asyncio.gather(
                first.run(accept, one), second.run(accept, two), first.run(accept, three), second.run(accept, two)
            )
            assert sum(each.is_new for each in found) == 1, n
            assert len({each.inbox_id for each in found}) == 1, n
    finally:
        await first.close()
        await second.close()
