"""Difficulty from the prompt alone, on RouteLLM's rows: in-domain, held-out subjects, GSM8K; and what it is beside.

No row is scored by weights that were learnt from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.routing.curve import Curve, Numbers, curve
from benchmarks.routing.fit import Row, gains_of, is_for_design, learn, rows_of
from benchmarks.section import Measured, Section, missed
from layers.routing.difficulty import View, judge

LEARNT_ROWS = 1_500
SEEDS = 5
FOLDS = 10


def scores_of(rows: Sequence[Row], view: View) -> Numbers:
    """Each row's score by these weights."""
    return np.array([judge(row.prompt, view).score for row in rows])


def crossed(rows: Sequence[Row], folds: Numbers) -> Numbers:
    """Each row's score by weights learnt from the other folds, on one scale."""
    scores = np.zeros(len(rows))
    for fold in np.unique(folds):
        inside = folds == fold
        view = learn([row for row, is_in in zip(rows, inside, strict=True) if not is_in])
        scores[inside] = scores_of([row for row, is_in in zip(rows, inside, strict=True) if is_in], view)
    return scores


def by_prompt(rows: Sequence[Row], count: int = FOLDS) -> Numbers:
    """A fold for each row, so that equal prompts share one."""
    distinct = sorted({row.prompt for row in rows})
    dealt = np.random.default_rng(11).permutation(len(distinct)) % count
    fold_of = dict(zip(distinct, dealt, strict=True))
    return np.array([float(fold_of[row.prompt]) for row in rows])


def by_subject(rows: Sequence[Row], count: int = FOLDS) -> Numbers:
    """A fold for each row, so that a subject lies in one."""
    subjects = sorted({row.subject for row in rows})
    dealt = np.random.default_rng(11).permutation(len(subjects)) % count
    fold_of = dict(zip(subjects, dealt, strict=True))
    return np.array([float(fold_of[row.subject]) for row in rows])


def told(found: Curve, rows: Sequence[Row], target: float, **more: object) -> dict[str, object]:
    """A curve, its target and how many rows it was measured on."""
    return {**found.told(), "target": target, "rows": len(rows), **more}


def mmlu_in_domain(_folder: Path, is_quick: bool) -> Measured:
    """Learnt from 1,500 design rows, tested on every row that no choice has seen; the mean of several draws."""
    rows = rows_of("mmlu")
    design = [row for row in rows if is_for_design(row)]
    seen = {row.prompt for row in design}
    test = [row for row in rows if row.prompt not in seen]
    curves = []
    for seed in range(1 if is_quick else SEEDS):
        drawn = np.random.default_rng(seed).permutation(len(design))[:LEARNT_ROWS]
        curves.append(curve(scores_of(test, learn([design[index] for index in drawn])), gains_of(test)))
    means = Curve(**{key: float(np.mean([getattr(one, key) for one in curves])) for key in Curve.__slots__})
    spread = [round(one.apgr, 3) for one in curves]
    return Measured(
        printed={"mmlu_apgr": told(means, test, 0.63, learnt_rows=LEARNT_ROWS, draws=spread)},
        misses=missed({f"APGR is {means.apgr:.3f}, under 0.63": means.apgr >= 0.63}),
    )


def mmlu_held_out(_folder: Path, _is_quick: bool) -> Measured:
    """Every subject scored by weights that saw no row of it."""
    rows = rows_of("mmlu")
    found = curve(crossed(rows, by_subject(rows)), gains_of(rows))
    return Measured(
        printed={"mmlu_heldout_subjects": told(found, rows, 0.60)},
        misses=missed({f"APGR is {found.apgr:.3f}, under 0.60": found.apgr >= 0.60}),
    )


def gsm8k_prompt(_folder: Path, _is_quick: bool) -> Measured:
    """Cross-validated by prompt."""
    rows = rows_of("gsm8k")
    found = curve(crossed(rows, by_prompt(rows)), gains_of(rows))
    return Measured(
        printed={"gsm8k_prompt_apgr": told(found, rows, 0.60)},
        misses=missed({f"APGR is {found.apgr:.3f}, under 0.60": found.apgr >= 0.60}),
    )


SECTIONS: dict[str, Section] = {
    "mmlu_apgr": Section(keys=("mmlu_apgr",), run=mmlu_in_domain),
    "mmlu_heldout_subjects": Section(keys=("mmlu_heldout_subjects",), run=mmlu_held_out),
    "gsm8k_prompt_apgr": Section(keys=("gsm8k_prompt_apgr",), run=gsm8k_prompt),
}
