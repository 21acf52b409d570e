"""What waits for a decision, which accounts are in trouble, which models there are: for who shows it at one glance."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

from bot.adapters.ports import Overview, Waiting
from bot.dispatcher.diffs import as_view
from bot.dispatcher.models import DAYS, MOST_ROWS, obeys, summed
from bot.web import ModelLine
from layers import control, coordination
from layers.routing import Ledger, Router
from layers.store import Store
from layers.types import Address

LISTED = 100


async def overview(store: Store) -> Overview:
    """As it is now; the longest waiting first."""
    waiting = []
    for approval in (await store.run(control.pending))[:LISTED]:
        row = await store.fetch_one(
            "transport.reference", conversation_id=approval.conversation_id, key=f"a{approval.id}"
        )
        waiting.append(
            Waiting(
                title=approval.plan.title,
                address=Address.parse(approval.conversation_id),
                reference=row["reference"] if row else "",
                risk=approval.plan.risk,
                expires_at=approval.expires_at,
            )
        )
    accounts = await store.fetch_all("transport.accounts")
    troubles = (f"{row['channel']} is {row['state']}: {row['reason']}" for row in accounts if row["state"] != "healthy")
    return Overview(waiting=tuple(waiting), accounts=tuple(troubles))


async def patch_view(store: Store, proposal: str) -> Mapping[str, object] | None:
    """A proposal as the page shows it, with the request about it; None where there is none."""
    row = await store.fetch_one("bot.proposal", id=proposal)
    if row is None or row["id"] != proposal:
        return None
    kept = await store.run(coordination.by_id, proposal)
    view = await asyncio.to_thread(as_view, kept)
    request = await store.run(control.by_id, row["request"]) if row["request"] else None
    return {
        **view,
        "state": row["state"],
        "request": request.id if request else "",
        "is_pending": request is not None and request.state is control.State.PENDING,
        "conversation": request.conversation_id if request else "",
    }


async def model_lines(router: Router, store: Store) -> list[ModelLine]:
    """The models with what the ledger knows; those that were asked most come first."""
    now, ledger = time.time(), Ledger(store)
    beliefs, calls = await ledger.beliefs(now), summed(await ledger.spend("model", now, DAYS))
    lines = []
    for model in await router.models():
        total = calls.get(model.name)
        lines.append(
            ModelLine(
                name=model.name,
                tier=model.tier.value,
                is_local=model.is_local,
                calls=total.calls if total else 0,
                failures=total.failures if total else 0,
                usd=total.usd if total else 0.0,
                unpriced=total.unpriced if total else 0,
                obeys=obeys(model.name, beliefs),
            )
        )
    return sorted(lines, key=lambda line: -line.calls)[:MOST_ROWS]
