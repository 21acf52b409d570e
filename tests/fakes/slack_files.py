"""Files that people put into a Slack workspace: served to whoever shows the bot's token, as Slack does."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field

from aiohttp import web

PIECE_BYTES = 1 << 16


@dataclass
class Folder:
    """The files and who asked for them."""

    files: dict[str, bytes] = field(default_factory=dict)
    elsewhere: dict[str, str] = field(default_factory=dict)
    """Name -> where a redirect leads."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Name and token of every request."""
    slow_s: float = 0.0

    async def give(self, request: web.Request) -> web.StreamResponse:
        """One file; a page to sign in without a token."""
        name = request.match_info["name"]
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        self.asked.append((name, token))
        await asyncio.sleep(self.slow_s)
        if name in self.elsewhere:
            return web.Response(status=302, headers={"Location": self.elsewhere[name]})
        if not token.startswith("xoxb-"):
            return web.Response(text="<html>Sign in</html>", content_type="text/html")
        if name not in self.files:
            return web.Response(status=404)
        content, response = self.files[name], web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):  # whoever asked has had enough
            for start in range(0, len(content), PIECE_BYTES):
                await response.write(content[start : start + PIECE_BYTES])
        return response
