"""Socket Mode: two sockets that are replaced before they close, and a watch over whether they hear anything.

The SDK's client is kept but for how it connects, reads and sends. The reasons: a socket that is replaced must be read
to its end (Slack does not repeat button presses), and every frame must be seen, pings too. A socket can stay open and
answer our pings while Slack sends it nothing; Slack pings its sockets, so 75 s without any frame of its own mean that
it went deaf.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import websockets
from pydantic import SecretStr
from slack_bolt.adapter.socket_mode.async_base_handler import AsyncBaseSocketModeHandler
from slack_bolt.adapter.socket_mode.async_internals import run_async_bolt_app, send_async_response
from slack_bolt.async_app import AsyncApp
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.websockets import SocketModeClient
from websockets.asyncio.client import ClientConnection
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.frames import Frame, Opcode
from websockets.protocol import Event

from bot.adapters.slack.api import SlackApi, trouble_of, vendor_log
from layers.errors import BulkheadError, RateLimited

log = logging.getLogger(__name__)

CROWDED_S = 30.0
"""Pause after `too_many_websockets`: connecting at once would only take another process's place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How patient the sockets are, in seconds."""

    deaf_after_s: float = 75.0
    check_every_s: float = 5.0
    ping_every_s: float = 10.0
    """Of our own pings, and of the SDK's look at closed sockets."""
    open_within_s: float = 15.0


class Connection(ClientConnection):
    """A connection that tells of every frame which Slack sent of its own accord."""

    def __init__(self, protocol: ClientProtocol, *, seen: Callable[[], None], **options: Any) -> None:  # noqa: ANN401
        self._seen = seen
        super().__init__(protocol, **options)

    def process_event(self, event: Event) -> None:
        """One frame, or the answer to the handshake."""
        if not (isinstance(event, Frame) and event.opcode is Opcode.PONG):
            self._seen()
        super().process_event(event)


class Socket(SocketModeClient):
    """The SDK's client, as this module's docstring says."""

    def __init__(self, api: SlackApi, app_token: SecretStr, timing: Timing) -> None:
        super().__init__(
            app_token=app_token.get_secret_value(),
            logger=vendor_log,
            web_client=api.client(),
            ping_interval=timing.ping_every_s,
        )
        self._api = api
        self._timing = timing
        self.seen_at = 0.0
        """When the last frame came, monotonic seconds; 0 before the first."""
        self._leaving: set[asyncio.Future[None]] = set()

    def _note_frame(self) -> None:
        self.seen_at = time.monotonic()

    @property
    def is_hearing(self) -> bool:
        """Whether a frame came lately."""
        return self.seen_at > 0 and time.monotonic() - self.seen_at < self._timing.deaf_after_s

    async def issue_new_wss_url(self) -> str:
        """Ask for a place to connect to. Asking too soon sleeps; a dead token stops this socket for good."""
        try:
            answer = await self._api.call("apps.connections.open", app_token=self.app_token)
        except RateLimited as error:
            await asyncio.sleep(error.retry_after_s)
            raise
        except BulkheadError:
            self.auto_reconnect_enabled = self._api.trouble is None
            raise
        return str(answer["url"])

    async def connect(self) -> None:
        """Open a connection, then let go of the one before it."""
        self.wss_uri = self.wss_uri or await self.issue_new_wss_url()
        old, reader, monitor = self.current_session, self.message_receiver, self.current_session_monitor
        self.current_session = await websockets.connect(
            self.wss_uri,
            ping_interval=self.ping_interval,
            open_timeout=self._timing.open_within_s,
            create_connection=partial(Connection, seen=self._note_frame),  # type: ignore[arg-type]
        )
        self.message_receiver = asyncio.ensure_future(self.receive_messages())
        self.current_session_monitor = asyncio.ensure_future(self.monitor_current_session())
        if old is not None and reader is not None:
            for leaving in (asyncio.ensure_future(old.close()), reader):
                self._leaving.add(leaving)
                leaving.add_done_callback(self._leaving.discard)
        if monitor is not None:  # it may be who runs this: nothing awaits after it
            monitor.cancel()

    async def receive_messages(self) -> None:
        """Read a connection to its end, also when another one has taken its place. The SDK calls every end an error."""
        session = self.current_session
        assert session is not None
        with contextlib.suppress(ConnectionClosed):
            async for message in session:
                await self.enqueue_message(message if isinstance(message, str) else message.decode())

    async def send_message(self, message: str) -> None:
        """Acknowledge. The SDK's own releases a lock that others hold when the socket was replaced meanwhile."""
        for _ in range(2):
            session = self.current_session
            try:
                if session is not None:
                    await session.send(message)
                return
            except ConnectionClosed:
                if session is self.current_session:
                    break
        log.info("slack.not_acknowledged")  # Slack brings the event again, and it is known then

    async def run_message_listeners(self, message: dict[str, Any], raw_message: str) -> None:
        """One frame. Two reasons to disconnect are no invitation to come back at once."""
        reason = message.get("reason") if message.get("type") == "disconnect" else None
        if trouble := trouble_of(str(reason)):
            self._api.stop_calling(trouble)
            return
        if reason == "too_many_websockets":
            await asyncio.sleep(CROWDED_S)
        await super().run_message_listeners(message, raw_message)

    async def close(self) -> None:
        """Close for good, and wait until everything that belongs to it has ended."""
        tasks = [self.message_processor, self.current_session_monitor, self.message_receiver, *self._leaving]
        await super().close()  # type: ignore[no-untyped-call]
        for leaving in self._leaving:
            leaving.cancel()
        await asyncio.gather(*(task for task in tasks if task is not None), return_exceptions=True)


