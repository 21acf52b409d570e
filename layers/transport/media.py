"""Pictures and files, kept in pieces: none is ever whole in memory but the small ones that we draw ourselves.

The bytes live in the database and not in a folder, so that every process of a fleet has them.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import AsyncIterator
from typing import IO

from layers.errors import Unavailable
from layers.store import Store, Tx
from layers.types import Attachment

PIECE_BYTES = 1 << 18
MAX_MEDIA_BYTES = 20 << 20
"""Of one file: what a Telegram bot may download, and more than the others' habits."""
SPOOL_BYTES = 1 << 20
"""A file that comes in is in memory up to here, and on disk beyond."""


async def keep_media(
    store: Store, pieces: AsyncIterator[bytes], content_type: str, name: str, limit_bytes: int = MAX_MEDIA_BYTES
) -> Attachment:
    """Keep a file that comes in; one larger than `limit_bytes` comes back without a digest and with a note."""
    digest, size = hashlib.sha256(), 0
    with tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES) as spool:
        async for piece in pieces:
            size += len(piece)
            if size > limit_bytes:
                note = f"larger than {limit_bytes >> 20} MiB, so it was not taken"
                return Attachment(digest="", name=name, content_type=content_type, size_bytes=size, note=note)
            digest.update(piece)
            spool.write(piece)
        await write(store, digest.hexdigest(), spool)
    await store.run(put_head, digest.hexdigest(), content_type, size)
    return Attachment(digest=digest.hexdigest(), name=name, content_type=content_type, size_bytes=size)


async def write(store: Store, digest: str, spool: IO[bytes]) -> None:
    """A transaction for each piece: a large file must not keep everybody else from writing."""
    spool.seek(0)
    for n, piece in enumerate(iter(lambda: spool.read(PIECE_BYTES), b"")):
        await store.run(put_piece, digest, n, piece)


def put_media(tx: Tx, content_type: str, content: bytes) -> str:
    """Keep bytes that we made ourselves; their digest."""
    digest = hashlib.sha256(content).hexdigest()
    for n, start in enumerate(range(0, len(content), PIECE_BYTES)):
        put_piece(tx, digest, n, content[start : start + PIECE_BYTES])
    put_head(tx, digest, content_type, len(content))
    return digest


def put_piece(tx: Tx, digest: str, n: int, content: bytes) -> None:
    """One piece; the same bytes may be there already."""
    tx.run("transport.put_piece", digest=digest, n=n, content=content)


def put_head(tx: Tx, digest: str, content_type: str, size: int) -> None:
    """The row that says that all pieces are there: it comes last."""
    tx.run("transport.put_media", digest=digest, content_type=content_type, size_bytes=size, now=tx.now)


async def read_media(store: Store, digest: str) -> AsyncIterator[bytes]:
    """The bytes of a kept file, in pieces.

    Raises:
        Unavailable: it is not there.
    """
    head = await media_head(store, digest)
    if head is None:
        raise Unavailable(f"the file {digest[:12]} is not in the database")
    for n in range(-(-head.size_bytes // PIECE_BYTES)):
        row = await store.fetch_one("transport.piece", digest=digest, n=n)
        if row is None:
            raise Unavailable(f"piece {n} of the file {digest[:12]} is not in the database")
        yield bytes(row["content"])


async def media_head(store: Store, digest: str) -> Attachment | None:
    """What a kept file is; None when there is none. Its name is known to the message that shows it only."""
    row = await store.fetch_one("transport.media", digest=digest)
    if row is None:
        return None
    return Attachment(digest=digest, name="", content_type=row["content_type"], size_bytes=row["size_bytes"])
