"""The executor as a real process: runs once, survives nothing it should not, and never forgets what it began."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from layers import failpoint
from layers.control import Catalog, Plan, State, install_capabilities, plan
from layers.control.ledger import Ledger
from layers.errors import Misconfigured, Refused
from layers.failpoint import Point
from tests.conftest import skip
from tests.control.conftest import Approved, action, script_plan, signed

REPO = Path(__file__).parents[2]


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module", params=["bwrap", "landlock"])
def profile(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def home(profile: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One home for all tests of a profile: run ids must differ from test to test."""
    folder = tmp_path_factory.mktemp(profile) / "home"
    (folder / "workspace").mkdir(parents=True)
    install_capabilities(folder / "capabilities")
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def executor(profile: str, home: Path) -> AsyncIterator[Approved]:
    started = Approved(home, home / "workspace", profile)
    try:
        await started.start()
    except Misconfigured as error:
        skip(str(error))
    yield started
    await started.close()


def is_running(marker: str) -> bool:
    """Whether any process has `marker` in its command line."""
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if marker.encode() in file.read_bytes():
                return True
        except OSError:
            continue
    return False


async def until(claim: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < deadline, "it did not come true in time"
        await asyncio.sleep(0.02)


async def test_the_shipped_capabilities_do_what_they_say(executor: Approved, catalog: Catalog, workspace: Path) -> None:
    uptime = await executor.run("u1", plan(catalog, action("host.uptime")))
    assert "load average" in uptime.output
    disk = await executor.run("d1", plan(catalog, action("host.disk")))
    assert "/usr" in disk.output
    (workspace / "Makefile").write_text("all:\n\t@echo built > made.txt\n\t@echo done\n")
    made = await executor.run("m1", plan(catalog, action("workspace.make", target="all")))
    assert (made.state, made.output) == (State.SUCCEEDED, "done\n")
    assert (workspace / "made.txt").read_text() == "built\n"
    nope = await executor.run("m2", plan(catalog, action("workspace.make", target="nothing")))
    assert (nope.state, nope.exit_code) == (State.FAILED, 2)
    assert uptime.profile == executor.profile


async def test_a_note_is_written_exactly_and_can_be_replaced(
    executor: Approved, catalog: Catalog, workspace: Path
) -> None:
    text = "line one\n`$(id)` {text} ünï\n"
    for number in range(2):
        ended = await executor.run(f"n{number}", plan(catalog, action("workspace.write-note", name="a", text=text)))
        assert ended.state is State.SUCCEEDED
        assert (workspace / "notes" / "a.md").read_text() == text + "\n"
        text += "more"


async def test_the_same_run_never_begins_twice(executor: Approved, workspace: Path) -> None:
    count = script_plan(workspace, "/bin/sh", "-c", "echo x >> count; sleep 0.2", is_workspace_writable=True)
    outcomes = await asyncio.gather(*(executor.run("once", count) for _ in range(8)))
    assert (workspace / "count").read_text() == "x\n"
    assert len(set(outcomes)) == 1
    assert await executor.run("once", count) == outcomes[0]
    assert await executor.look_up("once") == outcomes[0]
    assert await executor.look_up("never") is None


async def test_the_failpoint_is_reached_while_it_runs(
    executor: Approved, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached: list[Point] = []
    monkeypatch.setattr(failpoint, "hook", reached.append)
    await executor.run("f1", script_plan(workspace, "/bin/true"))
    assert reached == [Point.EFFECT_RUNNING]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"argv": ()}, "no absolute program"),
        ({"argv": ("sh", "-c", "id")}, "no absolute program"),
        ({"cwd": "/etc"}, "not the workspace"),
        ({"network": "everywhere"}, "there is none and host"),
        ({"sockets": ("run/docker.sock",)}, "no absolute path"),
        ({"readable": ("/etc/../root",)}, "no absolute path"),
        ({"programs": {"/bin/true": "00"}}, "not the one that was approved"),
        ({"programs": {"/bin/gone": "00"}}, "cannot be read"),
        ({"environment": ("LD_PRELOAD",)}, "does not give"),
    ],
)
async def test_a_plan_no_manifest_makes_is_refused(
    executor: Approved, workspace: Path, changes: dict[str, object], why: str
) -> None:
    made = dataclasses.replace(script_plan(workspace, "/bin/true"), **changes)  # type: ignore[arg-type]
    with pytest.raises(Refused, match=why):
        await executor.run("bad", made)
    assert await executor.look_up("bad") is None


