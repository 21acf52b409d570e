"""An assistant by the Model Context Protocol: the SDK's client, our server in a process of its own, a real house."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from tests.fakes.command import bulkhead
from tests.fakes.environment import REPO
from tests.fakes.house import House
from tests.whole.patches import decide, git, save

TOOLS = {"workspaces", "read", "propose", "status", "wait", "lease", "release"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    opened = House(tmp_path_factory.mktemp("mcp") / "home")
    opened.start()
    opened.sign_in()
    try:
        yield opened
    finally:
        opened.close()


def command(house: House, *more: str) -> list[str]:
    return [sys.executable, "-m", "bot", "mcp", "--home", str(house.home), *more]


@contextlib.asynccontextmanager
async def assistant(house: House, name: str = "claude-code") -> AsyncIterator[Client]:
    """By standard input and output."""
    program, *arguments = command(house, "--assistant", name)
    async with Client(StdioServerParameters(command=program, args=arguments, env=house.env, cwd=REPO)) as client:
        yield client


@pytest.fixture(scope="module")
def url(house: House) -> Iterator[str]:
    """A server on loopback."""
    process = subprocess.Popen(
        command(house, "--http", "--port", "0", "--json"), stdout=subprocess.PIPE, text=True, cwd=REPO, env=house.env
    )
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.terminate()
        assert process.wait(20) == 0
        process.stdout.close()


def token_of(house: House) -> str:
    return str(json.loads(bulkhead("mcp", "token", "--json", home=house.home, **house.env).stdout)["token"])


@contextlib.asynccontextmanager
async def visitor(url: str, token: str) -> AsyncIterator[Client]:
    """By HTTP."""
    async with (
        httpx2.AsyncClient(headers={"authorization": f"Bearer {token}"}, timeout=60) as http,
        Client(streamable_http_client(url, http_client=http)) as client,
    ):
        yield client


async def call(client: Client, tool: str, **arguments: Any) -> Any:
    """What a tool says, as its schema has it."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    return result.structured_content


async def refusal(client: Client, tool: str, **arguments: Any) -> str:
    """The sentence of a call that is refused."""
    result = await client.call_tool(tool, arguments)
    assert result.is_error, result.structured_content
    return str(result.content[0].text)


def whole(path: str, content: str, expects: str = "absent") -> list[dict[str, Any]]:
    return [{"path": path, "expects": expects, "content": content}]


async def work(client: Client, house: House, path: str) -> None:
    """Lease, read, propose, wait, applied; then a conflict with its stages."""
    base = await asyncio.to_thread(save, house, path, "one\n")
    lease = await call(client, "lease", paths=[path])
    assert (lease["state"], lease["fence"] > 0) == ("held", True)
    read = await call(client, "read", paths=[path, "not-there"])
    assert (read["base_commit"], read["files"][0]["content"], read["files"][1]["blob_id"]) == (base, "one\n", "absent")
    diff = f"--- a/{path}\n+++ b/{path}\n@@ -1 +1 @@\n-one\n+two\n"
    asked = {"base": base, "diff": diff, "summary": f"Count in {path}", "lease": lease["id"]}
    handed = await call(client, "propose", **asked)
    assert (handed["state"], handed["files"][0]["path"], "+two" in handed["diff"]) == ("awaiting_approval", path, True)
    assert (await call(client, "propose", **asked))["id"] == handed["id"]
    assert (await call(client, "wait", id=handed["id"], timeout_s=0))["state"] == "awaiting_approval"
    waiting = asyncio.create_task(call(client, "wait", id=handed["id"], timeout_s=60))
    await asyncio.to_thread(decide, house, path, "Approve")
    applied = await waiting
    assert (applied["state"], applied["commit"]) == ("applied", git(house, "rev-parse", "HEAD"))
    assert (await call(client, "release", lease=lease["id"]))["state"] == "released"
    late = await call(client, "propose", base=base, diff=diff.replace("+two", "+three"), summary="Too late")
    assert late["state"] == "conflicted"
    sides = [late["stages"][0][side]["content"] for side in ("base", "ours", "theirs")]
    assert sides == ["one\n", "two\n", "three\n"]
    assert (await call(client, "status", id=late["id"]))["state"] == "conflicted"


async def test_by_standard_input_an_assistant_leases_proposes_waits_and_meets_a_conflict(house: House) -> None:
    async with assistant(house) as client:
        listed = (await client.list_tools()).tools
        assert {tool.name for tool in listed} == TOOLS  # none of them approves or applies
        assert all(tool.output_schema and tool.description for tool in listed)
        spaces = await call(client, "workspaces")
        assert [space["name"] for space in spaces["result"]] == ["workspace"]
        await work(client, house, "stdio.txt")
        assert git(house, "log", "-1", "--format=%an: %s") == "claude-code for Owner: Count in stdio.txt"


async def test_by_loopback_http_it_is_the_same_with_the_token_of_the_home(house: House, url: str) -> None:
    token = await asyncio.to_thread(token_of, house)
    assert stat.S_IMODE((house.home / "keys" / "mcp.token").stat().st_mode) == 0o600
    async with visitor(url, token) as client:
        await work(client, house, "http.txt")
    assert token not in house.log.read_text()


