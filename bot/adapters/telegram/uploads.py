"""Pictures and files that go out: from the database through a temporary file to Telegram, never whole in memory."""

from __future__ import annotations

import struct
import tempfile
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import IO

from telegram import InputFile, InputMediaDocument, InputMediaPhoto

from bot.adapters.telegram.layout import FILE_BYTES, Slot, is_photo
from bot.adapters.text import File
from layers.errors import Refused

Media = Callable[[str], AsyncIterator[bytes]]
"""The bytes of a kept picture or file by its digest, in pieces."""
BLANK_SIDE = 64


@asynccontextmanager
async def as_media(slot: Slot, media: Media) -> AsyncIterator[InputMediaPhoto | InputMediaDocument]:
    """What a slot carries, ready to be sent while the context lasts; a picture as a photo where Telegram takes it so.

    Raises:
        Refused: it is too large for a bot.
        Unavailable: it is not in the database.
    """
    if isinstance(slot.file, File):  # a text of ours: it is in memory already
        yield InputMediaDocument(InputFile(slot.file.content, filename=slot.file.name, attach=True))
        return
    kept = slot.file or slot.picture
    assert kept is not None
    name = slot.file.name if slot.file is not None else "picture.png"
    with tempfile.TemporaryFile() as spool:
        size = await spooled(media(kept.digest), spool, name)
        # the HTTP library reads the file in pieces as it sends them
        file = InputFile(spool, filename=name, attach=True, read_file_handle=False)
        is_plain = slot.picture is not None and is_photo(slot.picture, size)
        kind = InputMediaPhoto if is_plain else InputMediaDocument
        yield kind(file, caption=slot.text or None, caption_entities=slot.entities or None)


async def spooled(pieces: AsyncIterator[bytes], spool: IO[bytes], name: str) -> int:
    """The pieces in a file, whose size is returned; it is read from its beginning next."""
    size = 0
    async for piece in pieces:
        size += len(piece)
        if size > FILE_BYTES:
            raise Refused(f"{name!r} is larger than the {FILE_BYTES} bytes that a Telegram bot may send")
        spool.write(piece)
    spool.seek(0)
    return size


def blank() -> bytes:
    """A small grey square: what stands in an album for a picture that is not there yet."""
    side = BLANK_SIDE
    rows = zlib.compress((b"\0" + b"\xdd" * side) * side, 9)
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)), (b"IDAT", rows), (b"IEND", b"")]
    framed = (
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)
