"""A Slack on a real socket: the Web API under /api/ and Socket Mode, for the real slack_sdk and slack_bolt.

Every call is checked (tests.fakes.slack_rules); what it violates is refused as Slack would and kept in `violations`.
An event goes to ONE socket and comes again until that socket acknowledges it. `fail` makes calls go wrong: 429, an
error, slow, the connection broken after the call was carried out. It runs in a thread of its own.

`python -m tests.fakes.slack_server --port N` runs it by itself.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import socket
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.fakes.slack_files import Folder
from tests.fakes.slack_rules import against_limits, against_spec
from tests.fakes.slack_socket_mode import Envelope, SocketMode
from tests.fakes.slack_views import against_views
from tests.fakes.slack_workspace import APP, BOT, TEAM, Workspace


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call of the Web API as it came in."""

    method: str
    arguments: dict[str, Any]
    token: str
    outcome: str
    """`ok`, or the error that was answered."""
    at: float = field(default_factory=time.monotonic)

    @property
    def channel(self) -> str:
        """Where it acted."""
        return str(self.arguments.get("channel", ""))


@dataclass(kw_only=True)
class Fault:
    """What goes wrong with calls of `method` (any when empty) in `channel` (any when empty), `times` times."""

    method: str = ""
    channel: str = ""
    times: int = 1
    error: str = ""
    retry_after_s: float = 0.0
    """With `error="ratelimited"`: a 429, until that much time has passed since the first one."""
    slow_s: float = 0.0
    is_drop: bool = False
    """Carry the call out, then break the connection."""
    until: float = 0.0


class People:
    """What people in the workspace do. Slack tells the bot of it by Socket Mode."""

    def __init__(self, workspace: Workspace, sockets: SocketMode) -> None:
        self._workspace = workspace
        self._sockets = sockets

    def event(self, event: dict[str, Any], event_id: str = "") -> Envelope:
        """Deliver an event of the Events API."""
        body = {
            "type": "event_callback",
            "team_id": TEAM,
            "api_app_id": APP,
            "event": event,
            "event_id": event_id or f"Ev{next(self._workspace.numbers):08}",
            "event_time": int(time.time()),
            "authorizations": [{"team_id": TEAM, "user_id": BOT, "is_bot": True, "enterprise_id": None}],
        }
        return self._sockets.deliver("events_api", body, retries=3)

    def message(self, channel: str, user: str, text: str, thread_ts: str | None = None) -> dict[str, Any]:
        """Somebody writes; the message, not yet delivered to anybody."""
        n = next(self._workspace.numbers)
        message = {
            "user": user,
            "text": text,
            "ts": self._workspace.stamp(),
            "client_msg_id": f"00000000-0000-4000-8000-{n:012}",
            "team": TEAM,
        }
        if thread_ts:
            message["thread_ts"] = thread_ts
        return self._workspace.add(channel, message)

    def mention(self, channel: str, user: str, text: str, thread_ts: str | None = None) -> list[Envelope]:
        """Somebody mentions the bot: Slack tells of it twice."""
        message = self.message(channel, user, f"<@{BOT}> {text}", thread_ts)
        common = {**message, "channel": channel, "event_ts": message["ts"]}
        return [
            self.event({**common, "type": "message", "channel_type": "channel"}),
            self.event({**common, "type": "app_mention"}),
        ]

    def direct(self, channel: str, user: str, text: str) -> Envelope:
        """Somebody writes to the bot alone."""
        message = self.message(channel, user, text)
        return self.event({**message, "type": "message", "channel": channel, "channel_type": "im"})

    def command(self, channel: str, user: str, text: str) -> Envelope:
        """Somebody types `/bulkhead text`."""
        body = {
            "command": "/bulkhead",
            "text": text,
            "team_id": TEAM,
            "channel_id": channel,
            "user_id": user,
            "user_name": "somebody",
            "trigger_id": self._workspace.trigger(),
            "response_url": f"http://{self._workspace.origin}/response/1",
            "api_app_id": APP,
        }
        return self._sockets.deliver("slash_commands", body, retries=0)

    def press(self, channel: str, label: str, user: str) -> Envelope:
        """Somebody presses the newest button with this label."""
        for message in reversed(self._workspace.channels[channel]):
            for block in message.get("blocks", ()):
                for element in block.get("elements", ()) if block["type"] == "actions" else ():
                    if element["text"]["text"] == label:
                        return self.push(channel, message, block, element, user)
        raise AssertionError(f"no button {label!r} in {channel}")

    def push(self, channel: str, message: dict[str, Any], block: Any, element: Any, user: str) -> Envelope:
        """Somebody (`U1`, or `T0OTHER:U1` of another workspace) presses that button of that message."""
        team, _, user = user.rpartition(":")
        container = {"type": "message", "channel_id": channel, "message_ts": message["ts"], "is_ephemeral": False}
        if "thread_ts" in message:
            container["thread_ts"] = message["thread_ts"]
        action = {**element, "block_id": block["block_id"], "action_ts": self._workspace.stamp()}
        body = {
            "type": "block_actions",
            "user": {"id": user, "team_id": team or TEAM},
            "team": {"id": TEAM, "domain": "house"},
            "channel": {"id": channel},
            "container": container,
            "message": message,
            "actions": [action],
            "trigger_id": self._workspace.trigger(),
            "api_app_id": APP,
        }
        return self._sockets.deliver("interactive", body, retries=0)


    def tick(self, view: dict[str, Any], user: str, *, off: Collection[str] = (), on: Collection[str] = ()) -> Envelope:
        """Somebody ticks boxes of a modal by their texts, others they leave as they are, and sends it."""
        values: dict[str, Any] = {}
        for block in view["blocks"]:
            if block["type"] == "input":
                element = block["element"]
                ticked = [option["value"] for option in element.get("initial_options", ())]
                chosen = [
                    option for option in element["options"]
                    if option["text"]["text"] in on or (option["value"] in ticked and option["text"]["text"] not in off)
                ]  # fmt: skip
                state = {"type": "checkboxes", "selected_options": chosen}
                values[block["block_id"]] = {element["action_id"]: state}
        body = {
            "type": "view_submission",
            "user": {"id": user, "team_id": TEAM},
            "team": {"id": TEAM},
            "view": {**view, "state": {"values": values}},
            "api_app_id": APP,
        }
        return self._sockets.deliver("interactive", body, retries=0)