async def test_only_who_has_the_token_and_comes_from_this_machine_is_let_in(house: House, url: str) -> None:
    token = await asyncio.to_thread(token_of, house)
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    right = {"authorization": f"Bearer {token}", "accept": "application/json, text/event-stream"}
    port = url.rpartition(":")[2].partition("/")[0]
    for status, changed in (
        (401, {"authorization": "Bearer wrong"}),
        (401, {"authorization": ""}),
        (401, {"authorization": f"Basic {token}"}),
        (421, {"host": "evil.example"}),
        (421, {"host": f"evil.example:{port}"}),
        (403, {"origin": "http://evil.example"}),
        (403, {"origin": "null"}),
        (400, {"mcp-protocol-version": "2026-07-28"}),
        (404, {"mcp-session-id": "0" * 32}),
        (400, {"content-type": "text/plain"}),
    ):
        answer = await asyncio.to_thread(httpx.post, url, headers=right | changed, json=message, timeout=20)
        assert answer.status_code == status, (changed, answer.text)
        assert token not in answer.text
    big = await asyncio.to_thread(httpx.post, url, headers=right, content=b" " * (5 << 20), timeout=20)
    assert big.status_code == 413


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
def test_it_never_listens_where_other_machines_reach_it(house: House, host: str) -> None:
    ran = bulkhead("mcp", "--http", "--host", host, "--port", "0", home=house.home, **house.env)
    assert (ran.returncode, "loopback only" in ran.stderr) == (2, True)


def test_a_token_that_others_can_read_is_not_used(house: House, tmp_path: Path) -> None:
    assert bulkhead("mcp", "token", home=tmp_path, **house.env).returncode == 0
    (tmp_path / "keys" / "mcp.token").chmod(0o644)
    ran = bulkhead("mcp", "token", home=tmp_path, **house.env)
    assert (ran.returncode, ran.stdout, "read by others" in ran.stderr) == (2, "", True)


async def test_what_is_hostile_is_refused_with_a_sentence_that_says_what_to_do(house: House) -> None:
    (house.home / "workspace" / "token.txt").write_text("token = 'ghp_" + "a1B2" * 9 + "'\n")
    git(house, "add", "token.txt")
    git(house, "commit", "--quiet", "-m", "A secret")
    async with assistant(house) as client:
        for path in ("../x", "/etc/passwd", ".git/config", "a\0b", ".env", "x" * 5000):
            assert await refusal(client, "read", paths=[path])
        assert await refusal(client, "read", paths=[f"f{n}" for n in range(65)])
        assert "no workspace" in await refusal(client, "read", paths=["README.md"], workspace="other")
        masked = (await call(client, "read", paths=["token.txt"]))["files"][0]
        assert ("ghp_" not in masked["content"], masked["blob_id"], "masked" in masked["note"]) == (True, "", True)
        assert "names no base" in await refusal(client, "propose", summary="x", diff="--- a/x\n+++ b/x\n")
        assert "is the limit" in await refusal(client, "propose", summary="x", base="HEAD", diff="x" * (1 << 20) + "y")
        assert await refusal(client, "propose", summary="x" * 3000, base="HEAD", diff="x")
        hook = await call(client, "propose", summary="x", files=whole(".git/hooks/post-commit", "#!/bin/sh\n"))
        assert hook["state"] == "refused"
        assert "no patch was handed in" in await refusal(client, "wait", id="../../etc", timeout_s=0)
        assert "no lease" in await refusal(client, "release", lease="0" * 20)
        assert await refusal(client, "lease", paths=["*.py", "../"])
        assert await refusal(client, "approve", id="x")
        assert (await call(client, "read", paths=["README.md"]))["files"][0]["content"]  # and it still answers


async def test_the_leases_of_a_session_end_with_it_however_it_ends(house: House, url: str) -> None:
    async with assistant(house, "cursor") as other:
        async with assistant(house) as client:
            await call(client, "lease", paths=["src/"])
            assert "others have held" in await refusal(other, "lease", paths=["src/a"], wait_s=0)
        held = await call(other, "lease", paths=["src/a"], wait_s=20)
        await call(other, "release", lease=held["id"])
        process = subprocess.Popen(
            command(house), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPO, env=house.env
        )
        assert process.stdin is not None
        assert process.stdout is not None
        by_hand(process, "initialize", protocolVersion="2025-06-18", capabilities={}, clientInfo=NOBODY)
        lease = by_hand(process, "tools/call", name="lease", arguments={"paths": ["src/"]})
        assert lease["result"]["structuredContent"]["state"] == "held"
        process.send_signal(signal.SIGTERM)  # while its standard input is open
        assert process.wait(20) == 0
        process.stdin.close()
        process.stdout.close()
        held = await call(other, "lease", paths=["src/a"], wait_s=20)
        await call(other, "release", lease=held["id"])
        async with visitor(url, await asyncio.to_thread(token_of, house)) as client:
            await call(client, "lease", paths=["src/"])
        held = await call(other, "lease", paths=["src/a"], wait_s=20)
        assert held["state"] == "held"


@pytest.mark.slow
async def test_a_lease_whose_process_was_killed_ends_within_its_time(house: House) -> None:
    async with assistant(house, "cursor") as other:
        process = subprocess.Popen(
            command(house), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPO, env=house.env
        )
        by_hand(process, "initialize", protocolVersion="2025-06-18", capabilities={}, clientInfo=NOBODY)
        by_hand(process, "tools/call", name="lease", arguments={"paths": ["killed/"]})
        process.kill()
        process.communicate()
        assert "others have held" in await refusal(other, "lease", paths=["killed/a"], wait_s=0)
        held = await other.call_tool("lease", {"paths": ["killed/a"], "wait_s": 30})
        if held.is_error:  # its 30 seconds began with its last sign of life
            held = await other.call_tool("lease", {"paths": ["killed/a"], "wait_s": 30})
        assert not held.is_error, held.content


NOBODY = {"name": "nobody", "version": "0"}


def by_hand(process: subprocess.Popen[str], method: str, **params: Any) -> Any:
    """One request, as a client writes it, and its answer."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}) + "\n")
    process.stdin.flush()
    while "id" not in (answer := json.loads(process.stdout.readline())):
        continue
    return answer
