"""The traps: what a program in the sandbox tries, and that it fails, in both profiles unless one cannot."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from layers.control import Executor, State
from layers.control.rules import ENVIRONMENT
from layers.control.sandbox import environment
from tests.control.conftest import script_plan
from tests.control.test_executor import executor as executor
from tests.control.test_executor import home as home
from tests.control.test_executor import profile as profile

pytestmark = pytest.mark.asyncio(loop_scope="module")

PYTHON = "/usr/bin/python3"
needs_python = pytest.mark.skipif(not Path(PYTHON).exists(), reason="no /usr/bin/python3 to probe the sandbox with")

CONNECT = """
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
print("REACHED")
"""
NETWORK = """
import socket, sys
for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
    try:
        s = socket.socket(socket.AF_INET, kind)
        s.settimeout(2)
        s.connect(("127.0.0.1", int(sys.argv[1])))
        s.send(b"x")
        print("REACHED", kind)
    except OSError as error:
        print("refused", error)
"""
OPEN_FOR_WRITING = """
import os, sys
for path in sys.argv[1:]:
    try:
        os.close(os.open(path, os.O_WRONLY))
        print("OPENED", path)
    except OSError as error:
        print("refused", path, error)
"""
SIGNAL = "import os, sys; os.kill(int(sys.argv[1]), 0); print('REACHED')"
MEMORY = "x = bytearray(6 << 30); print('ALLOCATED')"
NAMESPACE = "import ctypes; print('ENTERED' if ctypes.CDLL(None).unshare(0x10000000) == 0 else 'refused')"


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[Path]:
    """A Unix socket like docker's, open to everybody."""
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        path.chmod(0o777)
        server.listen()
        yield path


async def output_of(executor: Executor, *argv: str, **changes: object) -> str:
    made = script_plan(executor.workspace, *argv, **{"is_workspace_writable": True, **changes})
    return (await executor.run(os.urandom(8).hex(), made)).output


async def test_the_card_names_the_variables_that_the_sandbox_sets() -> None:
    assert tuple(sorted(environment("/tmp"))) == ENVIRONMENT


async def test_outside_files_cannot_be_read(executor: Executor, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hunter2")
    secret.chmod(0o644)
    for path in ("/etc/shadow", "/etc/passwd", str(secret), str(executor.home / "executor" / "canary")):
        ended = await executor.run(os.urandom(8).hex(), script_plan(executor.workspace, "/bin/cat", path))
        assert ended.state is State.FAILED, path
        assert "root:" not in ended.output
        assert "hunter2" not in ended.output


async def test_a_symlink_in_the_workspace_leads_nowhere(executor: Executor) -> None:
    (executor.workspace / "link").symlink_to("/etc/passwd")
    assert "root:" not in await output_of(executor, "/bin/cat", "link")


async def test_only_a_writable_workspace_can_be_written(executor: Executor, tmp_path: Path) -> None:
    for path in (str(tmp_path / "outside"), "/usr/outside", "/outside", "/etc/outside", "/var/tmp/outside"):
        await output_of(executor, "/usr/bin/touch", path)
        assert not Path(path).exists()
    await output_of(executor, "/usr/bin/touch", "new", is_workspace_writable=False)
    assert not (executor.workspace / "new").exists()
    await output_of(executor, "/usr/bin/touch", "new")
    assert (executor.workspace / "new").exists()


async def test_without_a_workspace_cwd_the_workspace_is_not_there(executor: Executor) -> None:
    (executor.workspace / "inside").write_text("seen")
    assert "seen" not in await output_of(executor, "/bin/cat", str(executor.workspace / "inside"), cwd="/")


@needs_python
async def test_a_unix_socket_outside_cannot_be_connected_to(executor: Executor, listener: Path) -> None:
    assert "REACHED" not in await output_of(executor, PYTHON, "-I", "-c", CONNECT, str(listener))


@needs_python
async def test_there_is_no_network(executor: Executor) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        said = await output_of(executor, PYTHON, "-I", "-c", NETWORK, str(server.getsockname()[1]))
    if executor.profile == "bwrap":  # a namespace of its own: the datagram goes to a loopback where nobody listens
        assert "REACHED 1" not in said
    else:
        assert "REACHED" not in said


async def test_no_environment_leaks_through_proc(executor: Executor) -> None:
    said = await output_of(
        executor, "/bin/sh", "-c", "cat /proc/1/environ /proc/self/environ /proc/$PPID/environ | tr '\\0' '\\n'"
    )
    names = {line.split("=")[0] for line in said.splitlines() if "=" in line}
    assert names <= {"HOME", "LANG", "PATH", "TMPDIR", "PWD", "OLDPWD", "SHLVL", "_"}


async def test_nothing_is_left_of_roots_powers(executor: Executor) -> None:
    said = await output_of(executor, "/bin/grep", "-E", "CapEff|CapPrm|CapBnd|NoNewPrivs", "/proc/self/status")
    for line in said.splitlines():
        name, value = line.split(":")
        if name == "NoNewPrivs":
            assert value.strip() == "1"
        elif name != "CapBnd" or os.getuid() == 0:
            assert int(value, 16) == 0, line


@needs_python
async def test_kernel_settings_cannot_be_opened_for_writing(executor: Executor) -> None:
    # uid 0 needs no capability for these: bubblewrap's own /proc leaves them writable to a root install
    paths = (
        "/proc/sys/kernel/core_pattern",
        "/proc/sys/kernel/hostname",
        "/proc/sysrq-trigger",
        "/dev/vda",
        "/dev/mem",
    )
    assert "OPENED" not in await output_of(executor, PYTHON, "-I", "-c", OPEN_FOR_WRITING, *paths)


@needs_python
async def test_processes_outside_cannot_be_signalled(executor: Executor) -> None:
    assert "REACHED" not in await output_of(executor, PYTHON, "-I", "-c", SIGNAL, str(os.getpid()))


@needs_python
async def test_memory_and_files_are_bounded(executor: Executor) -> None:
    assert "ALLOCATED" not in await output_of(executor, PYTHON, "-I", "-c", MEMORY)
    said = await output_of(executor, "/bin/dd", "if=/dev/zero", "of=big", "bs=1M", "count=300")
    assert (executor.workspace / "big").stat().st_size <= 256 << 20, said


@needs_python
async def test_no_user_namespace_can_be_nested_in_bubblewrap(executor: Executor) -> None:
    if executor.profile != "bwrap":
        pytest.skip("Landlock does not forbid user namespaces")
    assert "ENTERED" not in await output_of(executor, PYTHON, "-I", "-c", NAMESPACE)


async def test_other_processes_are_not_seen_in_bubblewrap(executor: Executor) -> None:
    if executor.profile != "bwrap":
        pytest.skip("Landlock has no process namespace: command lines outside can be read")
    said = await output_of(executor, "/bin/sh", "-c", "ls -d /proc/[0-9]*")
    assert len(said.splitlines()) <= 4
