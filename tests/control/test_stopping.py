"""Stopping a run, and the executor as a service of its own behind a socket."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from layers.control import Executor, Place, State, Vault, service_command
from layers.errors import Misconfigured, Unavailable
from tests.control.conftest import Approved, script_plan
from tests.control.test_executor import executor as executor
from tests.control.test_executor import home as home
from tests.control.test_executor import is_running, until
from tests.control.test_executor import profile as profile

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_running_program_and_all_it_started_are_gone_when_stop_returns(executor: Approved) -> None:
    script = "setsid sleep 48161 & trap '' TERM; sleep 48161"
    made = script_plan(executor.workspace, "/bin/sh", "-c", script, timeout_s=60)
    running = asyncio.create_task(executor.run("stop-1", made))
    await until(lambda: is_running("48161"))
    stopped = await executor.stop("stop-1")
    assert not is_running("48161")
    assert stopped == await running
    assert stopped is not None
    assert (stopped.state, stopped.reason) == (State.FAILED, "stopped: it was revoked while it ran")


async def test_a_run_that_was_stopped_before_it_began_never_begins(executor: Approved) -> None:
    made = script_plan(executor.workspace, "/usr/bin/touch", "never", is_workspace_writable=True)
    first = await executor.stop("stop-2")
    assert first is not None
    assert (first.state, "never began" in first.reason or "before it began" in first.reason) == (State.FAILED, True)
    assert await executor.run("stop-2", made) == first
    assert not (executor.workspace / "never").exists()


async def test_stopping_what_has_ended_tells_how_it_ended(executor: Approved) -> None:
    ended = await executor.run("stop-3", script_plan(executor.workspace, "/bin/true"))
    assert await executor.stop("stop-3") == ended


async def test_stop_and_start_at_the_same_time_leave_nothing_running(executor: Approved) -> None:
    made = script_plan(executor.workspace, "/bin/sleep", "48162", timeout_s=60)
    for number in range(12):
        run = asyncio.create_task(executor.run(f"race-{number}", made))
        await asyncio.sleep(number * 0.004)
        await executor.stop(f"race-{number}")
        assert not is_running("48162")
        assert (await run).state is State.FAILED


async def test_a_freeze_ends_everything_that_runs(executor: Approved) -> None:
    made = script_plan(executor.workspace, "/bin/sleep", "48163", timeout_s=60)
    runs = [asyncio.create_task(executor.run(f"freeze-{number}", made)) for number in range(3)]
    await until(lambda: all((executor.home / "executor" / "claims" / f"freeze-{n}").exists() for n in range(3)))
    began = time.monotonic()
    assert sorted(await executor.stop_all()) == ["freeze-0", "freeze-1", "freeze-2"]
    assert time.monotonic() - began < 10
    assert not is_running("48163")
    assert {outcome.state for outcome in await asyncio.gather(*runs)} == {State.FAILED}


async def test_the_start_of_a_program_is_told_once(executor: Approved) -> None:
    told: list[int] = []

    async def note() -> None:
        told.append(1)

    made = script_plan(executor.workspace, "/bin/true")
    for _ in range(2):
        await executor.run("told", made, on_running=note)
    assert told == [1]


# --- an executor of its own -----------------------------------------------------------------------------------------


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(profile: str, home: Path, executor: Executor) -> AsyncIterator[Approved]:
    """Listening, with a client. It shares the home: here both have the same user."""
    folder = Path(tempfile.mkdtemp(prefix="bulkhead-test-"))  # pytest's own folders are closed to other users
    folder.chmod(0o755)
    address = folder / "e.sock"
    place = Place(sandbox=executor.profile, address=str(address))
    program, arguments, environment = service_command(
        home, home / "workspace", place, os.getuid(), {"EXECUTOR_SECRET_FROM_UNIT": "from-the-unit", "OTHER": "x"}
    )
    assert "OTHER" not in environment
    with subprocess.Popen(arguments, executable=program, env=environment, cwd="/") as process:
        await until(address.exists, 30)
        yield Approved(home, home / "workspace", place)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, 20) == 0
    shutil.rmtree(folder)


async def test_a_service_runs_what_is_warranted_and_tells_its_profile(service: Approved, executor: Executor) -> None:
    assert await service.start() == executor.profile
    made = script_plan(service.workspace, "/bin/cat", "/run/secrets/FROM_UNIT", secrets=("FROM_UNIT",))
    ended = await service.run("service-1", made)
    assert (ended.state, ended.output) == (State.SUCCEEDED, "[secret FROM_UNIT]")
    assert await service.look_up("service-never") is None
    assert "FROM_UNIT" not in Vault(service.home).names()


async def test_a_service_stops_a_run(service: Approved) -> None:
    made = script_plan(service.workspace, "/bin/sleep", "48164", timeout_s=60)
    running = asyncio.create_task(service.run("service-2", made))
    await until(lambda: is_running("48164"))
    await service.stop("service-2")
    assert not is_running("48164")
    assert (await running).state is State.FAILED


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
async def test_another_users_process_gets_no_answer(service: Approved) -> None:
    def ask() -> bytes:
        code = (
            "import socket, sys\ns = socket.socket(socket.AF_UNIX)\ns.connect(sys.argv[1])\n"
            "print('CONNECTED', flush=True)\ns.sendall(sys.argv[2].encode() + b'\\n')\nprint(s.recv(100))"
        )
        hello = json.dumps({"verb": "hello", "run_id": ""})
        argv = ["/usr/bin/python3", "-I", "-c", code, service.place.address, hello]
        return subprocess.run(argv, user=65534, group=65534, extra_groups=[], capture_output=True, check=False).stdout

    said = await asyncio.to_thread(ask)
    assert said.startswith(b"CONNECTED")
    assert b"profile" not in said


async def test_a_service_that_is_not_there_is_said_and_nothing_is_taken_for_not_run(tmp_path: Path) -> None:
    (tmp_path / "workspace").mkdir()
    gone = Approved(tmp_path, tmp_path / "workspace", Place(address=str(tmp_path / "none.sock")))
    with pytest.raises(Unavailable, match="cannot be reached"):
        await gone.start()
    ended = await gone.run("gone", script_plan(tmp_path / "workspace", "/bin/true"))
    assert ended.state is State.UNKNOWN


async def test_requests_that_are_nonsense_do_not_end_the_service(service: Approved) -> None:
    for junk in (b"", b"\n", b"{}\n", b"[1]\n", b"\xff\xfe\n", b'{"verb": "run", "run_id": "../x"}\n'):
        with socket.socket(socket.AF_UNIX) as asker:
            asker.connect(service.place.address)
            asker.sendall(junk)
            asker.shutdown(socket.SHUT_WR)
    assert await service.start()


# --- whom a root executor becomes -----------------------------------------------------------------------------------

root_only = pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")


@root_only
async def test_a_root_executor_becomes_the_workspaces_owner(profile: str, tmp_path: Path) -> None:
    home, workspace = tmp_path, Path(tempfile.mkdtemp(prefix="bulkhead-test-"))
    os.chown(workspace, 65534, 65534)
    Vault(home).keep("T_TOKEN", "abcdefgh")
    executor = Approved(home, workspace, profile)
    script = "cat /proc/self/uid_map; cat /run/secrets/T_TOKEN $TMPDIR/secrets/T_TOKEN 2>/dev/null; echo > made"
    made = script_plan(workspace, "/bin/sh", "-c", script, is_workspace_writable=True, secrets=("T_TOKEN",))
    ended = await executor.run("dropped", made)
    assert ended.state is State.SUCCEEDED, ended
    assert "[secret T_TOKEN]" in ended.output
    assert (workspace / "made").stat().st_uid == 65534
    await executor.close()
    shutil.rmtree(workspace)


@root_only
@pytest.mark.parametrize(
    ("user", "why"), [("no-such-user", "no such user"), ("root", "is root"), ("65534", "cannot reach")]
)
async def test_a_user_that_cannot_be_become_is_refused(home: Path, user: str, why: str) -> None:
    home.chmod(0o700)
    with pytest.raises(Misconfigured, match=why):
        await Executor(home, home / "workspace", Place(user=user)).start()
