"""The door of the MCP server on loopback, before the SDK sees a request; plain ASGI.

Against DNS rebinding the Host header must be one of ours, and a page of any other origin is turned away; then comes the
bearer token. It also keeps count of the sessions, so that the leases of one that is gone can be given back.
"""

from __future__ import annotations

import hmac
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SESSION = b"mcp-session-id"
VERSION = b"mcp-protocol-version"
WITH_SESSIONS = frozenset(version.encode() for version in HANDSHAKE_PROTOCOL_VERSIONS)
GRACE_S = 30.0
"""How long a session of which nothing is in flight still counts as alive. A client keeps a stream open."""


class Sessions:
    """Which sessions there are, by what goes through the door."""

    def __init__(self) -> None:
        self._in_flight: Counter[str] = Counter()
        self._seen: dict[str, float] = {}
        self._ended: set[str] = set()

    def is_alive(self, session: str) -> bool:
        """Whether anybody is there."""
        if session in self._ended:
            return False
        return self._in_flight[session] > 0 or time.monotonic() - self._seen.get(session, -GRACE_S) < GRACE_S

    def enter(self, session: str) -> None:
        """A request of it begins."""
        self._in_flight[session] += 1

    def leave(self, session: str, *, has_ended: bool) -> None:
        """A request of it is over, and with it perhaps the session."""
        self._in_flight[session] -= 1
        self._seen[session] = time.monotonic()
        if has_ended:
            self._ended.add(session)
        for other in [each for each in self._seen if not self._in_flight[each] and not self.is_alive(each)]:
            del self._seen[other], self._in_flight[other]
            self._ended.discard(other)


class Gate:
    """Lets in who has the token, and comes from this machine."""

    def __init__(self, app: App, sessions: Sessions, token: str, hosts: Iterable[str]) -> None:
        """`hosts` are `name:port`."""
        self._app = app
        self._sessions = sessions
        self._token = token.encode()
        self._hosts = frozenset(host.encode() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        refusal = self._objection(scope["headers"])
        if refusal is not None:
            await answer(send, *refusal)
            return
        session = next((value.decode("latin-1") for name, value in scope["headers"] if name == SESSION), "")
        self._sessions.enter(session)
        try:
            await self._app(scope, receive, send)
        finally:
            self._sessions.leave(session, has_ended=scope["method"] == "DELETE")

    def _objection(self, headers: Iterable[tuple[bytes, bytes]]) -> tuple[int, str] | None:
        """Why a request is refused: status and sentence; None when it may come in."""
        found: dict[bytes, list[bytes]] = {}
        for name, value in headers:
            found.setdefault(name.lower(), []).append(value)
        hosts = [host.lower() for host in found.get(b"host", [])]
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            return 421, "this Host is not this server; use the address that `bulkhead mcp --http` prints"
        if any(origin.lower() != b"http://" + hosts[0] for origin in found.get(b"origin", [])):
            return 403, "a page of another origin may not come here"
        given = found.get(b"authorization", [])
        scheme, _, token = (given[0] if len(given) == 1 else b"").partition(b" ")
        if scheme.lower() != b"bearer" or not hmac.compare_digest(token.strip(), self._token):
            return 401, "the bearer token is wrong or missing; `bulkhead mcp token` prints it"
        if any(version not in WITH_SESSIONS for version in found.get(VERSION, [])):
            # a lease lives as long as its session, and later versions have none over HTTP
            return 400, "speak a version of the protocol that has sessions: begin with `initialize`"
        return None


async def answer(send: Send, status: int, sentence: str) -> None:
    """A refusal."""
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps({"error": sentence}).encode()})
