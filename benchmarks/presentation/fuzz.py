"""Broken diagrams by the hundred thousand: seeded mutations of the corpus. The parser may refuse, and nothing else."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from benchmarks.presentation.corpus import SEEDS, corpus
from layers.errors import BadInput
from layers.presentation import parse_mermaid

TOKENS = (
    *("-->", "---", "-.->", "==>", "--", "<-->", "->>", "-->>", "-x", "--)", "<<->>", "-|\\", "//--", "()"),
    *("~~~", "o--o", "<|--", "*--", "..>", "||--o{", "}|..|{", "1..*", ":::", "::", ":", ";", ",", "#"),
    *("#9829;", "%%", "%%{", "}%%", "&", "[", "]", "(", ")", "{", "}", "[[", "))", ")", "([", "{{", ">", "<<"),
    *(">>", "|", '"', "'", "`", "~", "@{", "\\", "/", "end", "subgraph", "state", "class", "namespace", "note"),
    *("note right of", "end note", "alt", "else", "loop", "par", "participant", "actor"),
    *("create participant X", "destroy", "activate", "deactivate", "box", "direction LR", "section"),
    *("dateFormat", "excludes weekends", "after a", "until", "title", "accDescr {", "accTitle:", "style"),
    *("classDef", "click", "[*]", "<<fork>>", "::icon(", "pie", "gantt", "mindmap", "---\n", "```", "\n"),
    *("\n\n", "\t", "  ", "\r", "\x00", "\x0b", "é", "漢字", "😀", "\u202e", "\u200b", "\ufeff", "\ud800", "$x$"),
    *("<br>", '<a href="x">', "9" * 20, "-1", "1e309", "0.5w", "9999-12-31", "2024-13-45", "NaN", "null"),
    *("_" * 50, "{" * 40, "[" * 40, "(" * 40, '"' * 7, "-" * 60),
)
SLOW_S = 1.0
"""What no input of ordinary size may take."""


@dataclass(slots=True)
class Fuzzed:
    """What came of it."""

    inputs: int = 0
    accepted: int = 0
    crashes: list[str] = field(default_factory=list)
    """The first line of each exception that is not a refusal, with its input."""
    slow: list[str] = field(default_factory=list)
    slowest_ms: float = 0.0


def mutate(text: str, others: Sequence[str], chance: random.Random) -> str:
    """One to six small accidents."""
    for _ in range(chance.randint(1, 6)):
        text = chance.choice(ACCIDENTS)(text, others, chance)[:20_000]
    return text


def _cut(text: str, others: Sequence[str], chance: random.Random) -> str:
    start = chance.randint(0, len(text))
    return text[:start] + text[start + chance.randint(1, 12) :]


def _insert(text: str, others: Sequence[str], chance: random.Random) -> str:
    at = chance.randint(0, len(text))
    return text[:at] + chance.choice(("", " ", "\n")) + chance.choice(TOKENS) + chance.choice(("", " ")) + text[at:]


def _repeat(text: str, others: Sequence[str], chance: random.Random) -> str:
    start = chance.randint(0, len(text))
    piece = text[start : start + chance.randint(1, 40)]
    return text[:start] + piece * chance.choice((2, 2, 3, 50)) + text[start:]


def _swap_lines(text: str, others: Sequence[str], chance: random.Random) -> str:
    lines = text.split("\n")
    first, second = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[first], lines[second] = lines[second], lines[first]
    return "\n".join(lines)


def _truncate(text: str, others: Sequence[str], chance: random.Random) -> str:
    return text[: chance.randint(0, len(text))]


def _splice(text: str, others: Sequence[str], chance: random.Random) -> str:
    other = chance.choice(others)
    return text[: chance.randint(0, len(text))] + other[chance.randint(0, len(other)) :]


def _behead(text: str, others: Sequence[str], chance: random.Random) -> str:
    """Another kind's first line before this one's statements."""
    return chance.choice(others).strip().partition("\n")[0] + "\n" + text.strip().partition("\n")[2]


def _one_character(text: str, others: Sequence[str], chance: random.Random) -> str:
    at = chance.randint(0, len(text))
    return text[:at] + chr(chance.choice((chance.randrange(128), chance.randrange(0x2FFF)))) + text[at + 1 :]


ACCIDENTS: tuple[Callable[[str, Sequence[str], random.Random], str], ...] = (
    *(_cut, _insert, _insert, _repeat, _swap_lines, _truncate, _splice, _behead, _one_character),
)


def fuzz(count: int, seed: int = 20261122) -> Fuzzed:
    """Parse `count` broken diagrams."""
    chance = random.Random(seed)
    texts = [*SEEDS, *(item["text"] for item in corpus())]
    fuzzed = Fuzzed()
    for _ in range(count):
        text = mutate(chance.choice(texts), texts, chance)
        began = time.process_time()
        try:
            parse_mermaid(text)
            fuzzed.accepted += 1
        except BadInput:
            pass
        except Exception as error:  # noqa: BLE001  this is what is looked for
            fuzzed.crashes.append(f"{type(error).__name__}: {error} in {text[:400]!r}")
        took = time.process_time() - began
        fuzzed.slowest_ms = max(fuzzed.slowest_ms, took * 1000)
        if took > SLOW_S:
            fuzzed.slow.append(f"{took:.1f} s for {text[:400]!r}")
        fuzzed.inputs += 1
    return fuzzed


if __name__ == "__main__":
    found = fuzz(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    print(f"{found.inputs} inputs, {found.accepted} accepted, slowest {found.slowest_ms:.0f} ms")
    print("\n".join(found.crashes[:10] + found.slow[:5]))
