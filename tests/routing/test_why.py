"""What /why says."""

from __future__ import annotations

import pytest

from layers.routing import Attempt, Cue, Reply, Shape, Tokens, why


def reply(cost_usd: float | None, *attempts: Attempt) -> Reply:
    cue = Cue(name="language", shape=Shape.CODE, weight=1.25)
    tokens = Tokens(read=100, written=5)
    return Reply(
        text="t", model="a/b", shape=Shape.CODE, cues=(cue,), tokens=tokens, cost_usd=cost_usd, attempts=attempts
    )


def test_it_names_model_shape_cues_cost_and_failures() -> None:
    failed = Attempt(model="x/y", ok=False, error="no answer in time", ms=1500)
    told = why([reply(0.01, failed, Attempt(model="a/b", ok=True, ms=500)), reply(0.02)])
    assert told == (
        "**a/b** answered, for the shape **code**: language (code +1.25).\n\n"
        "2 steps, 200 tokens read, 10 written, $0.0300, 2.0 s.\n"
        "- x/y failed after 1.5 s: no answer in time"
    )


def test_no_reply_means_no_model_was_asked() -> None:
    assert why([]) == "No model was asked in the last turn."


@pytest.mark.parametrize(
    ("costs", "told"),
    [([None], "price unknown"), ([0.0], "free of charge"), ([0.01, None], "at least $0.0100 (some prices are")],
)
def test_an_unknown_price_is_said_to_be_unknown(costs: list[float | None], told: str) -> None:
    assert told in why([reply(cost) for cost in costs])
