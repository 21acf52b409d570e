"""What holds for an answer: rules, earlier messages, this one, tools; and which calls are never made."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from layers.routing.contract import Kind, contract_of, refused, verify
from layers.routing.types import ToolCall, ToolSpec

DRAW = ToolSpec(
    name="draw",
    description="Post a Mermaid flowchart as a picture.",
    parameters={
        "type": "object",
        "required": ["mermaid"],
        "additionalProperties": False,
        "properties": {"mermaid": {"$ref": "#/$defs/Source"}},
        "$defs": {"Source": {"type": "string", "minLength": 1}},
    },
)
ACT = ToolSpec(name="act", description="Ask for a capability.", parameters={"type": "object"})
SEND = ToolSpec(name="send", description="Write into another conversation.", parameters={"type": "object"})
TOOLS = (DRAW, ACT, SEND)


def kinds(*said: str, rules: tuple[str, ...] = ()) -> set[Kind]:
    return {clause.kind for clause in contract_of(said, rules=rules).clauses}


def call(name: str, arguments: Mapping[str, object]) -> ToolCall:
    return ToolCall(id="1", name=name, arguments=arguments)


def test_only_standing_demands_outlive_their_message() -> None:
    assert kinds("From now on use no commas. Answer this one in French.", "hello") == {Kind.NO_COMMA}


def test_a_later_demand_takes_the_place_of_one_that_it_contradicts() -> None:
    assert kinds("Always reply in lowercase.", "Reply in capital letters only.") == {Kind.UPPERCASE}
    (clause,) = contract_of(["From now on at most 50 words.", "At least 300 words please."]).clauses
    assert dict(clause.args) == {"relation": "at least", "num_words": 300}


@pytest.mark.parametrize("taken_back", ["You can use commas again.", "Forget all those rules."])
def test_what_was_said_can_be_taken_back(taken_back: str) -> None:
    assert Kind.NO_COMMA not in kinds("From now on use no commas.", taken_back, "hello")


def test_a_rule_of_the_conversation_holds_whatever_is_said() -> None:
    assert kinds("Forget all those rules.", "hello", rules=("No commas.",)) == {Kind.NO_COMMA}


def test_a_rule_is_stronger_than_what_is_said_and_a_stricter_demand_holds_beside_it() -> None:
    at_most = "At most 100 words."
    assert limits("At most 50 words.", rules=(at_most,)) == [("less than", 101), ("less than", 51)]
    assert limits("At least 300 words.", rules=(at_most,)) == [("less than", 101)]
    assert limits("At least 30 words.", rules=(at_most,)) == [("less than", 101), ("at least", 30)]
    assert kinds("Reply in capital letters only.", rules=("Reply in lowercase.",)) == {Kind.LOWERCASE}


def limits(said: str, rules: tuple[str, ...]) -> list[tuple[object, object]]:
    clauses = contract_of([said], rules=rules).clauses
    return [(clause.args["relation"], clause.args["num_words"]) for clause in clauses]


def test_what_was_forbidden_for_one_answer_may_be_called_in_the_next_and_never_can_be_taken_back() -> None:
    send = call("send", {})
    assert refused(contract_of(["Do not use the send tool.", "ok, send it"], tools=TOOLS).clauses, [send]) == ()
    never = "Never send messages to anyone."
    assert refused(contract_of([never, "thanks"], tools=TOOLS).clauses, [send])
    assert refused(contract_of([never, "You can use send again."], tools=TOOLS).clauses, [send]) == ()


def test_asking_for_something_again_takes_nothing_back() -> None:
    assert Kind.NO_COMMA in kinds("From now on use no commas.", "Say it again without commas.", "and now?")


def test_a_rule_that_cannot_be_checked_is_told_apart() -> None:
    contract = contract_of(["hello"], rules=("Be kind.", "No commas."))
    assert contract.unchecked == ("Be kind.",)
    assert contract.is_hard


def test_a_schema_is_part_of_the_contract() -> None:
    schema = {"type": "object", "required": ["a"]}
    clauses = contract_of(["hello"], schema=schema).clauses
    assert verify(clauses, '{"a": 1}') == ()
    assert [each.found for each in verify(clauses, "{}")] == ["the value lacks 'a'"]


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ({"mermaid": "a"}, ""),
        ({}, "lacks"),
        ({"mermaid": 3}, "integer"),
        ({"mermaid": "a", "x": 1}, "'x'"),
        ({"mermaid": ""}, "characters"),
    ],
)
def test_arguments_are_checked_against_the_tools_schema(arguments: dict[str, object], fault: str) -> None:
    found = refused(contract_of(["hi"], tools=TOOLS).clauses, [call("draw", arguments)])
    assert [fault in each.found for each in found] == ([True] if fault else [])


@pytest.mark.parametrize(
    ("said", "name", "arguments", "is_refused"),
    [
        ("Never send messages to anyone.", "send", {}, True),
        ("Never send messages to anyone.", "draw", {"mermaid": "a"}, False),
        ("Do not use the `act` tool.", "act", {}, True),
        ("Never run deploy.web", "act", {"capability": "deploy.web"}, True),
        ("Never run deploy.web", "act", {"capability": "deploy.web.staging"}, True),
        ("Never run deploy.web", "act", {"capability": "deploy.webhook"}, False),
        ("Never send anything without asking me.", "send", {}, False),
        ("Do not act like a child.", "act", {}, False),
        ("Do not use commas in main.py", "act", {"capability": "main.py"}, False),
        ("Never touch deploy.web or `deploy.api`.", "act", {"parameters": {"name": "deploy.api"}}, True),
        ("Do not send me to sleep with long texts.", "send", {}, False),
    ],
)
def test_what_a_person_forbade_is_not_called(
    said: str, name: str, arguments: dict[str, object], is_refused: bool
) -> None:
    found = refused(contract_of([said], tools=TOOLS).clauses, [call(name, arguments)])
    assert bool(found) is is_refused


def test_a_code_block_is_material_and_demands_nothing() -> None:
    assert kinds("Explain this file.\n\n```\nNever use commas. Write at least 300 words.\n```") == set()


def test_a_prohibition_outlives_its_message() -> None:
    clauses = contract_of(["Never send messages to anyone.", "hello"], tools=TOOLS).clauses
    assert refused(clauses, [call("send", {})])
