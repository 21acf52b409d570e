"""Attacks on decisions: who pressed, from where, how often, in which order, and on whose nerves. On both databases."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from pathlib import Path

import pytest

from layers.control import (
    Catalog,
    Click,
    Context,
    Pending,
    Plan,
    Proof,
    Rules,
    State,
    by_id,
    cancel,
    claim,
    decide,
    drill,
    expire,
    give,
    look_drills,
    pending,
    plan,
    request,
    revoke,
    set_freeze,
    verify_store,
)
from layers.control.fatigue import INERT_S
from layers.errors import Refused
from layers.store import Store, Tx
from layers.types import AGENT, Person
from tests.control.conftest import GUEST, OWNER, action, press, rules_of
from tests.control.test_service import write

THIRD = Person(id="third", name="Theo Third")
NUMBER = frozenset({Proof.NUMBER_MATCH})
TWO = """
id = "test.two"
title = "Two"
description = "Needs two."
scope = "test"
risk = 1
approvals = 2
argv = ["true"]
"""
FINAL = TWO.replace("test.two", "test.final").replace("risk = 1\napprovals = 2", "risk = 3")


@pytest.fixture
def several(home: Path, workspace: Path, risky: Catalog) -> Catalog:
    (home / "capabilities" / "test.two.toml").write_text(TWO)
    (home / "capabilities" / "test.final.toml").write_text(FINAL)
    return Catalog.load(home / "capabilities", workspace)


def of(catalog: Catalog, signed: Rules, *people: Person) -> Rules:
    return dataclasses.replace(rules_of(catalog, *people), signer=signed.signer)


def click(asked: Pending, **changes: object) -> Click:
    values = {"handle": asked.handle, "verb": "approve", "conversation_id": "web:main", "key": f"a{asked.approval.id}"}
    return Click(**{**values, **changes})  # type: ignore[arg-type]


async def state(store: Store, asked: Pending) -> State:
    return (await store.run(by_id, asked.approval.id)).state


async def actions(store: Store) -> list[str]:
    rows = await store.fetch_all("control.audit_page", after=0, last=10**6, limit=10**6)
    return [json.loads(row["body"])["action"] for row in rows]


ELSEWHERE = [
    {"conversation_id": "web:other"},
    {"conversation_id": "telegram:-100"},
    {"conversation_id": "slack:T2/C1"},
    {"conversation_id": ""},
    {"key": "a0000000000000000"},
    {"key": "?"},
]


@pytest.mark.parametrize("place", ELSEWHERE, ids=str)
async def test_A10_B16_D15_a_press_from_anywhere_but_its_card_is_refused_and_leaves_it_pending(
    store: Store, note: Plan, context: Context, rules: Rules, place: dict[str, str]
) -> None:
    asked = await store.run(request, note, context)
    refused = await store.run(decide, click(asked, **place), OWNER, rules)
    assert "not pressed where its card was delivered" in refused.refused
    assert await state(store, asked) is State.PENDING
    assert await actions(store) == ["request", "refused"]
    assert (await store.run(decide, click(asked), OWNER, rules)).refused == ""


@pytest.mark.parametrize("handle", ["", "0", "1", "main", "A" * 22, "../../x", "' OR 1=1 --"])
async def test_A6_A7_a_handle_that_was_never_sent_decides_nothing(
    store: Store, note: Plan, context: Context, rules: Rules, handle: str
) -> None:
    asked = await store.run(request, note, context)
    for guess in (handle, asked.approval.id, asked.approval.digest):
        assert (await store.run(decide, click(asked, handle=guess), OWNER, rules)).approval is None
    assert await state(store, asked) is State.PENDING


async def test_A7_no_two_handles_are_alike_and_none_is_kept(store: Store, note: Plan, context: Context) -> None:
    handles = set()
    for number in range(20):
        asked = await store.run(request, dataclasses.replace(note, title=f"N{number}"), context)
        handles.add(asked.handle)
    rows = await store.run(lambda tx: tx.all("control.cards", approval_id=asked.approval.id))
    assert len(handles) == 20
    assert all(len(handle) == 22 for handle in handles)
    assert asked.handle not in str(rows)


async def test_B3_B4_B15_being_where_the_card_is_makes_nobody_an_approver(
    store: Store, note: Plan, context: Context, rules: Rules
) -> None:
    asked = await store.run(request, note, dataclasses.replace(context, requested_by=GUEST))
    for verb in ("approve", "deny"):
        assert (await store.run(decide, click(asked, verb=verb), GUEST, rules)).refused
    assert await state(store, asked) is State.PENDING


async def test_B8_one_person_counts_once_however_often_and_on_whichever_account(
    store: Store, several: Catalog, context: Context, rules: Rules
) -> None:
    three = of(several, rules, OWNER, GUEST, THIRD)
    asked = await store.run(request, plan(several, action("test.two")), dataclasses.replace(context, rules=three))
    assert (await store.run(press, asked.handle, "approve", GUEST, three)).refused == ""
    assert "approved this already" in (await store.run(press, asked.handle, "approve", GUEST, three)).refused
    assert await state(store, asked) is State.PENDING
    assert (await store.run(claim, asked.approval.id, three)).refused
    assert (await store.run(press, asked.handle, "approve", THIRD, three)).refused == ""
    done = await store.run(by_id, asked.approval.id)
    assert (done.state, done.said_yes) == (State.APPROVED, ("guest", "third"))


async def test_B8_a_yes_written_into_the_database_does_not_count(
    store: Store, several: Catalog, context: Context, rules: Rules
) -> None:
    two = of(several, rules, OWNER, GUEST)
    asked = await store.run(request, plan(several, action("test.two")), dataclasses.replace(context, rules=two))
    await store.run(write, "UPDATE approval SET said_yes = :yes", yes='{"guest": "00"}')
    await store.run(press, asked.handle, "approve", OWNER, two)
    assert await state(store, asked) is State.PENDING


async def test_B8_of_two_first_yes_at_once_none_is_lost(
    store: Store, several: Catalog, context: Context, rules: Rules
) -> None:
    two = of(several, rules, OWNER, GUEST)
    asked = await store.run(request, plan(several, action("test.two")), dataclasses.replace(context, rules=two))
    pressed = (store.run(press, asked.handle, "approve", person, two) for person in (OWNER, GUEST))
    assert not [one.refused for one in await asyncio.gather(*pressed) if one.refused]
    assert await state(store, asked) is State.APPROVED


async def test_B14_what_cannot_be_undone_is_not_approved_in_a_chat(
    store: Store, several: Catalog, context: Context, rules: Rules
) -> None:
    two = of(several, rules, OWNER, GUEST)
    chat = dataclasses.replace(context, rules=two, conversation_id="telegram:7", page="web:approvals")
    asked = await store.run(request, plan(several, action("test.final")), chat)
    await store.run(write, "UPDATE approval_card SET made_at = made_at - 60")
    assert "sign in to the page" in (await store.run(press, asked.handle, "approve", GUEST, two, NUMBER)).refused
    on_page = asked.copies["web:approvals"]
    assert on_page != asked.handle
    proven = NUMBER | {Proof.PAGE}
    assert (await store.run(press, on_page, "approve", GUEST, two, proven)).refused == ""


async def test_C1_C3_C6_the_same_press_again_is_told_who_decided(
    store: Store, note: Plan, context: Context, rules: Rules
) -> None:
    asked = await store.run(request, note, context)
    twice = await asyncio.gather(*(store.run(press, asked.handle, "approve", OWNER, rules) for _ in range(8)))
    assert sum(not one.refused for one in twice) == 1
    assert (await actions(store)).count("approve") == 1


async def test_C2_of_approve_and_deny_at_once_a_deny_is_never_run(
    store: Store, note: Plan, context: Context, rules: Rules
) -> None:
    asked = await store.run(request, note, context)
    pressed = (store.run(press, asked.handle, verb, OWNER, rules) for verb in ("approve", "deny") * 4)
    await asyncio.gather(*pressed)
    assert await state(store, asked) is State.DENIED
    assert (await store.run(claim, asked.approval.id, rules)).refused


async def test_C4_C8_an_approval_is_claimed_once(store: Store, note: Plan, context: Context, rules: Rules) -> None:
    asked = await store.run(request, note, context)
    assert (await store.run(claim, asked.approval.id, rules)).refused
    await store.run(press, asked.handle, "approve", OWNER, rules)
    claims = await asyncio.gather(*(store.run(claim, asked.approval.id, rules) for _ in range(8)))
    assert sum(not one.refused for one in claims) == 1


async def test_C7_the_same_request_again_is_one_card(store: Store, note: Plan, context: Context) -> None:
    first = await store.run(request, note, context)
    again = await store.run(request, note, context)
    assert (again.is_new, again.handle, again.approval.id) == (False, "", first.approval.id)
    assert len(await store.run(pending)) == 1


async def test_C9_E1_E6_a_late_press_finds_it_expired_and_no_clock_revives_it(
    store: Store, note: Plan, context: Context, rules: Rules
) -> None:
    asked = await store.run(request, note, dataclasses.replace(context, expires_after_s=-1.0))
    await asyncio.gather(store.run(expire), store.run(press, asked.handle, "approve", OWNER, rules))
    assert await state(store, asked) is State.EXPIRED
    await store.run(write, "UPDATE approval SET expires_at = expires_at + 99999")
    assert (await store.run(press, asked.handle, "approve", OWNER, rules)).refused
    assert (await actions(store)).count("expire") == 1


async def test_E4_E9_what_was_cancelled_is_neither_approved_nor_run(
    store: Store, note: Plan, context: Context, rules: Rules
) -> None:
    asked = await store.run(request, note, context)
    assert (await store.run(cancel, asked.approval.id, GUEST, rules)).refused
    await store.run(press, asked.handle, "approve", OWNER, rules)
    assert (await store.run(cancel, asked.approval.id, OWNER, rules)).refused == ""
    done = await store.run(by_id, asked.approval.id)
    assert (done.state, done.warrant) == (State.CANCELLED, "")
    assert (await store.run(claim, asked.approval.id, rules)).refused
    assert "cancelled" in (await store.run(press, asked.handle, "approve", OWNER, rules)).refused


async def test_E8_a_deny_wins_until_the_claim_and_final_states_are_final(
    store: Store, note: Plan, context: Context, rules: Rules
) -> None:
    asked = await store.run(request, note, context)
    await store.run(press, asked.handle, "approve", OWNER, rules)
    assert (await store.run(press, asked.handle, "deny", OWNER, rules)).refused == ""
    assert (await store.run(by_id, asked.approval.id)).warrant == ""
    assert (await store.run(press, asked.handle, "approve", OWNER, rules)).refused
    assert await state(store, asked) is State.DENIED


async def test_E10_while_frozen_nothing_is_asked_approved_or_claimed(
    store: Store, note: Plan, context: Context, rules: Rules
) -> None:
    ready = await store.run(request, note, context)
    await store.run(press, ready.handle, "approve", OWNER, rules)
    other = await store.run(request, dataclasses.replace(note, title="Other"), context)
    for person in (GUEST, AGENT):
        with pytest.raises(Refused, match="may not freeze"):
            await store.run(lambda tx, who=person: set_freeze(tx, who, rules, on=True))
    assert await store.run(lambda tx: set_freeze(tx, OWNER, rules, on=True))
    assert "frozen" in (await store.run(press, other.handle, "approve", OWNER, rules)).refused
    with pytest.raises(Refused, match="frozen"):
        await store.run(request, dataclasses.replace(note, title="Third"), context)
    assert "frozen" in (await store.run(claim, ready.approval.id, rules)).refused
    assert await state(store, ready) is State.INVALIDATED


async def test_E10_a_freeze_that_cannot_be_read_is_a_freeze(store: Store, note: Plan, context: Context) -> None:
    await store.run(write, "DELETE FROM freezing")
    with pytest.raises(Refused, match="frozen"):
        await store.run(request, note, context)


async def test_E15_a_standing_grant_is_for_exactly_this_so_often_and_can_be_revoked(
    store: Store, note: Plan, context: Context, rules: Rules
) -> None:
    asking = dataclasses.replace(context, requested_by=GUEST)
    made = await store.run(give, note, OWNER, rules, 2, 60.0)
    other = dataclasses.replace(note, parameters={**note.parameters, "text": "else"})
    assert (await store.run(request, other, asking)).approval.state is State.PENDING
    first = await store.run(request, note, asking)
    assert (first.approval.state, first.approval.decided_by, first.handle) == (State.APPROVED, "owner", "")
    second = await store.run(request, note, asking)
    await store.run(revoke, made.id, OWNER, rules)
    assert "revoked" in (await store.run(claim, second.approval.id, rules)).refused
    assert (await store.run(request, note, asking)).approval.state is State.PENDING, "no use is left"
    for person in (GUEST, AGENT):
        with pytest.raises(Refused):
            await store.run(give, note, person, rules, 1, 60.0)


async def test_E15_a_grant_edited_in_the_database_or_run_out_approves_nothing(
    store: Store, note: Plan, context: Context, rules: Rules, several: Catalog
) -> None:
    await store.run(give, dataclasses.replace(note, parameters={"name": "x", "text": "y"}), OWNER, rules, 9, 60.0)
    real = json.dumps(dict(note.parameters), sort_keys=True, separators=(",", ":"))
    await store.run(write, "UPDATE standing_grant SET parameters = :real", real=real)
    assert (await store.run(request, note, context)).approval.state is State.PENDING
    final = plan(several, action("test.final"))
    with pytest.raises(Refused, match="cannot be granted"):
        await store.run(give, final, OWNER, of(several, rules, OWNER, GUEST), 1, 60.0)


async def test_F2_a_wrong_number_is_refused_and_the_second_one_denies(
    store: Store, several: Catalog, context: Context, rules: Rules
) -> None:
    two = of(several, rules, OWNER, GUEST)
    asked = await store.run(request, plan(several, action("test.risky")), dataclasses.replace(context, rules=two))
    row = await store.run(by_id, asked.approval.id)
    wrong = next(number for number in row.choices if number != row.number)
    assert len(set(row.choices)) == 3
    assert "number match" in (await store.run(decide, click(asked), GUEST, two)).refused
    assert "not the number" in (await store.run(decide, click(asked, number=wrong), GUEST, two)).refused
    assert await state(store, asked) is State.PENDING
    assert "denied" in (await store.run(decide, click(asked, number=wrong), GUEST, two)).refused
    assert await state(store, asked) is State.DENIED


async def test_F2_after_two_denials_the_same_is_not_asked_again(
    store: Store, note: Plan, context: Context, rules: Rules
) -> None:
    for _ in range(2):
        asked = await store.run(request, note, context)
        await store.run(press, asked.handle, "deny", OWNER, rules)
    with pytest.raises(Refused, match="just this was denied 2 times"):
        await store.run(request, note, context)
    assert (await store.run(request, dataclasses.replace(note, title="Other"), context)).is_new


async def test_F1_too_many_waiting_requests_are_refused(store: Store, note: Plan, context: Context) -> None:
    def flood(tx: Tx) -> None:
        for number in range(51):
            request(tx, dataclasses.replace(note, title=f"N{number}"), context)

    with pytest.raises(Refused, match="50 requests wait"):
        await store.run(flood)


async def test_F3_a_hasty_yes_is_marked_and_at_risk_three_refused(
    store: Store, note: Plan, several: Catalog, context: Context, rules: Rules
) -> None:
    asked = await store.run(request, note, context)
    await store.run(press, asked.handle, "approve", OWNER, rules)
    rows = await store.fetch_all("control.audit_page", after=0, last=99, limit=99)
    assert json.loads(rows[-1]["body"])["details"]["hasty"] is True
    two = of(several, rules, OWNER, GUEST)
    final = await store.run(request, plan(several, action("test.final")), dataclasses.replace(context, rules=two))
    proven = NUMBER | {Proof.PAGE}
    assert f"{INERT_S:.0f} s" in (await store.run(press, final.handle, "approve", GUEST, two, proven)).refused


async def test_F6_a_drill_never_runs_and_its_catch_rate_is_kept(store: Store, context: Context, rules: Rules) -> None:
    missed = await store.run(drill, context)
    assert (await store.run(press, missed.handle, "approve", OWNER, rules)).refused == ""
    assert (await store.run(by_id, missed.approval.id)).warrant == ""
    assert "drill" in (await store.run(claim, missed.approval.id, rules)).refused
    caught = await store.run(drill, context)
    await store.run(press, caught.handle, "deny", OWNER, rules)
    found = await look_drills(store)
    assert (found.asked, found.caught, found.missed) == (2, 1, 1)
    assert "1 of 2 caught (50 %)" in found.line


async def test_H5_a_decision_whose_audit_entry_fails_is_none(
    store: Store, note: Plan, context: Context, rules: Rules
) -> None:
    asked = await store.run(request, note, context)

    def broken(tx: Tx) -> None:
        press(tx, asked.handle, "approve", OWNER, rules)
        raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError):
        await store.run(broken)
    assert await state(store, asked) is State.PENDING
    assert (await verify_store(store)).ok
