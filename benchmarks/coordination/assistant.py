"""An assistant in another process: the MCP SDK's client, our server, a real house, and a person at the page.

Takes a folder, gives for standard input and for loopback HTTP: what of the protocol worked, how often, and how long a
call took. The person presses as soon as the card is there, so `apply` is from the press to the answer of `wait`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import Any, TypeVar

import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from benchmarks.coordination.ground import REPO, git
from benchmarks.figures import median
from benchmarks.section import Measured, missed
from tests.fakes.house import House

ROUNDS, QUICK_ROUNDS = 20, 2
STEPS = ("lease", "propose", "conflict", "wait", "apply")
T = TypeVar("T")


def assistant(folder: Path, is_quick: bool) -> Measured:
    """Both transports, one house."""
    house = House(folder / "home")
    try:
        house.start()
        house.sign_in()
        told = asyncio.run(both(house, QUICK_ROUNDS if is_quick else ROUNDS))
    finally:
        house.close()
    claims = {f"{way}: {step} did not work": bool(each[step]) for way, each in told.items() for step in STEPS}
    return Measured(printed={"mcp": told}, misses=missed(claims))


async def both(house: House, rounds: int) -> dict[str, dict[str, object]]:
    """What each transport did."""
    told = {}
    for way, open_client in (("stdio", by_stdio), ("http", by_http)):
        async with open_client(house) as client:
            told[way] = await Rounds(house, client, way).run(rounds)
    return told


def command(house: House, *more: str) -> list[str]:
    """Our server, as an IDE starts it."""
    return [sys.executable, "-m", "bot", "mcp", "--home", str(house.home), *more]


@contextlib.asynccontextmanager
async def by_stdio(house: House) -> AsyncIterator[Client]:
    """A server of the client's own."""
    program, *arguments = command(house)
    async with Client(StdioServerParameters(command=program, args=arguments, env=house.env, cwd=REPO)) as client:
        yield client


@contextlib.asynccontextmanager
async def by_http(house: House) -> AsyncIterator[Client]:
    """A server that was started before."""
    token = subprocess.check_output(command(house, "token"), cwd=REPO, env=house.env, text=True).strip()
    server = await asyncio.create_subprocess_exec(
        *command(house, "--http", "--port", "0", "--json"), stdout=asyncio.subprocess.PIPE, cwd=REPO, env=house.env
    )
    assert server.stdout is not None
    try:
        url = json.loads(await server.stdout.readline())["url"]
        async with (
            httpx2.AsyncClient(headers={"authorization": f"Bearer {token}"}, timeout=120) as http,
            Client(streamable_http_client(url, http_client=http)) as client,
        ):
            yield client
    finally:
        server.terminate()
        await server.wait()


class Rounds:
    """The same work again and again, and its time."""

    def __init__(self, house: House, client: Client, way: str) -> None:
        self._house = house
        self._client = client
        self._way = way
        self._took: dict[str, list[float]] = defaultdict(list)
        self._worked: dict[str, int] = dict.fromkeys(STEPS, 0)

    async def run(self, rounds: int) -> dict[str, object]:
        """Every round leases, reads, proposes, waits and is applied; the same patch again then conflicts."""
        for n in range(rounds):
            await self._round(f"{self._way}{n}.txt")
        took = {f"{name}_ms": round(median(values) * 1000, 1) for name, values in self._took.items()}
        return {**{step: count == rounds for step, count in self._worked.items()}, "rounds": rounds, "p50": took}

    async def _round(self, path: str) -> None:
        root, word = self._house.home / "workspace", secrets.token_hex(4)
        (root / path).write_text("one\n")
        git(root, "add", path)
        git(root, "commit", "-q", "-m", path)
        lease = await self._call("lease", paths=[path])
        self._worked["lease"] += lease["state"] == "held" and lease["fence"] > 0
        base = (await self._call("read", paths=[path]))["base_commit"]
        diff = f"--- a/{path}\n+++ b/{path}\n@@ -1 +1 @@\n-one\n+{word}\n"
        asked = {"base": base, "diff": diff, "lease": lease["id"]}
        handed = await self._call("propose", summary="Benchmark", **asked)
        self._worked["propose"] += handed["state"] == "awaiting_approval" and f"+{word}" in handed["diff"]
        early = await self._call("wait", id=handed["id"], timeout_s=0.0)
        waiting = asyncio.create_task(self._call("wait", id=handed["id"], timeout_s=60.0))
        card = await asyncio.to_thread(
            self._house.wait_for, lambda event: path in event["html"] and bool(event["buttons"]), "approvals"
        )
        pressed = time.perf_counter()
        await asyncio.to_thread(self._house.press, card, "Approve", "approvals")
        applied = await waiting
        self._took["apply"].append(time.perf_counter() - pressed)
        self._worked["wait"] += early["state"] == "awaiting_approval" and applied["state"] == "applied"
        self._worked["apply"] += applied["commit"] == git(root, "rev-parse", "HEAD") and self._is_written(path, word)
        await self._call("release", lease=lease["id"])
        late = await self._call("propose", summary="Too late", base=base, diff=diff.replace(word, "three"))
        sides = [late["stages"][0][side]["content"] for side in ("base", "ours", "theirs")] if late["stages"] else []
        self._worked["conflict"] += late["state"] == "conflicted" and sides == ["one\n", f"{word}\n", "three\n"]

    def _is_written(self, path: str, word: str) -> bool:
        return (self._house.home / "workspace" / path).read_text() == f"{word}\n"

    async def _call(self, tool: str, **arguments: Any) -> Any:  # noqa: ANN401  structured content is JSON
        result = await self._timed(tool, self._client.call_tool(tool, arguments))
        if result.is_error:
            raise RuntimeError(f"{tool}: {result.content}")
        return result.structured_content

    async def _timed(self, name: str, call: Awaitable[T]) -> T:
        began = time.perf_counter()
        found = await call
        if name != "wait":  # a wait takes as long as the person does
            self._took[name].append(time.perf_counter() - began)
        return found
