"""What control's tests share: a home with the shipped capabilities, people, and rules."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from layers.control import (
    APPROVER,
    Action,
    Catalog,
    Click,
    Context,
    Decision,
    Executor,
    Member,
    Outcome,
    Plan,
    Proof,
    Rules,
    SigningKey,
    decide,
    install_capabilities,
    install_policy,
    load_policies,
    plan,
    sign_warrant,
    warrant_for,
)
from layers.control.cedar import SHIPPED
from layers.control.executor import Told
from layers.control.handles import hash_of
from layers.store import Tx
from layers.types import Person

POLICY = load_policies((SHIPPED / "policy.cedar").read_text())
OWNER = Person(id="owner", name="Olga Owner")
GUEST = Person(id="guest", name="Gus Guest")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home" / "workspace").mkdir(parents=True)
    install_capabilities(tmp_path / "home" / "capabilities")
    install_policy(tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def workspace(home: Path) -> Path:
    return home / "workspace"


@pytest.fixture
def catalog(home: Path, workspace: Path) -> Catalog:
    return Catalog.load(home / "capabilities", workspace)


@pytest.fixture
def rules(home: Path, catalog: Catalog) -> Rules:
    return replace(rules_of(catalog, OWNER), signer=SigningKey.open(home / "keys"))


def rules_of(catalog: Catalog, *approvers: Person) -> Rules:
    """The rules of an install with the shipped policy, where OWNER and GUEST are known."""
    people = [
        Member(person=person, roles=(APPROVER,) if person in approvers else ())
        for person in dict.fromkeys((OWNER, GUEST, *approvers))
    ]
    return Rules(
        approvers=approvers, manifests=catalog.digests, risks=catalog.risks, people=tuple(people), policy=POLICY
    )


RISKY = """
id = "test.risky"
title = "Risky"
description = "Hard to undo."
scope = "test"
risk = 2
argv = ["true"]
"""


@pytest.fixture
def risky(home: Path, workspace: Path) -> Catalog:
    """The catalog with `test.risky`, of risk 2."""
    (home / "capabilities" / "test.risky.toml").write_text(RISKY)
    return Catalog.load(home / "capabilities", workspace)


@pytest.fixture
def note(catalog: Catalog) -> Plan:
    return plan(catalog, action("workspace.write-note", name="todo", text="buy milk"))


@pytest.fixture
def context(rules: Rules) -> Context:
    return Context(conversation_id="web:main", turn_id=1, requested_by=OWNER, rules=rules, reason="the agent says so")


def action(capability: str, **parameters: str) -> Action:
    return Action(capability=capability, parameters=parameters, requested_by=OWNER)


def script_plan(workspace: Path, *argv: str, **changes: object) -> Plan:
    """A plan that no shipped manifest makes: the sandbox must hold whatever is run in it."""
    values = {
        "capability": "test.probe",
        "version": 1,
        "title": "Probe",
        "parameters": {},
        "argv": argv,
        "cwd": str(workspace),
        "scope": "test",
        "risk": 1,
        "timeout_s": 20,
        "output_cap_bytes": 65_536,
        "environment": ("HOME", "LANG", "PATH", "TMPDIR"),
        "manifest_digest": "",
    }
    return Plan(**{**values, **changes})  # type: ignore[arg-type]


def signed(home: Path, run_id: str, made: Plan, **changes: object) -> str:
    """A warrant as control makes one when the owner has approved."""
    values: dict[str, object] = {"now": time.time(), "decisions": ("owner",) if made.risk else (), **changes}
    return sign_warrant(SigningKey.open(home / "keys"), warrant_for(run_id, made, **values))  # type: ignore[arg-type]


class Approved(Executor):
    """The executor, handed a good warrant wherever a test brings none."""

    async def run(self, run_id: str, plan: Plan, warrant: str = "", on_running: Told | None = None) -> Outcome:
        return await super().run(run_id, plan, warrant or signed(self.home, run_id, plan), on_running)


def press(
    tx: Tx,
    handle: str,
    verb: str,
    person: Person,
    rules: Rules,
    proofs: frozenset[Proof] = frozenset(),
    *,
    shown_s: float | None = None,
) -> Decision:
    """A press of the button where its card was delivered, with the right number where `proofs` has a number match.

    `shown_s` is how long the card had been there, where the channel tells it.
    """
    card = tx.one("control.card", handle_hash=hash_of(handle))
    row = tx.one("control.approval", id=card["approval_id"]) if card else None
    click = Click(
        handle=handle,
        verb=verb,
        number=row["number"] if row and Proof.NUMBER_MATCH in proofs else "",
        conversation_id=card["conversation_id"] if card else "web:main",
        key=card["message_key"] if card else "",
        shown_at=None if shown_s is None else tx.now - shown_s,
        proofs=frozenset(proof.value for proof in proofs),
    )
    return decide(tx, click, person, rules)
