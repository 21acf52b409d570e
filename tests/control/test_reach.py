"""What a plan reaches besides its workspace: exactly what is on its card, through the real sandbox."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from layers.control import Catalog, Executor, Outcome, Plan, State, plan
from layers.errors import Misconfigured
from tests.control.conftest import Approved, action, script_plan


@pytest.fixture
async def executor(home: Path, workspace: Path) -> AsyncIterator[Executor]:
    executor = Approved(home, workspace, "bwrap")
    try:
        await executor.start()
    except Misconfigured as error:
        pytest.skip(str(error))
    yield executor
    await executor.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """A web server with a bare repository, at an address of this machine."""
    git = partial(subprocess.run, check=True, capture_output=True, cwd=tmp_path)
    git(["git", "init", "-q", "-b", "main", "made"])
    git(
        ["git", "-C", "made", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "one"]
    )
    git(["git", "clone", "-q", "--bare", "made", "site.git"])
    git(["git", "-C", "site.git", "update-server-info"])

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


async def test_a_web_address_is_asked_through_the_hosts_network(
    executor: Executor, catalog: Catalog, site: str
) -> None:
    made = plan(catalog, action("host.http-check", url=f"{site}/site.git/HEAD"))
    outcome = await executor.run("h1", made)
    assert (outcome.state, outcome.exit_code) == (State.SUCCEEDED, 0), outcome
    assert "200 OK" in outcome.output
    gone = await executor.run("h2", plan(catalog, action("host.http-check", url=f"{site}/none")))
    assert "404" in gone.output


async def test_without_a_network_on_the_card_there_is_none(executor: Executor, workspace: Path, site: str) -> None:
    outcome = await executor.run("n1", script_plan(workspace, "/usr/bin/curl", "--silent", "--show-error", site))
    assert outcome.exit_code == 7, outcome


async def test_what_was_fetched_is_listed_and_then_taken_over(
    executor: Executor, home: Path, workspace: Path, site: str
) -> None:
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=workspace, check=True)
    subprocess.run(["git", "remote", "add", "origin", f"{site}/site.git"], cwd=workspace, check=True)
    manifest = home / "capabilities" / "workspace.git-fetch.toml"
    catalog = Catalog.load(home / "capabilities", workspace)
    refused = await executor.run("g0", plan(catalog, action("workspace.git-fetch")))
    assert "transport 'http' not allowed" in refused.output
    changed = manifest.read_text().replace("protocol.https.allow", "protocol.http.allow")
    manifest.write_text(changed.replace("risk = 1", "risk = 3"))  # no longer the shipped one, so its network needs it
    catalog = Catalog.load(home / "capabilities", workspace)
    fetched = await executor.run("g1", plan(catalog, action("workspace.git-fetch")))
    assert fetched.state is State.SUCCEEDED, fetched
    pulled = await executor.run("g2", plan(catalog, action("workspace.git-pull", **{"from": "origin/main"})))
    assert pulled.state is State.SUCCEEDED, pulled
    log = subprocess.run(["git", "log", "--format=%s"], cwd=workspace, check=True, capture_output=True, text=True)
    assert log.stdout == "one\n"


async def test_a_socket_is_reached_only_when_the_plan_names_it(
    executor: Executor, workspace: Path, tmp_path: Path
) -> None:
    path = f"/tmp/bh-{os.getpid()}.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        try:
            ask = ("/usr/bin/curl", "--silent", "--max-time", "1", "--unix-socket", path, "http://x/")
            assert (await executor.run("s1", script_plan(workspace, *ask))).exit_code == 7
            named = script_plan(workspace, *ask, sockets=(path,))
            assert (await executor.run("s2", named)).exit_code == 28  # connected, and nobody answered
        finally:
            os.unlink(path)


async def test_processes_are_seen_only_where_the_plan_says_so_and_their_secrets_never(
    executor: Executor, workspace: Path, catalog: Catalog
) -> None:
    async def run(name: str, *argv: str, **changes: object) -> Outcome:
        return await executor.run(name, script_plan(workspace, *argv, **changes))

    mine = f"/proc/{os.getpid()}"
    assert (await run("p1", "/usr/bin/cat", f"{mine}/comm")).exit_code == 1
    assert (await run("p2", "/usr/bin/cat", f"{mine}/comm", sees_processes=True)).exit_code == 0
    for number, secret in enumerate(("environ", "root/etc/shadow", "mem", "fd/0", "maps")):
        seen = await run(f"p3{number}", "/usr/bin/head", "-c1", f"{mine}/{secret}", sees_processes=True)
        assert seen.exit_code == 1, (secret, seen)
    assert (await run("p4", "/usr/bin/kill", "-0", str(os.getpid()), sees_processes=True)).exit_code == 1
    listed = await executor.run("p5", plan(catalog, action("host.processes")))
    assert "python" in listed.output


async def test_a_place_is_read_only_where_the_plan_names_it(executor: Executor, workspace: Path) -> None:
    kept = workspace.parent / "kept.txt"
    kept.write_text("seen")
    cat = ("/usr/bin/cat", str(kept))
    assert (await executor.run("r1", script_plan(workspace, *cat))).exit_code == 1
    seen = await executor.run("r2", script_plan(workspace, *cat, readable=(str(kept),)))
    assert seen.output == "seen"
    write = ("/usr/bin/cp", "/usr/bin/true", str(kept))
    assert (await executor.run("r3", script_plan(workspace, *write, readable=(str(kept),)))).exit_code == 1


async def test_landlock_runs_nothing_that_needs_a_network_or_a_socket(home: Path, workspace: Path) -> None:
    executor = Approved(home, workspace, "landlock")
    try:
        made: Plan = script_plan(workspace, "/usr/bin/true", network="host")
        outcome = await executor.run("l1", made)
    finally:
        await executor.close()
    assert outcome.state is State.FAILED
    assert "only bubblewrap can give" in outcome.reason
