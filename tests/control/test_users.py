"""Level 1: server and executor as two users of one machine, with the real kernel between them. Needs root to become
them; uids that nobody has do as well as users of a system.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import site
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from layers.control import PUBLIC, SigningKey
from layers.control.executor import ROOT, Place, service_command
from tests.control.conftest import script_plan

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can become other users")
EXECUTOR, AGENT, STRANGER = 64001, 64002, 64003
PATHS = [str(ROOT), *site.getsitepackages()]
VALUE = "hunter2-of-the-executor"
LOOK = """
import json, os, socket, sys
facts = json.loads(sys.argv[1])
def tried(act):
    try:
        return repr(act())
    except OSError as error:
        return type(error).__name__
def ask(line):
    with socket.socket(socket.AF_UNIX) as asker:
        asker.settimeout(20)
        asker.connect(facts["address"])
        asker.sendall(json.dumps(line).encode() + b"\\n")
        return asker.recv(4096).decode()
found = {path: tried(lambda: open(path).read()) for path in facts["files"]}
found["list"] = tried(lambda: os.listdir(facts["home"]))
found["write"] = tried(lambda: open(facts["home"] + "/executor/x", "w"))
found["signal"] = tried(lambda: os.kill(facts["pid"], 0))
found["hello"] = tried(lambda: ask({"verb": "hello", "run_id": ""}))
found["unsigned"] = tried(lambda: ask({"verb": "run", "run_id": "r1", "plan": facts["plan"], "digest": facts["digest"],
                                       "warrant": "{}"}))
sys.path[:0] = facts["path"]
from pathlib import Path
from layers.control.executor import Place
from layers.control.trust import trust
found["trust"] = tried(lambda: trust(Path(facts["server"]), Place(address=facts["address"])))
print(json.dumps(found))
"""


def interpreter() -> str:
    """A Python of this version that other users can start; empty where there is none."""
    ask = "import sys; print(*sys.version_info[:2])"
    for path in (sys.executable, "/usr/bin/python3"):
        try:
            done = subprocess.run([path, "-I", "-c", ask], user=AGENT, capture_output=True, text=True, check=False)
        except PermissionError:
            continue
        if done.stdout.split() == [str(part) for part in sys.version_info[:2]]:
            return path
    return ""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Two homes of two users, and the executor that runs."""

    python: str
    server: Path
    executor: Path
    workspace: Path
    address: Path
    pid: int

    def look(self, uid: int) -> dict[str, str]:
        """What that user gets to see and to do."""
        plan = script_plan(self.workspace, "/usr/bin/id", "-u")
        facts = {
            "address": str(self.address),
            "home": str(self.executor),
            "pid": self.pid,
            "path": PATHS,
            "server": str(self.server),
            "plan": plan.canonical,
            "digest": plan.digest,
            "files": [
                str(self.executor / "keys" / "secrets" / "TOKEN"),
                str(self.server / "keys" / "control.key"),
                f"/proc/{self.pid}/environ",
            ],
        }
        argv = [self.python, "-I", "-c", LOOK, json.dumps(facts)]
        options = {"user": uid, "group": uid, "extra_groups": []}
        done = subprocess.run(argv, capture_output=True, text=True, check=True, cwd="/", timeout=60, **options)  # type: ignore[call-overload]
        told: dict[str, str] = json.loads(done.stdout)
        return told


def owned(folder: Path, uid: int, mode: int = 0o700) -> None:
    """Give a folder, with what is in it, to a user."""
    for path in (folder, *folder.rglob("*")):
        os.chown(path, uid, uid)
    folder.chmod(mode)


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    python = interpreter()
    if not python:
        pytest.skip("no Python of this version that other users can start")
    base = Path(tempfile.mkdtemp(prefix="bulkhead-users-"))  # pytest's own folders are closed to other users
    base.chmod(0o755)
    server, executor, workspace = base / "server", base / "executor", base / "workspace"
    for folder in (server, executor / "keys" / "secrets", workspace, base / "run"):
        folder.mkdir(parents=True)
    SigningKey.open(server / "keys")
    shutil.copy(server / "keys" / PUBLIC, executor / "keys" / PUBLIC)
    (executor / "keys" / "secrets" / "TOKEN").write_text(VALUE)
    owned(server, AGENT)
    owned(executor, EXECUTOR)
    owned(workspace, EXECUTOR, 0o755)
    owned(base / "run", EXECUTOR, 0o755)
    place = Place(address=str(base / "run" / "executor.sock"))
    _, arguments, environment = service_command(
        executor, workspace, place, AGENT, {"EXECUTOR_SECRET_FROM_UNIT": "unit-" + VALUE}
    )
    environment |= {"PYTHONPATH": os.pathsep.join(PATHS), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [python, *arguments[1:]]
    with subprocess.Popen(command, env=environment, cwd="/", user=EXECUTOR, group=EXECUTOR, extra_groups=[]) as process:
        deadline = time.monotonic() + 60
        while not Path(place.address).exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        yield Machine(
            python=python,
            server=server,
            executor=executor,
            workspace=workspace,
            address=Path(place.address),
            pid=process.pid,
        )
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    shutil.rmtree(base)


def test_the_agents_user_asks_and_can_read_neither_secrets_nor_memory_nor_ledger(machine: Machine) -> None:
    found = machine.look(AGENT)
    assert "profile" in found["hello"], found
    assert "refused" in found["unsigned"], "no warrant, no run, whoever asks"
    secret, _, environment = list(found)[:3]
    assert {found[name] for name in (secret, environment, "list", "write", "signal")} == {"PermissionError"}
    assert VALUE not in json.dumps(found)
    assert f"level 1: the executor is uid {EXECUTOR}, this is uid {AGENT}" in found["trust"]


def test_the_executors_user_cannot_read_the_key_that_signs(machine: Machine) -> None:
    found = machine.look(EXECUTOR)
    assert found[str(machine.server / "keys" / "control.key")] == "PermissionError"
    assert "level 0" in found["trust"], "one user is no separation"


@pytest.mark.parametrize("uid", [STRANGER, EXECUTOR, 0])
def test_G10_a_connection_from_any_other_user_gets_no_answer(machine: Machine, uid: int) -> None:
    found = machine.look(uid)
    for verb in ("hello", "unsigned"):
        assert found[verb] in ("''", "ConnectionResetError", "BrokenPipeError"), found[verb]
    assert not list((machine.executor / "executor" / "claims").iterdir())
