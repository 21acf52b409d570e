"""The cascade on GSM8K: the weak model's answer is looked at, and the doubtful ones go to the strong model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.routing.baselines import baselines
from benchmarks.routing.curve import Numbers, curve
from benchmarks.routing.fit import Row, gains_of, learn_signals, rows_of
from benchmarks.routing.prompts import SEEDS, SEEN_GSM8K, by_prompt, mean_of
from benchmarks.section import Measured, Section, missed
from layers.routing.signals import FORMAT, affordable, doubt, threshold

COST_SHARES = (0.1, 0.2, 0.3, 0.5)
WEAK_USD, STRONG_USD = 0.24, 24.7
"""Price of a million tokens, Mixtral 8x7B and GPT-4-1106 in RouteLLM's paper."""


def doubts(rows: Sequence[Row], folds: Numbers, without: Sequence[str] = ()) -> Numbers:
    """Each answer's doubt, by weights learnt from the other folds."""
    scores = np.zeros(len(rows))
    for fold in np.unique(folds):
        inside = folds == fold
        weights = learn_signals([row for row, is_in in zip(rows, inside, strict=True) if not is_in], without=without)
        scores[inside] = [
            doubt(row.prompt, row.weak_answer, weights=weights).score
            for row, is_in in zip(rows, inside, strict=True)
            if is_in
        ]
    return scores


def gsm8k_cascade(_folder: Path, is_quick: bool) -> Measured:
    """Cross-validated by prompt, with and without the one measure that knows of a format."""
    rows = rows_of("gsm8k")
    gains = gains_of(rows)
    deals = [by_prompt(rows, seed) for seed in range(1 if is_quick else SEEDS)]
    found = mean_of([curve(doubts(rows, folds), gains) for folds in deals])
    plain = mean_of([curve(doubts(rows, folds, (FORMAT,)), gains) for folds in deals])
    printed = {
        **found.told(),
        "rows": len(rows),
        "without_format_flag": plain.told(),
        "at_cost_share": at_cost_share(rows, deals[0]),
        "baselines": baselines(rows, found.cpt50) | {"answer_length": curve(lengths(rows), gains).told()},
    }
    return Measured(
        printed={"gsm8k_cascade": printed},
        misses=missed(
            {
                f"APGR is {found.apgr:.3f}, under 0.70": found.apgr >= 0.70,
                f"CPT50 is {found.cpt50:.1%}, over 20 %": found.cpt50 <= 0.20,
                f"without the flag APGR is {plain.apgr:.3f}, under 0.70": plain.apgr >= 0.70,
                f"without the flag CPT50 is {plain.cpt50:.1%}, over 20 %": plain.cpt50 <= 0.20,
            }
        ),
        notes=(SEEN_GSM8K,),
    )


def lengths(rows: Sequence[Row]) -> list[float]:
    """How long each weak answer is."""
    return [float(len(row.weak_answer)) for row in rows]


def at_cost_share(rows: Sequence[Row], folds: Numbers) -> list[dict[str, float]]:
    """What the threshold does that is set for a share of the strong model's cost, from earlier answers' doubts.

    The odd rows' doubts set it and the even rows are counted. A weak call costs 1 % of a strong one.
    """
    scores, gains = doubts(rows, folds), gains_of(rows)
    told = []
    for share in COST_SHARES:
        limit = threshold(affordable(share, WEAK_USD, STRONG_USD), scores[1::2].tolist())
        sent = scores[::2] >= limit
        cost = WEAK_USD / STRONG_USD + float(sent.mean())
        recovered = float(gains[::2][sent].sum() / gains[::2].sum())
        told.append({"target": share, "cost": round(cost, 3), "recovered": round(recovered, 3)})
    return told


SECTIONS: dict[str, Section] = {"gsm8k_cascade": Section(keys=("gsm8k_cascade",), run=gsm8k_cascade)}
