"""Runs that no person approves: what only observes, and the dry runs of what is asked for. Each has a warrant all the
same, signed for this one plan.
"""

from __future__ import annotations

import time
from functools import partial

from bot.dispatcher.parts import Parts
from layers import control
from layers.errors import Refused


async def observe(parts: Parts, run_id: str, plan: control.Plan, policy: str = "") -> control.Outcome:
    """Run a plan of risk 0. `policy` is the sha256 of the one that let it through.

    Raises:
        Refused: it changes something.
        Unavailable, Misconfigured: the executor could not be asked.
    """
    if plan.risk != 0 or plan.is_workspace_writable:
        raise Refused(f"{plan.capability} does not only observe, so a person has to approve it")
    warrant = control.warrant_for(run_id, plan, now=time.time(), policy=policy)
    return await parts.executor.run(run_id, plan, control.sign_warrant(parts.signer, warrant))


def planner_of(parts: Parts) -> control.Planner:
    """What makes plans here."""
    return control.Planner(parts.catalog, partial(observe, parts))
