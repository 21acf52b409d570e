"""`DiagramSpec`: one name for ten kinds; what a model answers becomes one of them, or sentences that it can act on."""

from __future__ import annotations

import json

import pytest
from pydantic import BaseModel, ValidationError

from layers.errors import BadInput
from layers.presentation import DiagramSpec, Flowchart, Pie, read_spec
from layers.presentation.mermaid import LONGEST_TEXT, read_source
from layers.presentation.spec import Group, Idea, Mindmap, Node, State, StateDiagram

KINDS = ("chart", "class", "er", "flowchart", "gantt", "mindmap", "pie", "sequence", "state", "timeline")


class Holder(BaseModel):
    spec: DiagramSpec


def test_every_kind_is_known_by_its_name() -> None:
    assert tuple(sorted(DiagramSpec.KINDS)) == KINDS


def test_a_field_for_any_kind_keeps_what_the_kind_holds() -> None:
    holder = Holder.model_validate({"spec": {"kind": "pie", "slices": [{"label": "a", "value": 1}]}})
    assert isinstance(holder.spec, Pie)
    assert Holder.model_validate_json(holder.model_dump_json()) == holder
    assert DiagramSpec.model_validate_json(holder.spec.model_dump_json()) == holder.spec


def test_without_a_kind_it_is_a_flowchart() -> None:
    assert isinstance(DiagramSpec.model_validate({"nodes": []}), Flowchart)
    assert isinstance(DiagramSpec(nodes=(Node(id="a", label="A"),)), Flowchart)


def test_the_schema_for_a_model_names_every_kind_and_closes_every_object() -> None:
    schema = DiagramSpec.model_json_schema()
    objects = [one for one in schema["$defs"].values() if "properties" in one]
    assert {one["properties"]["kind"]["const"] for one in objects if "kind" in one["properties"]} == set(KINDS)
    assert all(one["additionalProperties"] is False for one in objects)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"kind": "pye"}, "There is no kind 'pye'"),
        ({"kind": "flowchrt"}, "did you mean 'flowchart'?"),
        ({"kind": "pie", "slices": [{"label": "a", "valu": 1}]}, "`slices[0].valu` is no field, did you mean `value`?"),
        ({"kind": "pie", "slices": [{"label": "a", "value": -1}]}, "`slices[0].value` must be 0.0 or more, not -1"),
        ({"kind": "pie", "slices": [{"value": 1}]}, "`slices[0].label` is missing"),
        ({"kind": "chart", "type": "lime"}, "`type` must be one of 'line', 'bar'"),
        ({"kind": "chart", "type": "line", "series": [{"values": [float("inf")]}]}, "`series[0].values[0]`"),
        ({"nodes": [], "edges": [{"source": "a", "target": "b"}]}, "names 'a', which is no node and no group"),
        ({"kind": "sequence", "steps": [{"step": "deactivate", "participant": "x"}]}, "names 'x'"),
        ({"kind": "sequence", "steps": [{"step": "say"}]}, "`steps[0]` must have a 'step' that is one of 'message'"),
        ({"kind": "mindmap", "ideas": [{"id": "a", "label": "a"}, {"id": "b", "label": "b"}]}, "is a second root"),
        (
            {"kind": "gantt", "sections": [{"tasks": [{"id": "a", "label": "a", "start": "soon", "end": "soon"}]}]},
            "`sections[0].tasks[0].start`",
        ),
        ([1], "must be an object"),
    ],
)
def test_what_is_wrong_with_an_answer_is_said_with_the_field_and_the_nearest_name(value: object, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_spec(json.dumps(value))
    assert says in str(caught.value)
    assert len(str(caught.value)) < 600


def test_broken_json_has_its_place_also_inside_a_fence() -> None:
    with pytest.raises(BadInput) as caught:
        read_spec('```json\n{"kind": "pie",\n "slices": [}\n```')
    assert (caught.value.line, caught.value.column) == (3, 13)


@pytest.mark.timeout(10)
@pytest.mark.parametrize("text", ['{"a":' * 50_000, "[" * 100_000, '{"nodes": ' + "9" * 5000 + "}", "{" + " " * 10**6])
def test_a_monstrous_answer_is_refused_at_once(text: str) -> None:
    with pytest.raises(BadInput):
        read_spec(text)


@pytest.mark.timeout(10)
@pytest.mark.parametrize("header", ["flowchart TD\n", "sequenceDiagram\n", "gantt\n", "classDiagram\nA", "", "{"])
def test_a_megabyte_is_refused_with_the_limit(header: str) -> None:
    for filling in ("A --> B\n", " ", "[", "é"):
        text = header + filling * (1_000_000 // len(filling))
        with pytest.raises(BadInput, match="at most"):
            read_source(text)
    assert LONGEST_TEXT <= 100_000


def test_a_source_is_mermaid_or_json() -> None:
    assert read_source('\n{"kind": "pie", "title": "x"}').spec == Pie(title="x")
    assert read_source("```mermaid\nflowchart TD\nA\n```").spec.kind == "flowchart"
    assert read_source("```json\n{}\n```").spec == Flowchart()


@pytest.mark.parametrize(
    "make",
    [
        lambda: Flowchart(groups=(Group(id="a", parent="b"), Group(id="b", parent="a"))),
        lambda: StateDiagram(states=(State(id="a", parent="a"),)),
        lambda: StateDiagram(states=tuple(State(id=f"s{i}", parent=f"s{i - 1}" if i else "") for i in range(300))),
        lambda: Mindmap(ideas=(Idea(id="a", label="a"), Idea(id="b", label="b", parent="c"))),
    ],
)
def test_what_lies_in_itself_or_far_too_deep_is_no_spec(make: object) -> None:
    assert callable(make)
    with pytest.raises(ValidationError):
        make()
