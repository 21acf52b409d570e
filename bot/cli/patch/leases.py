"""`patch leases`: who may write what now, who waits, and behind whom. Read-only, beside a server or not."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping

from bot.cli.patch.places import chosen, label, plain, quoted
from bot.cli.records import say
from bot.config import Settings
from layers.coordination import Known, LeaseState, Queued, look_queue
from layers.store import read_store

SHOWN_PATHS = 8


async def leases(parsed: argparse.Namespace, settings: Settings) -> int:
    """Tell of one workspace, or of every one."""
    async with read_store(settings.store_url) as store:
        spaces = [(one, await look_queue(store, one.id)) for one in await chosen(settings, store, parsed.workspace)]
    told: dict[str, object] = {"ok": True, "workspaces": [as_json(known, queue) for known, queue in spaces]}
    words = [line for known, queue in spaces for line in in_words(known, queue)]
    say(parsed, told, "\n".join(words) or "nobody holds a lease, and nobody waits for one")
    return 0


def as_json(known: Known, queue: Iterable[Queued]) -> Mapping[str, object]:
    """A workspace and its leases; `behind` names those that one waits behind."""
    return {
        "workspace": known.name or None,
        "id": known.id,
        "root": str(known.root),
        "leases": [
            {
                "id": one.lease.id,
                "state": one.lease.state.value,
                "is_over": one.left_s <= 0,
                "actor": one.lease.actor,
                "is_person": one.lease.is_person,
                "paths": list(one.lease.paths),
                "ticket": one.lease.ticket,
                "fence": one.lease.fence or None,
                "seconds_left": round(one.left_s, 1),
                "behind": list(one.behind),
            }
            for one in queue
        ],
    }


def in_words(known: Known, queue: tuple[Queued, ...]) -> Iterable[str]:
    """A line for each lease."""
    tickets = {one.lease.id: f"#{one.lease.ticket} {plain(one.lease.actor)}" for one in queue}
    for one in queue:
        lease = one.lease
        how = f"fence {lease.fence}" if lease.state is LeaseState.HELD else "waits"
        left = f"{one.left_s:.0f} s left" if one.left_s > 0 else "over, free for who asks next"
        after = f"  behind {', '.join(tickets[id] for id in one.behind)}" if one.behind else ""
        paths = " ".join(map(quoted, lease.paths[:SHOWN_PATHS]))
        more = f" and {len(lease.paths) - SHOWN_PATHS} more" if len(lease.paths) > SHOWN_PATHS else ""
        yield f"{label(known)}  {tickets[lease.id]}  {lease.state.value}  {how}  {left}  {paths}{more}{after}"
