"""What is wrong with an answer: flaws by hand-made answers, sums worked out again, and hostile text."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.routing.figures import figures_of, is_off, worked_out
from layers.routing.flaws import flaws
from layers.routing.signals import MEASURES, affordable, doubt, learnt, read_learnt, threshold, written

ASKED = "Tom buys 3 boxes with 12 eggs each and breaks 4. How many eggs are left?"
RIGHT = "3 boxes have 3 * 12 = 36 eggs. After breaking 4 there are 36 - 4 = 32 left.\n#### 32"
WRONG_SUM = "3 boxes have 3 * 12 = 46 eggs. After breaking 4 there are 46 - 4 = 42 left.\n#### 42"
UNDERIVED = "Assuming that some eggs may perhaps be broken, roughly 7.5 are left."
PROSE = "The meeting is moved to Thursday, because the room is taken on Wednesday. Everybody has been told."


def names(answer: str, question: str = "What is new?", **facts: object) -> list[str]:
    return [flaw.name for flaw in flaws(question, answer, **facts)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "flaw"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ("I'm sorry, but I can't help with that.", "refuses"),
        ("I’m sorry, but I can’t assist with this request.", "refuses"),
        ("As an AI language model, I cannot provide opinions.", "refuses"),
        ("Unfortunately, I am unable to access the calendar.", "refuses"),
        ("I'm not sure, but the gate code may be 1234.", "says that it is not sure"),
        ("The answer is 5. Let me check. So the answer is 7.", "states two results"),
        ("```python\nprint(1)", "a code block does not end"),
        ("no " * 30, "says the same again and again"),
        ("It depends on the load. " * 6, "says the same again and again"),
        ("Fine.\n" + "We restart the server and look.\n" * 3, "says the same again and again"),
        ("The deployment " + "is described in the plan that we wrote together " * 6 + "and it is th", "ends within"),
    ],
)
def test_a_flaw_is_seen_and_named(answer: str, flaw: str) -> None:
    assert any(name.startswith(flaw) for name in names(answer))


@pytest.mark.parametrize(
    "answer",
    [
        PROSE,
        RIGHT,
        "I can't stress enough how well this went.",
        "You cannot give a refund after 30 days; the shop may still do so.",
        "```python\nreturn None\nreturn None\nreturn None\nreturn None\nreturn None\n```",
        "| a | b |\n| --- | --- |\n| none | none |\n| none | none |\n| none | none |\n| none | none |",
        "1. Milk\n2. Milk\n3. Bread",
        "The answer is 5, and 5 is also what the test expects: the answer is 5.",
    ],
)
def test_a_clean_answer_has_no_flaw(answer: str) -> None:
    assert names(answer) == []


def test_facts_are_flaws_too() -> None:
    assert names("Half of a sent", is_cut=True) == ["cut off"]
    assert names("Done.", refused_calls=("draw wants a title",)) == ["tool arguments do not fit"]
    assert doubt("x", "Done.", refused_calls=("draw wants a title",)).score == pytest.approx(1.0)
    assert doubt("x", "Done.", broken=1.0).score == pytest.approx(1.0)


def test_who_asks_for_repetition_gets_it() -> None:
    assert names("no " * 30, question="Repeat the word no thirty times") == []


def test_worse_answers_are_more_doubtful() -> None:
    right, wrong, underived = (doubt(ASKED, answer).score for answer in (RIGHT, WRONG_SUM, UNDERIVED))
    assert right < wrong
    assert right < underived


def test_a_doubt_names_what_moved_it() -> None:
    found = doubt(ASKED, WRONG_SUM)
    assert "a sum is wrong" in {signal.name for signal in found.signals}
    assert doubt("Where is the meeting?", PROSE).signals == ()


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("2 + 3 * 4", 14.0),
        ("10 - 2 - 3", 5.0),
        ("$1,200 / 4", 300.0),
        ("3 x 4 - 10 / 5", 10.0),
        ("6 \u00f7 4 \u00d7 2", 3.0),
        ("1 / 0", None),
        ("2 ** 3", None),
        ("__import__", None),
        ("2 +", None),
        ("", None),
    ],
)
def test_sums_are_worked_out_and_nothing_else_is(text: str, made: float | None) -> None:
    assert worked_out(text) == made


def test_a_wrong_sum_is_told_from_a_rounded_one() -> None:
    (_, made, said) = figures_of("so 7 / 3 = 2.33 each").sums[0]
    assert not is_off(made, said)
    (_, made, said) = figures_of("so <<7*3=22>> each").sums[0]
    assert is_off(made, said)


@given(st.text(max_size=2000), st.text(max_size=2000))
def test_the_doubt_of_any_answer_is_a_share(question: str, answer: str) -> None:
    assert 0.0 <= doubt(question, answer).score <= 1.0


@pytest.mark.parametrize(
    "text",
    ["1,", "1+", "\n", "<<", "1 ", "9", "let ", "#", "1=", "=1", "i can't ", "the answer is 1 ", "a\n", "`", "-1*"],
)
@pytest.mark.timeout(30)  # a pattern that goes back and forth over it would take minutes
def test_no_text_keeps_it_busy(text: str) -> None:
    long = text * (20_000 // len(text))
    assert 0.0 <= doubt(f"how many {long}", long).score <= 1.0


def test_the_threshold_lets_the_share_through_that_was_asked_for() -> None:
    scores = [place / 1000 for place in range(1000)]
    for share in (0.1, 0.25, 0.5):
        limit = threshold(share, scores)
        assert sum(score >= limit for score in scores) == pytest.approx(share * 1000, abs=2)
    assert threshold(0.0) == inf
    assert threshold(1.0) <= threshold(0.5) <= threshold(0.1)


def test_a_share_of_the_cost_leaves_room_for_the_weak_calls() -> None:
    assert affordable(0.3, 1.0, 10.0) == pytest.approx(0.2)
    assert affordable(0.05, 1.0, 10.0) == 0.0
    assert affordable(2.0, 1.0, 10.0) == 1.0
    assert affordable(0.1, 0.0, 0.0) == 1.0


def test_the_shipped_weights_are_whole_and_read_as_written() -> None:
    assert tuple(learnt().measures) == MEASURES
    assert list(learnt().quantiles) == sorted(learnt().quantiles)
    again = read_learnt(written(learnt(), ("a comment",)))
    assert again == learnt()
