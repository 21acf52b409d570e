"""Some things one process of a fleet does at a time: polling a Telegram bot."""

from __future__ import annotations

from bot import schedule
from layers.store import Store


async def test_a_role_has_one_holder_and_its_epoch_grows_with_every_change(store: Store) -> None:
    alive = store.worker
    assert await store.run(schedule.hold_role, "poller", alive, 30.0) == 1
    assert await store.run(schedule.hold_role, "poller", alive, 30.0) == 1
    assert await store.run(schedule.hold_role, "poller", "b", 30.0) is None
    await store.run(schedule.release_role, "poller", "b")
    assert await store.run(schedule.hold_role, "poller", "b", 30.0) is None
    await store.run(schedule.release_role, "poller", alive)
    assert await store.run(schedule.hold_role, "poller", "b", 0.0) == 2
    assert await store.run(schedule.hold_role, "poller", alive, 30.0) == 3


async def test_the_role_of_a_process_that_died_is_taken_at_once(store: Store) -> None:
    assert await store.run(schedule.hold_role, "poller", "dead", 30.0) == 1
    assert await store.run(schedule.hold_role, "poller", store.worker, 30.0) == 2
