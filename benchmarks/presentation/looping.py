"""The section `loop`: defects shipped per 100 pictures, with every pair of checks and repairs, by the real presenter.

Every diagram has four drawings; each was spoilt with the given chance, by the classes of the section `lint`. What is
true of a drawing is known from that. Judges are scripted: the worker's answers are made beforehand, all else is real.
"""

from __future__ import annotations

import asyncio
import io
import json
import random
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from benchmarks.presentation.spoiling import CLASSES
from benchmarks.presentation.stage import Stage, Take, takes
from benchmarks.section import Measured, Section, missed
from layers.presentation import Answered, Ask, Diagram, Figure, Judge, Presenter, Question
from layers.presentation.judge.answers import Check, Choice
from layers.presentation.judge.readback import links_of, texts_on
from layers.presentation.process import Drawn
from layers.presentation.service import FAULTLESS
from layers.presentation.wire import Answer, DrawnPage, Job

SPOILT = 0.35
DRAWINGS = 4
DIAGRAMS, FEW_DIAGRAMS = 100, 8
ROUNDS, FEW_ROUNDS = 2, 2
MOST_SHIPPED = 2.0
JUDGES: Mapping[str, tuple[float, float]] = {
    "perfect": (1.0, 0.0),
    "recall_40": (0.4, 0.0),
    "always_yes": (0.0, 0.0),
    "random": (0.5, 0.5),
}
"""Name -> chances to object to a spoilt and to a clean picture."""


@dataclass(frozen=True, slots=True)
class Card:
    """One drawing, and what is true of it."""

    drawn: Drawn
    is_bad: bool


def control() -> Card:
    """The picture without a defect that a judge who objects is shown as well."""
    page = DrawnPage(width=1, height=1, texts=tuple(node.label for node in FAULTLESS.nodes))
    return Card(Drawn(Answer(pages=(page,)), (b"faultless",), b"", (b"faultless", b"faultless")), is_bad=False)


CONTROL = control()


class Dealt(Presenter):
    """A presenter whose worker deals cards."""

    def __init__(self, cards: list[Card], *, uses_lint: bool, repairs: bool, judge: Judge | None) -> None:
        super().__init__(judge=judge)
        self._cards = cards
        self._uses_lint = uses_lint
        self._repairs = repairs

    async def _drawn(self, job: Job) -> Drawn:
        if job.spec == FAULTLESS:
            return CONTROL.drawn
        drawn = self._cards[job.rank % len(self._cards) if self._repairs else 0].drawn
        answer = drawn.answer if self._uses_lint else drawn.answer.model_copy(update={"findings": ()})
        return Drawn(answer, drawn.pngs, b"", drawn.looks)


def run(_folder: Path, is_quick: bool) -> Measured:
    """The table: check -> repair -> judge -> shipped and withheld per 100."""
    warnings.simplefilter("ignore", UserWarning)
    hands = [dealt(number, take) for number, take in enumerate(takes(FEW_DIAGRAMS if is_quick else DIAGRAMS))]
    rounds = FEW_ROUNDS if is_quick else ROUNDS
    table: dict[str, dict[str, object]] = {}
    for check in ("none", "lint", "judge", "both"):
        for repairs in (False, True):
            kinds = JUDGES if check in ("judge", "both") else {"": (0.0, 0.0)}
            cell = {
                name: asyncio.run(played(hands, check, name if name else None, repairs=repairs, rounds=rounds))
                for name in kinds
            }
            table.setdefault(check, {})["up to 3" if repairs else "no repair"] = cell.get("", cell)
    none, lint = (table[check]["no repair"] for check in ("none", "lint"))
    full = table["both"]["up to 3"]
    assert isinstance(none, dict)
    assert isinstance(lint, dict)
    assert isinstance(full, dict)
    shipped = full["perfect"]["shipped"]
    return Measured(
        printed={"loop": table},
        misses=missed(
            {
                f"lint and a perfect judge ship at most {MOST_SHIPPED} defects per 100, not {shipped}": (
                    shipped <= MOST_SHIPPED
                ),
                f"ten times fewer than without a check: {none['shipped']} and {shipped}": (
                    shipped * 10 <= none["shipped"]
                ),
                f"the lint alone ships fewer than nobody: {lint['shipped']}": lint["shipped"] < none["shipped"],
            }
        ),
    )


def dealt(number: int, take: Take) -> list[Card]:
    """The drawings of one diagram."""
    cards = []
    for place in range(DRAWINGS):
        dice = random.Random(f"deal {number} {place}")
        stage = Stage(take)
        clean = stage.shot()
        picture, is_bad = clean, False
        if dice.random() < SPOILT:
            for name in dice.sample(sorted(CLASSES), len(CLASSES)):
                tried = CLASSES[name](stage, dice, dice.randint(2, 5))
                if tried is not None and stage.is_changed(tried, clean):
                    picture, is_bad = tried, True
                    break
        cards.append(Card(drawn_of(stage, picture), is_bad))
    return cards


def drawn_of(stage: Stage, picture: Image.Image) -> Drawn:
    """The worker's answer."""
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=1)
    wanted = stage.take.wanted
    page = DrawnPage(
        width=picture.width,
        height=picture.height,
        texts=tuple(texts_on(stage.take.scene)),
        links=tuple(links_of(wanted)),
    )
    png = out.getvalue()
    return Drawn(Answer(pages=(page,), findings=stage.judged(picture)), (png,), b"", (png, png))


async def played(
    hands: list[list[Card]], check: str, judge: str | None, *, repairs: bool, rounds: int
) -> dict[str, float]:
    """Present every diagram; per 100: defects shipped, good first drawings withheld, pictures shown at all."""
    shipped = withheld = shown = count = 0
    for turn in range(rounds):
        for number, cards in enumerate(hands):
            turned = [*cards[turn % DRAWINGS :], *cards[: turn % DRAWINGS]]
            scripted = Judge(script(turned, judge, random.Random(f"{turn} {number} {judge}"))) if judge else None
            presenter = Dealt(turned, uses_lint=check in ("lint", "both"), repairs=repairs, judge=scripted)
            figure = await presenter.present(Diagram(source="flowchart LR; a-->b"))
            count += 1
            is_bad = truth(turned, figure)
            shown += figure.verdict.ok
            shipped += figure.verdict.ok and is_bad
            withheld += not figure.verdict.ok and not turned[0].is_bad
    found = {"shipped": shipped, "withheld": withheld, "shown": shown}
    return {name: round(100 * number / count, 1) for name, number in found.items()}


def truth(cards: list[Card], figure: Figure) -> bool:
    """Whether the picture that came back is a spoilt one."""
    return next(card.is_bad for card in cards if card.drawn.pngs[0] == figure.png)


def script(cards: list[Card], judge: str, dice: random.Random) -> Ask:
    """A judge that knows the truth and tells it as often as its name says."""
    objects, alarms = JUDGES[judge]

    async def ask(question: Question) -> Answered:
        if question.answer == Choice.model_json_schema():
            return Answered(model=judge, text='{"better": "neither"}')
        card = next(card for card in (CONTROL, *cards) if card.drawn.pngs[0] == question.images[0])
        says = dice.random() < (objects if card.is_bad else alarms)
        page = card.drawn.answer.pages[0]
        checks = {check.value: says and check is Check.TEXT_ON_TEXT for check in Check}
        links = [{"source": source, "target": target} for source, target in page.links]
        return Answered(
            model=judge, text=json.dumps({"labels": list(page.texts), "links": links, "checks": checks})
        )

    return ask


SECTIONS: Mapping[str, Section] = {"loop": Section(keys=("loop",), run=run)}
