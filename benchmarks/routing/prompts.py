"""Difficulty from the prompt alone, on RouteLLM's rows: in-domain, held-out subjects, GSM8K; each beside its baselines.

No row is scored by weights that were learnt from it. `clean` is the area over the rows that share no 13 words in a row
with any row that the weights were learnt from; MMLU repeats passages and a few questions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.routing.baselines import baselines
from benchmarks.routing.curve import Curve, Numbers, apgr, curve
from benchmarks.routing.fit import Row, gains_of, is_for_design, learn, rows_of
from benchmarks.section import Measured, Section, missed
from layers.routing.difficulty import View, judge, words_of

LEARNT_ROWS = 1_500
SEEDS = 3
"""Draws of rows, or deals of folds, whose mean counts: one alone may be lucky by 0.02."""
FOLDS = 10
GRAM = 13
"""Words in a row that two prompts do not share by chance (the length that GPT-3's authors looked for)."""
SEEN_GSM8K = "GSM8K has too few rows to keep half apart: our choices saw cross-validated figures of all of them"
SEEN_MMLU = "our choices saw held-out subjects among the design half of these rows"


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


def grams_of(row: Row) -> frozenset[str]:
    """Every run of `GRAM` words; all of a shorter prompt."""
    words = words_of(row.prompt)
    return frozenset(" ".join(words[start : start + GRAM]) for start in range(max(len(words) - GRAM + 1, 1)))


def is_clean(rows: Sequence[Row], learnt: Sequence[Row]) -> NDArray[np.bool_]:
    """Of each row, whether it shares no run of words with any row that was learnt from."""
    seen = frozenset[str]().union(*map(grams_of, learnt))
    return np.array([seen.isdisjoint(grams_of(row)) for row in rows])


def on_clean(scores: Numbers, rows: Sequence[Row], clean: NDArray[np.bool_]) -> dict[str, float]:
    """The area over the clean rows, that of their length, and how many they are."""
    gains, lengths = gains_of(rows)[clean], np.array([float(len(row.prompt)) for row in rows])[clean]
    return {
        "apgr": round(apgr(scores[clean], gains), 3),
        "prompt_length": round(apgr(lengths, gains), 3),
        "rows": int(clean.sum()),
    }


def by_prompt(rows: Sequence[Row], seed: int = 0) -> Numbers:
    """A fold for each row, so that equal prompts share one."""
    return dealt([row.prompt for row in rows], seed)


def by_subject(rows: Sequence[Row], seed: int = 0) -> Numbers:
    """A fold for each row, so that a subject lies in one."""
    return dealt([row.subject for row in rows], seed)


def dealt(names: Sequence[str], seed: int) -> Numbers:
    """A fold for each name; equal names share one."""
    distinct = sorted(set(names))
    folds = np.random.default_rng(seed).permutation(len(distinct)) % FOLDS
    fold_of = dict(zip(distinct, folds, strict=True))
    return np.array([float(fold_of[name]) for name in names])


def mean_of(curves: Sequence[Curve]) -> Curve:
    """Every figure's mean."""
    names = [field.name for field in fields(Curve)]
    return Curve(**{name: float(np.mean([getattr(one, name) for one in curves])) for name in names})


def measured(
    key: str,
    curves: Sequence[Curve],
    rows: Sequence[Row],
    target: float,
    *,
    note: str = "",
    clean: Mapping[str, float] | None = None,
) -> Measured:
    """The mean curve under `key`, each draw's area, and what stands beside it.

    `note` says which rows choices saw; `clean` is the last draw, over the rows that share nothing with the learnt.
    """
    mean = mean_of(curves)
    printed = {
        **mean.told(),
        "target": target,
        "rows": len(rows),
        "draws": [round(one.apgr, 3) for one in curves],
        "baselines": baselines(rows, mean.cpt50),
    }
    if clean is not None:
        printed["clean"] = dict(clean)
    return Measured(
        printed={key: printed},
        misses=missed({f"APGR is {mean.apgr:.3f}, under {target}": mean.apgr >= target}),
        notes=(note,) if note else (),
    )


def mmlu_in_domain(_folder: Path, is_quick: bool) -> Measured:
    """Learnt from 1,500 design rows, tested on every row that no choice has seen."""
    rows = rows_of("mmlu")
    design = [row for row in rows if is_for_design(row)]
    test = [row for row in rows if not is_for_design(row)]
    curves = []
    for seed in range(1 if is_quick else SEEDS):
        drawn = [design[index] for index in np.random.default_rng(seed).permutation(len(design))[:LEARNT_ROWS]]
        scores = scores_of(test, learn(drawn))
        curves.append(curve(scores, gains_of(test)))
    clean = on_clean(scores, test, is_clean(test, drawn))
    return measured("mmlu_apgr", curves, test, 0.63, clean=clean)


def mmlu_held_out(_folder: Path, is_quick: bool) -> Measured:
    """Every subject scored by weights that saw no row of it."""
    rows = rows_of("mmlu")
    curves = []
    for seed in range(1 if is_quick else SEEDS):
        folds = by_subject(rows, seed)
        scores = crossed(rows, folds)
        curves.append(curve(scores, gains_of(rows)))
    clean = np.ones(len(rows), dtype=np.bool_)
    for fold in np.unique(folds):
        others = [row for row, other in zip(rows, folds, strict=True) if other != fold]
        mine = folds == fold
        clean[mine] = is_clean([row for row, is_in in zip(rows, mine, strict=True) if is_in], others)
    told = on_clean(scores, rows, clean)
    return measured("mmlu_heldout_subjects", curves, rows, 0.60, note=SEEN_MMLU, clean=told)


def gsm8k_prompt(_folder: Path, is_quick: bool) -> Measured:
    """Cross-validated by prompt."""
    rows = rows_of("gsm8k")
    seeds = range(1 if is_quick else SEEDS)
    curves = [curve(crossed(rows, by_prompt(rows, seed)), gains_of(rows)) for seed in seeds]
    return measured("gsm8k_prompt_apgr", curves, rows, 0.60, note=SEEN_GSM8K)


SECTIONS: dict[str, Section] = {
    "mmlu_apgr": Section(keys=("mmlu_apgr",), run=mmlu_in_domain),
    "mmlu_heldout_subjects": Section(keys=("mmlu_heldout_subjects",), run=mmlu_held_out),
    "gsm8k_prompt_apgr": Section(keys=("gsm8k_prompt_apgr",), run=gsm8k_prompt),
}
