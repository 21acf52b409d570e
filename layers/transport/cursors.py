"""How far each provider was read: what was committed and is not noted yet is read again, and known then."""

from __future__ import annotations

from layers.store import ReadStore, Tx


async def get_cursor(store: ReadStore, channel: str, name: str) -> str:
    """What was noted last; empty when nothing was."""
    row = await store.fetch_one("transport.cursor", channel=channel, name=name)
    return str(row["value"]) if row else ""


async def get_cursors(store: ReadStore, channel: str, prefix: str) -> dict[str, str]:
    """All that were noted under names that begin so, in the names' order."""
    rows = await store.fetch_all("transport.cursors_under", channel=channel, prefix=prefix, length=len(prefix))
    return dict(sorted((row["name"], row["value"]) for row in rows))


def put_cursor(tx: Tx, channel: str, name: str, value: str) -> None:
    """Note it; an empty value is none."""
    if value:
        tx.run("transport.read_until", channel=channel, name=name, value=value)
    else:
        tx.run("transport.read_no_more", channel=channel, name=name)
