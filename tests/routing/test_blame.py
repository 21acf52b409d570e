"""What people are told when no model answered: who must do what, and nothing that is not true."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from layers.routing import Attempt, Message, NoAnswer, Role, Router, Task
from layers.routing.blame import failed
from tests.fakes.model_server import ModelServer

AGAIN, VAIN = "Try again in a minute", "Trying again will not help"
OPERATOR = "Whoever runs Bulkhead must set right what is said of openai/err401"


@pytest.mark.parametrize(
    ("models", "told", "not_told"),
    [
        (["err500"], [AGAIN], [VAIN, OPERATOR]),
        (["err401"], [VAIN, OPERATOR], ["Try again"]),
        (["err400"], [VAIN, "say it in another way"], ["Try again", OPERATOR]),
        (["err401", "err500"], [AGAIN, OPERATOR], [VAIN]),
        (["err401", "err400"], [VAIN, "say it in another way", OPERATOR], ["Try again"]),
        (["toolong"], [VAIN, "new conversation"], ["Try again"]),
        (["empty"], ["Try again, or ask in another way"], [VAIN, "in a minute"]),
        (["wait-30s"], ["slow down for 30 s", "when that time is over"], [VAIN, "in a minute"]),
    ],
)
async def test_what_is_said_of_a_failure_is_true_of_it(
    router: Callable[[str], Router], fake: ModelServer, models: list[str], told: list[str], not_told: list[str]
) -> None:
    routes = router(f"[routes]\ncheap = {[f'openai/{name}' for name in models]}")
    with pytest.raises(NoAnswer) as caught:
        await routes.complete(Task(messages=(Message(role=Role.USER, content="ping"),)))
    said = str(caught.value)
    for words in told:
        assert words in said
    for words in not_told:
        assert words not in said


def test_an_answer_that_nobody_could_use_is_not_called_an_outage() -> None:
    assert "what came could not be used" in failed([Attempt(model="m", ok=True)])
