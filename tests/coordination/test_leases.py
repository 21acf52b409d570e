"""Leases on both databases: one holder for a path, the queue in order, a fence that only grows."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.coordination import leases
from layers.coordination.leases import Claimant, Lease, LeaseState
from layers.coordination.rules import Claim, advance, overlap
from layers.errors import Refused, Unavailable
from layers.store import Store, Tx

SPACE = "ws-1"


async def opened(store: Store) -> None:
    await store.run(leases.enrol, SPACE, "/ws")


async def ask(store: Store, actor: str, *paths: str, is_person: bool = False) -> Lease:
    claimant = Claimant(workspace=SPACE, actor=actor, paths=paths, is_person=is_person)
    return await store.run(leases.ask, claimant, secrets.token_hex(10))


async def state(store: Store, lease: Lease) -> LeaseState:
    return (await store.run(leases.lease, lease.id)).state


def age(tx: Tx, lease_id: str) -> None:
    """As if its holder had not been heard of for too long: the clock is the database's, and nobody turns it."""
    now = leases.lease(tx, lease_id)
    tx.run(
        "coordination.move_lease", id=lease_id, before=now.state.value, after=now.state.value, fence=now.fence,
        ends_at=tx.now - 1,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other", "is_shared"),
    [
        ("a", "a", True),
        ("a", "b", False),
        ("src/", "src/a/b.py", True),
        ("src/a.py", "src/", True),
        ("src/", "srcs/a.py", False),
        ("src", "src/a.py", True),
        ("src/a.py", "src/a.pyc", False),
        ("a/b/", "a/", True),
        ("a/b/", "a/c/", False),
    ],
)
def test_two_leases_overlap_when_they_share_a_path_or_one_is_above_the_other(
    one: str, other: str, is_shared: bool
) -> None:
    assert overlap([one], [other]) is is_shared
    assert overlap([other], ["z", one]) is is_shared


PATHS = st.lists(st.sampled_from(["a", "b", "c", "d/", "d/e", "d/f/", "d/f/g"]), min_size=1, max_size=3, unique=True)
CLAIMS = st.lists(st.tuples(PATHS, st.booleans()), max_size=12)


@given(CLAIMS, CLAIMS)
def test_no_two_holders_overlap_and_no_ticket_is_passed_by_a_later_one_it_overlaps(
    holding: list[tuple[list[str], bool]], wanting: list[tuple[list[str], bool]]
) -> None:
    held: list[Claim] = []
    for number, (paths, is_person) in enumerate(holding):
        claim = Claim(id=f"h{number}", ticket=number, paths=tuple(paths), is_person=is_person)
        held += [claim] if not any(overlap(paths, other.paths) for other in held) else []
    waiting = [
        Claim(id=f"w{n}", ticket=100 + n, paths=tuple(paths), is_person=is_person)
        for n, (paths, is_person) in enumerate(wanting)
    ]
    done = advance(waiting, held)
    by_id = {claim.id: claim for claim in (*held, *waiting)}
    now = [claim for claim in held if claim.id not in done.fenced] + [by_id[id] for id in done.granted]
    assert not any(overlap(a.paths, b.paths) for n, a in enumerate(now) for b in now[n + 1 :])
    assert all(not by_id[id].is_person for id in done.fenced)
    assert not done.fenced or any(by_id[id].is_person for id in done.granted)
    left = [claim for claim in waiting if claim.id not in done.granted]
    for id in done.granted:
        earlier = [
            one for one in left if one.ticket < by_id[id].ticket and (one.is_person or not by_id[id].is_person)
        ]
        assert not any(overlap(by_id[id].paths, one.paths) for one in earlier)
    for one in left:  # nobody waits for nothing
        ahead = [claim for claim in left if (not claim.is_person, claim.ticket) < (not one.is_person, one.ticket)]
        assert any(overlap(one.paths, other.paths) for other in (*now, *ahead))


async def test_a_path_has_one_holder_and_the_next_in_line_gets_a_higher_fence(store: Store) -> None:
    await opened(store)
    first = await ask(store, "ann", "src/app.py", "README.md")
    second = await ask(store, "bob", "src/")
    beside = await ask(store, "cid", "docs/x.md")
    assert (first.state, second.state, beside.state) == (LeaseState.HELD, LeaseState.WAITING, LeaseState.HELD)
    assert (first.fence, beside.fence) == (1, 2)
    await store.run(leases.release, first.id)
    await store.run(leases.release, first.id)
    taken = await store.run(leases.lease, second.id)
    assert (taken.state, taken.fence) == (LeaseState.HELD, 3)
    assert await state(store, first) is LeaseState.RELEASED


async def test_disjoint_requests_pass_a_waiting_one_and_overlapping_ones_do_not(store: Store) -> None:
    await opened(store)
    first = await ask(store, "ann", "a")
    second = await ask(store, "bob", "a", "b")
    third = await ask(store, "cid", "b")
    fourth = await ask(store, "dan", "c")
    assert [one.state.value for one in (first, second, third, fourth)] == ["held", "waiting", "waiting", "held"]
    await store.run(leases.release, first.id)
    assert (await state(store, second), await state(store, third)) == (LeaseState.HELD, LeaseState.WAITING)


