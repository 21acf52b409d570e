"""LiteLLM's own local routers, asked the same questions: its complexity score, and its classifier of requests.

Both run without a network and without a model. litellm takes seconds to import, so this happens at the first question.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from functools import cache
from typing import Any

from layers.routing import Shape

OFFLINE = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MODE": "PRODUCTION", "LITELLM_LOG": "ERROR"}
SHAPE_OF = {
    "code_generation": Shape.CODE,
    "code_understanding": Shape.CODE,
    "technical_design": Shape.DEPTH,
    "analytical_reasoning": Shape.DEPTH,
    "writing": Shape.OBEDIENCE,
    "factual_lookup": Shape.CHEAP,
    "general": Shape.CHEAP,
}
"""Its request types, as the shape that each is nearest to."""


@cache
def part_of_litellm(name: str) -> Any:  # noqa: ANN401 - a vendor's module without types
    """A module of litellm, imported without a network."""
    os.environ.update(OFFLINE)
    return importlib.import_module(f"litellm.router_strategy.{name}")


def complexity_by_litellm(prompts: Sequence[str]) -> list[float]:
    """Its complexity router's score for each prompt, by its defaults."""
    part = part_of_litellm("complexity_router.complexity_router")
    router = part.ComplexityRouter("bench", None, derive_savings_baseline=False)
    return [float(router.classify(prompt)[1]) for prompt in prompts]


def shape_by_litellm(prompts: Sequence[str]) -> list[Shape]:
    """Its request type for each prompt, as a shape."""
    part = part_of_litellm("adaptive_router.classifier")
    return [SHAPE_OF[part.classify_prompt(prompt).value] for prompt in prompts]
