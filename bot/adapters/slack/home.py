"""App Home: what waits for a decision, with a link to each card, and how the accounts are.

Nothing is decided here. An approval binds to what was shown, and the whole plan is shown on its card only.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from bot.adapters.ports import Overview, Ports, Waiting
from bot.adapters.slack.api import SlackApi
from bot.adapters.slack.reading import Me
from bot.adapters.slack.writing import CHANNEL, Block, Reference
from layers.errors import AccountTrouble, BulkheadError, RateLimited

log = logging.getLogger(__name__)

SHOWN = 20
VIEWERS = 20
"""People whose Home is kept up to date; the others see it anew when they open it."""
VIEWED_S = 8 * 3600.0
LOOK_EVERY_S = 5.0
TITLE_CHARS = 300
FOR_EVER_S = 10 * 365 * 86400.0
"""An approval that ends later than this never does."""
STRANGER_TEXT = "I do not know you yet. Write me a message, and the owner can let you in."


class Home:
    """The Home tabs that people look at."""

    def __init__(self, api: SlackApi, ports: Ports) -> None:
        self._api = api
        self._ports = ports
        self._viewers: OrderedDict[str, tuple[float, str]] = OrderedDict()
        """User -> when they opened it, and what they see."""

    async def show(self, user: str, me: Me, site: str) -> None:
        """Somebody opened it. A failure is logged: opening it again tries again."""
        try:
            if not await self._ports.knows(f"{CHANNEL}:{me.team}:{user}"):
                await self._publish(user, home([words(STRANGER_TEXT)]))
                return
            view = view_of(await self._ports.overview(), site, time.time())
            self._viewers.pop(user, None)
            self._viewers[user] = (time.time(), json.dumps(view))
            while len(self._viewers) > VIEWERS:
                self._viewers.popitem(last=False)
            await self._publish(user, view)
        except BulkheadError as error:
            log.warning("slack.home_not_shown", extra={"error": type(error).__name__})

    async def watch(self, site: Callable[[], str]) -> None:
        """Show it anew to whom it is open for, when something changed."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                await self._refresh(site())
            except RateLimited as error:
                await asyncio.sleep(error.retry_after_s)
            except AccountTrouble:
                return
            except BulkheadError as error:
                log.warning("slack.home_not_shown", extra={"error": type(error).__name__})

    async def _refresh(self, site: str) -> None:
        now = time.time()
        for user, (opened_at, _) in list(self._viewers.items()):
            if now - opened_at > VIEWED_S:
                del self._viewers[user]
        if not self._viewers:
            return
        view = view_of(await self._ports.overview(), site, now)
        content = json.dumps(view)
        for user, (opened_at, seen) in list(self._viewers.items()):
            if seen != content:
                self._viewers[user] = (opened_at, content)
                await self._publish(user, view)

    async def _publish(self, user: str, view: Block) -> None:
        await self._api.call("views.publish", user_id=user, view=view)


def view_of(overview: Overview, site: str, now: float) -> Block:
    """The whole tab. `site` is the workspace's address, `https://example.slack.com/`."""
    waiting = overview.waiting
    blocks = [title("Waiting for a decision"), *(card(each, site, now) for each in waiting[:SHOWN])]
    if not waiting:
        blocks.append(words("Nothing waits."))
    if len(waiting) > SHOWN:
        blocks.append(words(f"And {len(waiting) - SHOWN} more: /pending lists them."))
    blocks += [{"type": "divider"}, title("Accounts")]
    blocks += [words(each[:TITLE_CHARS]) for each in overview.accounts[:SHOWN]] or [words("All are healthy.")]
    return home(blocks)


def home(blocks: list[Block]) -> Block:
    """A Home tab."""
    return {"type": "home", "blocks": blocks}


def title(text: str) -> Block:
    """A headline."""
    return {"type": "header", "text": {"type": "plain_text", "text": text, "emoji": False}}


def words(text: str) -> Block:
    """A line of literal text."""
    return rich([{"type": "text", "text": text}])


def rich(elements: list[dict[str, Any]]) -> Block:
    """A line of elements, in which nothing is parsed."""
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements}]}


def card(waiting: Waiting, site: str, now: float) -> Block:
    """One approval: what, how risky, where, until when."""
    elements: list[dict[str, Any]] = [
        {"type": "text", "text": waiting.title[:TITLE_CHARS] or "(no title)", "style": {"bold": True}},
        {"type": "text", "text": f"  risk {waiting.risk}  "},
    ]
    url = link_of(waiting, site)
    if url:
        elements.append({"type": "link", "url": url, "text": "open its card"})
    else:
        elements.append({"type": "text", "text": f"its card is on {waiting.address.channel}"})
    if waiting.expires_at - now < FOR_EVER_S:
        until = {"type": "date", "timestamp": int(waiting.expires_at), "format": "{date_short_pretty}, {time}"}
        elements += [{"type": "text", "text": ", until "}, {**until, "fallback": "its end"}]
    return rich(elements)


def link_of(waiting: Waiting, site: str) -> str:
    """The address of the card's message, where it is one of ours in this workspace."""
    if waiting.address.channel != CHANNEL or not waiting.reference or not site.startswith("https://"):
        return ""
    at = Reference.load(waiting.reference)
    if not at.stamps:
        return ""
    url = f"{site.rstrip('/')}/archives/{at.channel}/p{at.stamps[-1].replace('.', '')}"
    thread = waiting.address.thread
    return f"{url}?thread_ts={thread}&cid={at.channel}" if thread else url