@pytest.mark.parametrize("run_id", ["../x", "", "a/b", ".hidden", "x" * 65])
async def test_an_id_that_could_be_a_path_is_refused(executor: Approved, workspace: Path, run_id: str) -> None:
    with pytest.raises(Refused, match="run id"):
        await executor.run(run_id, script_plan(workspace, "/bin/true"))


async def test_a_digest_that_does_not_fit_is_refused(executor: Approved, workspace: Path) -> None:
    made = script_plan(workspace, "/bin/true")
    with pytest.raises(Refused, match="does not match its digest"):
        await executor._ask({"verb": "run", "run_id": "d", "plan": made.canonical, "digest": "0" * 64, "warrant": ""})


async def test_a_program_that_takes_too_long_is_stopped_with_all_its_children(
    executor: Approved, workspace: Path
) -> None:
    made = script_plan(
        workspace, "/bin/sh", "-c", "setsid sleep 4711 & sleep 4711 & echo begun; sleep 4711", timeout_s=1
    )
    ended = await executor.run("slow", made)
    assert (ended.state, ended.exit_code, ended.reason) == (State.FAILED, None, "stopped after 1 s")
    assert ended.output == "begun\n"
    assert ended.duration_s < 5
    assert not is_running("4711")


async def test_nothing_survives_a_program_that_ends_by_itself(executor: Approved, workspace: Path) -> None:
    made = script_plan(workspace, "/bin/sh", "-c", "(setsid sleep 4712 >/dev/null 2>&1 &) ; (sleep 4712 &) ; exit 3")
    ended = await executor.run("orphans", made)
    assert (ended.exit_code, ended.state) == (3, State.FAILED)
    assert not is_running("4712")


async def test_a_flood_of_output_is_stopped_at_the_cap(executor: Approved, workspace: Path) -> None:
    ended = await executor.run("flood", script_plan(workspace, "/usr/bin/yes", output_cap_bytes=1000))
    assert ended.reason == "stopped: it wrote more than 1000 bytes"
    assert len(ended.output) == 1000


async def test_output_that_is_not_text_and_a_signal_are_told(executor: Approved, workspace: Path) -> None:
    ended = await executor.run("bytes", script_plan(workspace, "/bin/sh", "-c", r"printf '\377\000x'; kill -9 $$"))
    assert ended.state is State.FAILED
    assert ended.output == "\ufffd\x00x"
    assert ended.exit_code == 137 or ended.reason == "killed by SIGKILL"


async def test_a_large_stdin_arrives_whole(executor: Approved, workspace: Path) -> None:
    ended = await executor.run("stdin", script_plan(workspace, "/usr/bin/wc", "-c", stdin="x" * 500_000))
    assert ended.output.strip() == "500000"


async def test_runs_go_on_side_by_side(executor: Approved, workspace: Path) -> None:
    began = time.monotonic()
    ended = await asyncio.gather(*(executor.run(f"p{n}", script_plan(workspace, "/bin/sleep", "1")) for n in range(6)))
    assert all(outcome.state is State.SUCCEEDED for outcome in ended)
    assert time.monotonic() - began < 5


