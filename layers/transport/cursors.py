"""How far each provider was read: what was committed and is not noted yet is read again, and known then."""

from __future__ import annotations

from layers.store import ReadStore, Tx


async def get_cursor(store: ReadStore, channel: str, name: str) -> str:
    """What was noted last; empty when nothing was."""
    row = await store.fetch_one("transport.cursor", channel=channel, name=name)
    return str(row["value"]) if row else ""


def put_cursor(tx: Tx, channel: str, name: str, value: str) -> None:
    """Note it."""
    tx.run("transport.read_until", channel=channel, name=name, value=value)
