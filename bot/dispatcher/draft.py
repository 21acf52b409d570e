"""An answer as people see it while it grows: pieces of a model in, now and then a text for the placeholder out.

The first looks follow each other quickly and later ones slowly: each is an edit, and providers count edits (Slack 50 a
minute in a workspace, Telegram 20 a minute in a group). What the outbox has not sent when the next one comes, it skips.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable

FIRST_S, SLOWER, SELDOM_S = 1.0, 1.5, 10.0
"""Seconds after the first look; by how much each pause is longer than the one before; the longest pause."""
MOST_CHARS = 2800
"""Of a draft: what fits into one message of every provider. The answer itself has no such limit."""
MORE = " \N{HORIZONTAL ELLIPSIS}"
FENCE = "```"


class Draft:
    """What was said so far, and whoever waits for more of it."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._is_new = asyncio.Event()

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(self._pieces)

    def begin(self, text: str) -> Callable[[str], None]:
        """Take it that `text` was said and something follows; returns what takes each new piece."""
        self._pieces = [f"{text}\n\n"] if text else []
        return self._add

    def _add(self, piece: str) -> None:
        self._pieces.append(piece)
        self._is_new.set()

    async def looks(self) -> AsyncGenerator[tuple[int, str], None]:
        """Number and text of each look, for ever; none while nothing new is there to be seen."""
        n, pause_s, seen = 0, FIRST_S, ""
        while True:
            await self._is_new.wait()
            self._is_new.clear()
            text = shown(self.text)
            if text != seen:
                seen = text
                yield n, text
                n += 1
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * SLOWER, SELDOM_S)


def words_of(look: str) -> str:
    """What of the answer was in a look; nothing where it was only the placeholder."""
    text, sign, _ = look.rpartition(MORE)
    return text if sign else ""


def shown(text: str) -> str:
    """As much of an unfinished answer as a placeholder takes, and a sign that it goes on."""
    text = text.rstrip()
    if len(text) > MOST_CHARS:
        text = text[:MOST_CHARS].rpartition(" ")[0] or text[:MOST_CHARS]
    return closed(text + MORE)


def closed(text: str) -> str:
    """Markdown that broke off, with the end of the code block that it stands in."""
    text = text.rstrip()
    return f"{text}\n{FENCE}" if text.count(FENCE) % 2 else text
