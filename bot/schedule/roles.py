"""Roles that one process of the fleet has at a time: a lease with an epoch."""

from __future__ import annotations

from layers.store import Tx


def hold_role(tx: Tx, role: str, owner: str, seconds: float) -> int | None:
    """Take or keep a role that one process of the fleet has at a time; its epoch, or None while another holds it."""
    held = {"name": role, "owner": owner, "until": tx.now + seconds, "now": tx.now}
    row = tx.one("bot.role_hold", **held)
    if row is None:
        other = tx.one("bot.role_owner", name=role)
        if other is not None and tx.is_gone(other["owner"]):  # it died with the role: nobody waits for it to run out
            release_role(tx, role, other["owner"])
            row = tx.one("bot.role_hold", **held)
    return None if row is None else int(row["epoch"])


def release_role(tx: Tx, role: str, owner: str) -> None:
    """Give a role back at once, so that nobody waits for it to run out."""
    tx.run("bot.role_release", name=role, owner=owner)
