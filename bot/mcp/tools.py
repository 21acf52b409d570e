"""What an assistant can call, and the server that offers it. The only place that knows the SDK."""

from __future__ import annotations

import functools
import hashlib
import json
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated, ParamSpec, TypeVar

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.transport_security import TransportSecuritySettings
from mcp_types import ToolAnnotations
from pydantic import Field, ValidationError

from bot.desk import (
    MAX_FILES,
    MAX_WAIT_S,
    SUMMARY_CHARS,
    Asked,
    Claim,
    Desk,
    Held,
    Named,
    Own,
    Reading,
    Space,
    Standing,
    Submission,
    Who,
    WholeText,
)
from bot.mcp.gate import App
from bot.mcp.keeping import Keeper
from layers.errors import BulkheadError

PATH = "/mcp"
MAX_BODY_BYTES = 4 << 20
MAX_SESSIONS = 64
IDLE_S = 1800.0
TRIED_S = 60.0
"""Seconds that `propose` waits to hear whether the patch fits."""
TOLD_EVERY_S = 10.0
"""How often one who waits is told that it goes on, so that no client's own patience ends."""

INSTRUCTIONS = """\
Changes to the files of these workspaces are made by proposing them: a person sees the diff and approves or denies it.
Never write the files yourself. read gives files with base_commit and blob ids. propose takes a patch made on that base
(a unified diff, git's own, search/replace blocks, or V4A) or whole files with the blob id that was read; it returns
the diff as a person will see it, and a state. While it is awaiting_approval, wait. applied has a commit; conflicted has
the three versions of each file: read again, and propose a patch on the new base. denied and refused say why in note;
where a person chose parts of your patch, files and diff are those, and note names what was left out.
Where others work on the same files, lease them before you read, give the lease to propose, and release it after; it is
not made longer while its patch waits for a person."""

P = ParamSpec("P")
T = TypeVar("T")

Workspace = Annotated[str, Field(description="as bulkhead.toml calls it; empty means the first", max_length=64)]
Id = Annotated[str, Field(description="the id that propose gave", max_length=64)]
LeaseId = Annotated[str, Field(description="the id that lease gave", max_length=64)]
LOOKS = ToolAnnotations(read_only_hint=True, destructive_hint=False, open_world_hint=False)
ACTS = ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=False)


def in_sentences(call: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """What was refused becomes an error that the model can read."""

    @functools.wraps(call)
    async def said(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await call(*args, **kwargs)
        except BulkheadError as error:
            raise ToolError(str(error)) from None
        except ValidationError as error:
            first = error.errors()[0]
            raise ToolError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None

    return said


class Tools:
    """One method, one tool: its docstring is what the model reads."""

    def __init__(self, desk: Desk, who: Who, keeper: Keeper) -> None:
        self._desk = desk
        self._who = who
        self._keeper = keeper
        self._salt = secrets.token_hex(8)

    @in_sentences
    async def workspaces(self) -> list[Space]:
        """List the workspaces, each with its branch and commit."""
        return await self._desk.workspaces()

    @in_sentences
    async def read(
        self,
        paths: Annotated[
            list[str], Field(description="paths from the workspace's root", min_length=1, max_length=MAX_FILES)
        ],
        workspace: Workspace = "",
    ) -> Reading:
        """Read files as the branch has them, with the base_commit and blob ids to name. Secrets are masked."""
        return await self._desk.read(Named(workspace=workspace, paths=paths))

    @in_sentences
    async def propose(
        self,
        summary: Annotated[str, Field(description="what the change is for, for a person", max_length=SUMMARY_CHARS)],
        base: Annotated[str, Field(description="the base_commit of the reading it was made on", max_length=64)] = "",
        diff: Annotated[str, Field(description="unified diff, git's own, search/replace blocks, or V4A")] = "",
        files: Annotated[
            list[WholeText] | None, Field(description="whole files in place of a diff", max_length=MAX_FILES)
        ] = None,
        workspace: Workspace = "",
        lease: Annotated[str, Field(description="a lease you hold that covers every file", max_length=64)] = "",
    ) -> Standing:
        """Propose a change for a person to decide. The same change with the same summary is the same proposal."""
        submission = Submission(
            who=self._who,
            key="-",
            workspace=workspace,
            base=base,
            diff=diff,
            files=tuple(files or ()),
            summary=summary,
            lease=lease,
        )
        named = json.dumps([self._salt, submission.model_dump(mode="json")])
        key = hashlib.sha256(named.encode()).hexdigest()
        handed = await self._desk.submit(submission.model_copy(update={"key": key}))
        return await self._desk.wait(Asked(id=handed.id, timeout_s=TRIED_S, until_tried=True))

    @in_sentences
    async def status(self, id: Id) -> Standing:
        """Tell how a proposal stands."""
        return await self._desk.status(id)

    @in_sentences
    async def wait(
        self,
        id: Id,
        context: Context,
        timeout_s: Annotated[float, Field(description="seconds; call it again after that", ge=0, le=MAX_WAIT_S)] = 50.0,
    ) -> Standing:
        """Wait until a person has decided about a proposal, or until time is up: then it is still awaiting_approval."""
        began = time.monotonic()
        while True:
            gone = time.monotonic() - began
            left = max(0.0, timeout_s - gone)
            told = await self._desk.wait(Asked(id=id, timeout_s=min(left, TOLD_EVERY_S)))
            if not told.is_open or left <= TOLD_EVERY_S:
                return told
            await context.report_progress(gone, timeout_s, "waiting for a person")

    @in_sentences
    async def lease(
        self,
        paths: Annotated[
            list[str],
            Field(description="exact paths, and folders as `dir/`: all or none", min_length=1, max_length=MAX_FILES),
        ],
        context: Context,
        workspace: Workspace = "",
        wait_s: Annotated[float, Field(description="how long to wait for others", ge=0, le=30)] = 10.0,
    ) -> Held:
        """Keep others from these paths while you read and propose. It lives as long as this session, until released."""
        held = await self._desk.lease(Claim(who=self._who, paths=tuple(paths), workspace=workspace, wait_s=wait_s))
        self._keeper.keep(Own(who=self._who, lease=held.id), (context.headers or {}).get("mcp-session-id", ""))
        return held

    @in_sentences
    async def release(self, lease: LeaseId) -> Held:
        """Give a lease back."""
        held = await self._desk.release(Own(who=self._who, lease=lease))
        self._keeper.forget(lease)
        return held


def make_server(tools: Tools, version: str) -> MCPServer:
    """The server, which does nothing yet."""
    server = MCPServer("bulkhead", title="Bulkhead", instructions=INSTRUCTIONS, version=version, log_level="WARNING")
    for look in (tools.workspaces, tools.read, tools.status, tools.wait):
        server.add_tool(look, annotations=LOOKS)
    for act in (tools.propose, tools.lease, tools.release):
        server.add_tool(act, annotations=ACTS)
    return server


async def over_stdio(server: MCPServer) -> None:
    """Serve whoever started this process, until it closes standard input."""
    await server.run_stdio_async()


@asynccontextmanager
async def over_http(server: MCPServer, hosts: list[str]) -> AsyncIterator[App]:
    """The application to be served under one of `hosts`, which `Gate` stands before."""
    origins = [f"http://{host}" for host in hosts]
    app = server.streamable_http_app(
        streamable_http_path=PATH,
        max_request_body_size=MAX_BODY_BYTES,
        session_idle_timeout=IDLE_S,
        max_sessions=MAX_SESSIONS,
        transport_security=TransportSecuritySettings(allowed_hosts=hosts, allowed_origins=origins),
    )
    async with server.session_manager.run():
        yield app
