"""What a dead runner left is ended before anybody asks what it did."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from layers.control import State
from layers.control.leader import Leader
from tests.control.conftest import Approved, script_plan
from tests.control.test_executor import executor as executor
from tests.control.test_executor import home as home
from tests.control.test_executor import is_running, until
from tests.control.test_executor import profile as profile

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_when_a_look_up_returns_nothing_of_a_run_whose_runner_was_killed_goes_on(executor: Approved) -> None:
    script = "(setsid sleep 48171 >/dev/null 2>&1 &); echo > begun; exec sleep 48171"
    made = script_plan(
        executor.workspace, "/bin/sh", "-c", script, is_workspace_writable=True, timeout_s=60,
        probe=("/bin/sh", "-c", "test -f begun"),
    )  # fmt: skip
    running = asyncio.create_task(executor.run("left", made))
    await until((executor.workspace / "begun").exists)
    claim = (executor.home / "executor" / "claims" / "left").read_bytes().splitlines()
    os.kill(int(json.loads(claim[0])["pid"]), signal.SIGKILL)
    assert Leader.parse(claim[1]).pid != json.loads(claim[0])["pid"]
    ended = await executor.look_up("left")
    assert not is_running("48171")
    assert ended is not None
    assert ended.state is State.SUCCEEDED, ended
    assert await running == ended


async def test_a_leader_is_ended_with_what_it_left_and_never_a_later_process_of_its_number(tmp_path: Path) -> None:
    environment = {"TMPDIR": str(tmp_path), "PATH": os.defpath}
    argv = ["/bin/sh", "-c", "setsid sleep 48172 & exec sleep 48172"]
    with subprocess.Popen(argv, env=environment) as child:
        leader = Leader.of(child.pid, str(tmp_path))
        await until(lambda: is_running("48172"))
        for other in (replace(leader, began=leader.began - 1, scratch=""), replace(leader, boot="another")):
            assert other.end()
        assert child.poll() is None
        assert Leader.parse(leader.line) == leader
        assert leader.end()
        assert not is_running("48172")
    assert leader.end()
