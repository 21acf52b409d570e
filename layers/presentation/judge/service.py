"""The judge: a picture and its spec in, an `Opinion` out. At most `Budget.calls` questions for one picture.

Who answers is the wiring's business: `Ask` takes a `Question`. What a judge says counts only when it could read the
picture back, so that one that invents its answers says nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from layers.errors import BulkheadError, Unavailable
from layers.presentation.judge import canaries
from layers.presentation.judge.answers import CHOICE_PROMPT, Check, Choice, Sight, read_choice, read_sight, sight_prompt
from layers.presentation.judge.readback import ReadBack, read_back
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

    calls: int = 6
    usd: float = 0.05
    seconds: float = 60.0
    """From the first question on; a person waits for the picture."""


@dataclass(slots=True)
class Purse:
    """What is left of a budget."""

    budget: Budget
    calls: int = 0
    usd: float = 0.0
    began: float | None = None
    """By the monotonic clock; None before the first question."""

    @property
    def left_s(self) -> float:
        """Seconds that answers may still take."""
        return self.budget.seconds - (0.0 if self.began is None else time.monotonic() - self.began)

    @property
    def is_empty(self) -> bool:
        """True when nothing more may be asked."""
        return self.calls >= self.budget.calls or self.usd >= self.budget.usd or self.left_s <= 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """What the check came to."""

    looked_by: str = ""
    """Empty when nobody did, or nobody whose word counts."""
    sentence: str = ""
    """The judge's; when none looked, why."""
    findings: tuple[Finding, ...] = ()
    read_back: float | None = None
    cost_usd: float = 0.0
    """Of everything that was asked for this picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One page for the judge."""

    image: bytes
    """PNG or JPEG, as the surface delivers it."""
    title: str
    kind: str
    texts: tuple[str, ...]
    """What can be read on it."""
    links: tuple[tuple[str, str], ...]
    """The texts at the ends of its lines."""
    twin: bytes = b""
    """The same page spoilt on purpose; empty where there is none."""
    defect: str = ""
    """How."""

    def compared(self, sight: Sight) -> ReadBack:
        """What was read, held against what is drawn."""
        return read_back(sight.labels, sight.links, self.texts, self.links)


Control = Callable[[], Awaitable[Shot]]
"""Makes a picture that has no defect, should it be needed."""


