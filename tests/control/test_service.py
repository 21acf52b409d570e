"""Requests, decisions and outcomes, on both databases."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import random
from pathlib import Path

import pytest

from layers.control import (
    Approval,
    Catalog,
    Context,
    Outcome,
    Pending,
    Plan,
    Proof,
    Rules,
    State,
    approval_of,
    by_id,
    claim,
    conclude,
    expire,
    patch_plan,
    pending,
    plan,
    request,
    verify_store,
)
from layers.errors import Refused
from layers.store import Store, Tx
from layers.types import AGENT
from tests.control.conftest import GUEST, OWNER, action, press, rules_of


async def trail(store: Store) -> list[str]:
    rows = await store.fetch_all("control.audit_page", after=0, last=10**6, limit=10**6)
    return [json.loads(row["body"])["action"] for row in rows]


def write(tx: Tx, sql: str, **values: object) -> None:
    """Tamper: what somebody with the database in hand could do."""
    connection = tx._connection  # type: ignore[attr-defined]
    if tx.dialect == "postgresql":
        for name in values:
            sql = sql.replace(f":{name}", f"%({name})s")
    connection.execute(sql, values)


async def approved(store: Store, plan: Plan, context: Context) -> Approval:
    asked = await store.run(request, plan, context)
    decision = await store.run(press, asked.handle, "approve", OWNER, context.rules)
    assert not decision.refused
    assert decision.approval is not None
    return decision.approval


async def test_the_whole_way_from_request_to_outcome(store: Store, note: Plan, context: Context, rules: Rules) -> None:
    asked = await store.run(request, note, context)
    assert asked.approval.state is State.PENDING
    assert asked.approval.plan == note
    assert [waiting.id for waiting in await store.run(pending)] == [asked.approval.id]
    decision = await store.run(press, asked.handle, "approve", OWNER, rules)
    assert decision.refused == ""
    taken = await store.run(claim, asked.approval.id, rules)
    assert taken.approval is not None
    assert taken.approval.plan == note
    done = Outcome(state=State.SUCCEEDED, exit_code=0, duration_s=0.1, output="hi", profile="bwrap")
    ended = await store.run(conclude, taken.approval.run_id, done)
    assert (ended.approval.state, ended.approval.outcome, ended.handle) == (State.SUCCEEDED, done, "")
    assert ended.approval.decided_by == "owner"
    again = await store.run(conclude, taken.approval.run_id, done)
    assert again.approval == ended.approval
    assert await trail(store) == ["request", "approve", "claim", "succeed"]
    assert (await verify_store(store)).ok


async def test_only_the_hash_of_a_handle_is_stored(store: Store, note: Plan, context: Context) -> None:
    asked = await store.run(request, note, context)
    row = await store.fetch_one("control.approval", id=asked.approval.id)
    assert row is not None
    assert asked.handle not in json.dumps(dict(row))
    assert len(asked.handle) == 22


async def test_a_second_press_is_told_who_decided_and_when(
    store: Store, note: Plan, context: Context, rules: Rules
) -> None:
    asked = await store.run(request, note, context)
    await store.run(press, asked.handle, "deny", OWNER, rules)
    second = await store.run(press, asked.handle, "approve", OWNER, rules)
    assert second.approval is not None
    assert second.approval.state is State.DENIED
    assert second.refused.startswith("already decided: owner at 20")
    assert second.refused.endswith("; it is denied")
    assert await trail(store) == ["request", "deny", "refused"]


async def test_a_press_by_somebody_else_is_refused_and_leaves_it_decidable(
    store: Store, note: Plan, context: Context, rules: Rules
) -> None:
    asked = await store.run(request, note, context)
    for person in (GUEST, AGENT):
        for verb in ("approve", "deny"):
            assert (await store.run(press, asked.handle, verb, person, rules)).refused
    assert (await store.run(press, asked.handle, "approve", OWNER, rules)).refused == ""
    assert await trail(store) == ["request", *["refused"] * 4, "approve"]


@pytest.mark.parametrize("verb", ["approve", "happened", "claim", "succeed", "", "x" * 100])
async def test_a_handle_or_verb_nobody_made_decides_nothing(
    store: Store, note: Plan, context: Context, rules: Rules, verb: str
) -> None:
    asked = await store.run(request, note, context)
    made_up = await store.run(press, "A" * 22, verb, OWNER, rules)
    assert "belongs to no request" in made_up.refused
    if verb != "approve":
        assert (await store.run(press, asked.handle, verb, OWNER, rules)).refused
    assert (await store.run(by_id, asked.approval.id)).state is State.PENDING


async def test_without_an_approver_a_request_is_refused_at_once(
    store: Store, note: Plan, context: Context, catalog: Catalog
) -> None:
    with pytest.raises(Refused, match="none is set"):
        await store.run(request, note, dataclasses.replace(context, rules=rules_of(catalog)))
    assert await store.run(pending) == []


async def test_an_expired_request_cannot_be_approved_and_becomes_expired(
    store: Store, note: Plan, context: Context, rules: Rules
) -> None:
    asked = await store.run(request, note, dataclasses.replace(context, expires_after_s=-1.0))
    late = await store.run(press, asked.handle, "approve", OWNER, rules)
    assert "expired at" in late.refused
    assert late.approval is not None
    assert late.approval.state is State.EXPIRED
    assert await store.run(expire) == []


async def test_the_sweep_expires_what_is_due_and_only_that(
    store: Store, note: Plan, context: Context, rules: Rules
) -> None:
    due = await store.run(request, note, dataclasses.replace(context, expires_after_s=-1.0))
    later = await store.run(request, note, context)
    assert [gone.id for gone in await store.run(expire)] == [due.approval.id]
    assert [waiting.id for waiting in await store.run(pending)] == [later.approval.id]
    assert "ask again" in (await store.run(press, due.handle, "approve", OWNER, rules)).refused


async def test_a_plan_changed_behind_the_card_is_refused(
    store: Store, note: Plan, context: Context, rules: Rules
) -> None:
    asked = await store.run(request, note, context)
    evil = dataclasses.replace(note, argv=("/bin/evil",))
    await store.run(write, "UPDATE approval SET plan = :plan", plan=evil.canonical)
    assert "was changed after it was shown" in (await store.run(press, asked.handle, "approve", OWNER, rules)).refused
    assert (await store.run(claim, asked.approval.id, rules)).refused
    await store.run(write, "UPDATE approval SET plan = :plan", plan="{}")
    assert "stored plan" in (await store.run(press, asked.handle, "approve", OWNER, rules)).refused
    assert await store.run(pending) == []


async def test_a_plan_changed_after_the_approval_is_withdrawn_not_run(
    store: Store, note: Plan, context: Context, rules: Rules
) -> None:
    ready = await approved(store, note, context)
    evil = dataclasses.replace(note, argv=("/bin/evil",))
    await store.run(write, "UPDATE approval SET plan = :plan", plan=evil.canonical)
    assert "was changed" in (await store.run(claim, ready.id, rules)).refused
    assert (await store.run(by_id, ready.id)).state is State.INVALIDATED


async def test_a_manifest_changed_since_the_card_stops_it_before_and_after_the_approval(
    store: Store, home: Path, workspace: Path, note: Plan, context: Context, rules: Rules
) -> None:
    asked = await store.run(request, note, context)
    ready = await approved(store, note, dataclasses.replace(context, conversation_id="web:other"))
    file = home / "capabilities" / "workspace.write-note.toml"
    file.write_text(file.read_text() + "\n# changed\n")
    now = rules_of(Catalog.load(home / "capabilities", workspace), OWNER)
    assert (
        "manifest of workspace.write-note changed"
        in (await store.run(press, asked.handle, "approve", OWNER, now)).refused
    )
    assert "manifest of workspace.write-note changed" in (await store.run(claim, ready.id, now)).refused


async def test_an_approval_whose_giver_lost_the_right_is_invalidated_not_run(
    store: Store, note: Plan, context: Context, catalog: Catalog
) -> None:
    ready = await approved(store, note, context)
    assert "may no longer approve" in (await store.run(claim, ready.id, rules_of(catalog, GUEST))).refused
    assert (await store.run(by_id, ready.id)).state is State.INVALIDATED


async def test_a_lone_approvers_own_request_counts_only_with_its_proofs(
    store: Store, risky: Catalog, context: Context
) -> None:
    rules = rules_of(risky, OWNER)
    asked = await store.run(request, plan(risky, action("test.risky")), dataclasses.replace(context, rules=rules))
    bare = await store.run(press, asked.handle, "approve", OWNER, rules)
    assert "also needs: number match, passphrase" in bare.refused
    proven = frozenset({Proof.NUMBER_MATCH, Proof.PASSPHRASE})
    assert (await store.run(press, asked.handle, "approve", OWNER, rules, proven)).refused == ""
    body = json.loads((await store.fetch_all("control.audit_page", after=2, last=9, limit=9))[0]["body"])
    assert body["details"]["solo"] is True
    assert body["details"]["policies"] == ["approvers-decide"]


async def test_what_the_policy_forbids_to_ask_is_never_written(
    store: Store, note: Plan, context: Context, rules: Rules
) -> None:
    guests = tuple(dataclasses.replace(member, is_external=True) for member in rules.people)
    shut = dataclasses.replace(context, rules=dataclasses.replace(rules, people=guests))
    with pytest.raises(Refused, match="guests and people of other workspaces change nothing"):
        await store.run(request, note, shut)
    assert await store.run(pending) == []


async def test_of_many_presses_at_once_exactly_one_decides(
    store: Store, note: Plan, context: Context, rules: Rules
) -> None:
    generator = random.Random(7)
    for number in range(5):
        asked = await store.run(request, dataclasses.replace(note, title=f"Note {number}"), context)
        verbs = [generator.choice(["approve", "deny"]) for _ in range(24)]
        decisions = await asyncio.gather(*(store.run(press, asked.handle, verb, OWNER, rules) for verb in verbs))
        won = [verb for verb, decision in zip(verbs, decisions, strict=True) if not decision.refused]
        assert won in (["approve"], ["deny"]) or sorted(won) == ["approve", "deny"], "a Deny may win until the claim"
        ended = await store.run(by_id, asked.approval.id)
        assert ended.state is (State.DENIED if "deny" in won else State.APPROVED)
        assert all("already decided: owner" in d.refused for d in decisions if d.refused)
    assert (await verify_store(store)).ok


async def test_of_many_claims_at_once_exactly_one_wins(
    store: Store, note: Plan, context: Context, rules: Rules
) -> None:
    ready = await approved(store, note, context)
    claims = await asyncio.gather(*(store.run(claim, ready.id, rules) for _ in range(16)))
    assert sum(not taken.refused for taken in claims) == 1
    assert (await trail(store)).count("claim") == 1


async def lost(store: Store, plan: Plan, context: Context) -> Pending:
    ready = await approved(store, plan, context)
    await store.run(claim, ready.id, context.rules)
    return await store.run(conclude, ready.run_id, Outcome(state=State.UNKNOWN, reason="nobody saw"), context.rules)


@pytest.mark.parametrize(
    ("verb", "after"),
    [("happened", State.SUCCEEDED), ("cancel", State.CANCELLED), ("rerun", State.APPROVED)],
)
async def test_an_unknown_outcome_is_settled_once_by_an_approver(
    store: Store, note: Plan, context: Context, rules: Rules, verb: str, after: State
) -> None:
    asked = await lost(store, note, context)
    assert asked.approval.state is State.UNKNOWN
    assert asked.handle
    assert (await store.run(press, asked.handle, verb, GUEST, rules)).refused
    assert (await store.run(press, asked.handle, "approve", OWNER, rules)).refused
    settled = await store.run(press, asked.handle, verb, OWNER, rules)
    assert settled.refused == ""
    assert settled.approval is not None
    assert settled.approval.state is after
    assert (await store.run(press, asked.handle, verb, OWNER, rules)).refused


async def test_running_again_is_a_new_attempt_with_a_claim_of_its_own(
    store: Store, note: Plan, context: Context, rules: Rules
) -> None:
    asked = await lost(store, note, context)
    await store.run(press, asked.handle, "rerun", OWNER, rules)
    second = (await store.run(claim, asked.approval.id, rules)).approval
    assert second is not None
    assert second.run_id == f"{asked.approval.id}-2"
    late = await store.run(conclude, asked.approval.run_id, Outcome(state=State.FAILED))
    assert late.approval.state is State.CLAIMED
    ended = await store.run(conclude, second.run_id, Outcome(state=State.SUCCEEDED, exit_code=0))
    assert ended.approval.state is State.SUCCEEDED


async def test_an_outcome_of_what_was_never_claimed_is_refused(store: Store, note: Plan, context: Context) -> None:
    asked = await store.run(request, note, context)
    with pytest.raises(Refused, match="cannot succeed an approval that is pending"):
        await store.run(conclude, asked.approval.run_id, Outcome(state=State.SUCCEEDED))


async def test_a_patch_goes_the_same_way(store: Store, context: Context, rules: Rules) -> None:
    proposal = patch_plan("/w", {"proposal": "p1", "base_tree": "aa", "result_tree": "bb", "diff": "+x\n"})
    ready = await approved(store, proposal, context)
    assert (await store.run(claim, ready.id, rules)).refused == ""
    row = await store.fetch_one("control.approval", id=ready.id)
    assert row is not None
    assert row["kind"] == "patch"
    assert approval_of(row).plan == proposal


async def test_an_id_nobody_made_is_refused(store: Store, rules: Rules) -> None:
    with pytest.raises(Refused, match="no request has the id 'nope'"):
        await store.run(by_id, "nope")
    assert "nothing runs" in (await store.run(claim, "nope", rules)).refused


async def test_a_request_that_fails_leaves_no_audit_entry(store: Store, catalog: Catalog, context: Context) -> None:
    made = plan(catalog, action("workspace.make", target="all"))

    def fail(tx: Tx) -> None:
        request(tx, made, context)
        raise Refused("the turn was lost")

    with pytest.raises(Refused):
        await store.run(fail)
    assert await trail(store) == []
    assert await store.run(pending) == []
