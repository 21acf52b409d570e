"""Files, both ways and never whole in memory: what people send is kept, what we show is uploaded without being shared.

An upload is three calls: files.getUploadURLExternal, the bytes, files.completeUploadExternal. Nobody sees it until a
message shows it, so doing it twice does no harm.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import IO

from bot.adapters.ports import Ports
from bot.adapters.slack.api import SlackApi
from bot.adapters.slack.payloads import Shared
from bot.adapters.slack.writing import Block, link
from layers.errors import BulkheadError, NotWritten, Refused
from layers.types import Attachment

log = logging.getLogger(__name__)

MAX_BYTES = 20 << 20
"""Of one file that somebody sends: what the media table takes."""
FETCHED_WITHIN_S = 25.0
"""All files of one message: the event is not acknowledged until they are here, and Slack brings it again meanwhile."""
NAME_CHARS = 200
PROCESSED_WITHIN_S = 10.0
FIRST_LOOK_S = 0.1
UPLOADS_KEPT = 256
SPOOL_BYTES = 1 << 20
PIECE_BYTES = 1 << 16


class Downloads:
    """What people send."""

    def __init__(self, api: SlackApi, ports: Ports) -> None:
        self._api = api
        self._ports = ports

    async def take(self, files: Sequence[Shared]) -> tuple[Attachment, ...]:
        """Every file of a message, kept, or with a note that says why not.

        Raises:
            NotWritten: the database did not take one; the whole message comes again.
        """
        until = asyncio.get_running_loop().time() + FETCHED_WITHIN_S
        return tuple([await self._take(file, until) for file in files])

    async def _take(self, file: Shared, until: float) -> Attachment:
        name = (file.name or file.id)[:NAME_CHARS]
        content_type = (file.mimetype or "application/octet-stream")[:NAME_CHARS]
        if file.size > MAX_BYTES:
            note = f"larger than {MAX_BYTES >> 20} MiB, so it was not taken"
            return Attachment(digest="", name=name, content_type=content_type, size_bytes=file.size, note=note)
        try:
            async with asyncio.timeout_at(until):
                url = await self._address(file)
                async with aclosing(self._api.download(url, content_type)) as pieces:
                    return await self._ports.keep(pieces, content_type, name)
        except TimeoutError:
            note = f"not fetched from Slack within {FETCHED_WITHIN_S:g} s; send it again"
        except NotWritten:
            raise
        except BulkheadError as error:
            note = f"not fetched: {error}"
        log.warning("slack.file_not_taken", extra={"file": file.id})
        return Attachment(digest="", name=name, content_type=content_type, size_bytes=max(0, file.size), note=note)

    async def _address(self, file: Shared) -> str:
        if file.file_access == "check_file_info" or not file.url_private_download:
            answer = await self._api.call("files.info", file=file.id)
            return str(answer["file"].get("url_private_download", ""))
        return file.url_private_download


@dataclass(frozen=True, slots=True)
class Piece:
    """Something to upload."""

    digest: str
    name: str
    title: str


class Uploads:
    """What messages show."""

    def __init__(self, api: SlackApi) -> None:
        self._api = api
        self._known: OrderedDict[tuple[str, str], str] = OrderedDict()

    async def bring(self, channel: str, piece: Piece, pieces: AsyncIterator[bytes], size_bytes: int = 0) -> str:
        """The id of an upload of these bytes; a retry within this process takes the same one again.

        `size_bytes` is 0 where nobody knows it yet: then they are put aside on disk first.
        """
        if (channel, piece.digest) in self._known:
            return self._known[channel, piece.digest]
        if size_bytes:
            file = await self._upload(piece, pieces, size_bytes)
        else:
            with tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES) as spool:
                async for each in pieces:
                    spool.write(each)
                size = spool.tell()
                spool.seek(0)
                file = await self._upload(piece, read(spool), size)
        self._known[channel, piece.digest] = file
        while len(self._known) > UPLOADS_KEPT:
            self._known.popitem(last=False)
        return file

    async def _upload(self, piece: Piece, pieces: AsyncIterator[bytes], size_bytes: int) -> str:
        if size_bytes <= 0:
            raise Refused(f"the file {piece.name!r} is empty; Slack takes none of these")
        place = await self._api.call("files.getUploadURLExternal", filename=piece.name, length=size_bytes)
        await self._api.upload(str(place["upload_url"]), size_bytes, pieces)
        id = str(place["file_id"])
        await self._api.call("files.completeUploadExternal", files=[{"id": id, "title": piece.title or piece.name}])
        return id

    async def wait_processed(self, file: str) -> None:
        """Until Slack may show it; an image block of a file that is not processed is refused."""
        pause_s, waited_s = FIRST_LOOK_S, 0.0
        while waited_s < PROCESSED_WITHIN_S:
            answer = await self._api.call("files.info", file=file)
            if answer["file"].get("mimetype"):
                return
            await asyncio.sleep(pause_s)
            pause_s, waited_s = pause_s * 2, waited_s + pause_s

    async def link(self, file: str, label: str) -> Block:
        """A block that points to it, and so shares it."""
        answer = await self._api.call("files.info", file=file)
        return link(str(answer["file"]["permalink"]), label)


async def read(spool: IO[bytes]) -> AsyncIterator[bytes]:
    """A file in pieces."""
    while piece := spool.read(PIECE_BYTES):
        yield piece


async def once(content: bytes) -> AsyncIterator[bytes]:
    """Bytes that we have already."""
    yield content
