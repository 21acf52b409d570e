"""Socket Mode as Slack speaks it: hello, pings, envelopes to ONE socket until it acknowledges, disconnect frames."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from tests.fakes.slack_views import against_answer
from tests.fakes.slack_workspace import APP


@dataclass(kw_only=True)
class Envelope:
    """Something that Socket Mode delivers until it is acknowledged."""

    id: str
    kind: str
    payload: dict[str, Any]
    retries_left: int
    sent: int = 0
    sockets: list[int] = field(default_factory=list)
    """The number of the socket of each attempt."""
    sent_at: list[float] = field(default_factory=list)
    acked_at: float = 0.0
    answer: dict[str, Any] = field(default_factory=dict)
    acked: threading.Event = field(default_factory=threading.Event)


@dataclass(eq=False)
class Socket:
    """One connected client."""

    number: int
    ws: web.WebSocketResponse
    is_mute: bool = False
    """Open, answers pings, and gets nothing."""
    is_leaving: bool = False


class SocketMode:
    """Every connected socket and everything sent to them."""

    def __init__(self, loop: asyncio.AbstractEventLoop, violations: list[str]) -> None:
        """`violations` gets what Slack would say against what an acknowledgement carries."""
        self.loop = loop
        self._violations = violations
        self.sockets: list[Socket] = []
        self.envelopes: list[Envelope] = []
        self.retry_after_s = 0.4
        """Seconds without an acknowledgement until an event comes again."""
        self.ping_every_s = 0.5
        self.moments_without_socket = 0
        self._numbers = itertools.count(1)
        self._turn = itertools.count()

    def refresh(self, reason: str = "refresh_requested", grace_s: float = 0.2) -> None:
        """Ask the socket that was connected longest to come again, and close it a little later."""
        asyncio.run_coroutine_threadsafe(self._refresh(reason, grace_s), self.loop).result(20)

    def mute(self) -> int:
        """Every socket there is now stays open and hears nothing any more; how many."""
        for socket in (there := list(self.sockets)):
            socket.is_mute = True
        return len(there)

    def unserved(self) -> list[Envelope]:
        """What was never acknowledged."""
        return [envelope for envelope in self.envelopes if not envelope.acked.is_set()]

    def deliver(self, kind: str, payload: dict[str, Any], retries: int) -> Envelope:
        """Send something, and again `retries` times while it is not acknowledged."""
        envelope = Envelope(id=f"env-{next(self._numbers)}", kind=kind, payload=payload, retries_left=retries)
        self.envelopes.append(envelope)
        asyncio.run_coroutine_threadsafe(self._keep_sending(envelope), self.loop)
        return envelope

    async def _keep_sending(self, envelope: Envelope) -> None:
        """To one socket, until it says that it has it. Nobody connected: wait, that was no attempt."""
        while not envelope.acked.is_set():
            there = [socket for socket in self.sockets if not socket.is_leaving and not socket.ws.closed]
            if not there:
                await asyncio.sleep(0.02)
                continue
            socket = there[next(self._turn) % len(there)]
            body: dict[str, Any] = {
                "envelope_id": envelope.id,
                "type": envelope.kind,
                "payload": envelope.payload,
                "accepts_response_payload": envelope.kind != "events_api",
            }
            if envelope.sent:
                body |= {"retry_attempt": envelope.sent, "retry_reason": "timeout"}
            envelope.sent += 1
            envelope.sockets.append(socket.number)
            envelope.sent_at.append(time.monotonic())
            if not socket.is_mute:
                with contextlib.suppress(ConnectionError):
                    await socket.ws.send_json(body)
            await asyncio.sleep(self.retry_after_s)
            if envelope.sent > envelope.retries_left:
                return

    async def connect(self, request: web.Request) -> web.WebSocketResponse:
        """One client, until it goes."""
        ws = web.WebSocketResponse(autoping=True)
        await ws.prepare(request)
        socket = Socket(next(self._numbers), ws)
        self.sockets.append(socket)
        await ws.send_json({"type": "hello", "num_connections": len(self.sockets), "connection_info": {"app_id": APP}})
        pinging = asyncio.create_task(self._ping(socket))
        try:
            async for frame in ws:
                if frame.type is WSMsgType.TEXT:
                    self._acknowledge(socket, json.loads(frame.data))
        finally:
            pinging.cancel()
            self.sockets.remove(socket)
            if not self.sockets:
                self.moments_without_socket += 1
        return ws

    async def _ping(self, socket: Socket) -> None:
        while True:
            await asyncio.sleep(self.ping_every_s)
            if not socket.is_mute:
                with contextlib.suppress(ConnectionError):
                    await socket.ws.ping(b"Ping from applink-1")

    def _acknowledge(self, socket: Socket, said: dict[str, Any]) -> None:
        envelope = next((e for e in self.envelopes if e.id == said.get("envelope_id")), None)
        if envelope is None or socket.number not in envelope.sockets:
            return  # an acknowledgement counts on the socket that got the event
        envelope.answer = said.get("payload") or {}
        self._violations += against_answer(envelope.answer, envelope.payload)
        envelope.acked_at = time.monotonic()
        envelope.acked.set()

    async def _refresh(self, reason: str, grace_s: float) -> None:
        there = [socket for socket in self.sockets if not socket.is_leaving]
        if not there:
            return
        await there[0].ws.send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-1"}})
        if reason == "warning":
            return  # ten seconds later comes the real one
        there[0].is_leaving = reason == "refresh_requested"
        self.loop.call_later(grace_s, lambda: asyncio.ensure_future(there[0].ws.close(code=WSCloseCode.GOING_AWAY)))
