"""What an answer is counted by. Text in, numbers out.

Where two readings of a unit are both usual (is `don't` one word or two), both numbers come out, and a limit is broken
only when it is broken in every reading: an answer is not held back for a matter of opinion.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from layers.routing.contract.types import Relation

WORD = re.compile(r"\w+")
LETTERS = re.compile(r"[^\W\d_](?:[\w'’-]*[^\W_])?")
ABBREVIATION = re.compile(
    r"\b(?:mr|mrs|ms|dr|prof|st|jr|sr|vs|etc|e\.g|i\.e|inc|ltd|co|no|fig|approx|dept|p\.s|p\.p\.s|u\.s|a\.m|p\.m|[a-z])\.",
    re.IGNORECASE,
)
DOT_INSIDE = re.compile(r"(?<=\w)\.(?=\w)")
END = re.compile(r"(?<![.!?…])[.!?…]+[\"'”’)\]*_]*(?=\s|$)|[。！？।]+")
BULLET = re.compile(r"^[ \t]*(?:[*+•–-])[ \t]+\S", re.MULTILINE)
BULLET_SIGN = re.compile(r"^[ \t]*\*[ \t]+", re.MULTILINE)
HIGHLIGHT = re.compile(r"\*\*[^\n*]+\*\*|\*(?=[^\n*]*[^\s*])[^\n*]+\*|(?<!\w)_[^_\n]+_(?!\w)|==[^=\n]+==")
STARS = re.compile(r"\s?\*\*\*\s?")


def holds(counts: Iterable[int], relation: str, limit: int) -> bool:
    """Whether any of the counts keeps to the limit."""
    match Relation(relation):
        case Relation.AT_LEAST:
            return max(counts) >= limit
        case Relation.LESS_THAN:
            return min(counts) < limit
        case Relation.EXACTLY:
            return limit in counts


def words(text: str) -> tuple[int, ...]:
    """Runs of letters and digits; or what stands between spaces."""
    return len(WORD.findall(text)), sum(any(char.isalnum() for char in word) for word in text.split())


def sentences(text: str) -> tuple[int, ...]:
    """By full stops alone; or with every line that stands for itself."""
    text = DOT_INSIDE.sub("_", ABBREVIATION.sub("_", text))
    pieces = [piece for piece in END.split(text) if any(char.isalnum() for char in piece)]
    lines = [
        piece
        for line in text.splitlines()
        for piece in END.split(line)
        if any(char.isalnum() for char in piece)
    ]
    return len(pieces), len(lines)


def paragraphs(text: str, divider: str) -> tuple[int, ...]:
    """Between dividers; without one asked for, between blank lines too."""
    parts = [part.strip() for part in STARS.split(text)]
    starred = len([part for part in parts if part])
    if any(not part for part in parts[1:-1]):
        starred = 0  # an empty paragraph
    if divider == "***":
        return (starred,)
    blocks = [block for block in re.split(r"\n[ \t]*\n", text) if block.strip()]
    return (len(blocks), starred) if starred > 1 else (len(blocks),)


def blocks(text: str) -> list[str]:
    """What stands between blank lines."""
    return [block.strip() for block in re.split(r"\n[ \t]*\n", text) if block.strip()]


def occurrences(text: str, word: str) -> tuple[int, ...]:
    """The word itself; or with its usual endings too."""
    folded = word.strip()
    if not folded:
        return (0,)
    before = r"(?<!\w)" if folded[0].isalnum() and folded.isascii() else ""
    after = r"(?!\w)" if folded[-1].isalnum() and folded.isascii() else ""
    exact = re.findall(before + re.escape(folded) + after, text, re.IGNORECASE)
    ending = r"(?:'s|’s|e?s|e?d|ing)?" if folded.isascii() and folded[-1].isalpha() else ""
    loose = re.findall(before + re.escape(folded) + ending + after, text, re.IGNORECASE)
    return len(exact), len(loose)


def capital_words(text: str) -> tuple[int, ...]:
    """Words all in capitals; with `I` and `A`, or without."""
    capitals = [word for word in LETTERS.findall(text) if word.isupper()]
    return len(capitals), sum(len(word) > 1 for word in capitals)


def bullets(text: str) -> int:
    """Lines with a bullet."""
    return len(BULLET.findall(text))


def highlights(text: str) -> int:
    """`*highlighted*` and `**bold**` spans."""
    return len(HIGHLIGHT.findall(BULLET_SIGN.sub("", text)))
