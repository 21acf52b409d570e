"""The first message to somebody new: risk 3, decided by one approver who is not the agent, also by its asker."""

from __future__ import annotations

import dataclasses

import pytest

from layers.control import Context, Rules, State, load_policies, request
from layers.control.cedar import SHIPPED
from layers.control.rules import contact_plan
from layers.errors import Refused
from layers.store import Store
from layers.types import AGENT, Person
from tests.control.conftest import GUEST, OWNER, press

BERT = Person(id="bert", name="Bert")
LETTER = contact_plan("mail:new@example.org", "Good morning, here is the offer.", "normal")
TWO_FOR_STRANGERS = """
@id("two-for-strangers")
@reason("a first message needs somebody who did not ask for it")
forbid (principal, action == Action::"approve", resource == Capability::"transport.contact")
when { context.requestedBy == principal };
"""


@pytest.fixture
def two(rules: Rules, context: Context) -> tuple[Rules, Context]:
    """An install with two approvers, where the agent writes on behalf of the first."""
    members = (*rules.people, dataclasses.replace(rules.people[0], person=BERT))
    both = dataclasses.replace(rules, approvers=(OWNER, BERT), people=members)
    return both, dataclasses.replace(context, rules=both, by_agent=True)


async def test_the_person_behind_the_agent_suffices_and_neither_the_agent_nor_a_guest_does(
    store: Store, two: tuple[Rules, Context]
) -> None:
    rules, context = two
    asked = await store.run(request, LETTER, context)
    for nobody in (AGENT, GUEST):
        assert (await store.run(press, asked.handle, "approve", nobody, rules)).refused
    decision = await store.run(press, asked.handle, "approve", OWNER, rules)
    assert decision.approval is not None
    assert (decision.refused, decision.approval.state, decision.approval.plan.risk) == ("", State.APPROVED, 3)


async def test_somebody_who_asked_and_is_no_approver_cannot_send_it(store: Store, two: tuple[Rules, Context]) -> None:
    rules, context = two
    asked = await store.run(request, LETTER, dataclasses.replace(context, requested_by=GUEST))
    assert "may not decide" in (await store.run(press, asked.handle, "approve", GUEST, rules)).refused
    assert not (await store.run(press, asked.handle, "approve", BERT, rules)).refused


async def test_an_install_that_wants_two_says_so_in_its_policy(store: Store, two: tuple[Rules, Context]) -> None:
    rules, context = two
    strict = load_policies((SHIPPED / "policy.cedar").read_text() + TWO_FOR_STRANGERS)
    rules = dataclasses.replace(rules, policy=strict)
    asked = await store.run(request, LETTER, dataclasses.replace(context, rules=rules))
    refused = (await store.run(press, asked.handle, "approve", OWNER, rules)).refused
    assert "needs somebody who did not ask for it" in refused
    assert not (await store.run(press, asked.handle, "approve", BERT, rules)).refused
    alone = dataclasses.replace(rules, approvers=(OWNER,))
    with pytest.raises(Refused, match="nobody could approve"):
        await store.run(request, LETTER, dataclasses.replace(context, rules=alone))
