"""The courier's side of Slack: a placeholder by chat.postMessage, then edits by chat.update.

Slack has no idempotency key, and its SDK's retries doubled messages. A placeholder is posted, its `ts` recorded, and
only then does the message get its text: editing twice is editing once. The placeholder is `…`, never the text: posted
again after a lost answer, it is an orphan dot and not a doubled message; `find` looks for it first.

A picture is uploaded without being shared (files.getUploadURLExternal, bytes, files.completeUploadExternal) and shown
by an image block of the same chat.update as the text and the buttons: one message. completeUploadExternal could share
it with blocks as well, but that makes a new message, tells no `ts` and would be doubled by a lost answer. Slack takes
an image block only once it has processed the file, so we wait for files.info; a file it never takes is linked.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.adapters.slack.api import POST_MESSAGE, SlackApi
from bot.adapters.slack.assistant import Assistant, channel_of
from bot.adapters.slack.files import Piece, Uploads, once
from bot.adapters.slack.writing import (
    EVENT_TYPE,
    PLACEHOLDER,
    Block,
    Part,
    Reference,
    image,
    message_id,
    metadata,
    parts_of,
)
from bot.adapters.text import File, SlackPart, render_slack
from layers.errors import Refused
from layers.types import Outbound, OutboundKind, Picture

log = logging.getLogger(__name__)

HISTORY = 200
"""Messages in which ours are looked for."""
FOUND_WITHIN_S = 86400.0
"""Older messages are not looked for: a row does not live that long."""
SHORT_CHARS = 2_000
"""A longer text is rendered in a thread, so that nobody else waits for it."""


@dataclass(slots=True)
class Shown:
    """What a message shows beside its text."""

    links: list[Block] = field(default_factory=list)
    pictures: list[tuple[Picture, str]] = field(default_factory=list)
    """With the file that each was uploaded as."""
    uploads: dict[str, str] = field(default_factory=dict)

    def blocks(self) -> list[Block]:
        """Links, then pictures."""
        return [*self.links, *(image(picture, file) for picture, file in self.pictures)]


class SlackChannel:
    """Shows messages. See layers.transport.RemoteChannel."""

    def __init__(
        self, api: SlackApi, media: Callable[[str], AsyncIterator[bytes]], assistant: Assistant | None = None
    ) -> None:
        self._api = api
        self._media = media
        self._assistant = assistant
        self._uploads = Uploads(api)
        self.house = ""
        """The name of this installation: what makes ids of messages its own."""

    async def place(self, outbound: Outbound) -> str:
        """Post the placeholder. Nothing but WORKING shows its text here."""
        is_working = outbound.kind is OutboundKind.WORKING
        first = parts_of(outbound, await rendered_of(outbound))[0] if is_working else Part(PLACEHOLDER)
        stamp = await self._post(outbound, 0, first)
        if is_working and self._assistant is not None:
            await self._assistant.work(outbound.address, outbound.text)
        return Reference(channel_of(outbound.address), (stamp,)).dump()

    async def find(self, outbound: Outbound) -> str | None:
        """Where a message is whose posting was never answered, or recorded; None when it is not there. One call."""
        channel = channel_of(outbound.address)
        found = await self._stamps(outbound, channel, f"{time.time() - FOUND_WITHIN_S:.6f}")
        stamps: list[str] = []
        while len(stamps) in found:
            stamps.append(found[len(stamps)])
        return Reference(channel, tuple(stamps)).dump() if stamps else None

    async def edit(self, reference: str, outbound: Outbound) -> str:
        """Make the message what it should be: its first part in place, the others below it."""
        at, rendered = Reference.load(reference), await rendered_of(outbound)
        shown = await self._gather(at, outbound, rendered)
        try:
            stamps = await self._show(at, outbound, parts_of(outbound, rendered, shown.blocks()))
        except Refused as error:
            if "invalid_blocks" not in str(error) or not shown.pictures:
                raise
            log.warning("slack.image_refused", extra={"files": len(shown.pictures)})
            links = [await self._uploads.link(file, picture.alt) for picture, file in shown.pictures]
            stamps = await self._show(at, outbound, parts_of(outbound, rendered, [*shown.links, *links]))
        if self._assistant is not None:
            if outbound.kind is OutboundKind.WORKING:
                await self._assistant.work(outbound.address, outbound.text)
            else:
                await self._assistant.done(outbound.address)
        return Reference(at.channel, stamps, shown.uploads).dump()

    async def _gather(self, at: Reference, outbound: Outbound, rendered: list[SlackPart | File]) -> Shown:
        """Upload what the message shows, as far as it is not there from an earlier edit."""
        shown = Shown()
        for file in (part for part in rendered if isinstance(part, File)):
            piece = Piece(hashlib.sha256(file.content).hexdigest(), file.name, file.name)
            upload = await self._bring(at, piece, once(file.content), len(file.content))
            shown.uploads[piece.digest] = upload
            shown.links.append(await self._uploads.link(upload, file.name))
        for attached in outbound.files:
            if not attached.digest:
                continue  # it was never taken; whoever made the message says so in its text
            piece = Piece(attached.digest, attached.name, attached.name)
            upload = await self._bring(at, piece, self._media(attached.digest), attached.size_bytes)
            shown.uploads[piece.digest] = upload
            shown.links.append(await self._uploads.link(upload, attached.name))
        for picture in (outbound.picture, *outbound.album):
            if picture is not None:
                piece = Piece(picture.digest, f"{picture.digest[:12]}.png", picture.alt[:100])
                upload = await self._bring(at, piece, self._media(picture.digest))
                if picture.digest not in at.uploads:
                    await self._uploads.wait_processed(upload)
                shown.uploads[picture.digest] = upload
                shown.pictures.append((picture, upload))
        return shown

    async def _bring(self, at: Reference, piece: Piece, pieces: AsyncIterator[bytes], size_bytes: int = 0) -> str:
        known = at.uploads.get(piece.digest)
        return known or await self._uploads.bring(at.channel, piece, pieces, size_bytes)

    async def _show(self, at: Reference, outbound: Outbound, parts: list[Part]) -> tuple[str, ...]:
        """Bring every part about; the stamps of all of them."""
        stamps = list(at.stamps)
        if len(parts) > len(stamps):
            stamps = await self._find(at, outbound)
        for n, part in enumerate(parts):
            if n < len(stamps):
                await self._update(at.channel, stamps[n], outbound, n, part)
            else:
                stamps.append(await self._post(outbound, n, part))
        for stamp in stamps[len(parts) :]:
            await self._delete(at.channel, stamp)
        return tuple(stamps[: len(parts)])

    async def _post(self, outbound: Outbound, n: int, part: Part) -> str:
        channel = channel_of(outbound.address)
        arguments: dict[str, Any] = {
            "channel": channel,
            "thread_ts": outbound.address.thread or None,
            "text": part.text,
            "blocks": part.blocks or None,
            "metadata": metadata(outbound, n, self.house),
            "unfurl_links": False,
            "unfurl_media": False,
        }
        try:
            id = message_id(outbound, n, self.house)
            answer = await self._api.call(POST_MESSAGE, channel, client_msg_id=id, **arguments)
        except Refused as error:
            if "duplicate_" not in str(error):
                raise
            answer = await self._api.call(POST_MESSAGE, channel, **arguments)  # it has it, but not where
        return str(answer["ts"])

    async def _update(self, channel: str, stamp: str, outbound: Outbound, n: int, part: Part) -> None:
        await self._api.call(
            "chat.update",
            channel,
            channel=channel,
            ts=stamp,
            text=part.text,
            blocks=part.blocks,
            metadata=metadata(outbound, n, self.house),
        )

    async def _delete(self, channel: str, stamp: str) -> None:
        try:
            await self._api.call("chat.delete", channel, channel=channel, ts=stamp)
        except Refused:  # it is gone already: somebody, or an earlier try, deleted it
            log.info("slack.part_gone", extra={"channel": channel})

    async def _find(self, at: Reference, outbound: Outbound) -> list[str]:
        """The stamps of the parts that are there: a try whose answer was lost may have posted more than we recorded."""
        found = await self._stamps(outbound, at.channel, at.stamps[0])
        stamps = list(at.stamps)
        while len(stamps) in found:
            stamps.append(found[len(stamps)])
        return stamps

    async def _stamps(self, outbound: Outbound, channel: str, oldest: str) -> Mapping[int, str]:
        """The parts of a message in the history since `oldest`: number of the part -> `ts`."""
        thread = outbound.address.thread
        arguments: dict[str, Any] = {"channel": channel, "oldest": oldest, "limit": HISTORY}
        if thread:
            arguments["ts"] = thread
        method = "conversations.replies" if thread else "conversations.history"
        answer = await self._api.call(method, channel, include_all_metadata=True, **arguments)
        found: dict[int, str] = {}
        for message in answer.get("messages", ()):
            mark = message.get("metadata") or {}
            said = mark.get("event_payload") or {}
            part = said.get("part")
            if mark.get("event_type") != EVENT_TYPE or not isinstance(part, int) or not message.get("bot_id"):
                continue
            if said.get("id") == message_id(outbound, part, self.house):
                found[part] = str(message["ts"])
        return found


async def rendered_of(outbound: Outbound) -> list[SlackPart | File]:
    """Its text, rendered; a long one off the event loop, where it may take a second."""
    if len(outbound.text) <= SHORT_CHARS:
        return render_slack(outbound.text)
    return await asyncio.to_thread(render_slack, outbound.text)
