"""Somebody who can edit every row of the main database, and has no key: nothing of it gets anything run."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from layers.control import Approval, Catalog, Context, Executor, Plan, Rules, by_id, claim, plan, request
from layers.errors import Refused
from layers.store import Store, Tx
from tests.control.conftest import OWNER, action, press
from tests.control.test_service import write


async def approved_row(store: Store, made: Plan, context: Context, rules: Rules) -> Approval:
    asked = await store.run(request, made, context)
    decision = await store.run(press, asked.handle, "approve", OWNER, rules)
    assert decision.approval is not None, decision.refused
    return decision.approval


def evil_twin(made: Plan) -> Plan:
    return dataclasses.replace(made, argv=("/usr/bin/touch", "owned"))


async def swap_plan(store: Store, id: str, twin: Plan) -> None:
    await store.run(
        write, "UPDATE approval SET plan = :plan, digest = :digest WHERE id = :id",
        plan=twin.canonical, digest=twin.digest, id=id,
    )  # fmt: skip


async def test_a_plan_and_its_digest_changed_together_before_the_press_are_seen(
    store: Store, note: Plan, context: Context, rules: Rules
) -> None:
    asked = await store.run(request, note, context)
    await swap_plan(store, asked.approval.id, evil_twin(note))
    refused = (await store.run(press, asked.handle, "approve", OWNER, rules)).refused
    assert "changed in the database after it was shown" in refused
    assert (await store.run(by_id, asked.approval.id)).warrant == ""


async def test_a_plan_and_its_digest_changed_together_after_the_press_do_not_run(
    store: Store, catalog: Catalog, context: Context, rules: Rules, home: Path, workspace: Path
) -> None:
    made = plan(catalog, action("workspace.write-note", name="a", text="b"))
    ready = await approved_row(store, made, context, rules)
    await swap_plan(store, ready.id, evil_twin(made))
    assert not (await store.run(claim, ready.id, rules)).refused  # the database alone cannot tell
    forgery = await store.run(by_id, ready.id)
    executor = Executor(home, workspace)
    with pytest.raises(Refused, match="another plan"):
        await executor.run(forgery.run_id, forgery.plan, forgery.warrant)
    assert not (workspace / "owned").exists()
    await executor.close()


Forge = Callable[[Tx, Approval, Approval], None]


def flip_state(tx: Tx, pending: Approval, _other: Approval) -> None:
    write(
        tx, "UPDATE approval SET state = 'approved', decided_by = 'owner', decided_at = 1 WHERE id = :id", id=pending.id
    )


def borrow_warrant(tx: Tx, pending: Approval, other: Approval) -> None:
    flip_state(tx, pending, other)
    write(tx, "UPDATE approval SET warrant = :warrant WHERE id = :id", warrant=other.warrant, id=pending.id)


def count_up(tx: Tx, pending: Approval, other: Approval) -> None:
    borrow_warrant(tx, pending, other)
    write(tx, "UPDATE approval SET attempt = 2 WHERE id = :id", id=pending.id)


@pytest.mark.parametrize("forge", [flip_state, borrow_warrant, count_up])
async def test_an_approval_written_into_the_database_does_not_run(
    store: Store, context: Context, rules: Rules, home: Path, workspace: Path, forge: Forge, note: Plan
) -> None:
    asked = await store.run(request, note, context)
    other = await approved_row(store, note, dataclasses.replace(context, conversation_id="web:other"), rules)
    await store.run(forge, asked.approval, other)
    assert not (await store.run(claim, asked.approval.id, rules)).refused
    forgery = await store.run(by_id, asked.approval.id)
    executor = Executor(home, workspace)
    with pytest.raises(Refused, match="nothing was run"):
        await executor.run(forgery.run_id, forgery.plan, forgery.warrant)
    assert not (workspace / "notes").exists()
    await executor.close()


async def test_a_button_moved_to_another_request_in_the_database_approves_nothing(
    store: Store, note: Plan, context: Context, rules: Rules
) -> None:
    harmless = await store.run(request, note, context)
    evil = await store.run(request, evil_twin(note), context)

    def swap(tx: Tx) -> None:
        write(
            tx,
            "UPDATE approval_card SET approval_id = :evil, message_key = :key WHERE approval_id = :harmless",
            evil=evil.approval.id,
            key=f"a{evil.approval.id}",
            harmless=harmless.approval.id,
        )

    await store.run(swap)
    refused = (await store.run(press, harmless.handle, "approve", OWNER, rules)).refused
    assert "changed in the database after it was shown" in refused


async def test_a_requester_rewritten_in_the_database_does_not_get_past_four_eyes(
    store: Store, note: Plan, context: Context, rules: Rules
) -> None:
    asked = await store.run(request, note, context)
    await store.run(write, "UPDATE approval SET requested_by = 'guest'")
    assert "changed in the database" in (await store.run(press, asked.handle, "approve", OWNER, rules)).refused
