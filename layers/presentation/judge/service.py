"""The judge: a picture and its spec in, an `Opinion` out. At most `Budget.calls` questions for one picture.

Who answers is the wiring's business: `Ask` takes a `Question`. What a judge says counts only when it could read the
picture back, so that one that invents its answers says nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from layers.errors import BulkheadError
from layers.presentation.judge import canaries
from layers.presentation.judge.answers import CHOICE_PROMPT, Check, Choice, Sight, read_choice, read_sight, sight_prompt
from layers.presentation.judge.delivered import as_delivered, spoilt
from layers.presentation.judge.readback import ReadBack, read_back
from layers.presentation.spec import DiagramSpec
from layers.presentation.types import Finding, Repair
from layers.store import Store

log = logging.getLogger(__name__)

LEAST_READ = 0.9
"""F1 of the labels, under which the picture does not say what it should."""
CANARY_EVERY = 50
"""One picture in so many is also shown spoilt, which tells how good the judge is."""
CANARY_AT_FIRST = 4
"""The same as long as a judge has fewer than the canaries that tell anything."""
REPAIRS = {
    Check.TEXT_LEAVES_BOX: Repair.WRAP,
    Check.TOO_SMALL: Repair.PAGE,
    Check.TOO_PALE: Repair.RECOLOUR,
    Check.TEXT_ON_TEXT: Repair.MOVE_LABEL,
    Check.LINE_THROUGH_TEXT: Repair.MOVE_LABEL,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a model that sees is asked."""

    prompt: str
    images: tuple[bytes, ...]
    """PNG or JPEG files."""
    answer: Mapping[str, object]
    """JSON Schema."""
    is_usable: Callable[[str], bool]
    avoid: frozenset[str] = frozenset()
    """Models that must not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What came back."""

    model: str
    text: str
    cost_usd: float | None = None


Ask = Callable[[Question], Awaitable[Answered | None]]
"""None where no model can see, or none but those to avoid. Raises a BulkheadError when all failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What one picture may cost."""

    calls: int = 4
    usd: float = 0.05


@dataclass(slots=True)
class Purse:
    """What is left of a budget."""

    budget: Budget
    calls: int = 0
    usd: float = 0.0

    @property
    def is_empty(self) -> bool:
        """True when nothing more may be asked."""
        return self.calls >= self.budget.calls or self.usd >= self.budget.usd


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """What the check came to."""

    looked_by: str = ""
    """Empty when nobody did, or nobody whose word counts."""
    sentence: str = ""
    """The judge's; when none looked, why."""
    findings: tuple[Finding, ...] = ()
    read_back: float | None = None