class SlackServer:
    """The server and the log of its calls."""

    def __init__(self, spec: Mapping[str, Any] | None = None) -> None:
        self.spec = spec or {}
        self.calls: list[Call] = []
        self.violations: list[str] = []
        self.faults: list[Fault] = []
        self.dead_with = ""
        """Every call is answered with this error."""
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self.workspace = Workspace()
        self.sockets = SocketMode(self._loop, self.violations)
        self.people = People(self.workspace, self.sockets)
        self.folder = Folder()

    @property
    def url(self) -> str:
        """The base URL of the Web API."""
        return f"http://127.0.0.1:{self.port}/api/"

    def fail(self, **fault: Any) -> Fault:
        """Make calls go wrong from now on."""
        self.faults.append(Fault(**fault))
        return self.faults[-1]

    def called(self, method: str, channel: str = "") -> list[Call]:
        """The calls of a method."""
        return [call for call in list(self.calls) if call.method == method and channel in ("", call.channel)]

    async def _call(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        arguments = await self._arguments(request)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ") or str(arguments.pop("token", ""))
        problems = (
            against_spec(method, {**arguments, "token": token}, self.spec)
            + against_limits(arguments)
            + against_views(arguments)
        )
        self.violations += problems
        fault = self._fault(method, str(arguments.get("channel", "")))
        if fault is not None and fault.slow_s:
            await asyncio.sleep(fault.slow_s)
        error = self.dead_with or (fault.error if fault else "") or ("invalid_arguments" if problems else "")
        answer = {"ok": False, "error": error} if error else self.workspace.carry_out(method, arguments)
        outcome = "ok" if answer["ok"] else str(answer["error"])
        self.calls.append(Call(method=method, arguments=arguments, token=token, outcome=outcome))
        if fault is not None and fault.is_drop and request.transport is not None:
            request.transport.abort()
        if fault is not None and fault.error == "ratelimited":
            wait_s = max(0.0, fault.until - time.monotonic())
            return web.json_response(answer, status=429, headers={"Retry-After": f"{wait_s:.3f}"})
        headers = {"x-oauth-scopes": self.workspace.scopes} if self.workspace.scopes else {}
        return web.json_response(answer, headers=headers)

    async def _arguments(self, request: web.Request) -> dict[str, Any]:
        if request.content_type == "application/json":
            body: dict[str, Any] = await request.json()
            return body
        return {**request.query, **{name: str(value) for name, value in (await request.post()).items()}}

    def _fault(self, method: str, channel: str) -> Fault | None:
        for fault in self.faults:
            if fault.method not in ("", method) or fault.channel not in ("", channel):
                continue
            if fault.retry_after_s:
                fault.until = fault.until or time.monotonic() + fault.retry_after_s
                if time.monotonic() < fault.until:
                    return fault
            elif fault.times > 0:
                fault.times -= 1
                return fault
        return None

    async def _upload(self, request: web.Request) -> web.Response:
        is_whole = self.workspace.store(request.match_info["id"], await request.read())
        return web.Response(text="OK" if is_whole else "short", status=200 if is_whole else 400)

    def serve(self, port: int, is_ready: threading.Event, is_over: asyncio.Event) -> None:
        """Run until `is_over`."""
        self._loop.run_until_complete(self._serve(port, is_ready, is_over))
        self._loop.close()

    async def _serve(self, port: int, is_ready: threading.Event, is_over: asyncio.Event) -> None:
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_route("*", "/api/{method}", self._call)
        app.router.add_post("/upload/{id}", self._upload)
        app.router.add_get("/link/", self.sockets.connect)
        app.router.add_get("/files/{name:.*}", self.folder.give)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1, access_log=None)
        await runner.setup()
        listener = socket.create_server(("127.0.0.1", port), backlog=128)
        await web.SockSite(runner, listener).start()
        self.port = int(listener.getsockname()[1])
        self.workspace.origin = f"127.0.0.1:{self.port}"
        is_ready.set()
        await is_over.wait()
        self._loop.remove_reader(listener.fileno())
        await self._rounds()  # asyncio leaves a connection open that was accepted just before its server is closed
        for client in list(self.sockets.sockets):
            await client.ws.close(drain=False)
        server = runner.server
        await runner.cleanup()
        rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        for protocol in list(server.connections) if server else ():
            if protocol.transport is not None:
                protocol.transport.abort()
        await self._rounds()  # a closed connection is let go in the loop's next one

    async def _rounds(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)

    def over(self, is_over: asyncio.Event) -> None:
        """End `serve`."""
        self._loop.call_soon_threadsafe(is_over.set)


def load_spec(shared: Path) -> dict[str, Any]:
    """The methods of the Web API, or nothing where there is no specification."""
    path = shared / "specs" / "slack-methods.json"
    return json.loads(path.read_text()) if path.exists() else {}


@contextlib.contextmanager
def running(spec: Mapping[str, Any] | None = None, port: int = 0) -> Iterator[SlackServer]:
    """A server on a free port (or `port`)."""
    fake, is_ready, is_over = SlackServer(spec), threading.Event(), asyncio.Event()
    thread = threading.Thread(target=fake.serve, args=(port, is_ready, is_over), daemon=True)
    thread.start()
    if not is_ready.wait(10):
        raise RuntimeError("the fake Slack does not start")
    try:
        yield fake
    finally:
        fake.over(is_over)
        thread.join(timeout=10)


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--port", type=int, default=0)
    with running(port=parser.parse_args().port) as fake, contextlib.suppress(KeyboardInterrupt):
        print(f"listening on {fake.url}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
