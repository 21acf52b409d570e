"""Pure rules: which shape a task has, in which order models suit it, how long a failing one rests.

The last thing a person said is split into words once; each word is looked up in an index of `cues`, and a phrase is
searched only where its first word occurs. No regular expression per cue: that keeps a judgement under 100 us.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TypeVar

from layers.routing.cues import FAMILIES, Family
from layers.routing.types import Cue, Judged, Message, Model, Role, Shape, Tier, ToolSpec

T = TypeVar("T")
WORDS = re.compile(r"[a-z']+|\d+")
HEAD_CHARS, TAIL_CHARS = 1500, 500
"""Longer texts are judged by both ends: instructions stand at the start or at the end, the middle is material."""
ENOUGH = {Shape.CODE: 1.25, Shape.OBEDIENCE: 1.5, Shape.DEPTH: 2.0}
"""What a shape must weigh to win against `cheap`: one cue is enough where the mistake is costly."""
PRECEDENCE = (Shape.CODE, Shape.OBEDIENCE, Shape.DEPTH)
"""Who wins a draw: the costly mistakes are code and obedience sent elsewhere."""
FILE_NAME = re.compile(
    r"\.(?:py|ipynb|js|jsx|ts|tsx|rs|go|java|kt|rb|php|cpp|cs|sql|sh|toml|ya?ml|html|css|diff|patch|hpp|cc|swift|scala|lua"
    r"|vue|svelte|gradle|lock|ini|env|tf|proto|[ch](?<=\w\w\.\w))\b"
)
IDENTIFIER = re.compile(
    r"\b(?:[a-z]{2,30}(?:[A-Z][a-z0-9]{1,30}){1,9}|[A-Za-z]{2,30}_[a-z0-9_]{2,60}|[A-Z][A-Za-z]{1,30}(?:Error|Exception))\b"
)
"""A name that nobody but a programmer writes: getName, my_table, KeyError."""
SUM = re.compile(r"\d\s*[+*×÷•^−]\s*(?:[\d(]|[b-hj-z]\b)|\d\s*=|[√∫∑]|\d\.\d+/\d")
"""Something to be calculated, written as it is in mathematics."""
VARIABLE = re.compile(r"(?<![\w.'&/+-])[b-hj-z](?![\w.'&/+-])")
"""A name of one letter, but for the words `a` and `I`, initials, and the letters before an exercise's options."""
YEARS = range(1500, 2100)
"""A number of four digits that says when, not how many."""
QUOTED_BY = frozenset(("mail",))
"""Channels in which people carry along what others wrote."""
NAMES_FILE = Cue(name="names a file of a program", shape=Shape.CODE, weight=2.0)
NAMES_IDENTIFIER = Cue(name="names an identifier", shape=Shape.CODE, weight=1.5)
NAMES_TOOL = Cue(name="names a tool", shape=Shape.OBEDIENCE, weight=2.0)
HAS_SUM = Cue(name="something to be calculated", shape=Shape.DEPTH, weight=2.0)
NAMES_VARIABLES = Cue(name="names of one letter", shape=Shape.DEPTH, weight=1.75)
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


class Index:
    """Families of cues, found by their words."""

    def __init__(self, families: Sequence[Family]) -> None:
        places = list(enumerate(families))
        self.families = families
        self.by_word = indexed((word, place) for place, each in places for word in each.words)
        """Word -> the places among the families where it counts."""
        phrases = [(word, (place, phrase)) for place, each in places for word, phrase in each.phrases]
        self.by_first_word = indexed((word, found) for word, found in phrases if word)
        """First word -> place and phrase."""
        self.by_sign = indexed((found[1][0], found) for word, found in phrases if not word)
        """First character -> place and phrase, of those that begin with no whole word."""


SHIPPED = Index(FAMILIES)


def shape_of(
    messages: Sequence[Message], *, tools: Sequence[ToolSpec] = (), channel: str = "", index: Index = SHIPPED
) -> Judged:
    """The shape of the task that these messages set.

    What counts is the last thing a person said: system prompts and tool answers are not the task, and so the shape
    stays the same through a tool loop. Pictures anywhere decide, because whoever answers has to see them. Attached
    files speak by the names under which the message lists them.
    """
    if any(message.images for message in messages):
        return Judged(shape=Shape.VISION, cues=(PICTURES,))
    text = next((message.content for message in reversed(messages) if message.role is Role.USER), "")
    cues = tuple(cues_of(own_words(text) if channel in QUOTED_BY else text, tools, index))
    weights = {shape: sum(cue.weight for cue in cues if cue.shape is shape) for shape in PRECEDENCE}
    heavy = [shape for shape in PRECEDENCE if weights[shape] >= ENOUGH[shape]]
    if not heavy:
        return Judged(shape=Shape.CHEAP, cues=(*cues, NOTHING))
    return Judged(shape=max(heavy, key=weights.__getitem__), cues=cues)


def own_words(text: str) -> str:
    """A mail without the lines it quotes and without its signature; as it is where nothing else is left."""
    kept = "\n".join(line for line in text.partition("\n-- \n")[0].splitlines() if not line.startswith(">"))
    return kept if kept.strip() else text


def cues_of(text: str, tools: Sequence[ToolSpec] = (), index: Index = SHIPPED) -> Iterable[Cue]:
    """Every cue in what a person said."""
    if len(text) > HEAD_CHARS + TAIL_CHARS:
        yield LONG
        text = f"{text[:HEAD_CHARS]} {text[-TAIL_CHARS:]}"
    names_identifier = bool(IDENTIFIER.search(text))
    text = "\n" + text.lower().replace("\u2019", "'")  # so that what starts a line also starts the text
    found = WORDS.findall(text)
    hits = [0] * len(index.families)
    for sign, begun in index.by_sign.items():
        if sign in text:
            for place, phrase in begun:
                hits[place] += phrase in text
    for word in frozenset(found):
        for place in index.by_word.get(word, ()):
            hits[place] += 1
        for place, phrase in index.by_first_word.get(word, ()):
            hits[place] += phrase in text
    for each, count in zip(index.families, hits, strict=True):
        if count:
            yield Cue(name=each.name, shape=each.shape, weight=each.weight * min(count, each.most))
    amounts = sum(map(is_amount, found))
    if "?" in text and amounts >= 2:
        yield MANY_NUMBERS
    if amounts and SUM.search(text):
        yield HAS_SUM
    # most texts have no such word, and need no second look at every letter
    if sum(len(word) == 1 and word not in "ai" for word in found) >= 2 and len(VARIABLE.findall(text)) >= 2:
        yield NAMES_VARIABLES
    if FILE_NAME.search(text):
        yield NAMES_FILE
    # "draw" is an ordinary word, draw_diagram is not
    if any("_" in tool.name and tool.name.lower() in text for tool in tools):
        yield NAMES_TOOL
    elif names_identifier:
        yield NAMES_IDENTIFIER


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
