"""Pure rules: which shape a task has, in which order models suit it, how long a failing one rests.

The last thing a person said is split into words once; each word is looked up in an index of `cues`, and a phrase is
searched only where its first word occurs. No regular expression per cue: that keeps a judgement under 100 us.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TypeVar

from layers.routing.cues import FAMILIES
from layers.routing.types import Cue, Judged, Message, Model, Role, Shape, Tier, ToolSpec

T = TypeVar("T")
WORDS = re.compile(r"[a-z']+|\d+")
HEAD_CHARS, TAIL_CHARS = 1500, 500
"""Longer texts are judged by both ends: instructions stand at the start or at the end, the middle is material."""
ENOUGH = 2.0
"""What a shape must weigh to win against `cheap`."""
PRECEDENCE = (Shape.CODE, Shape.OBEDIENCE, Shape.DEPTH)
"""Who wins a draw: the costly mistakes are code and obedience sent elsewhere."""
FILE_NAME = re.compile(
    r"\.(?:py|ipynb|js|jsx|ts|tsx|rs|go|java|kt|rb|php|cpp|cs|sql|sh|toml|ya?ml|html|css|diff|patch)\b"
)
YEARS = range(1500, 2100)
"""A number of four digits that says when, not how many."""
QUOTED_BY = frozenset(("mail",))
"""Channels in which people carry along what others wrote."""
NAMES_FILE = Cue(name="names a file of a program", shape=Shape.CODE, weight=2.0)
NAMES_TOOL = Cue(name="names a tool", shape=Shape.OBEDIENCE, weight=2.0)
MANY_NUMBERS = Cue(name="several numbers and a question", shape=Shape.DEPTH, weight=2.0)
LONG = Cue(name="long", shape=Shape.DEPTH, weight=0.5)
PICTURES = Cue(name="pictures attached", shape=Shape.VISION, weight=10.0)
NOTHING = Cue(name="nothing that needs a strong model", shape=Shape.CHEAP, weight=0.0)


def indexed(pairs: Iterable[tuple[str, T]]) -> dict[str, list[T]]:
    """Key -> everything that was paired with it."""
    index: dict[str, list[T]] = {}
    for key, value in pairs:
        index.setdefault(key, []).append(value)
    return index


BY_WORD = indexed((word, place) for place, each in enumerate(FAMILIES) for word in each.words)
"""Word -> the places in FAMILIES where it counts."""
BY_FIRST_WORD = indexed((word, (place, phrase)) for place, each in enumerate(FAMILIES) for word, phrase in each.phrases)
"""First word -> place and phrase. Those under no word are searched in every text."""


def shape_of(messages: Sequence[Message], *, tools: Sequence[ToolSpec] = (), channel: str = "") -> Judged:
    """The shape of the task that these messages set.

    What counts is the last thing a person said: system prompts and tool answers are not the task, and so the shape
    stays the same through a tool loop. Pictures anywhere decide, because whoever answers has to see them. Attached
    files speak by the names under which the message lists them.
    """
    if any(message.images for message in messages):
        return Judged(shape=Shape.VISION, cues=(PICTURES,))
    text = next((message.content for message in reversed(messages) if message.role is Role.USER), "")
    cues = tuple(cues_of(own_words(text) if channel in QUOTED_BY else text, tools))
    weights = {shape: sum(cue.weight for cue in cues if cue.shape is shape) for shape in PRECEDENCE}
    best = max(PRECEDENCE, key=weights.__getitem__)
    if weights[best] < ENOUGH:
        return Judged(shape=Shape.CHEAP, cues=(*cues, NOTHING))
    return Judged(shape=best, cues=cues)


def own_words(text: str) -> str:
    """A mail without the lines it quotes and without its signature; as it is where nothing else is left."""
    kept = "\n".join(line for line in text.partition("\n-- \n")[0].splitlines() if not line.startswith(">"))
    return kept if kept.strip() else text


def cues_of(text: str, tools: Sequence[ToolSpec] = ()) -> Iterable[Cue]:
    """Every cue in what a person said."""
    if len(text) > HEAD_CHARS + TAIL_CHARS:
        yield LONG
        text = f"{text[:HEAD_CHARS]} {text[-TAIL_CHARS:]}"
    text = "\n" + text.lower().replace("\u2019", "'")  # so that what starts a line also starts the text
    found = WORDS.findall(text)
    hits = [0] * len(FAMILIES)
    for place, phrase in BY_FIRST_WORD[""]:
        hits[place] += phrase in text
    for word in frozenset(found):
        for place in BY_WORD.get(word, ()):
            hits[place] += 1
        for place, phrase in BY_FIRST_WORD.get(word, ()):
            hits[place] += phrase in text
    for each, count in zip(FAMILIES, hits, strict=True):
        if count:
            yield Cue(name=each.name, shape=each.shape, weight=each.weight * min(count, each.most))
    if "?" in text and sum(is_amount(word) for word in found) >= 2:
        yield MANY_NUMBERS
    if FILE_NAME.search(text):
        yield NAMES_FILE
    # "draw" is an ordinary word, draw_diagram is not
    if any("_" in tool.name and tool.name.lower() in text for tool in tools):
        yield NAMES_TOOL


def is_amount(word: str) -> bool:
    """Whether a word is a number, and not a year."""
    return word.isdigit() and (len(word) != 4 or int(word) not in YEARS)


SUITS: dict[Shape, tuple[Tier, ...]] = {
    Shape.OBEDIENCE: (Tier.MIDDLE, Tier.LARGE, Tier.SMALL),
    Shape.DEPTH: (Tier.LARGE, Tier.MIDDLE, Tier.SMALL),
    Shape.CODE: (Tier.MIDDLE, Tier.LARGE, Tier.SMALL),
    Shape.VISION: (Tier.MIDDLE, Tier.LARGE, Tier.SMALL),
    Shape.CHEAP: (Tier.SMALL, Tier.MIDDLE, Tier.LARGE),
}


def suited(models: Iterable[Model], shape: Shape) -> list[Model]:
    """The models in the order in which `auto` tries them: known ability before unknown, then tier, then as found."""
    order = SUITS[shape]

    def rank(model: Model) -> tuple[bool, int]:
        return (shape is Shape.VISION and model.vision is None, order.index(model.tier))

    return sorted(models, key=rank)


def can_do(model: Model, *, sees: bool, calls_tools: bool) -> bool:
    """Whether nothing known speaks against asking `model`."""
    return not (sees and model.vision is False) and not (calls_tools and model.tools is False)


REST_S = (15.0, 60.0, 300.0)


def rest_s(failures: int) -> float:
    """Seconds that a model is tried last after `failures` failures in a row."""
    return REST_S[min(failures, len(REST_S)) - 1] if failures else 0.0