async def test_asking_again_under_the_same_id_draws_no_second_ticket(store: Store) -> None:
    await opened(store)
    claimant = Claimant(workspace=SPACE, actor="ann", paths=("a",))
    assert await store.run(leases.ask, claimant, "1" * 20) == await store.run(leases.ask, claimant, "1" * 20)
    assert len(await store.run(leases.live, SPACE)) == 1


async def test_a_holder_who_is_not_heard_of_loses_it_and_its_fence_opens_nothing(store: Store) -> None:
    await opened(store)
    paused = await ask(store, "agent", "a")
    waiting = await ask(store, "other", "a")
    await store.run(leases.demand, paused, ["a"])
    await store.run(age, paused.id)
    with pytest.raises(Refused, match="ran out; nothing was written"):
        await store.run(leases.demand, paused, ["a"])
    taken = await store.run(leases.renew, waiting.id)
    assert (taken.state, taken.fence) == (LeaseState.HELD, 2)
    assert (await store.run(leases.renew, paused.id)).state is LeaseState.EXPIRED
    with pytest.raises(Refused, match="ran out"):
        await store.run(leases.demand, paused, ["a"])


async def test_a_dead_waiter_leaves_the_queue(store: Store) -> None:
    await opened(store)
    first = await ask(store, "ann", "a")
    dead = await ask(store, "bob", "a", "b")
    behind = await ask(store, "cid", "b")
    await store.run(age, dead.id)
    assert (await store.run(leases.renew, behind.id)).state is LeaseState.HELD
    assert await state(store, dead) is LeaseState.EXPIRED
    assert await state(store, first) is LeaseState.HELD


async def test_a_person_takes_over_from_an_agent_and_not_from_a_person(store: Store) -> None:
    await opened(store)
    agent = await ask(store, "agent", "src/")
    waiting = await ask(store, "agent 2", "src/app.py")
    ann = await ask(store, "ann", "src/app.py", is_person=True)
    bob = await ask(store, "bob", "src/app.py", is_person=True)
    assert (ann.state, bob.state) == (LeaseState.HELD, LeaseState.WAITING)
    assert await state(store, agent) is LeaseState.FENCED
    with pytest.raises(Refused, match="was taken over by a person"):
        await store.run(leases.demand, agent, ["src/app.py"])
    await store.run(leases.release, ann.id)
    assert (await state(store, bob), await state(store, waiting)) == (LeaseState.HELD, LeaseState.WAITING)


async def test_a_lease_opens_only_what_it_names(lite: Store) -> None:
    await opened(lite)
    held = await ask(lite, "ann", "src/", "a")
    await lite.run(leases.demand, held, ["src/x/y", "a"])
    with pytest.raises(Refused, match="does not cover 'b'"):
        await lite.run(leases.demand, held, ["a", "b"])


@pytest.mark.parametrize(
    ("paths", "reason"),
    [
        ((), "at least one path"),
        (("src/*.py",), "no patterns"),
        (("/etc/passwd",), "absolute"),
        (("../x",), "leaves"),
        ((".git/",), "git's own folder"),
        ((".env",), "holds secrets"),
        (tuple(f"f{n}" for n in range(513)), "512 is the limit"),
    ],
)
async def test_what_no_lease_can_name_is_refused(paths: Sequence[str], reason: str, lite: Store) -> None:
    await opened(lite)
    with pytest.raises(Refused, match=reason):
        await ask(lite, "ann", *paths)
    with pytest.raises(Refused, match="no workspace"):
        await lite.run(leases.ask, Claimant(workspace="none", actor="ann", paths=("a",)), "1" * 20)


async def test_many_at_once_are_let_in_one_by_one_in_the_order_of_their_tickets(store: Store) -> None:
    await opened(store)
    inside: list[int] = []
    order: list[tuple[int, int]] = []

    async def writer(seed: int) -> None:
        for _ in range(3):
            claimant = Claimant(workspace=SPACE, actor=f"w{seed}", paths=("a", f"b{seed}"))
            async with leases.holding(store, claimant, 60) as held:
                inside.append(seed)
                assert len(inside) == 1
                await asyncio.sleep(random.Random(seed).random() / 100)
                order.append((held.ticket, held.fence))
                inside.pop()

    await asyncio.gather(*(writer(seed) for seed in range(6)))
    assert len(order) == 18
    assert order == sorted(order)
    assert [fence for _, fence in order] == list(range(1, 19))
    assert await store.run(leases.live, SPACE) == []


async def test_who_waits_too_long_is_told_and_leaves_the_queue(lite: Store) -> None:
    await opened(lite)
    await ask(lite, "ann", "a")
    with pytest.raises(Unavailable, match=r"others have held a for 0 s"):
        async with leases.holding(lite, Claimant(workspace=SPACE, actor="bob", paths=("a",)), 0.05):
            pytest.fail("two hold one path")
    assert [one.actor for one in await lite.run(leases.live, SPACE)] == ["ann"]