@dataclass(slots=True)
class Judge:
    """Asks, compares, and keeps the judges' records in the store where there is one."""

    ask: Ask
    store: Store | None = None
    budget: Budget = field(default_factory=Budget)

    def purse(self) -> Purse:
        """For one picture."""
        return Purse(self.budget)

    async def look(self, shots: Sequence[Shot], purse: Purse, control: Control | None = None) -> Opinion:
        """What a model sees in the pages as they will be delivered; in as many as the purse allows.

        A model that objects is shown `control` as well: one that objects to that, too, says nothing.
        """
        records = await self._records()
        demoted = frozenset(record.model for record in records.values() if record.is_demoted)
        opinions: list[Opinion] = []
        for shot in shots:
            if opinions and purse.is_empty:
                break
            opinions.append(await self._look(shot, records, demoted, purse))
            if not opinions[-1].looked_by:
                break
        opinion = together(opinions, len(shots))
        if control is not None and any(finding.severity == "error" for finding in opinion.findings):
            opinion = await self._confirmed(opinion, await control(), purse)
        if opinion.looked_by and self._is_canary(shots[0].image, records.get(opinion.looked_by)):
            await self._try_canary(shots[0], purse)
        return replace(opinion, cost_usd=purse.usd)

    async def prefer(self, images: tuple[bytes, bytes], purse: Purse) -> int | None:
        """Which of two drawings reads better: 0, 1, or None when the judge has no opinion that survives the order."""
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

    async def _look(
        self, shot: Shot, records: Mapping[str, canaries.Recall], demoted: frozenset[str], purse: Purse
    ) -> Opinion:
        try:
            answered, sight = await self._sight(shot, shot.image, demoted, purse)
        except BulkheadError as error:
            return Opinion(sentence=f"the vision model could not be asked: {error}")
        if answered is not None and sight is not None:
            return judged(sight, shot.compared(sight), answered.model)
        if demoted:
            worst = min((records[name] for name in demoted), key=lambda record: record.share)
            said = f"{worst.model} was right about {worst.share:.0%} of the pictures that test it: not asked"
            return Opinion(sentence=said)
        return Opinion(sentence="no vision model is configured" if purse.calls else "the budget is used up")

    async def _sight(
        self, shot: Shot, image: bytes, avoid: frozenset[str], purse: Purse
    ) -> tuple[Answered | None, Sight | None]:
        answered = await self._asked(
            Question(
                prompt=sight_prompt(shot.title, shot.kind),
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
        purse.began = time.monotonic() if purse.began is None else purse.began
        try:
            async with asyncio.timeout(purse.left_s):
                answered = await self.ask(question)
        except TimeoutError:
            raise Unavailable(f"it did not answer within {purse.budget.seconds:g} s") from None
        purse.usd += (answered.cost_usd or 0.0) if answered else 0.0
        return answered

    def _is_canary(self, image: bytes, record: canaries.Recall | None) -> bool:
        """Decided by the picture, so that nobody can choose."""
        every = CANARY_EVERY if record and record.asked >= canaries.LEAST_CANARIES else CANARY_AT_FIRST
        return self.store is not None and int.from_bytes(hashlib.sha256(image).digest()[:4], "big") % every == 0

    async def _try_canary(self, shot: Shot, purse: Purse) -> None:
        """Show the judge a spoilt twin and write down whether it noticed."""
        if not shot.twin or self.store is None:
            return
        try:
            answered, sight = await self._sight(shot, shot.twin, frozenset(), purse)
        except BulkheadError:
            log.info("judge.canary_unanswered")
            return
        if answered is None or sight is None:
            return
        await self._record(answered.model, shot.defect, was_right=not all_well(sight, shot.compared(sight)))

    async def _confirmed(self, opinion: Opinion, control: Shot, purse: Purse) -> Opinion:
        """The opinion, unless its judge sees defects in a picture that has none."""
        try:
            answered, sight = await self._sight(control, control.image, frozenset(), purse)
        except BulkheadError:
            return opinion
        if answered is None or sight is None or answered.model != opinion.looked_by:
            return opinion
        was_right = all_well(sight, control.compared(sight))
        await self._record(answered.model, canaries.FAULTLESS, was_right=was_right)
        if was_right:
            return opinion
        said = f"{answered.model} saw defects in a faultless picture as well, so its verdict does not count"
        return Opinion(sentence=said)

    async def _record(self, model: str, defect: str, *, was_right: bool) -> None:
        log.info("judge.canary", extra={"model": model, "defect": defect, "was_right": was_right})
        if self.store is not None:
            await self.store.run(canaries.record, model, defect, was_found=was_right)

    async def _records(self) -> dict[str, canaries.Recall]:
        found = await self.store.run(canaries.recalls) if self.store else ()
        return {record.model: record for record in found}


def together(opinions: Sequence[Opinion], pages: int) -> Opinion:
    """One opinion on all pages that were looked at."""
    looked = [opinion for opinion in opinions if opinion.looked_by]
    if not looked:
        return opinions[0] if opinions else Opinion()
    sentence = next((opinion.sentence for opinion in looked if opinion.findings), looked[0].sentence)
    if len(looked) < pages:
        sentence = f"(saw {len(looked)} of {pages} pages) {sentence}"
    shares = [opinion.read_back for opinion in looked if opinion.read_back is not None]
    return Opinion(
        looked_by=looked[0].looked_by,
        sentence=sentence.strip(),
        findings=tuple(finding for opinion in looked for finding in opinion.findings),
        read_back=min(shares, default=None),
    )


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
