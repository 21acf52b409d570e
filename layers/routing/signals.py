"""What is wrong with an answer, seen without a judge: the question and the answer in, a `Doubt` out.

Where the question is a calculation, measures of the answer move the odds, each by a weight that
benchmarks/routing/fit.py learnt: hedging, sums that are wrong, a result that nothing derives. Anywhere, a flaw makes an
answer doubtful by itself. Both can be told part by part, and no model is asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import exp, inf, log1p, prod

from layers.routing.figures import NUMBER, figures_of, is_off, numbers
from layers.routing.flaws import Flaw, flaws

HEDGE = re.compile(
    r"\b(?:assum\w{1,8}|approximately|about|around|roughly|perhaps|probably|might|however|let's say|unclear|unknown"
    r"|actually|not (?:specified|clear|possible)|cannot|can't|wait|mistake|sorry|impossible|closest|round\w{0,8}"
    r"|information|does not|doesn't|depends|possible|reasonable|seems?|i think|not sure|unsure|i believe)\b",
    re.I,
)
RESULT_LINE = re.compile(r"^#{2,6}[ \t]?\S|\\boxed\{|^[ \t*_>-]{0,8}(?:final )?answer\W{0,4}:", re.M | re.I)
ASKS_FOR_AMOUNT = re.compile(
    r"\b(?:how (?:many|much|long|old|far|fast|often|tall|big|heavy|likely)"
    r"|what (?:is|was|are|were|will|percent|percentage|fraction|number|time)"
    r"|calculate|compute|find|total|average|sum|each|per|cost|price|left|remaining)\b",
    re.I,
)
SENTENCE_END = re.compile(r"[.\n]+")
UNKNOWN = re.compile(r"\b(?:let|be|=)\b.{0,15}\b[a-z]\b\s*[=+\-*/]|\d[a-z]\b|\bx\b\s*=")
CONCLUDING = re.compile(r"\b(?:therefore|thus)\b", re.I)
MOST_CHARS = 20_000
"""Of a question or an answer; what follows is not read."""
MOST_SIGNALS = 5
FARTHEST = 8.0
"""Spreads from the mean that a measure counts at most: what was learnt holds no farther out."""
ENOUGH_SCORES = 100

MEASURES = (
    "no result line",
    "hedging",
    "a part of a whole",
    "below nothing",
    "result not derived",
    "result stands alone",
    "result repeats the question",
    "a sum is wrong",
    "results",
    "no calculation",
    "length",
    "numbers of the question unused",
    "repetition",
    "unknowns",
    "lines",
    "question's length",
    "question's numbers",
    "parts on the way",
    "below nothing on the way",
    "size of the result",
    "does not end in a number",
    "numbers",
    "concluding words",
)
"""Names of what `measures` gives, in its order."""
FORMAT = "no result line"
"""The one measure that knows of a format."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One thing measured in an answer."""

    name: str
    weight: float
    """What it moves the log odds; more is worse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """How likely a stronger model is worth asking: this answer is wrong and another would be right."""

    score: float
    """0..1."""
    signals: tuple[Signal, ...]
    """Those that moved it most, heaviest first; none where the question is no calculation."""
    flaws: tuple[Flaw, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """What was learnt from answers."""

    base: float
    """Log odds where every measure is at its mean."""
    measures: Mapping[str, tuple[float, float, float]]
    """Name -> mean, spread, and what one spread above the mean moves the log odds."""
    quantiles: tuple[float, ...]
    """Scores of the rows, in ascending order at even steps: what `threshold` starts from."""


def measures(question: str, answer: str) -> tuple[float, ...]:
    """What MEASURES names."""
    found, asked = figures_of(answer), numbers(question)
    results = {said for _, _, said in found.sums}
    result = found.all[-1] if found.all else None
    before = set(found.all[:-1] if "####" not in answer else numbers(answer.rpartition("####")[0]))
    sentences = [each.strip() for each in SENTENCE_END.split(answer) if each.strip()]
    known = set(found.all)
    unused = sum(each not in known for each in asked)
    return (
        float(not RESULT_LINE.search(answer)),
        log1p(len(HEDGE.findall(answer))),
        float(result is not None and result % 1 != 0),
        float(result is not None and result < 0),
        float(result is not None and result not in results),
        float(result is not None and result not in before),
        float(result in asked),
        float(any(is_off(made, said) for _, made, said in found.sums)),
        log1p(len(results)),
        float(not results),
        log1p(len(answer)),
        unused / (len(asked) or 1),
        1 - len(set(sentences)) / (len(sentences) or 1),
        float(bool(UNKNOWN.search(answer.lower()))),
        log1p(answer.count("\n")),
        log1p(len(question)),
        log1p(len(asked)),
        float(any(each % 1 != 0 for each in results)),
        float(any(each < 0 for each in results)),
        log1p(abs(result)) if result is not None else 0.0,
        float(not re.search(r"\d\D{0,15}$", answer.strip())),
        log1p(len(found.all)),
        float(bool(CONCLUDING.search(answer))),
    )


def doubt(
    question: str,
    answer: str,
    *,
    is_cut: bool = False,
    refused_calls: Sequence[str] = (),
    broken: float = 0.0,
    weights: Learnt | None = None,
) -> Doubt:
    """How likely it is that `answer` is wrong and a stronger model's would be right.

    Args:
        question: what the person said last.
        answer: the text of the answer.
        is_cut: it ended at the length limit.
        refused_calls: one sentence for each tool call in it whose arguments do not fit the tool.
        broken: how much the instructions that it breaks speak for another model, 0..1.
        weights: those of the measures; None takes the shipped ones.
    """
    by, question, answer = weights or learnt(), question[:MOST_CHARS], answer[:MOST_CHARS]
    signals = weighed(question, answer, by) if is_calculation(question, answer) else []
    odds = by.base + sum(signal.weight for signal in signals)
    found = flaws(question, answer, is_cut=is_cut, refused_calls=refused_calls)
    if broken:
        found = (*found, Flaw(name="breaks what was asked", doubt=broken))
    sound = prod((1 - flaw.doubt for flaw in found), start=1 - 1 / (1 + exp(-odds)))
    signals.sort(key=lambda signal: -abs(signal.weight))
    return Doubt(score=1 - sound, signals=tuple(signals[:MOST_SIGNALS]), flaws=found)


def is_calculation(question: str, answer: str) -> bool:
    """Whether the measures have something to measure: a quantity is asked for, and there are numbers on both sides."""
    return asks_for_result(question) and bool(NUMBER.search(answer))


def asks_for_result(question: str) -> bool:
    """Whether a quantity is asked for, and there are numbers to find it from."""
    return bool(ASKS_FOR_AMOUNT.search(question)) and bool(NUMBER.search(question))


def weighed(question: str, answer: str, by: Learnt) -> list[Signal]:
    """Each measure, with what it moves the log odds."""
    found = []
    for name, value in zip(MEASURES, measures(question, answer), strict=True):
        mean, spread, weight = by.measures[name]
        standing = max(-FARTHEST, min(FARTHEST, (value - mean) / spread))
        found.append(Signal(name=name, weight=standing * weight))
    return found


def threshold(share: float, scores: Sequence[float] = ()) -> float:
    """The doubt from which on an answer goes to the stronger model, so that about `share` of the answers do.

    Args:
        share: of answers, 0..1; see `affordable` for one that is told in money.
        scores: doubts of earlier answers; with fewer than a hundred the shipped rows' are taken.
    """
    if share <= 0:
        return inf
    ordered = sorted(scores) if len(scores) >= ENOUGH_SCORES else learnt().quantiles
    place = max(0.0, 1 - share) * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def affordable(cost_share: float, weak_usd: float, strong_usd: float) -> float:
    """The share of answers that may go on to the strong model, 0..1.

    Every question costs the weak call; together they may cost `cost_share` of asking the strong model always.
    """
    if strong_usd <= 0:
        return 1.0
    return max(0.0, min(1.0, cost_share - weak_usd / strong_usd))


@cache
def learnt() -> Learnt:
    """The shipped weights."""
    return read_learnt(files("layers.routing").joinpath("learnt/signals.tsv").read_text(encoding="utf-8"))


def read_learnt(text: str) -> Learnt:
    """What `written` wrote."""
    base, measured, quantiles = 0.0, {}, []
    for line in text.splitlines():
        kind, *cells = line.split("\t")
        if kind == "base":
            base = float(cells[0])
        elif kind == "quantile":
            quantiles.append(float(cells[0]))
        elif kind == "measure":
            mean, spread, weight = map(float, cells[1:])
            measured[cells[0]] = (mean, spread, weight)
    return Learnt(base=base, measures=measured, quantiles=tuple(quantiles))


def written(weights: Learnt, comments: Sequence[str]) -> str:
    """Weights as the file that `read_learnt` reads."""
    lines = [*(f"# {comment}" for comment in comments), f"base\t{weights.base:.5g}"]
    for name, figures in weights.measures.items():
        lines.append("\t".join(["measure", name, *(f"{figure:.5g}" for figure in figures)]))
    lines += [f"quantile\t{score:.4g}" for score in weights.quantiles]
    return "\n".join(lines) + "\n"
