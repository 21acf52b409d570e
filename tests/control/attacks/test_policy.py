"""Who decides: never the agent, a stranger, a guest or the asker; and no policy file can change that, or fail open."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
from pathlib import Path

import pytest

from bot.app import members_of
from bot.config import load_file
from layers.control import (
    APPROVER,
    Catalog,
    Context,
    Known,
    Member,
    Plan,
    PolicyFile,
    Proof,
    Rules,
    State,
    install_policy,
    load_policies,
    plan,
    request,
)
from layers.control import claim as take
from layers.control.cedar import SHIPPED, CedarPolicies
from layers.control.golden import check_golden, parse_golden
from layers.control.policy import Act, Question
from layers.errors import Misconfigured, Refused
from layers.store import Store, Tx
from layers.transport import FilePerson, recognise, synchronise
from layers.types import AGENT, STRANGER, Address, Inbound, Person
from tests.control.conftest import GUEST, OWNER, POLICY, action, press, rules_of

TEXT = (SHIPPED / "policy.cedar").read_text()
GOLDEN = parse_golden((SHIPPED / "golden.toml").read_text())
EVERYTHING = load_policies('@id("all") permit (principal, action, resource);')


def ask(person: str, act: Act = Act.APPROVE, **changes: object) -> Question:
    values = {
        "person": person,
        "act": act,
        "capability": "workspace.make",
        "scope": "workspace",
        "risk": 1,
        "kind": "capability",
        "network": "none",
        "parameters": (),
        "requested_by": "guest",
        "by_agent": False,
        "at": 0.0,
    }
    return Question(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("person", [AGENT, STRANGER, GUEST, Person(id="other", name="Olga Owner")])
async def test_B1_nobody_but_an_approver_decides_whatever_the_policy_says(
    store: Store, note: Plan, context: Context, rules: Rules, person: Person
) -> None:
    open_rules = dataclasses.replace(rules, policy=EVERYTHING)
    asked = await store.run(request, note, dataclasses.replace(context, rules=open_rules))
    for verb in ("approve", "deny"):
        assert (await store.run(press, asked.handle, verb, person, open_rules)).refused
    assert (await store.run(press, asked.handle, "approve", OWNER, open_rules)).refused == ""


async def test_B2_without_approvers_nothing_can_even_be_asked_for(
    store: Store, note: Plan, context: Context, catalog: Catalog
) -> None:
    nobody = dataclasses.replace(rules_of(catalog), policy=EVERYTHING)
    with pytest.raises(Refused, match="none is set"):
        await store.run(request, note, dataclasses.replace(context, rules=nobody))


async def test_B5_who_asked_may_deny_but_not_approve_from_risk_two_on(
    store: Store, risky: Catalog, context: Context
) -> None:
    rules = rules_of(risky, OWNER, GUEST)
    asked = await store.run(request, plan(risky, action("test.risky")), dataclasses.replace(context, rules=rules))
    assert "needs another person" in (await store.run(press, asked.handle, "approve", OWNER, rules)).refused
    assert (await store.run(press, asked.handle, "deny", OWNER, rules)).refused == ""


async def test_B6_the_human_behind_the_agent_is_the_asker_on_every_account(
    store: Store, risky: Catalog, context: Context
) -> None:
    accounts = ("telegram:1", "slack:T1:U1")
    await store.run(synchronise, [FilePerson(person=OWNER, is_approver=True, identities=accounts)])

    def who(tx: Tx, identity: str) -> Person | None:
        address = Address(channel=identity.partition(":")[0], conversation="c")
        return recognise(tx, Inbound(address=address, event_id=identity, person=STRANGER, identity=identity))

    telegram, slack = [await store.run(who, account) for account in accounts]
    assert telegram is not None
    assert slack is not None
    rules = rules_of(risky, OWNER, GUEST)
    through = dataclasses.replace(context, rules=rules, requested_by=telegram, by_agent=True)
    asked = await store.run(request, plan(risky, action("test.risky")), through)
    assert asked.approval.by_agent
    assert "needs another person" in (await store.run(press, asked.handle, "approve", slack, rules)).refused
    matched = frozenset({Proof.NUMBER_MATCH})
    assert (await store.run(press, asked.handle, "approve", GUEST, rules, matched)).refused == ""


async def test_B7_the_agent_never_approves_even_as_a_listed_approver(
    store: Store, note: Plan, context: Context, catalog: Catalog
) -> None:
    listed = dataclasses.replace(rules_of(catalog, OWNER, AGENT), policy=EVERYTHING)
    asked = await store.run(request, note, dataclasses.replace(context, rules=listed))
    for verb in ("approve", "deny", "happened", "rerun"):
        assert (await store.run(press, asked.handle, verb, AGENT, listed)).refused
    with pytest.raises(Misconfigured, match="unrecognized entity type"):
        load_policies('@id("a") permit (principal is Agent, action, resource);')


def test_B10_an_account_is_an_id_and_never_a_name(tmp_path: Path) -> None:
    for name in ("telegram:@anna", "slack:anna", "telegram:anna"):
        (tmp_path / "bulkhead.toml").write_text(f'[people.anna]\nidentities = ["{name}"]\n')
        with pytest.raises(Misconfigured):
            load_file(tmp_path / "bulkhead.toml")


async def test_B11_a_guest_of_another_workspace_never_decides(
    store: Store, note: Plan, context: Context, catalog: Catalog
) -> None:
    rules = rules_of(catalog, OWNER, GUEST)
    outside = tuple(dataclasses.replace(member, is_external=member.person == GUEST) for member in rules.people)
    mixed = dataclasses.replace(rules, people=outside, policy=EVERYTHING)
    asked = await store.run(request, note, dataclasses.replace(context, rules=mixed))
    assert "from outside" in (await store.run(press, asked.handle, "approve", GUEST, mixed)).refused


async def test_B13_an_approver_who_is_removed_before_the_run_has_approved_nothing(
    store: Store, note: Plan, context: Context, rules: Rules, catalog: Catalog
) -> None:
    asked = await store.run(request, note, context)
    removed = rules_of(catalog, GUEST)
    assert (await store.run(press, asked.handle, "approve", OWNER, removed)).refused
    await store.run(press, asked.handle, "approve", OWNER, rules)
    taken = await store.run(take, asked.approval.id, removed)
    assert "may no longer approve" in taken.refused
    assert taken.approval is not None
    assert taken.approval.state is State.INVALIDATED


async def test_E7_a_decision_names_the_policy_and_the_manifest_it_was_made_by(
    store: Store, note: Plan, context: Context, rules: Rules
) -> None:
    asked = await store.run(request, note, context)
    decided = await store.run(press, asked.handle, "approve", OWNER, rules)
    assert decided.approval is not None
    rows = await store.fetch_all("control.audit_page", after=0, last=99, limit=99)
    details = json.loads(rows[-1]["body"])["details"]
    assert details["policy"] == POLICY.sha
    assert details["policies"] == ["approvers-decide"]
    assert decided.approval.plan.manifest_digest == rules.manifests[note.capability]


async def test_E11_what_nobody_could_approve_is_refused_at_once_with_the_reason(
    store: Store, note: Plan, context: Context, rules: Rules
) -> None:
    away = tuple(dataclasses.replace(member, scopes=("deploy",)) for member in rules.people)
    with pytest.raises(Refused, match=r"nobody could approve workspace\.write-note: Olga Owner may not approve"):
        await store.run(request, note, dataclasses.replace(context, rules=dataclasses.replace(rules, people=away)))
    assert await store.fetch_all("control.pending") == []


def test_F5_a_window_of_hours_is_a_policy() -> None:
    nights = '@id("no-nights") @reason("not at night") forbid (principal, action == Action::"approve", resource) '
    engine = load_policies(f"{TEXT}\n{nights} when {{ context.hour < 6 }};")
    people = (Member(person=OWNER, roles=(APPROVER,)),)
    at_three, at_noon = (engine.judge(ask("owner", at=hour * 3600.0), people) for hour in (3, 12))
    assert (at_three.allowed, at_three.reason, at_three.policy_ids) == (False, "not at night", ("no-nights",))
    assert at_noon.allowed


@pytest.mark.parametrize(
    "wrong",
    [
        "permit (",
        "permit (principal, action, resource);",
        '@id("approvers-decide") permit (principal, action, resource);',
        '@id("x") permit (principal, action, resource);',
        '@id("x") forbid (principal, action, resource) when { context.rsk > 1 };',
        '@id("x") forbid (principal in Role::"aprover", action, resource);',
        '@id("x") forbid (principal, action == Action::"aprove", resource);',
        '@id("x") forbid (principal, action, resource) when { context.risk > "1" };',
        '@id("x") forbid (principal, action == Action::"approve", resource);',
    ],
)
def test_H1_a_wrong_policy_file_is_refused_and_the_old_one_stays(
    tmp_path: Path, catalog: Catalog, caplog: pytest.LogCaptureFixture, wrong: str
) -> None:
    install_policy(tmp_path)
    people = (Member(person=OWNER, roles=(APPROVER,)),)
    policy = PolicyFile(tmp_path, lambda: people, lambda: catalog)
    assert not policy.judge(ask("owner"), people).allowed  # before the first load
    policy.load()
    file = tmp_path / "policy.cedar"
    file.write_text(f"{TEXT}\n{wrong}\n")
    with caplog.at_level(logging.ERROR):
        assert policy.refresh()
    assert "policy.refused" in caplog.text
    assert "is refused" in policy.problem
    assert policy.judge(ask("owner"), people).allowed
    assert not policy.refresh()
    with pytest.raises(Misconfigured, match="is refused"):
        PolicyFile(tmp_path, lambda: people, lambda: catalog).load()
    os.unlink(file)
    assert policy.refresh()
    assert policy.judge(ask("owner"), people).allowed
    file.write_text(TEXT)
    assert policy.refresh()
    assert policy.problem == ""


def test_H1_every_forbid_and_every_permit_of_the_shipped_policy_is_held_by_a_golden_decision() -> None:
    blocks = [f"@id{part}" for part in TEXT.split("\n@id")[1:]]
    blocks = [block.partition("\n//")[0] for block in blocks]
    assert len(blocks) == len(load_policies(TEXT).ids)
    for number in range(len(blocks)):
        rest = "\n".join(blocks[:number] + blocks[number + 1 :])
        with pytest.raises(Misconfigured, match="golden decision"):
            check_golden(load_policies(rest), GOLDEN, ())


def test_H2_a_policy_that_fails_denies_even_where_another_one_permits() -> None:
    # validation lets an overflow through; Cedar then skips the forbid and says Allow
    overflow = '@id("x") forbid (principal, action, resource) when { context.risk * 9223372036854775807 > 5 };'
    engine = load_policies(f"{TEXT}\n{overflow}")
    people = (Member(person=OWNER, roles=(APPROVER,)),)
    verdict = engine.judge(ask("owner", risk=2), people)
    assert not verdict.allowed
    assert "a policy failed" in verdict.reason


@pytest.mark.parametrize(
    "question",
    [
        ask("nobody"),
        ask(""),
        ask("nobody", Act.REQUEST),
        ask("owner", risk=2**70),
        ask("owner", at=float("inf")),
        ask("owner", at=float("nan")),
    ],
)
def test_H3_who_or_what_is_unknown_is_denied(question: Question) -> None:
    people = (Member(person=OWNER, roles=(APPROVER,)),)
    verdict = EVERYTHING.judge(question, people)
    assert not verdict.allowed
    assert verdict.reason


def test_H3_a_capability_that_no_policy_knows_is_in_no_scope_but_its_own() -> None:
    people = (Member(person=OWNER, roles=(APPROVER,), scopes=("deploy.web",)),)
    assert POLICY.judge(ask("owner", capability="new.one", scope="deploy.web.staging"), people).allowed
    for scope in ("deploy", "deploy.webx", "workspace", "deploy.we"):
        assert not POLICY.judge(ask("owner", capability="new.one", scope=scope), people).allowed


def test_the_names_of_a_policy_are_those_of_this_install(tmp_path: Path, catalog: Catalog) -> None:
    (tmp_path / "bulkhead.toml").write_text(
        '[people.anna]\napprover = true\nroles = ["deployer"]\nscopes = ["deploy.web"]\n'
    )
    members = members_of(load_file(tmp_path / "bulkhead.toml"))
    assert members[0].roles == (APPROVER, "deployer")
    known = Known.of(members, catalog.scopes)
    for name in ('Role::"deployers"', 'Person::"ana"', 'Scope::"deploy.wob"', 'Capability::"workspace.mak"'):
        kind = name.split(":")[0]
        head = f"resource in {name}" if kind in ("Scope", "Capability") else "resource"
        who = f"principal in {name}" if kind in ("Role", "Person") else "principal"
        with pytest.raises(Misconfigured, match="did you mean"):
            load_policies(f'@id("x") forbid ({who}, action, {head});', known)
    assert isinstance(
        load_policies('@id("x") permit (principal == Person::"zoe", action, resource);', known), CedarPolicies
    )
