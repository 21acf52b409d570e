"""The git that stays answers as a fresh one would, starts again when it must, and never outlives its owner."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from layers.coordination import Coordinator, warm
from layers.coordination.git import Repository, open_repository, scratch
from layers.errors import Refused, Unavailable
from tests.coordination.conftest import README_PATCH, Workspace

REPO = Path(__file__).parents[2]

OWNER = """
import asyncio, os, sys, time
from pathlib import Path
from layers.coordination import warm
from layers.coordination.git import open_repository
async def main():
    repository = await open_repository(Path(sys.argv[1]))
    print(await repository.tip("HEAD"), flush=True)
asyncio.run(main())
copy = os.fork()
if copy == 0:
    asyncio.run(main())
    os._exit(0)
os.waitpid(copy, 0)
asyncio.run(main())
[one] = warm._pool._open.values()
print(one._process.pid, flush=True)
time.sleep(60)
"""


def pid_of(repository: Repository) -> int:
    return warm._pool._open[repository.git_dir]._process.pid


async def test_what_it_says_follows_the_repository(workspace: Workspace) -> None:
    repository = await open_repository(workspace.root)
    first = workspace.git("rev-parse", "HEAD")
    assert await repository.commit_at("HEAD") == (first, workspace.git("rev-parse", "HEAD^{tree}"))
    pid = pid_of(repository)
    second = workspace.commit({"new.txt": "new\n"})
    assert await repository.tip("refs/heads/main") == second
    assert await repository.tip("refs/heads/none") == ""
    assert await repository.commit_at("HEAD:README.md") is None
    assert pid_of(repository) == pid
    workspace.git("gc", "-q", "--prune=now")  # the packs are others now
    assert await repository.tip("HEAD~1") == first
    assert pid_of(repository) != pid


async def test_hundreds_of_questions_and_large_answers_come_in_order(workspace: Workspace) -> None:
    contents = {f"f{number}": os.urandom(number * 40) for number in range(200)}
    workspace.commit({**contents, "large": b"x" * 3_000_000})
    repository = await open_repository(workspace.root)
    async with scratch(repository) as pad:
        entries = await pad.entries((await repository.commit_at("HEAD") or ("", ""))[1], [*contents, "large"])
        several = await asyncio.gather(*(pad.blobs([entry.oid for entry in entries.values()]) for _ in range(3)))
    for blobs in several:
        assert {path: blobs[entry.oid] for path, entry in entries.items() if path in contents} == contents
    assert entries["large"].size == len(several[0][entries["large"].oid]) == 3_000_000


async def test_one_that_was_killed_is_started_again(workspace: Workspace) -> None:
    repository = await open_repository(workspace.root)
    head = await repository.tip("HEAD")
    os.kill(pid_of(repository), signal.SIGKILL)
    assert await repository.tip("HEAD") == head


async def test_a_damaged_object_is_told_and_the_next_question_answered(workspace: Workspace) -> None:
    repository = await open_repository(workspace.root)
    blob = workspace.git("rev-parse", "HEAD:README.md")
    path = workspace.root / ".git/objects" / blob[:2] / blob[2:]
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:20])
    async with scratch(repository) as pad:
        with pytest.raises(Unavailable, match="git fsck"):
            await pad.blobs([blob])
    assert await repository.tip("HEAD") == workspace.git("rev-parse", "HEAD")


@pytest.mark.parametrize("name", ["HEAD\ncontents HEAD", "", "a\0b"])
async def test_a_name_that_would_be_two_questions_is_never_asked(name: str, workspace: Workspace) -> None:
    repository = await open_repository(workspace.root)
    with pytest.raises(ValueError, match="names no object"):
        await repository.tip(name)


async def test_the_one_asked_longest_ago_is_closed(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("layers.coordination.warm.MOST", 1)
    workspace.git("worktree", "add", "-q", "-b", "other", str(tmp_path / "other"))
    here, there = await open_repository(workspace.root), await open_repository(tmp_path / "other")
    assert await here.tip("HEAD") == await there.tip("HEAD") != ""
    assert list(warm._pool._open) == [there.git_dir]


async def test_a_missing_object_is_fetched_by_no_program_of_the_repository(
    workspace: Workspace, coordinator: Coordinator, tmp_path: Path
) -> None:
    spy, trace = tmp_path / "spy", tmp_path / "ran"
    spy.write_text(f"#!/bin/sh\ntouch {trace}\n")
    spy.chmod(0o755)
    for name, value in {
        "core.repositoryFormatVersion": "1", "extensions.partialClone": "origin", "remote.origin.promisor": "true",
        "remote.origin.url": f"ext::{spy}", "protocol.ext.allow": "always", "protocol.allow": "always",
    }.items():  # fmt: skip
        workspace.git("config", name, value)
    with pytest.raises(Refused, match="names no commit"):
        await coordinator.propose(workspace.patch(README_PATCH, base="1" * 40))
    assert not trace.exists()


def test_it_ends_with_its_owner_however_that_dies_and_no_copy_of_the_owner_asks_it(workspace: Workspace) -> None:
    environment = {"PATH": os.defpath, "PYTHONPATH": str(REPO)}
    command = [sys.executable, "-c", OWNER, str(workspace.root)]
    with subprocess.Popen(command, env=environment, cwd=REPO, stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        said = [owner.stdout.readline().decode().strip() for _ in range(4)]
        assert said[:3] == [workspace.git("rev-parse", "HEAD")] * 3
        handle = os.pidfd_open(int(said[3]))
        owner.kill()
    with os.fdopen(handle):
        assert asyncio.run(is_over(handle))


async def is_over(handle: int) -> bool:
    """Whether the process ends; its descriptor can be read then."""
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(handle, ended.set)
    async with asyncio.timeout(30):
        await ended.wait()
    asyncio.get_running_loop().remove_reader(handle)
    return ended.is_set()