@dataclass(slots=True)
class Judge:
    """Asks, compares, and keeps the judges' records in the store where there is one."""

    ask: Ask
    store: Store | None = None
    budget: Budget = field(default_factory=Budget)

    def purse(self) -> Purse:
        """For one picture."""
        return Purse(self.budget)

    async def look(self, png: bytes, spec: DiagramSpec, surface: str, purse: Purse) -> Opinion:
        """What a model sees in the picture as it will be delivered."""
        records = await self._records()
        demoted = frozenset(record.model for record in records.values() if record.is_demoted)
        image = await asyncio.to_thread(as_delivered, png, surface)
        try:
            answered, sight = await self._sight(image, spec, demoted, purse)
        except BulkheadError as error:
            return Opinion(sentence=f"the vision model could not be asked: {error}")
        if answered is None or sight is None:
            if demoted:
                worst = min((records[name] for name in demoted), key=lambda record: record.share)
                return Opinion(sentence=f"{worst.model} found {worst.share:.0%} of the defects put to it: not asked")
            return Opinion(sentence="no vision model is configured" if purse.calls else "the budget is used up")
        opinion = judged(sight, read_back(sight.labels, sight.links, spec), answered.model)
        if opinion.looked_by and self._is_canary(png, records.get(answered.model)):
            await self._try_canary(png, spec, surface, purse)
        return opinion

    async def prefer(self, pngs: tuple[bytes, bytes], surface: str, purse: Purse) -> int | None:
        """Which of two drawings reads better: 0, 1, or None when the judge has no opinion that survives the order."""
        images = [await asyncio.to_thread(as_delivered, png, surface) for png in pngs]
        demoted = frozenset(record.model for record in (await self._records()).values() if record.is_demoted)
        votes = []
        for order in ((0, 1), (1, 0)):
            answered = await self._asked(
                Question(
                    prompt=CHOICE_PROMPT,
                    images=tuple(images[index] for index in order),
                    answer=Choice.model_json_schema(),
                    is_usable=lambda text: read_choice(text) is not None,
                    avoid=demoted,
                ),
                purse,
            )
            choice = read_choice(answered.text) if answered else None
            if choice is None or choice.better == "neither":
                return None
            votes.append(order[0] if choice.better == "first" else order[1])
        return votes[0] if votes[0] == votes[1] else None

    async def _sight(
        self, image: bytes, spec: DiagramSpec, avoid: frozenset[str], purse: Purse
    ) -> tuple[Answered | None, Sight | None]:
        answered = await self._asked(
            Question(
                prompt=sight_prompt(spec.title, spec.kind),
                images=(image,),
                answer=Sight.model_json_schema(),
                is_usable=lambda text: read_sight(text) is not None,
                avoid=avoid,
            ),
            purse,
        )
        return answered, read_sight(answered.text) if answered else None

    async def _asked(self, question: Question, purse: Purse) -> Answered | None:
        if purse.is_empty:
            return None
        purse.calls += 1
        answered = await self.ask(question)
        purse.usd += (answered.cost_usd or 0.0) if answered else 0.0
        return answered

    def _is_canary(self, png: bytes, record: canaries.Recall | None) -> bool:
        """Decided by the picture, so that nobody can choose."""
        every = CANARY_EVERY if record and record.asked >= canaries.LEAST_CANARIES else CANARY_AT_FIRST
        return self.store is not None and int.from_bytes(hashlib.sha256(png).digest()[:4]) % every == 0

    async def _try_canary(self, png: bytes, spec: DiagramSpec, surface: str, purse: Purse) -> None:
        """Show the judge a spoilt twin and write down whether it noticed."""
        twin, defect = await asyncio.to_thread(spoilt, png)
        image = await asyncio.to_thread(as_delivered, twin, surface)
        try:
            answered, sight = await self._sight(image, spec, frozenset(), purse)
        except BulkheadError:
            log.info("judge.canary_unanswered")
            return
        if answered is None or sight is None or self.store is None:
            return
        was_found = not all_well(sight, read_back(sight.labels, sight.links, spec))
        log.info("judge.canary", extra={"model": answered.model, "defect": defect, "was_found": was_found})
        await self.store.run(canaries.record, answered.model, defect, was_found=was_found)

    async def _records(self) -> dict[str, canaries.Recall]:
        found = await self.store.run(canaries.recalls) if self.store else ()
        return {record.model: record for record in found}


def all_well(sight: Sight, read: ReadBack) -> bool:
    """True when the judge has nothing to say against the picture."""
    return not sight.checks.found() and read.labels >= LEAST_READ and sight.shows_intent != "no"


def judged(sight: Sight, read: ReadBack, model: str) -> Opinion:
    """The opinion, or why there is none."""
    if read.is_invented:
        return Opinion(sentence=f"{model} read back {read.labels:.0%} of the labels, so its verdict does not count")
    findings = [_defect(sight, check) for check in sight.checks.found()]
    if read.labels < LEAST_READ:
        unread = ", ".join(repr(text[:30]) for text in read.unread[:3])
        words = f"{model} could not read {unread}" if unread else f"{model} read texts that are not there"
        findings.append(Finding("read_back", "error", read.unread[:3], words, None, read.labels, LEAST_READ))
    findings += [
        Finding("vision_turned", "warning", (name,), f"{model} read {name} the other way round")
        for name in read.turned[:3]
    ]
    if sight.shows_intent == "no":
        words = f"{model} says that the picture does not show what its title promises"
        findings.append(Finding("vision_intent", "warning", ("title",), words, repair=Repair.RESPEC))
    share = round((read.labels + read.links) / 2, 3)
    return Opinion(looked_by=model, sentence=sight.sentence, findings=tuple(findings), read_back=share)


def _defect(sight: Sight, check: Check) -> Finding:
    told = [defect for defect in sight.defects if defect.kind is check]
    where = tuple(dict.fromkeys(defect.where for defect in told))[:3]
    words = next((defect.evidence for defect in told if defect.evidence), "") or check.value.replace("_", " ")
    place = f" (at {where[0]!r})" if where else ""
    return Finding(
        f"vision_{check.value}", "error", where, f"{words}{place}", repair=REPAIRS.get(check, Repair.REROUTE)
    )
