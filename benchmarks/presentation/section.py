"""What a section is: a function from an empty folder and a scale to a `Measured`. Each area keeps its own table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one section found."""

    printed: Mapping[str, object]
    """Key of the printed object -> value; exactly the section's keys."""
    misses: tuple[str, ...] = ()
    """One sentence for each target that was missed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One entry of the table."""

    keys: tuple[str, ...]
    """What it prints; each is null where it fails."""
    run: Callable[[Path, bool], Measured]
    """Takes an empty folder of its own, and whether to measure less."""


def missed(claims: Mapping[str, bool]) -> tuple[str, ...]:
    """The sentences that do not hold."""
    return tuple(sentence for sentence, holds in claims.items() if not holds)
