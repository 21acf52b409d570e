"""Policies and plans: how fast and how rightly a policy is asked, and whether a card shows its whole plan."""

from __future__ import annotations

import random
import statistics
import time
from pathlib import Path

from benchmarks.control.errors import WRONG
from benchmarks.control.reread import plan_on
from benchmarks.section import Measured, Section, missed
from layers.control import (
    APPROVER,
    EVERYWHERE,
    Act,
    Approval,
    Known,
    Member,
    Plan,
    Question,
    State,
    card,
    check_golden,
    load_policies,
    parse_golden,
    shipped_policy,
)
from layers.errors import Misconfigured
from layers.types import Person

TARGET_US = 250.0
NASTY = 'ab cXYZ019/.-_="\\`~\n\t\r$;|&<>*[](){}@#é\u202e\u200b\u0430\u05d0\u0661\u2028\u3164\x00\x1b\U0001d41a日本ж'
HANDLE = "h" * 22
SCOPES = ("workspace", "workspace.git", "deploy", "deploy.web", "deploy.web.staging", "host", "network.http")
ROLES = ("deployer", "operator", "auditor")

MORE = """
@id("no-nights")
forbid (principal, action == Action::"approve", resource)
when { context.risk >= 3 && (context.hour >= 22 || context.hour < 6) };

@id("only-deployers-deploy")
forbid (principal, action == Action::"approve", resource in Scope::"deploy")
unless { principal in Role::"deployer" };

@id("agents-stay-inside")
forbid (principal, action == Action::"request", resource)
when { context.byAgent && context.network == "host" && context.risk > 1 };

@id("auditors-never-approve")
forbid (principal in Role::"auditor", action in [Action::"approve", Action::"settle"], resource)
unless { context.requestedBy != principal && context.weekday < 6 && context.parameters.contains("why=audit") };
"""
"""Further policies for the comparison with the oracle: hours, roles, scopes, the agent, parameters."""


def make_people(generator: random.Random, count: int) -> tuple[Member, ...]:
    """So many, with roles and scopes at random."""
    return tuple(
        Member(
            person=Person(id=f"p{number}", name=f"Person {number}"),
            roles=tuple(role for role in (APPROVER, *ROLES) if generator.random() < 0.4),
            scopes=tuple(generator.sample((EVERYWHERE, *SCOPES), generator.randint(0, 2))),
            is_external=generator.random() < 0.1,
        )
        for number in range(count)
    )


def make_question(generator: random.Random, people: tuple[Member, ...]) -> Question:
    """One at random; now and then about somebody unknown."""
    scope = generator.choice(SCOPES)
    known = generator.choice(people).person.id
    return Question(
        person=known if generator.random() < 0.97 else "nobody",
        act=generator.choice(list(Act)),
        capability=f"{scope}.run",
        scope=scope,
        risk=generator.randint(0, 3),
        kind=generator.choice(("capability", "patch")),
        network=generator.choice(("none", "host")),
        parameters=("why=audit",) if generator.random() < 0.3 else ("target=all",),
        requested_by=known if generator.random() < 0.3 else generator.choice(people).person.id,
        by_agent=generator.random() < 0.5,
        at=1_770_000_000.0 + generator.randrange(14 * 86400),
    )


def oracle(question: Question, people: dict[str, Member]) -> bool:
    """The shipped policy and MORE, written by hand."""
    member = people.get(question.person)
    if member is None:
        return False
    act, at = question.act, time.gmtime(question.at)
    if act in (Act.OBSERVE, Act.REQUEST):
        allowed = True
    else:
        inside = any(
            scope == EVERYWHERE or question.scope == scope or question.scope.startswith(f"{scope}.")
            for scope in member.scopes
        )
        allowed = APPROVER in member.roles and inside
    if member.is_external and act is not Act.OBSERVE:
        return False
    if act is Act.APPROVE and question.risk >= 3 and (at.tm_hour >= 22 or at.tm_hour < 6):
        return False
    if act is Act.APPROVE and question.scope.split(".")[0] == "deploy" and "deployer" not in member.roles:
        return False
    if act is Act.REQUEST and question.by_agent and question.network == "host" and question.risk > 1:
        return False
    if "auditor" in member.roles and act in (Act.APPROVE, Act.SETTLE):
        is_other = question.requested_by != question.person
        allowed = allowed and is_other and at.tm_wday < 5 and "why=audit" in question.parameters
    return allowed


def oracle_mismatches(_folder: Path, is_quick: bool) -> Measured:
    """Cedar and the oracle, asked the same."""
    generator = random.Random(4)
    people = make_people(generator, 300)
    engine, by_id = load_policies(shipped_policy()[0] + MORE), {member.person.id: member for member in people}
    wrong = 0
    for _ in range(2_000 if is_quick else 100_000):
        question = make_question(generator, people)
        wrong += engine.judge(question, people).allowed != oracle(question, by_id)
    return Measured(
        printed={"oracle_mismatches": wrong}, misses=missed({f"{wrong} answers differ from the oracle's": wrong == 0})
    )


