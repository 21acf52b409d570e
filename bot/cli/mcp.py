"""`mcp`: an assistant's way in, on standard input and output or over loopback HTTP; and the token of the latter."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ipaddress
import json
import os
import secrets
import signal
import stat
import sys
from collections.abc import AsyncIterator, Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bot.app import VERSION, open_desk
from bot.config import Settings, first_start, write_private
from bot.desk import Desk, Who
from bot.web import LocalServer, listen
from layers.errors import Misconfigured

TOKEN = "mcp.token"
LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]")


async def mcp(parsed: argparse.Namespace, settings: Settings) -> int:
    """Serve until the other side leaves or a signal comes; or print the token."""
    if parsed.action == "token":
        token = token_of(settings.home)
        sys.stdout.write(json.dumps({"ok": True, "token": token}) + "\n" if parsed.json else f"{token}\n")
        return 0
    try:
        who = Who(person=parsed.person, assistant=parsed.assistant)
    except ValidationError:
        raise Misconfigured(
            f"--as {parsed.person!r} or --assistant {parsed.assistant!r} is no name; use letters, digits, . _ and -"
        ) from None
    async with open_desk(settings) as desk:
        await desk.workspaces()  # what is wrong with the home is said before an assistant asks
        await (over_http(desk, who, parsed, settings.home) if parsed.http else over_stdio(desk, who))
    return 0


def load_mcp() -> Any:  # noqa: ANN401  a module
    """The server's module, which only this verb pays for."""
    return import_module("bot.mcp")


async def over_stdio(desk: Desk, who: Who) -> None:
    """Serve whoever started this process."""
    mcp = load_mcp()
    async with kept(mcp, desk, lambda _session: True) as keeper:
        served = asyncio.create_task(mcp.over_stdio(mcp.make_server(mcp.Tools(desk, who, keeper), VERSION)))
        stop = stopped_by_signal()
        await asyncio.wait([served, asyncio.create_task(stop.wait())], return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            # a thread reads standard input, and nothing wakes it: give the leases back, and end as the signal would
            await keeper.close()
            os._exit(0)
        await served


async def over_http(desk: Desk, who: Who, parsed: argparse.Namespace, home: Path) -> None:
    """Serve this machine."""
    demand_loopback(parsed.mcp_host)
    token, mcp = token_of(home), load_mcp()
    listener = listen(parsed.mcp_host, parsed.mcp_port)
    port = listener.getsockname()[1]
    hosts, sessions = [f"{name}:{port}" for name in LOCAL_NAMES], mcp.Sessions()
    async with contextlib.AsyncExitStack() as stack:
        keeper = await stack.enter_async_context(kept(mcp, desk, sessions.is_alive))
        app = await stack.enter_async_context(
            mcp.over_http(mcp.make_server(mcp.Tools(desk, who, keeper), VERSION), hosts)
        )
        server = LocalServer(mcp.Gate(app, sessions, token, hosts), listener)
        stack.push_async_callback(server.stop)
        await server.start()
        url = f"http://{f'[{parsed.mcp_host}]' if ':' in parsed.mcp_host else parsed.mcp_host}:{port}{mcp.PATH}"
        sys.stdout.write(json.dumps({"ok": True, "url": url}) + "\n" if parsed.json else f"{url}\n")
        sys.stdout.flush()
        await stopped_by_signal().wait()


@contextlib.asynccontextmanager
async def kept(mcp: Any, desk: Desk, is_alive: Callable[[str], bool]) -> AsyncIterator[Any]:  # noqa: ANN401
    """A keeper of leases at work; at the end nothing is held any more."""
    keeper = mcp.Keeper(desk, is_alive)
    task = asyncio.create_task(keeper.run(), name="leases")
    try:
        yield keeper
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await keeper.close()


def stopped_by_signal() -> asyncio.Event:
    """Set once SIGINT or SIGTERM came."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    return stop


def demand_loopback(host: str) -> None:
    """Refuse to listen where other machines reach it.

    Raises:
        Misconfigured: it is no loopback address.
    """
    try:
        is_local = host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        is_local = False
    if not is_local:
        raise Misconfigured(f"--host is {host!r}; the MCP server listens on loopback only: 127.0.0.1, ::1 or localhost")


def token_of(home: Path) -> str:
    """The bearer token of this home, made at first use.

    Raises:
        Misconfigured: others can read the file, or it holds no token.
    """
    first_start(home)
    path = home / "keys" / TOKEN
    write_private(path, secrets.token_urlsafe(32).encode())
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise Misconfigured(f"{str(path)!r} can be read by others; remove it, and a new token is made")
        token = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{str(path)!r} cannot be read ({type(error).__name__}); remove it") from None
    if len(token) < 32:
        raise Misconfigured(f"{str(path)!r} holds no token; remove it, and a new one is made")
    return token
