"""The shape of prompts whose source says what they are; the rules and LiteLLM's classifier, source by source.

The cues are set by hand by somebody who has seen these sources. So each source is judged without the words and phrases
that, among the sources of its shape, only it has: what is left of a figure was not written for that source. All of the
cues are printed beside it, as `as_shipped`. Every source weighs the same, however many prompts it has.
"""

from __future__ import annotations

import json
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.routing.fit import data, rows_of
from benchmarks.routing.litellm_peer import shape_by_litellm
from benchmarks.section import Measured, Section, missed
from layers.routing import Message, Role, Shape, shape_of
from layers.routing.cues import FAMILIES, Family
from layers.routing.difficulty import difficulty_of
from layers.routing.rules import WORDS, Index

LABELLED = Path(__file__).with_name("labelled.tsv")
SHAPES = (Shape.OBEDIENCE, Shape.DEPTH, Shape.CODE, Shape.CHEAP)
"""What text alone decides."""
MMLU = {
    "mmlu algebra": (Shape.DEPTH, ("abstract_algebra", "college_mathematics")),
    "mmlu school mathematics": (Shape.DEPTH, ("elementary_mathematics", "high_school_mathematics")),
    "mmlu statistics": (Shape.DEPTH, ("high_school_statistics",)),
    "mmlu physics": (Shape.DEPTH, ("college_physics", "high_school_physics")),
    "mmlu logic": (Shape.DEPTH, ("formal_logic",)),
    "mmlu miscellaneous": (Shape.CHEAP, ("miscellaneous",)),
    "mmlu geography": (Shape.CHEAP, ("high_school_geography",)),
    "mmlu religions": (Shape.CHEAP, ("world_religions",)),
    "mmlu marketing": (Shape.CHEAP, ("marketing",)),
    "mmlu nutrition": (Shape.CHEAP, ("nutrition",)),
}
"""Source -> shape, subjects. Their questions without the options: recall is cheap, calculation and proof are depth."""
LONGEST_OBEDIENT, SHORTEST_DEEP = 120, 200
"""Characters, of the baseline that goes by length."""
DRAWS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A prompt and the shape it has."""

    source: str
    shape: Shape
    prompt: str


Read = tuple[str, frozenset[str]]
"""The text of a source, and its words."""


def sources() -> list[Labelled]:
    """Every labelled prompt there is; those beside the project are left out where they are absent."""
    found = [
        Labelled(source=source, shape=Shape(shape), prompt=unescaped(prompt))
        for source, shape, prompt in (
            line.split("\t") for line in LABELLED.read_text("utf-8").splitlines() if not line.startswith("#")
        )
    ]
    folder = data()
    if (folder / "ifeval-prompts.jsonl").exists():
        lines = (folder / "ifeval-prompts.jsonl").read_text("utf-8").splitlines()
        found += [Labelled(source="ifeval", shape=Shape.OBEDIENCE, prompt=json.loads(line)["prompt"]) for line in lines]
    if (folder / "routellm").exists():
        found += [Labelled(source="gsm8k", shape=Shape.DEPTH, prompt=row.prompt) for row in rows_of("gsm8k")]
        by_subject = {subject: (name, shape) for name, (shape, subjects) in MMLU.items() for subject in subjects}
        for row in rows_of("mmlu"):
            if named := by_subject.get(row.subject):
                found.append(Labelled(source=named[0], shape=named[1], prompt=row.prompt.partition("\nA.")[0]))
    return found


def unescaped(text: str) -> str:
    """A prompt as it stands in the file, with its line breaks."""
    return text.replace("\\\\", "\0").replace("\\n", "\n").replace("\0", "\\")


def by_rules(prompt: str) -> Shape:
    """What Bulkhead says."""
    return shape_of((Message(role=Role.USER, content=prompt),)).shape


def left_out(rows: Sequence[Labelled]) -> list[Shape]:
    """What the rules say of each row without the cues that speak for its shape and stand in its source alone."""
    texts: dict[tuple[str, Shape], list[str]] = defaultdict(list)
    for row in rows:
        texts[row.source, row.shape].append("\n" + row.prompt.lower().replace("\u2019", "'"))
    read = {key: ("\0".join(found), frozenset(WORDS.findall("\n".join(found)))) for key, found in texts.items()}
    index = {key: Index([supported(each, key, read) for each in FAMILIES]) for key in read}
    return [
        shape_of((Message(role=Role.USER, content=row.prompt),), index=index[row.source, row.shape]).shape
        for row in rows
    ]


def supported(family: Family, key: tuple[str, Shape], read: Mapping[tuple[str, Shape], Read]) -> Family:
    """A family without what, among the sources of its shape, only the source `key` has."""
    if family.shape is not key[1]:
        return family
    own_text, own_words = read[key]
    others = [found for (source, shape), found in read.items() if shape is family.shape and source != key[0]]
    words = {word for word in family.words if word not in own_words or any(word in seen for _, seen in others)}
    phrases = [
        (first, phrase)
        for first, phrase in family.phrases
        if phrase not in own_text or any(phrase in text for text, _ in others)
    ]
    return replace(family, words=frozenset(words), phrases=tuple(phrases))


def by_length(prompt: str) -> Shape:
    """Short is cheap, long is depth, and what lies between obedience."""
    if len(prompt) < LONGEST_OBEDIENT:
        return Shape.CHEAP
    return Shape.DEPTH if len(prompt) > SHORTEST_DEEP else Shape.OBEDIENCE


def shares(rows: Sequence[Labelled], judged: Sequence[Shape]) -> dict[str, Counter[Shape]]:
    """Source -> shape -> how many of its prompts were given it."""
    found: dict[str, Counter[Shape]] = defaultdict(Counter)
    for row, shape in zip(rows, judged, strict=True):
        found[row.source][shape] += 1
    return found


def scored(shape_by_source: Mapping[str, Shape], given: Mapping[str, Counter[Shape]]) -> tuple[float, float]:
    """Macro-F1, and the share of obedience and code sent to cheap; every source weighs the same."""
    weight: dict[tuple[Shape, Shape], float] = defaultdict(float)
    for source, counts in given.items():
        for shape, count in counts.items():
            weight[shape_by_source[source], shape] += count / counts.total()
    scores = []
    for shape in SHAPES:
        right = weight[shape, shape]
        claimed = sum(weight[other, shape] for other in SHAPES)
        there = sum(weight[shape, other] for other in SHAPES)
        scores.append(2 * right / (claimed + there) if claimed + there else 0.0)
    costly = sum(weight[shape, Shape.CHEAP] for shape in (Shape.OBEDIENCE, Shape.CODE))
    there = sum(weight[shape, other] for shape in (Shape.OBEDIENCE, Shape.CODE) for other in SHAPES)
    return sum(scores) / len(scores), costly / (there or 1.0)


def with_interval(rows: Sequence[Labelled], judged: Sequence[Shape]) -> dict[str, object]:
    """Both figures and their 95 % intervals, from prompts drawn again within each source."""
    shape_by_source = {row.source: row.shape for row in rows}
    given = shares(rows, judged)
    generator = np.random.default_rng(5)
    drawn = []
    for _ in range(DRAWS):
        again: dict[str, Counter[Shape]] = {}
        for source, counts in given.items():
            share = [counts[shape] / counts.total() for shape in SHAPES]
            often = generator.multinomial(counts.total(), share)
            again[source] = Counter({shape: int(count) for shape, count in zip(SHAPES, often, strict=True)})
        drawn.append(scored(shape_by_source, again))
    f1, costly = scored(shape_by_source, given)
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    return {
        "macro_f1": round(f1, 3),
        "ci": [round(float(low[0]), 3), round(float(high[0]), 3)],
        "costly_errors": round(costly, 3),
        "costly_ci": [round(float(low[1]), 3), round(float(high[1]), 3)],
    }


def measured_us(rows: Sequence[Labelled]) -> dict[str, float]:
    """Microseconds for shape and difficulty together; the floor is to find the words twice, as each of them must."""
    took, floor = [], []
    difficulty_of("warm\nA. \nB. ")
    for row in rows:
        began = time.perf_counter()
        by_rules(row.prompt)
        difficulty_of(row.prompt)
        took.append((time.perf_counter() - began) * 1e6)
        began = time.perf_counter()
        for _ in range(2):
            WORDS.findall(row.prompt.lower())
        floor.append((time.perf_counter() - began) * 1e6)
    return {
        "p50": round(statistics.median(took), 1),
        "p99": round(float(np.percentile(took, 99)), 1),
        "floor_p50": round(statistics.median(floor), 1),
    }


def shape(_folder: Path, _is_quick: bool) -> Measured:
    """The rules, and what they are beside."""
    rows = sources()
    generator = np.random.default_rng(3)
    judged = left_out(rows)
    given = shares(rows, judged)
    own = {row.source: row.shape for row in rows}
    us = measured_us(rows)
    printed = {
        **with_interval(rows, judged),
        "as_shipped": with_interval(rows, [by_rules(row.prompt) for row in rows]),
        "prompts": len(rows),
        "recall": {source: round(counts[own[source]] / counts.total(), 3) for source, counts in given.items()},
        "decision_us": us,
        "baselines": {
            "random": with_interval(rows, [SHAPES[int(place)] for place in generator.integers(0, 4, len(rows))]),
            "length": with_interval(rows, [by_length(row.prompt) for row in rows]),
            "always_cheap": with_interval(rows, [Shape.CHEAP] * len(rows)),
            "always_depth": with_interval(rows, [Shape.DEPTH] * len(rows)),
            "shuffled": with_interval(rows, [judged[int(place)] for place in generator.permutation(len(rows))]),
            "litellm": with_interval(rows, shape_by_litellm([row.prompt for row in rows])),
        },
    }
    f1, costly = scored(own, given)
    return Measured(
        printed={"shape": printed},
        misses=missed(
            {
                f"macro-F1 is {f1:.3f}, under 0.80": f1 >= 0.80,
                f"{costly:.1%} of obedience and code goes to cheap, over 10 %": costly <= 0.10,
                f"a decision takes {us['p50']} us, over 100": us["p50"] <= 100,
            }
        ),
        notes=(
            "the cues have seen all of these sources, the threshold as well; `as_shipped` is a dev figure",
            "cues of structure (identifiers, files, amounts, sums, names of one letter) are left out of no source",
        ),
    )


SECTIONS: dict[str, Section] = {"shape": Section(keys=("shape",), run=shape)}
