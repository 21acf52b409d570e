"""From an action to its plan, against the world as it is now; and whether the world is still that of a plan.

`rules.plan` is the pure part. Here the manifest and the programs are read again from the disk, and a manifest's
`plan_argv` is run, read-only, in the sandbox that the real run gets.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import fields, replace

from layers.control.catalog import Catalog
from layers.control.manifest import as_text
from layers.control.rules import plan
from layers.control.types import OWN_RISKS, Action, Outcome, Plan, digest_of
from layers.errors import BulkheadError, Refused
from layers.types import AGENT

EVIDENCE_CHARS = 2000
"""So much of what a dry run printed is on the card; its digest is of everything."""
WORDS = {
    "manifest_digest": "its manifest",
    "programs": "a program that it runs",
    "evidence": "what its dry run shows",
    "evidence_digest": "what its dry run shows",
}
Run = Callable[[str, Plan], Awaitable[Outcome]]
"""Runs a plan of risk 0 under a name: `Executor.run` with a warrant for it."""


class Planner:
    """Makes plans, and makes them again."""

    def __init__(self, catalog: Catalog, run: Run) -> None:
        self._catalog = catalog
        self._run = run

    async def make(self, action: Action, permit: Callable[[Plan], object] = lambda _: None) -> Plan:
        """What `action` would run, exactly, and what its dry run says. `permit` is asked before that is run.

        Raises:
            Refused: as `rules.plan`, or by `permit`; or the manifest changed since the start; or the dry run failed.
            Unavailable, Misconfigured: there was no way to make the dry run.
        """
        known = self._catalog.find(action.capability)
        made = await self._make(action, permit)
        if made.manifest_digest != known.digest:
            raise Refused(f"the manifest of {action.capability} changed since the start; restart Bulkhead to take it")
        return made

    async def drift(self, shown: Plan) -> str:
        """Why running it now would not be what was shown; empty when it would."""
        if shown.capability in OWN_RISKS:
            return ""
        texts = {name: as_text(value) for name, value in shown.parameters.items()}
        try:
            again = await self._make(Action(capability=shown.capability, parameters=texts, requested_by=AGENT))
        except BulkheadError as error:
            return f"it cannot be planned again as it was shown ({error}); ask again"
        changed = [field.name for field in fields(Plan) if getattr(shown, field.name) != getattr(again, field.name)]
        what = dict.fromkeys(WORDS.get(name, name) for name in changed)
        return f"{' and '.join(what)} changed after this card was shown; ask again" if what else ""

    async def _make(self, action: Action, permit: Callable[[Plan], object] = lambda _: None) -> Plan:
        catalog = await asyncio.to_thread(self._catalog.renewed, action.capability)
        made = plan(catalog, action)
        permit(made)
        codes = catalog.find(action.capability).manifest.plan_exit_codes
        return await self._with_evidence(made, codes) if made.dry_run else made

    async def _with_evidence(self, made: Plan, codes: tuple[int, ...]) -> Plan:
        outcome = await self._run(f"d{secrets.token_hex(12)}", dry_run_of(made))
        if outcome.exit_code not in codes or outcome.reason:
            said = outcome.reason or f"exit code {outcome.exit_code}"
            end = " ".join(outcome.output.split())[-300:]
            raise Refused(f"the dry run of {made.capability} failed ({said}), so nothing was asked: {end}")
        digest = digest_of(f"{outcome.exit_code}\n{outcome.output}")
        return replace(made, evidence=outcome.output[:EVIDENCE_CHARS], evidence_digest=digest)


def dry_run_of(made: Plan) -> Plan:
    """The plan of a plan's own dry run. Nobody approved it: it writes nothing, and has neither network nor secrets."""
    return replace(
        made,
        title=f"Dry run: {made.title}",
        argv=made.dry_run,
        dry_run=(),
        probe=(),
        risk=0,
        network="none",
        secrets=(),
        is_workspace_writable=False,
        is_idempotent=True,
    )