class Handler(AsyncBaseSocketModeHandler):
    """Bolt's handler over our client."""

    def __init__(self, app: AsyncApp, client: Socket) -> None:
        self.app: AsyncApp = app
        self.client: Socket = client
        client.socket_mode_request_listeners.append(self.handle)

    async def handle(self, client: AsyncBaseSocketModeClient, req: SocketModeRequest) -> None:
        """One envelope: Bolt first, the acknowledgement after it, and none when Bolt says that it failed."""
        started = time.time()
        answer = await run_async_bolt_app(self.app, req)
        await send_async_response(client, req, answer, started)


class Sockets:
    """Two handlers, so that there is never no socket: Slack sends each event to one of them."""

    def __init__(self, api: SlackApi, app_token: SecretStr, timing: Timing) -> None:
        self._api = api
        self._app_token = app_token
        self._timing = timing
        self._sockets: list[Socket] = []
        self._is_over = False

    @property
    def is_hearing(self) -> bool:
        """Whether any of them had a frame lately. An open socket proves nothing."""
        return any(socket.is_hearing for socket in self._sockets)

    async def open(self, app: AsyncApp, count: int = 2) -> None:
        """Connect. Raises what `SlackApi.call` raises, OSError, TimeoutError, WebSocketException."""
        self._is_over = False
        try:
            for _ in range(count):
                handler = Handler(app, Socket(self._api, self._app_token, self._timing))
                self._sockets.append(handler.client)
                await handler.client.connect()
        except BaseException:
            await self.close()
            raise

    async def watch(self, when_deaf: Callable[[], None]) -> None:
        """Replace sockets that went deaf, until the account is in trouble. Tells when none of them hears."""
        while self._api.trouble is None and not self._is_over:
            await asyncio.sleep(self._timing.check_every_s)
            if not self.is_hearing:
                when_deaf()
            for socket in self._sockets:
                if not socket.is_hearing and self._api.trouble is None and await socket.is_connected():
                    await self._replace(socket)
        await self.close()

    async def _replace(self, socket: Socket) -> None:
        log.warning("slack.socket_deaf", extra={"after_s": self._timing.deaf_after_s})
        try:
            await socket.connect_to_new_endpoint(force=True)
        except (BulkheadError, OSError, TimeoutError, WebSocketException) as error:
            log.warning("slack.reconnect_failed", extra={"error": type(error).__name__})

    def end(self) -> None:
        """Have `watch` end: the SDK waits in a way (wait_for before Python 3.12) that may swallow its cancellation."""
        self._is_over = True

    async def close(self) -> None:
        """Close them all."""
        self.end()
        sockets, self._sockets = self._sockets, []
        await asyncio.gather(*(socket.close() for socket in sockets), return_exceptions=True)
