"""What `/rules` says of a rule."""

from __future__ import annotations

import pytest

from bot.dispatcher.standing import NONE, UNCHECKED, line, listed
from layers.routing import StandingRule


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no commas, and at most 50 words", "checked: without commas; less than 51 words"),
        ("Answer in French.", "checked: in French only"),
        ("never run deploy.web", "checked: never touches deploy.web"),
        ("do not use the `edit` tool", "checked: never calls edit"),
        ("be kind", UNCHECKED),
    ],
)
def test_a_rule_says_what_of_it_is_checked(text: str, said: str) -> None:
    told = line(StandingRule(id=3, text=text, created_by="owner"))
    assert "rule 3" in told
    assert said in told


def test_the_list_shows_every_rule_and_says_so_when_there_is_none() -> None:
    rules = [StandingRule(id=number, text=f"rule `{number}`", created_by="owner") for number in (1, 2)]
    assert listed(rules).count("\n- `rule '") == 2
    assert listed([]) == NONE
