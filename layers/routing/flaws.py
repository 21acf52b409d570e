"""What makes an answer doubtful whatever it is about: text and facts in, flaws out. Their weights are set by hand.

Each pattern's repetitions have an end: an answer may be written to keep a regular expression busy.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

REFUSAL = re.compile(
    r"^\W{0,5}(?:(?:i'm|i am) (?:really |very |so )?sorry\b|sorry\b|unfortunately\b|i apologi[sz]e\b|as an ai\b)?"
    r"[^.\n]{0,40}?\b(?:i|we)(?:'m| am| are)? ?(?:can't|cannot|can not|won't|will not|unable to|not able to)"
    r" (?:help|assist|comply|provide|do th|fulfil|answer|access|complete|create|generate|discuss|continue|support|share"
    r"|browse|open|process|perform|execute|write|produce|give|be able)",
    re.I,
)
UNSURE = re.compile(
    r"\b(?:i'm not (?:sure|certain)|i am not (?:sure|certain)|i don't know|i do not know|i (?:may|might|could) be wrong"
    r"|i cannot verify|i can't verify|not entirely sure|hard to say|my best guess|i'm guessing)\b",
    re.I,
)
STATED = re.compile(r"\b(?:answer|result) (?:is|should be|would be):? {0,2}\$?(-?\d[\d,]{0,15}(?:\.\d{1,9})?)", re.I)
SAME_WORD = re.compile(r"\b(\w{1,20})(?:\W{1,3}\1\b){7}")
PIECE = re.compile(r"[\n.!?]+")
SHORT, LONG, LINE = 15, 240, 60
"""Characters: a piece that may well come again; a text, and a line, that should end like one."""
IN_A_ROW, TAIL, TAILS = 3, 40, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """One thing that is wrong with an answer."""

    name: str
    doubt: float
    """How doubtful it alone makes the answer, 0..1."""
    seen: str = ""
    """The place, for people."""


def flaws(question: str, answer: str, *, is_cut: bool = False, refused_calls: Sequence[str] = ()) -> tuple[Flaw, ...]:
    """Every flaw, worst first."""
    found = [Flaw(name="tool arguments do not fit", doubt=1.0, seen=why) for why in refused_calls]
    if not answer.strip():
        found.append(Flaw(name="empty", doubt=1.0))
    elif is_cut:
        found.append(Flaw(name="cut off", doubt=0.9, seen=answer[-TAIL:]))
    found += text_flaws(question, answer.replace("\u2019", "'").strip())
    return tuple(sorted(found, key=lambda flaw: -flaw.doubt))


def text_flaws(question: str, answer: str) -> Iterator[Flaw]:
    """What can be seen in the text alone."""
    if answer.count("```") % 2:
        yield Flaw(name="a code block does not end", doubt=0.8)
    elif len(answer) > LONG and "```" not in answer and is_open(answer.rpartition("\n")[2]):
        yield Flaw(name="ends within a sentence", doubt=0.3, seen=answer[-TAIL:])
    if "repeat" not in question.lower() and (again := looping(answer)):
        yield Flaw(name="says the same again and again", doubt=0.95, seen=again)
    if match := REFUSAL.match(answer):
        yield Flaw(name="refuses", doubt=0.6, seen=match[0])
    if match := UNSURE.search(answer):
        yield Flaw(name="says that it is not sure", doubt=0.4, seen=match[0])
    stated = list(dict.fromkeys(match[1].replace(",", "") for match in STATED.finditer(answer)))
    if len(stated) > 1:
        yield Flaw(name="states two results", doubt=0.6, seen=" and ".join(stated[:3]))


def is_refusal(text: str) -> bool:
    """Whether a text begins by refusing."""
    return bool(REFUSAL.match(text.replace("\u2019", "'").strip()))


def is_open(line: str) -> bool:
    """Whether a text's last line is prose that stops within a sentence. Items of lists and verses end as they like."""
    return len(line) > LINE and line[0].isalpha() and line[-1].isalpha()


def looping(answer: str) -> str:
    """What an answer says over and over, or nothing. Tables and code may repeat themselves line by line."""
    if match := SAME_WORD.search(answer):
        return match[1]
    prose = "\n".join(part for place, part in enumerate(answer.split("```")) if place % 2 == 0)
    pieces = [piece.strip() for piece in PIECE.split(prose)]
    pieces = [piece for piece in pieces if len(piece) >= SHORT and not piece.startswith("|")]
    for place in range(len(pieces) - IN_A_ROW + 1):
        if len(set(pieces[place : place + IN_A_ROW])) == 1:
            return pieces[place]
    piece, times = Counter(pieces).most_common(1)[0] if pieces else ("", 0)
    if times >= TAILS:
        return piece
    tail = prose.rstrip()[-TAIL:]
    return tail if len(tail) == TAIL and len(set(tail)) > 3 and prose.count(tail) >= TAILS else ""
