"""Learns the weights of layers/routing/learnt from RouteLLM's rows: `python -m benchmarks.routing.fit`.

Data: data/routellm/{mmlu,gsm8k}.jsonl.gz under BULKHEAD_SHARED, from lm-sys/RouteLLM: whether Mixtral 8x7B and
GPT-4-1106 answered right. Split: what is shipped is learnt from every row of these files; the benchmark learns again,
by the same code, from rows that it does not test on. numpy only, nothing at random.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.routing.curve import Numbers
from layers.routing import signals
from layers.routing.difficulty import MEASURES, View, measures, terms_of, words_of, written
from layers.routing.signals import Learnt

REPO = Path(__file__).parents[2]
LEARNT = REPO / "layers" / "routing" / "learnt"
FEWEST_ROWS, ROWS_PER_TERM = 3, 1_000
"""A term in fewer rows than this is left out, or than one row in so many: it keeps the files small."""
RIDGE = 100.0
"""Pull of the weights towards nothing. It and the scales were chosen on the MMLU rows that `is_for_design` names."""
SCALES = np.array([0.15, *[0.03] * (len(MEASURES) - 1)])
"""How loud each measure is beside the words before the pull: length, which holds everywhere, and the others."""
ROUNDS = 60
"""Of conjugate gradients: far more than it needs."""
SIGNAL_RIDGE = 100.0
"""Pull of the signals' weights towards nothing."""
NEWTON_ROUNDS = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One prompt, and who answered it right."""

    prompt: str
    weak: bool
    strong: bool
    subject: str = ""
    weak_answer: str = ""

    @property
    def gain(self) -> float:
        """What asking the strong model instead gives: -1, 0 or 1."""
        return float(self.strong) - float(self.weak)


def data() -> Path:
    """The folder that holds the data: BULKHEAD_DATA, or `data` in the one beside the project."""
    beside = Path(os.environ.get("BULKHEAD_SHARED") or REPO.parent / "shared")
    return Path(os.environ.get("BULKHEAD_DATA") or beside / "data")


def rows_of(name: str) -> list[Row]:
    """The rows of a RouteLLM file."""
    with gzip.open(data() / "routellm" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        found = [json.loads(line) for line in lines]
    return [Row(**{key: row[key] for key in Row.__dataclass_fields__ if key in row}) for row in found]


def is_for_design(row: Row) -> bool:
    """Whether choices of ours may look at the row: half of them, by a salted hash of the prompt."""
    return hashlib.sha256(f"bulkhead:{row.prompt}".encode()).digest()[0] % 2 == 0


def gains_of(rows: Sequence[Row]) -> Numbers:
    """Each row's gain."""
    return np.array([row.gain for row in rows])


