"""Every crash point and every ambiguous end of a remote delivery: nothing lost, nothing doubled, one orphan at most."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layers import failpoint
from layers.errors import AccountState, AccountTrouble, NotReached, RateLimited, Refused, Unavailable
from layers.failpoint import Point
from layers.store import Store, open_store
from layers.transport import Courier, marks, reap, send
from layers.transport import rules as transport_rules
from layers.transport.marks import mark_failed
from layers.transport.taking import take_due
from layers.types import Outbound
from tests.transport.provider import Provider, message, rules, settle, state_of

REMOTE = (
    Point.DELIVER_BEFORE,
    Point.PLACE_BEFORE,
    Point.PLACE_AFTER,
    Point.PLACED_AFTER_COMMIT,
    Point.DELIVER_AFTER,
    Point.SENT_AFTER_COMMIT,
)
TEXTS = ["one", "two", "three"]


class Killed(BaseException):
    """What a SIGKILL looks like to the code it hits: nothing of it runs any more."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Tries follow each other at once, and no hook outlives its test."""
    monkeypatch.setattr(transport_rules, "FIRST_DELAY_S", 0.005)
    yield
    failpoint.hook = None


def kill_at(point: Point, nth: int, stop: Callable[[], None]) -> None:
    """Die at the `nth` reach of `point`, and at every reach of any point after that."""
    left = [nth]

    def hook(at: Point) -> None:
        if at is point:
            left[0] -= 1
        if left[0] <= 0:
            stop()
            raise Killed

    failpoint.hook = hook


async def run_and_die(url: str, provider: Provider, point: Point, nth: int) -> None:
    """One process that delivers until it is killed, or until nothing is left to do."""
    store = await open_store(url)
    dead = asyncio.Event()
    kill_at(point, nth, dead.set)
    courier = asyncio.create_task(Courier(store, {"remote": provider}).run())
    for _ in range(60):
        if dead.is_set():
            break
        counts = await store.fetch_one("transport.counts")
        if counts is not None and counts["unsent"] == 0 and point is not Point.DELIVER_BEFORE:
            break
        await asyncio.sleep(0.01)
    courier.cancel()
    await asyncio.gather(courier, return_exceptions=True)
    failpoint.hook = None
    await store.close()


@pytest.mark.parametrize("nth", [1, 2, 3])
@pytest.mark.parametrize("point", REMOTE, ids=str)
async def test_a_crash_at_any_point_loses_nothing_doubles_nothing_and_leaves_one_orphan_at_most(
    database_url: str, point: Point, nth: int
) -> None:
    provider = Provider()
    store = await open_store(database_url)
    for text in TEXTS:  # one conversation: two placements in flight at once could leave an orphan each
        await store.run(send, message(text), text)
    await store.close()
    await run_and_die(database_url, provider, point, nth)
    store = await open_store(database_url)  # another process: it frees what the dead one had
    await store.run(reap)
    await settle(store, {"remote": provider})
    await store.close()
    assert provider.texts == sorted(TEXTS)
    assert provider.orphans <= 1


RUNS = itertools.count(1)
ENDS = st.sampled_from(
    [
        None,
        Unavailable("connection lost"),
        NotReached("no route"),
        RateLimited("slow down", retry_after_s=0.0, bucket="remote:chat"),
        TimeoutError(),
        KeyError("vendor"),
    ]
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.tuples(st.booleans(), ENDS), min_size=1, max_size=6))
async def test_no_ambiguous_end_loses_or_doubles_a_message(
    store: Store, ends: list[tuple[bool, Exception | None]]
) -> None:
    """(whether the provider did it before the connection broke, what the caller saw), call by call."""
    provider, left, run = Provider(), list(ends), next(RUNS)
    texts = [f"{run}.{n}" for n in range(3)]

    def before(deed: str, outbound: Outbound) -> None:
        if left and not left[0][0] and (error := left.pop(0)[1]) is not None:
            raise error

    def after(deed: str, outbound: Outbound) -> None:
        if left and left[0][0] and (error := left.pop(0)[1]) is not None:
            raise error

    provider.before, provider.after = before, after
    for n, text in enumerate(texts):
        await store.run(send, message(text, f"{run}.c{n % 2}"), text)
    await settle(store, {"remote": provider})
    assert provider.texts == sorted(texts)
    assert provider.orphans <= sum(was_done and error is not None for was_done, error in ends)


async def test_what_may_have_arrived_is_unknown_and_a_definite_no_has_failed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marks, "MAX_ATTEMPTS", 2)
    provider = Provider()

    def fail(error: Exception) -> Callable[[str, Outbound], None]:
        def before(deed: str, outbound: Outbound) -> None:
            raise error

        return before

    ids = {}
    for name, error in {"lost": Unavailable("lost"), "no": Refused("no"), "away": NotReached("away")}.items():
        provider.before = fail(error)
        ids[name] = (await store.run(send, message(name, name), name)).outbox_id
        await settle(store, {"remote": provider}, until_s=1)
    states = {name: await state_of(store, id) for name, id in ids.items()}
    assert states == {"lost": "unknown", "no": "failed", "away": "failed"}


async def test_a_channel_that_can_search_is_asked_before_a_second_placeholder(store: Store) -> None:
    class Searching(Provider):
        asked = 0

        async def find(self, outbound: Outbound) -> str | None:
            self.asked += 1
            return next(iter(self.seen), None)

    provider, errors = Searching(), [Unavailable("the answer was lost")]

    def after(deed: str, outbound: Outbound) -> None:
        if errors:
            raise errors.pop()

    provider.after = after
    await store.run(send, message("once"), "d")
    await settle(store, {"remote": provider})
    assert (provider.texts, provider.orphans, provider.asked) == (["once"], 0, 1)


async def test_a_search_that_fails_ends_in_placing_again(store: Store) -> None:
    class Broken(Provider):
        async def find(self, outbound: Outbound) -> str | None:
            raise Unavailable("no history today")

    provider, errors = Broken(), [Unavailable("the answer was lost")]

    def after(deed: str, outbound: Outbound) -> None:
        if errors:
            raise errors.pop()

    provider.after = after
    await store.run(send, message("once"), "d")
    await settle(store, {"remote": provider})
    assert (provider.texts, provider.orphans) == (["once"], 1)


async def test_a_challenged_account_parks_its_rows_and_is_called_no_more(store: Store) -> None:
    provider = Provider()

    def before(deed: str, outbound: Outbound) -> None:
        raise AccountTrouble("log in with your browser", state=AccountState.CHALLENGED)

    provider.before = before
    for n in range(5):
        await store.run(send, message(str(n)), f"d{n}")
    await settle(store, {"remote": provider}, until_s=0.5)
    assert len(provider.calls) == 1
    await store.run(send, message("later", "other"), "later")
    await settle(store, {"remote": provider}, rules(), until_s=0.3)
    assert len(provider.calls) == 1


async def test_a_worker_that_lost_its_row_cannot_change_it(store: Store) -> None:
    provider = Provider()
    receipt = await store.run(send, message("x"), "d")
    taken = await store.run(take_due, {"remote": provider}, 10)
    await store.run(lambda tx: tx.run("transport.free_deliveries", owner=tx.worker))
    await store.run(mark_failed, taken.deliveries[0], "too late", True)
    assert await state_of(store, receipt.outbox_id) == "pending"
    await settle(store, {"remote": provider})
    assert provider.texts == ["x"]
