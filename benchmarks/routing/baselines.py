"""What a router of two models has to beat, on the same rows: chance, length, LiteLLM's own score, no router."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.routing.curve import Numbers, curve, shuffled
from benchmarks.routing.fit import Row, gains_of
from benchmarks.routing.litellm_peer import complexity_by_litellm


def baselines(rows: Sequence[Row], cpt50: float) -> dict[str, object]:
    """Curves and fixed points; `cpt50` is the share of strong calls with which ours recovers half of the gap."""
    gains = gains_of(rows)
    prompts = [row.prompt for row in rows]
    mean, low, high = shuffled(gains, cpt50)
    return {
        "random": curve(np.random.default_rng(1).random(len(rows)), gains).told(),
        "prompt_length": curve([float(len(prompt)) for prompt in prompts], gains).told(),
        "litellm_complexity": curve(complexity_by_litellm(prompts), gains).told(),
        "always_weak": fixed(rows, is_strong=False),
        "always_strong": fixed(rows, is_strong=True),
        "cost_matched_shuffle": {
            "strong_calls": round(cpt50, 3),
            "recovered": round(mean, 3),
            "ci": [round(low, 3), round(high, 3)],
            "ours": 0.5,
        },
    }


def fixed(rows: Sequence[Row], *, is_strong: bool) -> dict[str, object]:
    """What always asking the same model gives: the share of right answers, and the share of the gap."""
    right = np.array([float(row.strong if is_strong else row.weak) for row in rows])
    low, high = interval(right)
    ci = [round(low, 3), round(high, 3)]
    return {"right": round(float(right.mean()), 3), "ci": ci, "recovered": float(is_strong)}


def interval(values: Numbers, *, draws: int = 400) -> tuple[float, float]:
    """The 95 % interval of a mean, from rows drawn again."""
    generator = np.random.default_rng(2)
    means = [values[generator.integers(0, len(values), len(values))].mean() for _ in range(draws)]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)
