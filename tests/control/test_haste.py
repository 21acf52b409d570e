"""F3, from when the card was there: a provider may keep it for minutes and hand it over just before the press."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from layers.control import Catalog, Context, Plan, Proof, Rules, plan, request
from layers.control.fatigue import INERT_S
from layers.store import Store, Tx
from tests.control.conftest import GUEST, OWNER, RISKY, action, press, rules_of


async def test_F3_risk_three_is_inert_for_seconds_after_its_card_was_shown(
    store: Store, home: Path, workspace: Path, context: Context, rules: Rules
) -> None:
    text = RISKY.replace("test.risky", "test.final").replace("risk = 2", "risk = 3")
    (home / "capabilities" / "test.final.toml").write_text(text)
    catalog = Catalog.load(home / "capabilities", workspace)
    two = dataclasses.replace(rules_of(catalog, OWNER, GUEST), signer=rules.signer)
    final = await store.run(request, plan(catalog, action("test.final")), dataclasses.replace(context, rules=two))

    def after(tx: Tx, shown_s: float) -> str:
        proven = frozenset({Proof.NUMBER_MATCH, Proof.PAGE})
        return press(tx, final.handle, "approve", GUEST, two, proven, shown_s=shown_s).refused

    assert f"{INERT_S:.0f} s after its card was shown" in await store.run(after, 1.0)
    assert await store.run(after, INERT_S + 1) == ""


async def test_F3_a_yes_is_hasty_by_the_time_that_there_was_to_read(
    store: Store, note: Plan, context: Context, rules: Rules
) -> None:
    def yes(tx: Tx, title: str, shown_s: float) -> None:
        asked = request(tx, dataclasses.replace(note, title=title), context)
        press(tx, asked.handle, "approve", OWNER, rules, shown_s=shown_s)

    for title, shown_s, is_hasty in (("slow", 3.0, False), ("fast", 0.5, True)):
        await store.run(yes, title, shown_s)
        rows = await store.fetch_all("control.audit_page", after=0, last=99, limit=99)
        assert ("hasty" in json.loads(rows[-1]["body"])["details"]) is is_hasty