async def test_the_executor_inherits_nothing_of_the_servers_environment(
    home: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    executor = Approved(home, workspace)
    await executor.start()
    assert executor._process is not None
    environment = Path(f"/proc/{executor._process.pid}/environ").read_text()
    assert {item.split("=")[0] for item in environment.split("\0") if item} == {"PATH", "LANG", "PYTHONPATH"}
    await executor.close()


async def test_an_unknown_sandbox_runs_nothing_and_says_what_to_install(home: Path, workspace: Path) -> None:
    executor = Approved(home, workspace, "none")
    with pytest.raises(
        Misconfigured, match=r"nothing can be run: no sandbox holds here .* install the package bubblewrap"
    ):
        await executor.run("x", script_plan(workspace, "/bin/true"))


async def test_an_executor_that_was_killed_leaves_unknown_and_comes_back(executor: Approved, workspace: Path) -> None:
    made = script_plan(
        workspace, "/bin/sh", "-c", "echo > begun; exec sleep 4713", is_workspace_writable=True, timeout_s=60
    )
    running = asyncio.create_task(executor.run("killed", made))
    await until((workspace / "begun").exists)
    assert executor._process is not None
    executor._process.kill()
    ended = await running
    assert (ended.state, ended.reason) == (State.UNKNOWN, "it was started and nobody saw the end")
    assert (await executor.run("next", script_plan(workspace, "/bin/true"))).state is State.SUCCEEDED
    await until(lambda: not is_running("4713"))


async def test_a_claim_without_a_result_is_settled_by_the_probe(
    executor: Approved, home: Path, catalog: Catalog, workspace: Path
) -> None:
    made = plan(catalog, action("workspace.write-note", name="p", text="hello"))
    held = Ledger(home).claim("lost", made, os.urandom(16).hex())
    assert held is not None
    held.close()
    ended = await executor.look_up("lost")
    assert ended is not None
    assert (ended.state, "did not happen" in ended.reason) == (State.FAILED, True)
    (workspace / "notes").mkdir(exist_ok=True)
    (workspace / "notes" / "p.md").write_text("hello\n")
    ended = await executor.run("lost", made)
    assert (ended.state, "probe says that it happened" in ended.reason) == (State.SUCCEEDED, True)


async def test_a_look_up_waits_for_a_run_that_still_goes_on(executor: Approved, workspace: Path) -> None:
    running = asyncio.create_task(executor.run("long", script_plan(workspace, "/bin/sleep", "0.5")))
    await until((executor.home / "executor" / "claims" / "long").exists)
    ended = await executor.look_up("long")
    assert ended == await running


SERVER = """
import asyncio, sys
from pathlib import Path
from layers.control import Executor, Plan
async def main():
    executor = Executor(Path(sys.argv[1]), Path(sys.argv[1]) / "workspace", sys.argv[2])
    await executor.run("effect", Plan.parse(sys.argv[3]), sys.argv[4])
asyncio.run(main())
"""


async def test_kill_9_of_the_server_ends_the_effect_and_leaves_it_unknown_once(
    executor: Approved, home: Path, workspace: Path
) -> None:
    script = "echo x >> effects; (setsid sleep 4714 &); sleep 4714"
    made = script_plan(workspace, "/bin/sh", "-c", script, is_workspace_writable=True, timeout_s=60)
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(home), executor.profile, made.canonical, signed(home, "effect", made)],
        env={**os.environ, "PYTHONPATH": str(REPO)},
    )
    await until((workspace / "effects").exists, 30)
    server.send_signal(signal.SIGKILL)
    await asyncio.to_thread(server.wait)
    await until(lambda: not is_running("4714"))
    ended = await executor.look_up("effect")
    assert ended is not None
    assert ended.state is State.UNKNOWN
    assert await executor.run("effect", made) == ended
    assert (workspace / "effects").read_text() == "x\n"


async def test_the_ledger_forgets_old_results_but_never_an_open_claim(tmp_path: Path, note: Plan) -> None:
    ledger = Ledger(tmp_path)
    ledger.prepare()
    for name in ("old", "open"):
        held = ledger.claim(name, note, os.urandom(16).hex())
        assert held is not None
        held.close()
    assert ledger.claim("old", note, os.urandom(16).hex()) is None
    (ledger.results / "old.json").write_text("{}")
    os.utime(ledger.results / "old.json", (0, 0))
    ledger.prepare()
    assert sorted(file.name for file in ledger.claims.iterdir()) == ["open"]
    assert ledger.folder.stat().st_mode & 0o77 == 0


async def test_a_closed_executor_starts_again_when_needed(executor: Approved, workspace: Path) -> None:
    await executor.close()
    await executor.close()
    assert (await executor.run("after", script_plan(workspace, "/bin/true"))).state is State.SUCCEEDED


async def test_a_home_that_cannot_be_written_is_said_not_a_hang(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Misconfigured, match=r"nothing can be run: .*Not a directory"):
        await Approved(tmp_path / "file", tmp_path).start()


async def test_once_a_run_has_begun_trouble_is_unknown_and_never_nothing_was_run(
    executor: Approved, home: Path, workspace: Path
) -> None:
    made = script_plan(workspace, "/bin/true")
    held = Ledger(home).claim("begun", made, os.urandom(16).hex())
    assert held is not None
    held.close()
    broken = Approved(home, workspace, "none")
    ended = await broken.run("begun", made)
    assert (ended.state, "its end cannot be looked up" in ended.reason) == (State.UNKNOWN, True)
    with pytest.raises(Misconfigured):
        await broken.run("never-begun", made)
    moved = Approved(home, workspace / "elsewhere", executor.profile)
    assert (await moved.run("begun", made)).state is State.UNKNOWN
    await moved.close()
    (Ledger(home).claims / "begun").write_text("written by another version")
    assert (await executor.run("begun", made)).state is State.UNKNOWN
