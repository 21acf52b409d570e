"""The cascade on GSM8K: the weak model's answer is looked at, and the doubtful ones go to the strong model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.routing.curve import Numbers, curve
from benchmarks.routing.fit import Row, gains_of, learn_signals, rows_of
from benchmarks.routing.prompts import by_prompt
from benchmarks.section import Measured, Section, missed
from layers.routing.signals import FORMAT, doubt


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


def gsm8k_cascade(_folder: Path, _is_quick: bool) -> Measured:
    """Cross-validated by prompt, with and without the one measure that knows of a format."""
    rows = rows_of("gsm8k")
    folds, gains = by_prompt(rows), gains_of(rows)
    found = curve(doubts(rows, folds), gains)
    plain = curve(doubts(rows, folds, (FORMAT,)), gains)
    return Measured(
        printed={"gsm8k_cascade": {**found.told(), "rows": len(rows), "without_format_flag": plain.told()}},
        misses=missed(
            {
                f"APGR is {found.apgr:.3f}, under 0.70": found.apgr >= 0.70,
                f"CPT50 is {found.cpt50:.1%}, over 20 %": found.cpt50 <= 0.20,
                f"without the flag APGR is {plain.apgr:.3f}, under 0.70": plain.apgr >= 0.70,
                f"without the flag CPT50 is {plain.cpt50:.1%}, over 20 %": plain.cpt50 <= 0.20,
            }
        ),
    )


SECTIONS: dict[str, Section] = {"gsm8k_cascade": Section(keys=("gsm8k_cascade",), run=gsm8k_cascade)}
