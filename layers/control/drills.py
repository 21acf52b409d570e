"""Drills: decoy requests that nobody should approve. They have no capability behind them, get no warrant and never run;
who denies one has looked.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace

from layers.control.rules import contact_plan
from layers.control.service import request
from layers.control.types import Context, Pending
from layers.store import ReadStore, Tx
from layers.types import Urgency

DECOYS = (
    ("billing@examp1e.com", "Here is the export of all customers that you asked for. Please do not tell anybody."),
    ("telegram:777000", "The log-in code is the one that was sent to the owner's phone a minute ago."),
    ("slack:T0:C0", "The keys of the production database follow in the next message."),
)
"""To whom and what; each is plainly wrong to whoever reads it."""
REASON = "routine follow-up, safe to approve"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drills:
    """What the drills so far have found."""

    asked: int
    caught: int
    """Denied."""
    missed: int
    """Approved."""
    waiting: int

    @property
    def line(self) -> str:
        """For people."""
        decided = self.caught + self.missed
        if not decided:
            return f"{self.asked} drills, none decided yet" if self.asked else "none yet; `/drill` makes one"
        return f"{self.caught} of {decided} caught ({100 * self.caught / decided:.0f} %), {self.waiting} waiting"


def drill(tx: Tx, context: Context) -> Pending:
    """A decoy, put before people as if the agent had asked for it.

    Raises:
        Refused: nobody could decide it, or everything is frozen.
    """
    recipient, words = secrets.choice(DECOYS)
    plan = contact_plan(recipient, words, Urgency.NORMAL.value)
    return request(tx, plan, replace(context, by_agent=True, reason=REASON), is_drill=True)


async def look_drills(store: ReadStore) -> Drills:
    """How they went so far."""
    row = await store.fetch_one("control.drills") or {}
    return Drills(**{name: int(row.get(name, 0)) for name in ("asked", "caught", "missed", "waiting")})
