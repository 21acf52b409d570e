"""How much a task needs the strong model: its text in, a `Difficulty` out. Higher means more.

Linear, so that every part can be told: a few measures of the text, and its words and pairs of words with what each is
worth. The weights are learnt by benchmarks/routing/fit.py, which also says from which rows; the files are data, read
once at the first question. Questions with lettered options and open ones have weights of their own.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from heapq import nlargest
from importlib.resources import files
from itertools import pairwise
from math import log, log1p, sqrt

WORDS = re.compile(r"[a-z']+|\d+")
OPTIONS = (("\nA. ", "\nB. "), ("\nA) ", "\nB) "), ("\n(A) ", "\n(B) "))
"""How lettered options look."""
HEAD_CHARS, TAIL_CHARS = 3000, 1000
"""Of a longer text both ends are read; its length is measured whole."""
MOST_CUES = 5

COMPARING = frozenset(("more", "less", "than", "fewer"))
MULTIPLYING = frozenset(("times", "twice", "double", "triple", "thrice"))
SHARING = frozenset(("half", "third", "quarter", "fraction"))
SPREADING = frozenset(("each", "every", "per"))
REMAINING = frozenset(("remaining", "rest", "left"))
ORDERING = frozenset(("after", "before"))
DENYING = frozenset(("not", "except", "never", "false", "incorrect", "least"))
MEASURES = (
    "length",
    "words",
    "numbers",
    "repeated numbers",
    "largest number",
    "sentences",
    "percent signs",
    "dollar signs",
    "comparisons",
    "multiples",
    "fractions",
    "rates",
    "conditions",
    "remainders",
    "order in time",
    "repeated words",
    "commas",
    "long words",
    "how many",
    "how much",
    "denials",
    "symbols",
)
"""Names of what `measures` gives, in its order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What was learnt for one kind of question."""

    measures: tuple[tuple[float, float, float], ...]
    """For each of MEASURES: its mean and spread among the rows, and what one spread above the mean is worth."""
    terms: Mapping[str, tuple[float, float]]
    """Word or pair of words -> how rare it is, and what it is worth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difficulty:
    """How much a task needs the strong model."""

    score: float
    """Expected gain in the share of right answers, from the rows' mean. Compare scores; alone one says little."""
    parts: tuple[tuple[str, float], ...]
    """What the score is the sum of: each measure and each known word or pair, and what it is worth."""

    @property
    def cues(self) -> tuple[tuple[str, float], ...]:
        """What moved it most, largest first."""
        return tuple(nlargest(MOST_CUES, self.parts, key=lambda part: abs(part[1])))


def difficulty_of(text: str) -> Difficulty:
    """The difficulty by the weights that are shipped."""
    return judge(text, view_of(text))


def view_of(text: str) -> View:
    """The shipped weights for this kind of question."""
    return learnt("choice" if any(a in text and b in text for a, b in OPTIONS) else "open")


def judge(text: str, view: View) -> Difficulty:
    """The difficulty by these weights."""
    words = words_of(text)
    worths = {term: worth for term in terms_of(words) if (worth := view.terms.get(term))}
    size = sqrt(sum(rarity * rarity for rarity, _ in worths.values())) or 1.0
    parts = [
        (name, (value - mean) / spread * weight)
        for name, value, (mean, spread, weight) in zip(MEASURES, measures(text, words), view.measures, strict=True)
    ]
    parts += [(term, rarity * weight / size) for term, (rarity, weight) in worths.items()]
    return Difficulty(score=sum(worth for _, worth in parts), parts=tuple(parts))


def words_of(text: str) -> list[str]:
    """The words of both ends, in small letters."""
    if len(text) > HEAD_CHARS + TAIL_CHARS:
        text = f"{text[:HEAD_CHARS]} {text[-TAIL_CHARS:]}"
    return WORDS.findall(text.lower())


def terms_of(words: list[str]) -> set[str]:
    """The words, and each pair of neighbours."""
    return {*words, *map(" ".join, pairwise(words))}


def measures(text: str, words: list[str]) -> tuple[float, ...]:
    """What MEASURES names. Counts are taken as logarithms: the second number tells more than the twelfth."""
    numbers = [word for word in words if word.isdigit()]
    counts = Counter(words)
    get = counts.get  # counts[word] would call Python for each word that is not there
    total = len(words) or 1

    def count(of: frozenset[str]) -> float:
        return log1p(sum(get(word, 0) for word in of))

    return (
        log1p(len(text)),
        log1p(len(words)),
        log1p(len(numbers)),
        1 - len(set(numbers)) / (len(numbers) or 1) if numbers else 0.0,
        log1p(max((int(number[:9]) for number in numbers), default=0)),
        log1p(text.count(". ")),
        log1p(text.count("%")),
        log1p(text.count("$")),
        count(COMPARING),
        count(MULTIPLYING),
        count(SHARING),
        count(SPREADING),
        log1p(get("if", 0)),
        count(REMAINING),
        count(ORDERING),
        1 - len(counts) / total,
        log1p(text.count(",")),
        sum(map(len, words)) / total,
        float("how many" in text or "How many" in text),
        float("how much" in text or "How much" in text),
        count(DENYING),
        log(1 + sum(map(text.count, "=^_|{}\\/+*()")) / (len(text) or 1)),
    )


@cache
def learnt(name: str) -> View:
    """The shipped weights of a view."""
    return read_view(files("layers.routing").joinpath(f"learnt/{name}.tsv").read_text(encoding="utf-8"))


def read_view(text: str) -> View:
    """What `written` wrote: comments, then the measures, then the terms."""
    measured: dict[str, tuple[float, float, float]] = {}
    terms: dict[str, tuple[float, float]] = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        kind, name, *figures = line.split("\t")
        if kind == "measure":
            mean, spread, weight = map(float, figures)
            measured[name] = (mean, spread, weight)
        else:
            rarity, weight = map(float, figures)
            terms[name] = (rarity, weight)
    return View(measures=tuple(measured[name] for name in MEASURES), terms=terms)


def written(view: View, comments: tuple[str, ...]) -> str:
    """A view as the file that `read_view` reads."""
    lines = [f"# {comment}" for comment in comments]
    for name, figures in zip(MEASURES, view.measures, strict=True):
        lines.append("\t".join(["measure", name, *(f"{figure:.5g}" for figure in figures)]))
    for term, (rarity, weight) in sorted(view.terms.items()):
        lines.append(f"term\t{term}\t{rarity:.3g}\t{weight:.3g}")
    return "\n".join(lines) + "\n"
