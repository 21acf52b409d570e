"""What is wrong with an answer, seen without a judge: the question and the answer in, a `Doubt` out.

Linear in the odds, so that every part can be told: hedging, numbers that contradict each other, a result that nothing
derives each weigh something. The weights are learnt by benchmarks/routing/fit.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import exp, log1p

NUMBER = re.compile(r"-?\d[\d,]*\.?\d*")
HEDGE = re.compile(
    r"\b(?:assum\w{1,8}|approximately|about|around|roughly|perhaps|probably|might|however|let's say|unclear|unknown"
    r"|actually|not (?:specified|clear|possible)|cannot|can't|wait|mistake|sorry|impossible|closest|round\w{0,8}"
    r"|information|does not|doesn't|depends|possible|reasonable|seems?|i think|not sure|unsure|i believe)\b",
    re.I,
)
SUM = re.compile(
    r"(?<![\w.])\$?(\d[\d,]{0,15}(?:\.\d{1,9})?)((?:\s{0,3}[-+*/x\u00d7\u00f7]\s{0,3}\$?\d[\d,]{0,15}(?:\.\d{1,9})?){1,12})"
    r"\s{0,3}=\s{0,3}\$?(?:<<[^>]{0,80}>>)?\s{0,3}(-?\d[\d,]{0,15}(?:\.\d{1,9})?)"
)
"""Every repetition has an end: an answer may be written to keep a regular expression busy."""
NOTED = re.compile(r"<<([^=<>]{1,80})=([^<>]{1,40})>>")
OPERATORS = str.maketrans({"x": "*", "\u00d7": "*", "\u00f7": "/", ",": "", "$": "", " ": ""})
TERM = re.compile(r"(\d+(?:\.\d+)?)|([-+*/])")
RESULT_LINE = re.compile(r"^#{2,6}[ \t]?\S|\\boxed\{|^[ \t*_>-]{0,8}(?:final )?answer\W{0,4}:", re.M | re.I)
SENTENCE_END = re.compile(r"[.\n]+")
UNKNOWN = re.compile(r"\b(?:let|be|=)\b.{0,15}\b[a-z]\b\s*[=+\-*/]|\d[a-z]\b|\bx\b\s*=")
CONCLUDING = re.compile(r"\b(?:therefore|thus)\b", re.I)
LARGEST = 1e15
MOST_CHARS = 20_000
"""Of an answer; what follows is not read."""

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
    """One thing seen in an answer."""

    name: str
    weight: float
    """What it moves the log odds; more is worse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """How likely a stronger model is worth asking: this answer is wrong and another would be right."""

    score: float
    """0..1."""
    signals: tuple[Signal, ...]
    """Heaviest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """What was learnt from answers."""

    base: float
    """Log odds where every measure is at its mean."""
    measures: Mapping[str, tuple[float, float, float]]
    """Name -> mean, spread, and what one spread above the mean moves the log odds."""
    quantiles: tuple[float, ...]
    """Scores of the rows, in ascending order at even steps: what `threshold` starts from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The numbers of an answer."""

    all: tuple[float, ...]
    sums: tuple[tuple[str, float, float], ...]
    """As written; what it makes; what the answer says it makes."""


def figures_of(answer: str) -> Figures:
    """Its numbers, and its sums worked out again."""
    sums = [(match[0], worked_out(match[1] + match[2]), number(match[3])) for match in SUM.finditer(answer)]
    sums += [(match[0], worked_out(match[1]), number(match[2])) for match in NOTED.finditer(answer)]
    checked = [(text, made, said) for text, made, said in sums if said is not None]
    return Figures(
        all=numbers(answer),
        sums=tuple((text, said if made is None else made, said) for text, made, said in checked),
    )


def numbers(text: str) -> tuple[float, ...]:
    """The numbers in a text, in order."""
    return tuple(found for match in NUMBER.finditer(text) if (found := number(match[0])) is not None)


def number(text: str) -> float | None:
    """A number as people write it, or None; also for one that is too large to work with."""
    try:
        found = float(text.strip().replace(",", "").replace("$", "").rstrip("."))
    except ValueError:
        return None
    return found if abs(found) < LARGEST else None


def worked_out(text: str) -> float | None:
    """What a sum of plain numbers makes, times and divided before plus and minus; None where it is anything else."""
    plain = text.translate(OPERATORS)
    parts = TERM.findall(plain)
    if "".join(digits or sign for digits, sign in parts) != plain or len(parts) % 2 == 0:
        return None
    total, product, sign = 0.0, 1.0, 1.0
    pending = "*"
    for place, (digits, operator) in enumerate(parts):
        if (place % 2 == 0) != bool(digits):
            return None
        if digits:
            value = float(digits)
            if pending == "/" and value == 0:
                return None
            product = product * value if pending == "*" else product / value
        elif operator in "+-":
            total, product, sign, pending = total + sign * product, 1.0, 1.0 if operator == "+" else -1.0, "*"
        else:
            pending = operator
    return total + sign * product


def is_off(made: float, said: float) -> bool:
    """Whether a sum's result is more than rounded."""
    return abs(made - said) > max(0.02 * abs(made), 0.51 if abs(made) > 5 else 0.011)


def measures(question: str, answer: str) -> tuple[float, ...]:
    """What MEASURES names."""
    found, asked = figures_of(answer), numbers(question)
    results = {said for _, _, said in found.sums}
    result = found.all[-1] if found.all else None
    before = set(found.all[:-1] if "####" not in answer else numbers(answer.rpartition("####")[0]))
    sentences = [each.strip() for each in SENTENCE_END.split(answer) if each.strip()]
    unused = sum(each not in found.all for each in asked)
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


def doubt(question: str, answer: str, *, weights: Learnt | None = None) -> Doubt:
    """How likely it is that `answer` is wrong and a stronger model's would be right."""
    by, answer = weights or learnt(), answer[:MOST_CHARS]
    found = measures(question, answer)
    moved = []
    for name, value in zip(MEASURES, found, strict=True):
        mean, spread, weight = by.measures[name]
        moved.append(Signal(name=name, weight=(value - mean) / spread * weight))
    odds = by.base + sum(signal.weight for signal in moved)
    moved.sort(key=lambda signal: -abs(signal.weight))
    return Doubt(score=1 / (1 + exp(-odds)), signals=tuple(moved[:5]))


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
