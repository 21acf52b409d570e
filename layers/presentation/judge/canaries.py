"""How good each judge is: of the pictures whose truth is known, how many it judged rightly. Functions on a transaction.

Spoilt ones tell how much it overlooks, faultless ones how much it makes up.
"""

from __future__ import annotations

from dataclasses import dataclass

from layers.store import Tx

WINDOW = 40
"""Canaries that count; older ones do not."""
LEAST_CANARIES = 5
"""Before that nothing is known of a judge."""
LEAST_RECALL = 0.8
FAULTLESS = "none"
"""The defect of a picture that has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """One judge's record."""

    model: str
    asked: int
    found: int

    @property
    def share(self) -> float:
        """0 to 1."""
        return self.found / self.asked if self.asked else 1.0

    @property
    def is_demoted(self) -> bool:
        """True when it is wrong too often to be asked."""
        return self.asked >= LEAST_CANARIES and self.share < LEAST_RECALL


def record(tx: Tx, model: str, defect: str, *, was_found: bool) -> None:
    """Write down whether a judge was right about a picture whose truth is known."""
    tx.run("presentation.add_canary", model=model, defect=defect, was_found=int(was_found), now=tx.now)


def recalls(tx: Tx) -> tuple[Recall, ...]:
    """Every judge's record over its last canaries."""
    rows = tx.all("presentation.recalls", window=WINDOW)
    return tuple(Recall(model=row["model"], asked=row["asked"], found=row["found"]) for row in rows)
