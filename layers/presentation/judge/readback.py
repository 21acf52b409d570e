"""What a judge read, held against the spec. Pure: texts in, shares between 0 and 1 out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from layers.presentation.graph import Graph, graph_of
from layers.presentation.judge.answers import Link
from layers.presentation.scene import Scene
from layers.presentation.spec import DiagramSpec, Line, Message, SequenceDiagram

ALIKE = 0.84
"""Two texts are one when this share of them agrees: a letter misread in a long word is no missing label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBack:
    """How much of the picture arrived."""

    labels: float
    """F1 of the texts."""
    links: float
    """F1 of the lines; 1 where there are none."""
    unread: tuple[str, ...]
    """Texts of the spec that the judge did not see."""
    turned: tuple[str, ...]
    """Lines that it saw the other way round only."""

    @property
    def is_invented(self) -> bool:
        """True when what was read has little to do with the picture, so that the rest cannot be believed either."""
        return self.labels < 0.34


def read_back(
    labels: Sequence[str], links: Sequence[Link], wanted: Sequence[str], pairs: Sequence[tuple[str, str]]
) -> ReadBack:
    """Compare what was read with what is drawn."""
    seen = [key for label in labels if (key := _key(label))]
    unread = tuple(text for text in wanted if not _is_in(_key(text), seen))
    keys = [_key(text) for text in wanted]
    invented = sum(not _is_in(label, keys) for label in seen)
    read = [(_key(link.source), _key(link.target)) for link in links]
    asked = [(_key(source), _key(target)) for source, target in pairs]
    missed = [pair for pair in asked if not _has(pair, read)]
    turned = tuple(
        f"{source} -> {target}"
        for (source, target), pair in zip(pairs, asked, strict=True)
        if pair in missed and _has(pair[::-1], read) and not _has(pair[::-1], asked)
    )
    return ReadBack(
        labels=_f1(len(keys) - len(unread), len(unread), invented),
        links=_f1(len(asked) - len(missed), len(missed), sum(not _has(pair, asked) for pair in read)),
        unread=unread,
        turned=turned,
    )


def texts_on(scene: Scene) -> list[str]:
    """Every text of a drawing, each once."""
    found = dict.fromkeys(" ".join(text.lines) for _, text in scene.texts())
    return [text for text in found if _key(text)]


def links_of(wanted: Graph | DiagramSpec) -> list[tuple[str, str]]:
    """Every line as the texts at its ends, where both have one."""
    if isinstance(wanted, SequenceDiagram):
        names = {one.id: one.label for one in wanted.participants}
        steps = [step for step in wanted.all_steps() if isinstance(step, Message)]
        return list(dict.fromkeys((names[step.source], names[step.target]) for step in steps))
    graph = wanted if isinstance(wanted, Graph) else graph_of(wanted)
    if graph is None:
        return []
    names = {node.id: node.label for node in graph.nodes} | {group.id: group.title for group in graph.groups}
    edges = [(names[edge.source], names[edge.target]) for edge in graph.edges if edge.style is not Line.HIDDEN]
    return [pair for pair in dict.fromkeys(edges) if all(_key(text) for text in pair)]


def _key(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def _is_in(key: str, among: Iterable[str]) -> bool:
    return any(key == other or (len(key) > 3 and _alike(key, other)) for other in among)


def _alike(one: str, other: str) -> bool:
    if abs(len(one) - len(other)) > max(len(one), len(other)) * (1 - ALIKE) * 2:
        return False
    return SequenceMatcher(None, one, other).ratio() >= ALIKE


def _has(pair: tuple[str, str], among: Iterable[tuple[str, str]]) -> bool:
    return any(_is_in(pair[0], (one,)) and _is_in(pair[1], (other,)) for one, other in among)


def _f1(hits: int, missed: int, invented: int) -> float:
    return 1.0 if hits + missed + invented == 0 else 2 * hits / (2 * hits + missed + invented)
