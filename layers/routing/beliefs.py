"""Pure rules over what is known of models: obedience, budgets, what stays on the machine, what a cache saves.

The rule of each is a function of values; the ledger and the router bring them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from layers.routing.types import Model

DOUBT = 1.0
"""Pseudo-counts on either side: Beta(1, 1), every share is as likely as any other before something was seen."""
ENOUGH_SEEN = 5.0
"""Sightings, faded ones counted in part, before a belief moves a model."""
OBEDIENT = 0.7
"""A model that is expected to keep all of a task's clauses less often than this is asked after the others."""
WARN_AT = 0.8
CACHED_SHARE = 0.1
"""What a token read from a provider's cache costs beside a fresh one (Anthropic 0.1, OpenAI 0.1 to 0.5)."""
CACHE_S = 300.0
"""How long a provider keeps a conversation's beginning (Anthropic's default; OpenAI 5 to 10 minutes)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Belief:
    """How often a model keeps a type of clause: the Beta posterior of what was seen."""

    held: float
    broke: float

    @property
    def seen(self) -> float:
        """Sightings, older ones faded."""
        return self.held + self.broke

    @property
    def mean(self) -> float:
        """The expected share of answers in which the clause holds."""
        return (self.held + DOUBT) / (self.seen + 2 * DOUBT)

    @property
    def low(self) -> float:
        """What the share is above with 95 % (normal approximation)."""
        spread = math.sqrt(self.mean * (1 - self.mean) / (self.seen + 2 * DOUBT + 1))
        return max(self.mean - 1.645 * spread, 0.0)

    def again(self, times: int) -> float:
        """How likely the clause holds in `times` answers in a row (pass^k): the posterior's mean of share ** times."""
        held, both = self.held + DOUBT, self.seen + 2 * DOUBT
        return math.prod((held + n) / (both + n) for n in range(times))


def keeps_all(model: str, clauses: Sequence[str], beliefs: Mapping[tuple[str, str], Belief]) -> float | None:
    """How likely `model` keeps every one of `clauses`; None where too little was seen to say."""
    known = [belief for clause in clauses if (belief := beliefs.get((model, clause))) and belief.seen >= ENOUGH_SEEN]
    return math.prod(belief.mean for belief in known) if known else None


def obedient_first(
    models: Sequence[Model], clauses: Sequence[str], beliefs: Mapping[tuple[str, str], Belief]
) -> list[Model]:
    """The models in their order, those that are known to disobey such clauses last, the worst of them at the end."""

    def rank(model: Model) -> float:
        likely = keeps_all(model.name, clauses, beliefs)
        return 0.0 if likely is None or likely >= OBEDIENT else 1.0 - likely

    return sorted(models, key=rank)


def over(spent: Mapping[str, float], limits: Mapping[str, float]) -> str:
    """The first limit that is used up; empty where there is none."""
    return next((key for key, limit in limits.items() if spent.get(key, 0.0) >= limit), "")


def nearly(before: Mapping[str, float], after: Mapping[str, float], limits: Mapping[str, float]) -> str:
    """The limit of which four fifths were passed between `before` and `after`; empty where there is none."""
    for key, limit in limits.items():
        if before.get(key, 0.0) < WARN_AT * limit <= after.get(key, 0.0):
            return key
    return ""


def is_free(model: Model) -> bool:
    """Whether an answer costs nothing, for sure."""
    return model.usd_per_million == (0.0, 0.0)


def is_cheaper_to_stay(last: Model, first: Model, tokens: int) -> bool:
    """Whether `last`, whose cache holds `tokens` of the conversation, reads them for less than `first` would.

    Both prices must be known. Only then is a saving certain enough to override the shape's order.
    """
    if last.usd_per_million is None or first.usd_per_million is None:
        return False
    return tokens * last.usd_per_million[0] * CACHED_SHARE < tokens * first.usd_per_million[0]
