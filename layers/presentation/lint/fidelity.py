"""Rules that compare a drawing with what was asked for: nothing is missing, added, or reworded. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from layers.presentation.graph import Graph, GraphEdge
from layers.presentation.lint.finding import error
from layers.presentation.scene import EdgeMark, NodeMark, Scene, TextMark
from layers.presentation.shown import shown
from layers.presentation.spec import Line
from layers.presentation.types import Finding, Repair


def letters(text: str) -> str:
    """What a text says, whatever its line breaks, without what is never drawn."""
    return "".join(shown(text).split())


def of_mark(mark: TextMark | None) -> str:
    """The letters that are drawn."""
    return letters("".join(mark.lines)) if mark else ""


def nodes(scene: Scene, graph: Graph) -> Iterator[Finding]:
    """Every node is there, once, with its own words."""
    wanted = {node.id: Counter(letters(text) for text in node.texts if letters(text)) for node in graph.nodes}
    shown = {node.id: Counter(text for text in _texts(node) if text) for node in scene.nodes}
    boxes = {node.id: node.box for node in scene.nodes}
    for id in wanted.keys() - shown.keys():
        yield error("missing_node", (id,), f"{id!r} is not in the picture", repair=Repair.REDRAW)
    for id in shown.keys() - wanted.keys():
        words = f"{id!r} is in the picture and was not asked for"
        yield error("extra_node", (id,), words, box=boxes[id], repair=Repair.REDRAW)
    for id in wanted.keys() & shown.keys():
        if wanted[id] != shown[id] and (wanted[id].total() < 2 or _mixed(wanted[id]) != _mixed(shown[id])):
            words = f"the label of {id!r} is not the one asked for"
            yield error("text_fidelity", (id,), words, box=boxes[id], repair=Repair.REDRAW)


def _mixed(texts: Counter[str]) -> list[str]:
    """Every character, sorted: a card may cut its rows into other cells than the spec does."""
    return sorted("".join(texts.elements()))


def _texts(node: NodeMark) -> list[str]:
    return [of_mark(node.text), *(of_mark(cell) for cell in node.cells)]


def edges(scene: Scene, graph: Graph) -> Iterator[Finding]:
    """Every edge is there, in its direction, with its label, ends and kind of line; and none besides."""
    wanted = Counter(_asked(edge) for edge in graph.edges if edge.style is not Line.HIDDEN)
    drawn = Counter(_drawn(edge) for edge in scene.edges)
    for key in wanted - drawn:
        source, target, label = key[:3]
        words = f"the edge {source}->{target} is not in the picture as asked for" + (f" ({label!r})" if label else "")
        yield error("missing_edge", (f"{source}->{target}",), words, repair=Repair.REDRAW)
    for key in drawn - wanted:
        words = f"the edge {key[0]}->{key[1]} is in the picture and was not asked for so"
        yield error("extra_edge", (f"{key[0]}->{key[1]}",), words, repair=Repair.REDRAW)


Key = tuple[str, str, str, str, str, str, str, str]


def _asked(edge: GraphEdge) -> Key:
    ends = edge.end_labels
    heads = edge.arrows
    return (
        *(edge.source, edge.target, letters(edge.label), letters(ends[0]), letters(ends[1])),
        *(heads[0].value, heads[1].value, edge.style.value),
    )


def _drawn(edge: EdgeMark) -> Key:
    one, other = edge.end_texts
    heads = edge.arrows
    return (
        *(edge.source, edge.target, of_mark(edge.text), of_mark(one), of_mark(other)),
        *(heads[0].value, heads[1].value, edge.style.value),
    )


def groups(scene: Scene, graph: Graph) -> Iterator[Finding]:
    """Every frame is there with its title, and around what belongs to it."""
    shown = {group.id: group for group in scene.groups}
    for group in graph.groups:
        if group.is_region:
            continue
        mark = shown.get(group.id)
        if mark is None:
            yield error("missing_group", (group.id,), f"the frame {group.id!r} is not there", repair=Repair.REDRAW)
        elif letters(group.title) and not of_mark(mark.text):
            words = f"the frame {group.id!r} lost its title"
            yield error("untitled_group", (group.id,), words, box=mark.box, repair=Repair.MOVE_TITLE)
        elif of_mark(mark.text) != letters(group.title):
            words = f"the title of {group.id!r} is not the one asked for"
            yield error("text_fidelity", (group.id,), words, box=mark.box, repair=Repair.REDRAW)
    if letters(graph.title) != of_mark(scene.title):
        yield error("text_fidelity", ("title",), "the heading is not the one asked for", repair=Repair.REDRAW)
