"""What an extractor is: the words one of which has to occur, and a function from a sentence to clauses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from layers.routing.contract.reading import Request, Sentence
from layers.routing.contract.types import Clause, Kind, Relation, Value

Found = Iterator[Clause]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Reads one sort of clause."""

    needs: tuple[str, ...]
    """A sentence without any of these is not looked at: a search for a word costs a hundredth of a pattern's."""
    read: Callable[[Sentence, Request], Found]

    def is_needed(self, low: str) -> bool:
        """Whether a text has one of the words."""
        for word in self.needs:  # noqa: SIM110  `any` over a generator takes five times as long, and this is hot
            if word in low:
                return True
        return False


def clause(kind: Kind, **args: Value) -> Clause:
    """A clause with these arguments."""
    return Clause(kind=kind, args=args)


def counted(kind: Kind, name: str, n: int, relation: Relation) -> Clause:
    """A clause about a number."""
    return Clause(kind=kind, args={"relation": relation.value, name: n})
