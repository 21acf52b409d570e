"""Curves of a router: the gap between a weak and a strong model that it recovers for each share of strong calls.

A row's gain is strong minus weak, 1 for right and 0 for wrong; a score ranks the rows. Shares are of calls, 0..1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """What one ranking achieves."""

    apgr: float
    """Mean share of the gap over all shares of strong calls; 0.5 is chance."""
    cpt50: float
    """Smallest share of strong calls that recovers half of the gap."""
    cpt80: float
    low: float
    high: float
    """95 % interval of `apgr`, from rows drawn again."""

    def told(self) -> dict[str, object]:
        """For the printed object."""
        return {
            "apgr": round(self.apgr, 3),
            "ci": [round(self.low, 3), round(self.high, 3)],
            "cpt50": round(self.cpt50, 3),
            "cpt80": round(self.cpt80, 3),
        }


def recovered(scores: Numbers, gains: Numbers) -> Numbers:
    """Share of the gap after 0, 1, 2 ... rows went to the strong model, highest score first."""
    ordered = gains[np.argsort(-scores, kind="stable")]
    return np.asarray(np.concatenate([[0.0], np.cumsum(ordered)]) / gains.sum())


def apgr(scores: Numbers, gains: Numbers) -> float:
    """The area under `recovered`."""
    return float(np.trapezoid(recovered(scores, gains), dx=1 / len(gains)))


def cpt(scores: Numbers, gains: Numbers, share: float) -> float:
    """Smallest share of strong calls that recovers `share` of the gap."""
    return float(np.argmax(recovered(scores, gains) >= share) / len(gains))


def curve(scores: Sequence[float] | Numbers, gains: Numbers, *, draws: int = 400, seed: int = 7) -> Curve:
    """The curve of a ranking. Ties are broken at random, not by the order of the file."""
    generator = np.random.default_rng(seed)
    mixed = generator.permutation(len(gains))
    ranked, gained = np.asarray(scores, dtype=np.float64)[mixed], gains[mixed]
    drawn = [generator.integers(0, len(gained), len(gained)) for _ in range(draws)]
    low, high = np.percentile([apgr(ranked[rows], gained[rows]) for rows in drawn], [2.5, 97.5])
    return Curve(
        apgr=apgr(ranked, gained),
        cpt50=cpt(ranked, gained, 0.5),
        cpt80=cpt(ranked, gained, 0.8),
        low=float(low),
        high=float(high),
    )


def shuffled(gains: Numbers, share: float, *, draws: int = 400, seed: int = 7) -> tuple[float, float, float]:
    """Share of the gap that as many strong calls recover when they are dealt at random: mean and 95 % interval."""
    generator = np.random.default_rng(seed)
    calls = round(share * len(gains))
    dealt = [gains[generator.permutation(len(gains))[:calls]].sum() / gains.sum() for _ in range(draws)]
    low, high = np.percentile(dealt, [2.5, 97.5])
    return float(np.mean(dealt)), float(low), float(high)
