"""What waits for a decision and which accounts are in trouble, for whoever shows that at one glance."""

from __future__ import annotations

from bot.adapters.ports import Overview, Waiting
from layers import control
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