def policy_us(_folder: Path, is_quick: bool) -> Measured:
    """Microseconds for one question, the entities and the policies being ready: 200 policies, 1,000 entities."""
    generator = random.Random(5)
    people = make_people(generator, 1_000 - len(SCOPES) * 2 - len(ROLES) - 2)
    engine = load_policies(shipped_policy()[0] + MORE + more_policies(generator, people, 193))
    assert len(engine.ids) == 200
    questions = [make_question(generator, people) for _ in range(500 if is_quick else 20_000)]
    for question in questions[:200]:
        engine.judge(question, people)
    took = []
    for question in questions:
        began = time.perf_counter()
        engine.judge(question, people)
        took.append((time.perf_counter() - began) * 1e6)
    median = round(statistics.median(took), 1)
    return Measured(
        printed={"policy_us": median}, misses=missed({f"p50 is {median} us, over {TARGET_US}": median <= TARGET_US})
    )


def more_policies(generator: random.Random, people: tuple[Member, ...], count: int) -> str:
    """Policies as an operator would write them: about a role, a scope, a person or a capability."""
    heads = (
        'principal in Role::"{role}", action == Action::"approve", resource in Scope::"{scope}"',
        'principal, action in [Action::"approve", Action::"settle"], resource == Capability::"{scope}.run"',
        'principal == Person::"{person}", action == Action::"approve", resource',
        'principal in Role::"{role}", action == Action::"request", resource in Scope::"{scope}"',
    )
    texts = []
    for number in range(count):
        head = generator.choice(heads).format(
            role=generator.choice(ROLES),
            scope=generator.choice(SCOPES),
            person=generator.choice(people).person.id,
        )
        effect = generator.choice(("permit", "forbid"))
        texts.append(f'@id("more-{number}") {effect} ({head}) when {{ context.risk > 1 && context.hour < 6 }};')
    return "\n".join(texts)


def seeded_policy_errors(_folder: Path, _is_quick: bool) -> Measured:
    """Each mistake alone, in the shipped policy."""
    people = (Member(person=Person(id="owner", name="Owner"), roles=(APPROVER, "deployer")),)
    known = Known.of(people, {"workspace.make": "workspace", "deploy.web": "deploy"})
    policy, golden = shipped_policy()
    taken = []
    for name, spoil in WRONG.items():
        try:
            check_golden(load_policies(spoil(policy), known), parse_golden(golden), people)
            taken.append(name)
        except Misconfigured:
            continue
    return Measured(
        printed={"seeded_policy_errors": {"rejected": len(WRONG) - len(taken), "total": len(WRONG)}},
        misses=missed({f"taken although wrong: {', '.join(taken)}": not taken}),
    )


def plan_fidelity(_folder: Path, is_quick: bool) -> Measured:
    """Plans at random, hostile ones among them, and what can be read back from their cards."""
    generator = random.Random(6)
    missing = 0
    for _ in range(300 if is_quick else 10_000):
        plan = make_plan(generator)
        shown = card(pending(plan), handle=HANDLE)
        has_button = any(button.label == "Approve" for button in shown.buttons)
        try:
            is_whole = plan_on(shown.text if shown.is_approvable else shown.full).digest == plan.digest
        except (KeyError, ValueError, IndexError, StopIteration):
            is_whole = False
        missing += not is_whole or has_button != shown.is_approvable
    return Measured(
        printed={"plan_fidelity": missing},
        misses=missed({f"{missing} cards do not give their plan back": missing == 0}),
    )


def make_plan(generator: random.Random) -> Plan:
    """Any plan; a few too long for a card."""

    def text(most: int = 24) -> str:
        return "".join(generator.choice(NASTY) for _ in range(generator.randint(0, most)))

    def texts(most: int) -> tuple[str, ...]:
        return tuple(text() for _ in range(generator.randint(0, most)))

    values = (text(), generator.randint(-99, 99), generator.random() < 0.5)
    return Plan(
        capability=text(),
        version=generator.randint(1, 99),
        title=text(),
        parameters={f"p{number}": generator.choice(values) for number in range(generator.randint(0, 4))},
        argv=texts(5),
        stdin=text(4000 if generator.random() < 0.05 else 80),
        cwd=text(),
        scope=text(),
        risk=generator.randint(0, 3),
        timeout_s=generator.randint(1, 3600),
        output_cap_bytes=generator.randint(1, 10**6),
        is_workspace_writable=generator.random() < 0.5,
        network=generator.choice(("none", "host")),
        sockets=texts(2),
        readable=texts(2),
        sees_processes=generator.random() < 0.3,
        environment=texts(4),
        probe=texts(3),
        is_idempotent=generator.random() < 0.5,
        programs={text(): f"{generator.getrandbits(256):064x}" for _ in range(generator.randint(0, 2))},
        dry_run=texts(3),
        evidence=text(200),
        evidence_digest=generator.choice(("", f"{generator.getrandbits(256):064x}")),
        secrets=texts(2),
        manifest_digest=generator.choice(("", f"{generator.getrandbits(256):064x}")),
    )


def pending(plan: Plan) -> Approval:
    """A request for it."""
    return Approval(
        id="ab12",
        conversation_id="web:main",
        turn_id=1,
        plan=plan,
        digest=plan.digest,
        requested_by="owner",
        reason="because",
        state=State.PENDING,
        created_at=0.0,
        expires_at=3600.0,
    )


SECTIONS: dict[str, Section] = {
    "policy_us": Section(keys=("policy_us",), run=policy_us),
    "oracle_mismatches": Section(keys=("oracle_mismatches",), run=oracle_mismatches),
    "seeded_policy_errors": Section(keys=("seeded_policy_errors",), run=seeded_policy_errors),
    "plan_fidelity": Section(keys=("plan_fidelity",), run=plan_fidelity),
}
