"""Bytes of a post, never more than the cap, and how many posts one person may send."""

from __future__ import annotations

import asyncio
import time

from starlette.exceptions import HTTPException
from starlette.requests import Request

TEXT_CAP_BYTES = 64 * 1024
BODY_CAP_BYTES = 6 * TEXT_CAP_BYTES + 1024
"""JSON may write one byte as six (`\\u0007`)."""
DRAIN_CAP_BYTES = 16 * 1024 * 1024
"""Read and dropped of an oversized body, so that the sender gets to read the refusal instead of a broken pipe."""
HOOK_CAP_BYTES = 1 << 20
"""Of what a provider posts: Telegram's and Slack's events are far smaller."""
TOO_LARGE = "a message holds at most 64 KiB of text; shorten it or send it in parts"

BODY_S = 20.0
"""How long a body may take: whoever sends a byte now and then must not keep connections for ever. Slack and Telegram
wait less than that for the answer."""

POSTS_PER_S = 50.0
POST_BURST = 200.0


async def read_capped(request: Request, cap_bytes: int = BODY_CAP_BYTES, too_large: str = TOO_LARGE) -> bytes:
    """The body. Beyond the cap nothing is kept.

    Raises:
        HTTPException: 413, the body is larger than the cap; 408, it did not come in time.
    """
    try:
        async with asyncio.timeout(BODY_S):
            return await _read(request, cap_bytes, too_large)
    except TimeoutError:
        why = f"the body did not come within {BODY_S:g} s; send it again"
        raise HTTPException(408, why, {"connection": "close"}) from None


async def _read(request: Request, cap_bytes: int, too_large: str) -> bytes:
    kept = bytearray()
    seen = 0
    async for chunk in request.stream():
        seen += len(chunk)
        if seen <= cap_bytes:
            kept += chunk
        elif seen > DRAIN_CAP_BYTES:
            break
        else:
            kept.clear()
    if seen > cap_bytes:
        raise HTTPException(413, too_large)
    return bytes(kept)


class Allowance:
    """A token bucket per person: generous for hands, closed to a page that posts in a loop."""

    def __init__(self, per_s: float = POSTS_PER_S, burst: float = POST_BURST) -> None:
        self.per_s = per_s
        self.burst = burst
        self.buckets: dict[str, tuple[float, float]] = {}

    def take(self, who: str) -> None:
        """Count one post.

        Raises:
            HTTPException: 429, too many at once.
        """
        now = time.monotonic()
        left, then = self.buckets.get(who, (self.burst, now))
        left = min(self.burst, left + (now - then) * self.per_s)
        if left < 1:
            raise HTTPException(429, "too many posts at once; wait a second and send it again", {"retry-after": "1"})
        self.buckets[who] = (left - 1, now)
