"""What there is to see of a workspace beside whoever works in it: the line, and who waits behind whom."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from layers.coordination import Applied, Coordinator, look_at, look_line, look_queue
from layers.coordination.leases import Claimant, Lease, ask
from layers.coordination.line import Landing, LandingState, begin, settle_row
from layers.coordination.objects import read_commit
from layers.coordination.overview import NO_ENTRY
from layers.coordination.rules import Claim, blockers
from layers.errors import Refused
from layers.store import Store
from tests.coordination.conftest import README_PATCH, Workspace
from tests.coordination.test_leases import age


async def land(workspace: Workspace, coordinator: Coordinator, diff: str) -> Applied:
    proposal = await coordinator.propose(workspace.patch(diff))
    outcome = await coordinator.apply(workspace.root, proposal, "A change", "Ann")
    assert isinstance(outcome, Applied)
    return outcome


def new_file(name: str) -> str:
    return f"--- /dev/null\n+++ b/{name}\n@@ -0,0 +1 @@\n+{name}\n"


async def test_what_landed_is_told_newest_first_as_git_and_the_database_have_it(
    workspace: Workspace, store: Store
) -> None:
    coordinator = Coordinator(store)
    made = [await land(workspace, coordinator, diff) for diff in (README_PATCH, new_file("a"), new_file("b"))]
    found = await look_line(store, workspace.root, 10)
    assert [one.commit for one in found] == [outcome.commit for outcome in reversed(made)]
    assert [one.fence for one in found] == [3, 2, 1]
    assert all((one.author, one.branch, one.is_on_branch) == ("Ann", "refs/heads/main", True) for one in found)
    assert all(one.landed_at and not one.differences and not one.is_note for one in found)
    assert await look_line(store, workspace.root, 2) == found[:2]


async def test_a_commit_that_a_person_took_off_the_branch_is_told(workspace: Workspace, lite: Store) -> None:
    coordinator = Coordinator(lite)
    for diff in (README_PATCH, new_file("a")):
        await land(workspace, coordinator, diff)
    workspace.git("reset", "-q", "--hard", "HEAD~1")
    assert [one.is_on_branch for one in await look_line(lite, workspace.root, 9)] == [False, True]
    workspace.git("checkout", "-q", "-b", "other")
    workspace.git("branch", "-q", "-D", "main")
    assert [one.is_on_branch for one in await look_line(lite, workspace.root, 9)] == [False, False]


async def test_where_git_and_the_database_differ_both_are_told(workspace: Workspace, lite: Store) -> None:
    await land(workspace, Coordinator(), README_PATCH)
    (unknown,) = await look_line(lite, workspace.root, 9)
    assert unknown.differences == ("the database knows nothing of it",)
    await land(workspace, Coordinator(lite), new_file("a"))
    known = (await look_line(lite, workspace.root, 9))[0]
    landing = Landing(
        workspace=(await look_at(workspace.root)).id, new_head="f" * 40, old_head=known.entry, branch=known.branch,
        old_commit=known.commit, new_commit="e" * 40, proposal="p", fence=7,
    )  # fmt: skip
    await lite.run(begin, landing, None, [])
    assert "on its way" in (await look_line(lite, workspace.root, 9))[0].differences[0]
    await lite.run(settle_row, landing.new_head, LandingState.APPLIED)
    (lost, *others) = await look_line(lite, workspace.root, 9)
    assert (lost.fence, lost.differences) == (7, ("git's line does not have it",))
    assert [one.entry for one in others] == [known.entry, unknown.entry]
    await lite.run(begin, replace(landing, new_head=unknown.entry, new_commit=unknown.commit), None, [])
    told = (await look_line(lite, workspace.root, 9))[-1].differences
    assert told == (
        "the database has 'p' as its proposal",
        "the database has 7 as its fence",
        "the database says that it is applying",
    )


async def test_a_line_that_somebody_else_wrote_is_named_and_followed_no_further(
    workspace: Workspace, lite: Store
) -> None:
    await land(workspace, Coordinator(lite), README_PATCH)
    space = (await look_at(workspace.root)).id
    workspace.commit({"x": "x"}, "Land me\n\nFence: 9\nProposal: you")
    workspace.git("update-ref", f"refs/coord/{space}/head", "HEAD")
    (lost, odd) = await look_line(lite, workspace.root, 9)
    assert (odd.differences, odd.fence) == ((NO_ENTRY,), 0)
    assert lost.differences == ("git's line does not have it",)


async def test_a_workspace_without_a_line_has_nothing_that_landed(workspace: Workspace, store: Store) -> None:
    assert await look_line(store, workspace.root, 9) == ()


async def hold(store: Store, space: str, actor: str, *paths: str, is_person: bool = False) -> Lease:
    claimant = Claimant(workspace=space, actor=actor, paths=paths, is_person=is_person)
    return await store.run(ask, claimant, secrets.token_hex(10))


async def test_the_queue_is_told_with_who_waits_behind_whom_and_how_long_by_the_databases_clock(
    workspace: Workspace, store: Store
) -> None:
    await Coordinator(store).declare({"ws": workspace.root})
    space = (await look_at(workspace.root)).id
    first, other = await hold(store, space, "one", "src/"), await hold(store, space, "two", "README.md")
    second, third = await hold(store, space, "three", "src/app.py"), await hold(store, space, "four", "src/", "docs/")
    queue = await look_queue(store, space)
    assert [(one.lease.id, one.behind) for one in queue] == [
        (first.id, ()), (other.id, ()), (second.id, (first.id,)), (third.id, (first.id, second.id)),
    ]  # fmt: skip
    assert all(0 < one.left_s <= 30 for one in queue)
    await store.run(age, first.id)
    queue = await look_queue(store, space)
    assert (queue[0].left_s < 0, queue[2].behind, queue[3].behind) == (True, (), (second.id,))
    assert await look_queue(store, "nonesuch") == ()


@pytest.mark.parametrize(
    ("waiting", "held", "behind"),
    [
        ([("w", 2, "a", False)], [("h", 1, "a", False)], {"w": ("h",)}),
        ([("w", 2, "a", True)], [("h", 1, "a", False)], {"w": ()}),
        ([("w", 2, "a", True)], [("h", 1, "a", True)], {"w": ("h",)}),
        ([("v", 2, "a", False), ("w", 3, "a", True)], [], {"w": (), "v": ("w",)}),
        ([("v", 2, "a", False), ("w", 3, "b", False)], [("h", 1, "a", False)], {"v": ("h",), "w": ()}),
    ],
)
def test_one_waits_behind_those_who_hold_or_come_first(
    waiting: Sequence[tuple[str, int, str, bool]],
    held: Sequence[tuple[str, int, str, bool]],
    behind: dict[str, tuple[str, ...]],
) -> None:
    def claims(rows: Sequence[tuple[str, int, str, bool]]) -> list[Claim]:
        return [Claim(id=id, ticket=ticket, paths=(path,), is_person=person) for id, ticket, path, person in rows]

    assert blockers(claims(waiting), claims(held)) == behind


def test_a_commit_is_read_whoever_wrote_it(workspace: Workspace) -> None:
    workspace.git("-c", "user.name=Ann <> 7", "commit", "-q", "--allow-empty", "-m", "one\n\ntwo")
    read = read_commit(workspace.git("cat-file", "commit", "HEAD").encode() + b"\n")
    assert (read.parents, read.words) == ((workspace.git("rev-parse", "HEAD~1"),), "one\n\ntwo\n")
    assert read.at == int(workspace.git("log", "-1", "--format=%at"))
    for odd in (b"", b"\xff\n\n", b"author x\n\n", b"author A <a> 99999999999999999999 +0\n\n"):
        assert (read_commit(odd).parents, read_commit(odd).at) == ((), 0)


async def test_a_folder_that_is_no_workspace_is_refused(tmp_path: Path, lite: Store) -> None:
    with pytest.raises(Refused, match="is not the top of a git work tree"):
        await look_line(lite, tmp_path, 9)
