"""The standing rules of a conversation, on both databases."""

from __future__ import annotations

import pytest

from layers.errors import BadInput, Refused
from layers.routing import StandingRule, add_rule, remove_rule, rules_of
from layers.routing.standing import LONGEST_RULE, MOST_RULES
from layers.store import Store


async def texts(store: Store, conversation: str) -> list[str]:
    return [rule.text for rule in await store.run(rules_of, conversation)]


async def test_rules_are_kept_per_conversation_and_removed_by_number(store: Store) -> None:
    first = await store.run(add_rule, "web:main", "no  commas\n", "owner")
    assert first == StandingRule(id=first.id, text="no commas", created_by="owner")
    await store.run(add_rule, "web:main", "answer in French", "owner")
    await store.run(add_rule, "slack:C1", "no emojis", "anna")
    assert await texts(store, "web:main") == ["no commas", "answer in French"]
    with pytest.raises(Refused, match=f"no rule {first.id}"):
        await store.run(remove_rule, "slack:C1", first.id)
    await store.run(remove_rule, "web:main", first.id)
    assert await texts(store, "web:main") == ["answer in French"]


async def test_the_same_rule_twice_is_one_rule(lite: Store) -> None:
    first = await lite.run(add_rule, "web:main", "no commas", "owner")
    assert await lite.run(add_rule, "web:main", " no commas", "anna") == first


@pytest.mark.parametrize(("text", "why"), [("  ", "a text"), ("x" * (LONGEST_RULE + 1), "501"), ("/run x", "command")])
async def test_what_is_no_rule_is_refused(lite: Store, text: str, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        await lite.run(add_rule, "web:main", text, "owner")


async def test_a_conversation_has_a_limited_number_of_rules(lite: Store) -> None:
    for number in range(MOST_RULES):
        await lite.run(add_rule, "web:main", f"rule {number}", "owner")
    with pytest.raises(Refused, match="which is the limit"):
        await lite.run(add_rule, "web:main", "one more", "owner")
    assert len(await texts(lite, "web:main")) == MOST_RULES
