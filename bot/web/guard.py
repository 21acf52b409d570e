"""The door of the page, before any route: is this request meant for us, and did our own page send it?

Pure ASGI. Against DNS rebinding: the Host header must be one of ours. Against posts from other sites: Origin must be
the very host the request came to, and the body must be JSON, which a foreign form cannot send. What a provider posts to
a hook has no Origin; it proves itself by a secret of its own, which the hook checks. Every answer gets the headers that
keep a browser from guessing, framing or loading anything foreign.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = "; ".join(
    (
        "default-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "object-src 'none'",
    )
)
HEADERS: Mapping[str, str] = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
SAFE = frozenset({"GET", "HEAD"})
HOOKS = "/hooks/"
"""Where providers post to: no session, no cookie that another site's form could borrow."""


class Guard:
    """Refuses what is not for us with one sentence; passes the rest on, with safe headers on the way back."""

    def __init__(self, app: ASGIApp, *, hosts: frozenset[str]) -> None:
        self.app = app
        self.hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
            await send(message)

        refusal = objection(scope["method"], scope["path"], Headers(scope=scope), self.hosts)
        if refusal is None:
            await self.app(scope, receive, send_safely)
        else:
            await JSONResponse({"error": refusal}, status_code=403)(scope, receive, send_safely)


def objection(method: str, path: str, headers: Headers, hosts: frozenset[str]) -> str | None:
    """Why a request is refused at the door, in one sentence; None when it may come in."""
    named = [host.lower() for host in headers.getlist("host")]
    if len(named) != 1 or named[0] not in hosts:
        return f"Host {', '.join(named)!r} is not this page; open it by one of {', '.join(sorted(hosts))}"
    if method in SAFE or path.startswith(HOOKS):
        return None
    origin = headers.get("origin", "").lower()
    if origin not in (f"http://{named[0]}", f"https://{named[0]}"):
        return f"Origin {origin!r} may not post here; only the page itself, http://{named[0]}, may"
    if headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return "another site sent this; only the page itself may post here"
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        return f"Content-Type {kind!r} is not taken; post application/json"
    return None
