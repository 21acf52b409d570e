"""The rules of a task's shape: by hand, on the corpora, and against hostile text."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.routing.rules import REST_S, can_do, rest_s, shape_of, suited
from layers.routing.types import Message, Model, Role, Shape, Tier, ToolSpec


def said(text: str) -> tuple[Message, ...]:
    system = Message(role=Role.SYSTEM, content="Write python. Answer in exactly 3 words.")
    return (system, Message(role=Role.USER, content=text))


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        (Shape.CHEAP, ""),
        (Shape.CHEAP, "ping"),
        (Shape.CHEAP, "hi there"),
        (Shape.CHEAP, "what time is it in Tokyo?"),
        (Shape.CHEAP, "what's the capital of France?"),
        (Shape.CHEAP, "how much disk is left?"),
        (Shape.CHEAP, "Draw the deployment pipeline as a diagram"),
        (Shape.CHEAP, "restart the web server please"),
        (Shape.CODE, "Fix the bug in parse_args: it raises KeyError"),
        (Shape.CODE, "Write a python function that reverses a list"),
        (Shape.CODE, "```\nx = 1\n```\nwhat does this do?"),
        (Shape.CODE, "Why does this query deadlock? SELECT * FROM t FOR UPDATE"),
        (Shape.CODE, "please review the diff in bot/agent.py"),
        (Shape.CODE, "add a unit test for the migration"),
        (Shape.OBEDIENCE, "Answer in exactly three words."),
        (Shape.OBEDIENCE, "From now on always reply in lowercase and never use emoji"),
        (Shape.OBEDIENCE, "Return only JSON with keys a and b"),
        (Shape.OBEDIENCE, "Do not mention the budget. Reply with a single sentence."),
        (Shape.OBEDIENCE, "Don\u2019t use commas in your answer"),
        (Shape.DEPTH, "Prove that sqrt 2 is irrational"),
        (Shape.DEPTH, "Compare event sourcing and CRUD and weigh up the trade-offs for our billing"),
        (Shape.DEPTH, "If a train leaves at 3 and another at 5 at 60 mph, when do they meet?"),
        (Shape.DEPTH, "Estimate the probability that both disks fail"),
        (Shape.DEPTH, "Simplify $\\frac{3}{\\sqrt{5}}$ if $x$ is real"),
        (Shape.DEPTH, "Is the argument valid? Construct a truth table for its premises."),
        (Shape.CHEAP, "who was president in 1903, and who in 1950?"),
        (Shape.CHEAP, "what are import duties, and who set them in 1930 and 1934?"),
        (Shape.CHEAP, "find it on docs.google.com"),
        (Shape.CHEAP, "50+ a day, for people who are 18+ only"),
        (Shape.CHEAP, "E. E. Cummings, J. R. R. Tolkien, the U.S. and A-Z at 3.30"),
        (Shape.DEPTH, "Find the value of 4 \u00f7 2 \u2022 2 + 8"),
        (Shape.DEPTH, "If K is a normal subgroup of H, is the order of K finite?"),
        (Shape.CODE, "look at handler.py"),
        (Shape.CODE, "def longest(words):\n    \"\"\"Return the longest word.\"\"\""),
        (Shape.CODE, "Write a function to count the vowels of a text"),
    ],
)
def test_a_message_has_the_shape_a_person_would_give_it(shape: Shape, text: str) -> None:
    assert shape_of(said(text)).shape is shape


def test_pictures_decide_whatever_the_words_say() -> None:
    messages = (Message(role=Role.USER, content="write python", images=(b"png",)),)
    assert shape_of(messages).shape is Shape.VISION


def test_the_shape_stays_through_a_tool_loop() -> None:
    loop = (*said("ping"), Message(role=Role.TOOL, content="def f(): return exactly 3 words"))
    assert shape_of(loop).shape is Shape.CHEAP


def test_a_tool_that_is_named_asks_for_obedience() -> None:
    tools = tuple(ToolSpec(name=name, description="", parameters={}) for name in ("draw_diagram", "act"))
    named, act = said("call draw_diagram for the org chart"), said("act on it, please")
    assert shape_of(named, tools=tools).shape is Shape.OBEDIENCE
    assert shape_of(named).shape is Shape.CODE, "of no tool here: a name that a program might have"
    assert shape_of(act, tools=tools).shape is Shape.CHEAP


def test_of_a_mail_only_the_writers_own_words_count() -> None:
    mail = said("Thanks, see you there!\n\n> Write a python function\n> that reverses a list\n-- \nAnn, pandas.org")
    assert shape_of(mail, channel="mail").shape is Shape.CHEAP
    assert shape_of(mail).shape is Shape.CODE
    assert shape_of(said("> def f(): ...\n> import os"), channel="mail").cues


def test_a_judgement_names_its_cues() -> None:
    judged = shape_of(said("Reply in exactly two sentences"))
    assert {cue.name for cue in judged.cues} >= {"limit", "unit of text"}
    assert all(cue.weight > 0 for cue in judged.cues)


@given(st.text(max_size=5000))
def test_any_text_has_a_shape_and_the_same_one_twice(text: str) -> None:
    judged = shape_of(said(text))
    assert judged.cues
    assert judged == shape_of(said(text))


def prompts(path: Path) -> list[str]:
    raw = path.read_bytes()
    lines = (gzip.decompress(raw) if path.suffix == ".gz" else raw).splitlines()
    return [json.loads(line)["prompt"] for line in lines]


@pytest.mark.parametrize(
    ("file", "shape", "share"),
    [("data/ifeval-prompts.jsonl", Shape.OBEDIENCE, 0.95), ("data/routellm/gsm8k.jsonl.gz", Shape.DEPTH, 0.95)],
)
def test_the_corpora_are_recognised(shared: Path, file: str, shape: Shape, share: float) -> None:
    """Measured when written: IFEval .969 (2.8 % to cheap), GSM8K .974. The cues were chosen on them: dev figures."""
    shapes = Counter(shape_of(said(prompt)).shape for prompt in prompts(shared / file))
    assert shapes[shape] / shapes.total() >= share, shapes
    assert shapes[Shape.CHEAP] / shapes.total() <= 0.05, shapes


def model(name: str, tier: Tier, vision: bool | None = None, tools: bool | None = None) -> Model:
    return Model(name=name, wire=name, tier=tier, vision=vision, tools=tools)


def test_auto_puts_the_suited_tier_first_and_keeps_the_found_order_within_it() -> None:
    models = [model("s", Tier.SMALL), model("l", Tier.LARGE), model("m1", Tier.MIDDLE), model("m2", Tier.MIDDLE)]
    assert [m.name for m in suited(models, Shape.CHEAP)] == ["s", "m1", "m2", "l"]
    assert [m.name for m in suited(models, Shape.DEPTH)] == ["l", "m1", "m2", "s"]


def test_for_pictures_known_eyes_come_before_unknown_ones() -> None:
    models = [model("unknown", Tier.MIDDLE), model("seeing", Tier.SMALL, vision=True)]
    assert [m.name for m in suited(models, Shape.VISION)] == ["seeing", "unknown"]


def test_only_a_known_inability_excludes_a_model() -> None:
    assert can_do(model("m", Tier.SMALL), sees=True, calls_tools=True)
    assert not can_do(model("m", Tier.SMALL, vision=False), sees=True, calls_tools=False)
    assert not can_do(model("m", Tier.SMALL, tools=False), sees=False, calls_tools=True)


def test_rest_grows_and_ends() -> None:
    assert [rest_s(n) for n in range(5)] == [0.0, *REST_S, REST_S[-1]]
