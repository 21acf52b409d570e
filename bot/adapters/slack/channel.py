"""The courier's side of Slack: a placeholder by chat.postMessage, then edits by chat.update.

Slack has no idempotency key, and its SDK's retries doubled messages. A placeholder is posted, its `ts` recorded, and
only then does the message get its text: editing twice is editing once. The placeholder is `…`, never the text: posted
again after a lost answer, it is an orphan dot and not a doubled message.

A picture is uploaded without being shared (files.getUploadURLExternal, bytes, files.completeUploadExternal) and shown
by an image block of the same chat.update as the text and the buttons: one message. completeUploadExternal could share
it with blocks as well, but that makes a new message, tells no `ts` and would be doubled by a lost answer. Slack takes
an image block only once it has processed the file, so we wait for files.info; a file it never takes is linked.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from typing import Any

from bot.adapters.slack.api import SlackApi
from bot.adapters.slack.writing import (
    EVENT_TYPE,
    PLACEHOLDER,
    Block,
    Part,
    Reference,
    image,
    link,
    message_id,
    metadata,
    parts_of,
)
from bot.adapters.text import File, render_slack
from layers.errors import Refused
from layers.types import Outbound, OutboundKind, Picture

log = logging.getLogger(__name__)

PROCESSED_WITHIN_S = 10.0
FIRST_LOOK_S = 0.1
UPLOADS_KEPT = 256
HISTORY = 200
"""Messages in which parts of ours are looked for."""


class SlackChannel:
    """Shows messages. See layers.transport.RemoteChannel."""

    def __init__(self, api: SlackApi, media: Callable[[str], AsyncIterator[bytes]]) -> None:
        self._api = api
        self._media = media
        self._uploads: OrderedDict[tuple[str, str], str] = OrderedDict()

    async def place(self, outbound: Outbound) -> str:
        """Post the placeholder. Nothing but WORKING shows its text here."""
        is_working = outbound.kind is OutboundKind.WORKING
        first = parts_of(outbound, render_slack(outbound.text))[0] if is_working else Part(PLACEHOLDER)
        stamp = await self._post(outbound, 0, first)
        return Reference(channel_of(outbound), (stamp,)).dump()

    async def edit(self, reference: str, outbound: Outbound) -> str:
        """Make the message what it should be: its first part in place, the others below it."""
        at, picture, rendered = Reference.load(reference), outbound.picture, render_slack(outbound.text)
        links = [await self._link_code(at.channel, part) for part in rendered if isinstance(part, File)]
        if picture is None:
            return Reference(at.channel, await self._show(at, outbound, parts_of(outbound, rendered, links))).dump()
        upload = await self._upload_picture(at, picture)
        try:
            parts = parts_of(outbound, rendered, [*links, image(picture, upload)])
            stamps = await self._show(at, outbound, parts)
        except Refused as error:
            if "invalid_blocks" not in str(error):
                raise
            log.warning("slack.image_refused", extra={"file": upload})
            parts = parts_of(outbound, rendered, [*links, await self._link(upload, picture.alt)])
            stamps = await self._show(at, outbound, parts)
        return Reference(at.channel, stamps, picture.digest, upload).dump()

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
        channel = channel_of(outbound)
        arguments: dict[str, Any] = {
            "channel": channel,
            "thread_ts": outbound.address.thread or None,
            "text": part.text,
            "blocks": part.blocks or None,
            "metadata": metadata(outbound.key, n),
            "unfurl_links": False,
            "unfurl_media": False,
        }
        try:
            id = message_id(outbound, n)
            answer = await self._api.call("chat.postMessage", channel, client_msg_id=id, **arguments)
        except Refused as error:
            if "duplicate_" not in str(error):
                raise
            answer = await self._api.call("chat.postMessage", channel, **arguments)  # it has it, but not where
        return str(answer["ts"])

    async def _update(self, channel: str, stamp: str, outbound: Outbound, n: int, part: Part) -> None:
        await self._api.call(
            "chat.update",
            channel,
            channel=channel,
            ts=stamp,
            text=part.text,
            blocks=part.blocks,
            metadata=metadata(outbound.key, n),
        )

    async def _delete(self, channel: str, stamp: str) -> None:
        try:
            await self._api.call("chat.delete", channel, channel=channel, ts=stamp)
        except Refused:  # it is gone already: somebody, or an earlier try, deleted it
            log.info("slack.part_gone", extra={"channel": channel})

    async def _find(self, at: Reference, outbound: Outbound) -> list[str]:
        """The stamps of the parts that are there: a try whose answer was lost may have posted more than we recorded."""
        thread = outbound.address.thread
        arguments: dict[str, Any] = {"channel": at.channel, "oldest": at.stamps[0], "limit": HISTORY}
        if thread:
            arguments["ts"] = thread
        method = "conversations.replies" if thread else "conversations.history"
        answer = await self._api.call(method, at.channel, include_all_metadata=True, **arguments)
        found: dict[int, str] = {}
        for message in answer.get("messages", ()):
            mark = message.get("metadata") or {}
            said = mark.get("event_payload") or {}
            if mark.get("event_type") == EVENT_TYPE and said.get("key") == outbound.key and message.get("bot_id"):
                found[int(said.get("part", 0))] = str(message["ts"])
        stamps = list(at.stamps)
        while len(stamps) in found:
            stamps.append(found[len(stamps)])
        return stamps

    async def _upload_picture(self, at: Reference, picture: Picture) -> str:
        """The file's id: of this message, of another one, or of a new upload that Slack has processed."""
        if at.digest == picture.digest and at.file:
            return at.file
        upload = self._uploads.get((at.channel, picture.digest), "")
        if not upload:
            name = f"{picture.digest[:12]}.png"
            content = b"".join([piece async for piece in self._media(picture.digest)])
            upload = await self._upload(at.channel, picture.digest, content, name)
        await self._wait_processed(at.channel, upload)
        return upload

    async def _link_code(self, channel: str, file: File) -> Block:
        """A link to what is too long to be read in a message."""
        digest = hashlib.sha256(file.content).hexdigest()
        upload = self._uploads.get((channel, digest)) or await self._upload(channel, digest, file.content, file.name)
        return await self._link(upload, file.name)

    async def _upload(self, channel: str, digest: str, content: bytes, name: str) -> str:
        """Upload without sharing. A retry within this process takes the same upload again."""
        answer = await self._api.call("files_upload_v2", channel, file=content, filename=name, title=name)
        self._uploads[channel, digest] = str(answer["files"][0]["id"])
        while len(self._uploads) > UPLOADS_KEPT:
            self._uploads.popitem(last=False)
        return str(answer["files"][0]["id"])

    async def _wait_processed(self, channel: str, file: str) -> None:
        pause_s, waited_s = FIRST_LOOK_S, 0.0
        while waited_s < PROCESSED_WITHIN_S:
            answer = await self._api.call("files.info", channel, file=file)
            if answer["file"].get("mimetype"):
                return
            await asyncio.sleep(pause_s)
            pause_s, waited_s = pause_s * 2, waited_s + pause_s

    async def _link(self, file: str, label: str) -> Block:
        answer = await self._api.call("files.info", file=file)
        return link(str(answer["file"]["permalink"]), label)


def channel_of(outbound: Outbound) -> str:
    """Slack's id of the channel in `T1/C2`."""
    return outbound.address.conversation.partition("/")[2]
