"""Files in pieces: kept once, read back whole, refused when too large."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator

import pytest

from layers.errors import Unavailable
from layers.store import Store
from layers.transport import get_cursor, get_cursors, keep_media, media_head, put_cursor, put_media, read_media
from layers.transport.media import PIECE_BYTES


async def pieces(content: bytes, size: int = 100_000) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def whole(store: Store, digest: str) -> bytes:
    return b"".join([piece async for piece in read_media(store, digest)])


@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES, PIECE_BYTES + 1, 1_500_000])
async def test_a_file_comes_back_as_it_was_given(store: Store, size: int) -> None:
    content = bytes(n % 251 for n in range(size))
    kept = await keep_media(store, pieces(content), "text/plain", "a.txt")
    assert (kept.digest, kept.size_bytes, kept.note) == (hashlib.sha256(content).hexdigest(), size, "")
    assert await whole(store, kept.digest) == content


async def test_the_same_bytes_are_kept_once_however_they_came(store: Store) -> None:
    content = b"x" * (PIECE_BYTES + 5)
    kept = await keep_media(store, pieces(content), "image/png", "a.png")
    assert await store.run(put_media, "image/png", content) == kept.digest
    assert await whole(store, kept.digest) == content


async def test_a_file_that_is_too_large_is_not_kept_and_says_so(store: Store) -> None:
    kept = await keep_media(store, pieces(b"x" * (3 << 20)), "text/plain", "big.txt", 2 << 20)
    assert kept.digest == ""
    assert "2 MiB" in kept.note


async def test_a_file_whose_last_row_was_never_written_is_not_there(store: Store) -> None:
    digest = hashlib.sha256(b"half").hexdigest()
    await store.run(lambda tx: tx.run("transport.put_piece", digest=digest, n=0, content=b"half"))
    assert await media_head(store, digest) is None
    with pytest.raises(Unavailable):
        await whole(store, digest)


async def test_how_far_a_provider_was_read_is_kept_by_name(store: Store) -> None:
    assert await get_cursor(store, "slack", "C1") == ""
    await store.run(put_cursor, "slack", "C1", "1.5")
    await store.run(put_cursor, "slack", "C1", "2.5")
    assert (await get_cursor(store, "slack", "C1"), await get_cursor(store, "mail", "C1")) == ("2.5", "")


async def test_cursors_are_listed_by_their_beginning_and_an_empty_one_is_gone(store: Store) -> None:
    for name in ("shelf/-5/b", "shelf/-5/a", "shelf/-51/a", "Shelf/-5/a", "other"):
        await store.run(put_cursor, "telegram", name, name.upper())
    await store.run(put_cursor, "slack", "shelf/-5/c", "x")
    assert await get_cursors(store, "telegram", "shelf/-5/") == {"shelf/-5/a": "SHELF/-5/A", "shelf/-5/b": "SHELF/-5/B"}
    await store.run(put_cursor, "telegram", "shelf/-5/a", "")
    assert list(await get_cursors(store, "telegram", "shelf/-5/")) == ["shelf/-5/b"]
    assert await get_cursor(store, "telegram", "shelf/-5/a") == ""