def learn(rows: Sequence[Row], *, ridge: float = RIDGE) -> View:
    """Ridge regression of the gain on words, pairs and measures.

    A text's terms are weighed by rarity and brought to length 1; a text's measures are standardised.
    """
    words = [words_of(row.prompt) for row in rows]
    terms = [terms_of(each) for each in words]
    counts = Counter(term for each in terms for term in each)
    fewest = max(FEWEST_ROWS, len(rows) // ROWS_PER_TERM)
    kept = sorted(term for term, count in counts.items() if count >= fewest)
    rarity = {term: float(f"{np.log(len(rows) / counts[term]) + 1:.3g}") for term in kept}
    place = {term: index for index, term in enumerate(kept)}
    at_row, at_term, value = coordinates(terms, place, rarity)
    measured = np.array([measures(row.prompt, each) for row, each in zip(rows, words, strict=True)])
    mean, spread = measured.mean(axis=0), measured.std(axis=0)
    spread[spread == 0] = 1.0
    dense = (measured - mean) / spread * SCALES
    target = gains_of(rows) - gains_of(rows).mean()

    def forward(weights: Numbers) -> Numbers:
        sparse = np.bincount(at_row, value * weights[at_term], minlength=len(rows))
        return np.asarray(sparse + dense @ weights[len(kept) :])

    def backward(errors: Numbers) -> Numbers:
        return np.concatenate([np.bincount(at_term, value * errors[at_row], minlength=len(kept)), dense.T @ errors])

    weights = solve(lambda at: backward(forward(at)) + ridge * at, backward(target))
    return View(
        measures=tuple(
            (float(m), float(s), float(w)) for m, s, w in zip(mean, spread, weights[len(kept) :] * SCALES, strict=True)
        ),
        terms={term: (rarity[term], float(weights[index])) for term, index in place.items()},
    )


def coordinates(
    terms: Sequence[set[str]], place: Mapping[str, int], rarity: Mapping[str, float]
) -> tuple[NDArray[np.int64], NDArray[np.int64], Numbers]:
    """The terms as a sparse matrix: rows, columns and values, each row of length 1."""
    at_row: list[int] = []
    at_term: list[int] = []
    value: list[float] = []
    for number, each in enumerate(terms):
        known = sorted(term for term in each if term in place)
        size = sum(rarity[term] ** 2 for term in known) ** 0.5
        at_row += [number] * len(known)
        at_term += [place[term] for term in known]
        value += [rarity[term] / size for term in known]
    return np.array(at_row, dtype=np.int64), np.array(at_term, dtype=np.int64), np.array(value)


def solve(product: Callable[[Numbers], Numbers], target: Numbers) -> Numbers:
    """The x for which product(x) is target, by conjugate gradients; `product` is linear, symmetric and positive."""
    found, error = np.zeros_like(target), target.copy()
    step, size = error.copy(), float(error @ error)
    for _ in range(ROUNDS):
        if size < 1e-18:
            break
        moved = product(step)
        by = size / float(step @ moved)
        found, error = found + by * step, error - by * moved
        size, before = float(error @ error), size
        step = error + size / before * step
    return found


def learn_signals(rows: Sequence[Row], *, without: Sequence[str] = ()) -> Learnt:
    """Logistic regression of "wrong, and the strong model's is right" on the measures of the weak answer.

    Those in `without` weigh nothing.
    """
    measured = np.array([signals.measures(row.prompt, row.weak_answer) for row in rows])
    used = np.array([name not in without for name in signals.MEASURES])
    mean, spread = measured.mean(axis=0), measured.std(axis=0)
    spread[spread == 0] = 1.0
    standing = np.clip((measured - mean) / spread, -signals.FARTHEST, signals.FARTHEST)
    standard = np.hstack([standing * used, np.ones((len(rows), 1))])
    helped = np.array([float(row.gain > 0) for row in rows])
    pull = np.diag([SIGNAL_RIDGE] * len(used) + [1e-6])
    weights = np.zeros(len(used) + 1)
    for _ in range(NEWTON_ROUNDS):
        likely = 1 / (1 + np.exp(-standard @ weights))
        bend = standard.T @ (standard * (likely * (1 - likely))[:, None]) + pull
        weights -= np.linalg.solve(bend, standard.T @ (likely - helped) + pull @ weights)
    scores = 1 / (1 + np.exp(-standard @ weights))
    return Learnt(
        base=float(weights[-1]),
        measures={
            name: (float(m), float(s), float(w))
            for name, m, s, w in zip(signals.MEASURES, mean, spread, weights[:-1], strict=True)
        },
        quantiles=tuple(float(each) for each in np.quantile(scores, np.linspace(0, 1, 41))),
    )


def main() -> None:
    """Learn both views and the signals from every row and write them."""
    LEARNT.mkdir(exist_ok=True)
    for name, source in (("choice", "mmlu"), ("open", "gsm8k")):
        rows = rows_of(source)
        head = (
            f"The {name} view of layers/routing/difficulty.py, written by benchmarks/routing/fit.py: do not edit.",
            f"Data: all {len(rows)} rows of data/routellm/{source}.jsonl.gz (lm-sys/RouteLLM).",
            "measure: name, mean, spread, weight. term: words, rarity, weight.",
        )
        (LEARNT / f"{name}.tsv").write_text(written(learn(rows), head), encoding="utf-8")
    answered = rows_of("gsm8k")
    head = (
        "What moves the odds that a stronger model is worth asking, written by benchmarks/routing/fit.py: do not edit.",
        f"Data: the weak answers of all {len(answered)} rows of data/routellm/gsm8k.jsonl.gz (lm-sys/RouteLLM).",
        "base: log odds. measure: name, mean, spread, weight. quantile: score.",
    )
    weights = learn_signals(answered, without=(signals.FORMAT,))  # people ask for no such line, and nothing is lost
    (LEARNT / "signals.tsv").write_text(signals.written(weights, head), encoding="utf-8")


if __name__ == "__main__":
    main()
