"""A tree too large for one message -> trees that are not, each whole by itself. Pure.

A surface says what fits by rendering it; the cutting knows nothing of limits. A cut is made between blocks, else
between items, else between lines, words, characters as a reader sees them (grapheme clusters), and code points last.
What is cut is closed and opened again: code keeps its language, an item goes on without a mark.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar

from bot.adapters.text.plain import to_text
from bot.adapters.text.tree import Block, Code, Document, Heading, List, Paragraph, Quote, Run, Runs

CLUSTER_CHARS = 512
"""How far back from a cut clusters are looked for; what is longer is nobody's letter."""
WHOLE_BLOCKS = 200
"""A tree of more is not even tried as one message."""
Part = TypeVar("Part")
Fits = Callable[[Document], bool]
Test = Callable[[Block], bool]


def split(blocks: Document, render: Callable[[Document], Part], fits: Callable[[Part], bool]) -> Iterator[Part]:
    """A tree's messages, one after the other as they are asked for; none for an empty one."""
    if 0 < len(blocks) <= WHOLE_BLOCKS and fits(whole := render(blocks)):
        yield whole
        return
    rest = blocks
    while rest:
        head, rest = _first(rest, lambda some: fits(render(some)))
        if head:
            yield render(head)


def _first(blocks: Document, fits: Fits) -> tuple[Document, Document]:
    """What goes into the next message, and what is left."""
    count = longest(len(blocks), lambda n: fits(blocks[:n]))
    head, rest = blocks[:count], blocks[count:]
    if not rest:
        return head, rest
    has_text = is_text(head)
    cut = _cut(rest[0], lambda piece: fits((*head, piece)), lambda whole: fits((whole,)), has_text=has_text)
    if cut is not None:
        first, second = cut
        return (*head, first), rest[1:] if second is None else (second, *rest[1:])
    if not head:
        return (), (_as_text(rest[0]), *rest[1:])
    if has_text and isinstance(head[-1], Heading):
        return head[:-1], (head[-1], *rest)
    return head, rest


def is_text(blocks: Document) -> bool:
    """Whether there is more than titles, which should not stand alone."""
    return not all(isinstance(block, Heading) for block in blocks)


def _cut(block: Block, fits: Test, fits_alone: Test, *, has_text: bool) -> tuple[Block, Block | None] | None:
    """A block as one that fits and the rest; None when it is to stay whole, or no piece of it fits.

    Args:
        fits_alone: Whether it would fit into a message of its own.
        has_text: Whether text stands before it in this message. Then what fits alone is not cut, and no word is.
    """
    how = fits, fits_alone
    match block:
        case List((item,)):
            cut = _cut_within(item.blocks, lambda some: List((replace(item, blocks=some),)), *how, has_text)
            return cut and (cut[0], _continued(cut[1]))
        case List(items):
            return _cut_within(tuple(List((item,)) for item in items), _joined, *how, has_text)
        case Quote(blocks):
            return _cut_within(blocks, Quote, *how, has_text)
        case _ if has_text and fits_alone(block):
            return None
        case Code(text):
            at = cut_at(text, lambda n: fits(replace(block, text=text[:n])), by_line=True, by_word=has_text)
            rest = text[at:].removeprefix("\n")
            return (replace(block, text=text[:at]), replace(block, text=rest) if rest.strip() else None) if at else None
        case Paragraph(runs) | Heading(runs):
            text = "".join(run.text for run in runs)
            at = cut_at(text, lambda n: fits(replace(block, runs=between(runs, 0, n))), by_word=has_text)
            start = len(text) - len(text[at:].lstrip(" \n"))
            tail = replace(block, runs=between(runs, start, len(text))) if start < len(text) else None
            return (replace(block, runs=between(runs, 0, at)), tail) if at else None
        case _:
            return None


def _cut_within(
    children: Document, make: Callable[[Document], Block], fits: Test, fits_alone: Test, has_text: bool
) -> tuple[Block, Block | None] | None:
    """A container cut between its children, and inside of the first that is left where that one may be cut."""
    count = longest(len(children), lambda n: fits(make(children[:n])))
    head, rest = children[:count], children[count:]
    if not rest:
        return None
    cut = _cut(
        rest[0],
        lambda piece: fits(make((*head, piece))),
        lambda whole: fits_alone(make((whole,))),
        has_text=has_text or is_text(head),
    )
    if cut is not None:
        first, second = cut
        left = rest[1:] if second is None else (second, *rest[1:])
        return make((*head, first)), make(left) if left else None
    return (make(head), make(rest)) if head else None


def _joined(lists: Document) -> List:
    """Lists as one."""
    return List(tuple(item for each in lists if isinstance(each, List) for item in each.items))


def _continued(block: Block | None) -> Block | None:
    """A list whose first item began in the message before."""
    if not isinstance(block, List):
        return block
    return List((replace(block.items[0], is_continued=True), *block.items[1:]))


def _as_text(block: Block) -> Block:
    """A block of which not even a piece fits (a very deep list, a very small limit), without its structure."""
    if isinstance(block, Paragraph):
        raise ValueError("the limit leaves no room for a single character")
    return Paragraph((Run(to_text((block,))),))


def cut_at(text: str, fits: Callable[[int], bool], *, by_line: bool = False, by_word: bool = False) -> int:
    """Where to cut a text so that what stands before fits; 0 when nothing does.

    Args:
        by_line: Prefer any line's end to a word's end.
        by_word: Rather not at all than within a word.
    """
    most = longest(len(text), fits)
    if most in (0, len(text)):
        return most
    line = text.rfind("\n", 1, most + 1)
    if line > (0 if by_line else most // 2):
        return line
    word = max(text.rfind(" ", 1, most + 1), line)
    if word > 0 and text[:word].strip():
        return word
    return 0 if by_word else cluster(text, most)


def cluster(text: str, most: int) -> int:
    """The last end of a grapheme cluster up to `most`; never before an @, which would begin a name where none was."""
    import regex  # type: ignore[import-untyped]  # 30 ms that hardly any message needs

    base = max(0, most - CLUSTER_CHARS)
    ends = [base + found.end() for found in regex.finditer(r"\X", text[base : most + CLUSTER_CHARS])]
    at = max((end for end in ends if end <= most), default=most) or most
    while at > 1 and text[at] == "@":
        at -= 1
    return at


def between(runs: Runs, start: int, stop: int) -> Runs:
    """The runs of the characters from `start` to `stop`."""
    pieces, offset = [], 0
    for run in runs:
        if offset >= stop:
            break
        text = run.text[max(0, start - offset) : max(0, stop - offset)]
        if text:
            pieces.append(replace(run, text=text))
        offset += len(run.text)
    return tuple(pieces)


def longest(count: int, fits: Callable[[int], bool]) -> int:
    """The largest n <= count that fits, where less always fits if more does; asks only near the answer."""
    good, bad = 0, 1
    while bad <= count and fits(bad):
        good, bad = bad, bad * 2
    bad = min(bad, count + 1)
    while bad - good > 1:
        middle = (good + bad) // 2
        if fits(middle):
            good = middle
        else:
            bad = middle
    return good
