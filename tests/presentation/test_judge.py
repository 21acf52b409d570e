"""The vision check: read-back, yes/no rubric, pairwise choice, budget, canaries; with scripted models."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from layers.errors import Unavailable
from layers.presentation import Answered, Diagram, Judge, Presenter, Question, badge
from layers.presentation.judge import Shot, recalls, record
from layers.presentation.judge.answers import Check, Choice, Link, read_sight
from layers.presentation.judge.delivered import as_delivered, spoilt
from layers.presentation.judge.readback import read_back
from layers.presentation.judge.service import Budget
from layers.store import Store
from tests.presentation.samples import TEN_NODES

SHOT = Shot(
    image=b"good",
    title="Turns",
    kind="flowchart",
    texts=("Alpha", "Beta", "Gamma"),
    links=(("Alpha", "Beta"),),
    twin=b"bad",
)
TEXTS_OF_TEN = (
    *("Person", "message", "Gateway", "Allowed?", "no", "yes", "Refusal in one sentence", "Inbox", "Turn worker"),
    *("asks", "Model", "Approval", "denied", "approved", "Executor", "Audit log"),
)
CLEAR = {check.value: False for check in Check}


def sight(*labels: str, links: tuple[tuple[str, str], ...] = (("Alpha", "Beta"),), **checks: bool) -> str:
    return json.dumps(
        {
            "labels": labels or ["Alpha", "Beta", "Gamma"],
            "links": [{"source": source, "target": target} for source, target in links],
            "checks": CLEAR | checks,
            "defects": [{"kind": name, "where": "Beta", "evidence": "it is there"} for name in checks],
            "sentence": "Looks fine.",
        }
    )


class Scripted:
    """Answers from a function, and remembers what was asked."""

    def __init__(self, answer: Callable[[Question], str], model: str = "m") -> None:
        self.asked: list[Question] = []
        self._answer = answer
        self._model = model

    async def ask(self, question: Question) -> Answered | None:
        self.asked.append(question)
        if self._model in question.avoid:
            return None
        return Answered(model=self._model, text=self._answer(question), cost_usd=0.01)


async def test_what_a_judge_reads_back_is_held_against_the_drawing() -> None:
    judge = Judge(Scripted(lambda _: sight()).ask)
    opinion = await judge.look([SHOT], judge.purse())
    assert (opinion.looked_by, opinion.read_back, opinion.findings) == ("m", 1.0, ())
    assert opinion.cost_usd == 0.01


async def test_a_label_that_nobody_can_read_is_an_error_that_names_it() -> None:
    judge = Judge(Scripted(lambda _: sight("Alpha", "Beta")).ask)
    opinion = await judge.look([SHOT], judge.purse())
    (finding,) = opinion.findings
    assert (finding.rule, finding.severity, finding.elements) == ("read_back", "error", ("Gamma",))


async def test_a_yes_to_a_question_is_a_located_error() -> None:
    judge = Judge(Scripted(lambda _: sight(text_on_text=True)).ask)
    (finding,) = (await judge.look([SHOT], judge.purse())).findings
    assert (finding.rule, finding.severity, finding.elements) == ("vision_text_on_text", "error", ("Beta",))


async def test_a_judge_that_invents_its_answer_says_nothing() -> None:
    judge = Judge(Scripted(lambda _: sight("Hello", "World", cut_off=True)).ask)
    opinion = await judge.look([SHOT], judge.purse())
    assert (opinion.looked_by, opinion.findings) == ("", ())
    assert "does not count" in opinion.sentence


async def test_an_arrow_read_the_other_way_round_is_told() -> None:
    judge = Judge(Scripted(lambda _: sight(links=(("Beta", "Alpha"),))).ask)
    (finding,) = (await judge.look([SHOT], judge.purse())).findings
    assert (finding.rule, finding.elements) == ("vision_turned", ("Alpha -> Beta",))


def test_one_misread_letter_of_a_long_label_is_no_missing_label() -> None:
    read = read_back(["Presentatlon layer"], [Link(source="a", target="b")], ["Presentation layer"], [])
    assert read.labels == 1.0
    assert read.links == 0.0


@pytest.mark.parametrize(
    ("text", "is_read"),
    [("no JSON", False), ("```json\n" + sight() + "\n```", True), ('{"labels": []}', False), ("{" * 9999, False)],
)
def test_an_answer_is_checked_before_it_is_believed(text: str, is_read: bool) -> None:
    assert (read_sight(text) is not None) is is_read


async def test_a_choice_counts_only_when_it_survives_the_order() -> None:
    def first(question: Question) -> str:
        return '{"better": "first"}'

    def the_good_one(question: Question) -> str:
        return json.dumps({"better": "first" if question.images[0] == b"good" else "second"})

    steady, fickle = Judge(Scripted(the_good_one).ask), Judge(Scripted(first).ask)
    assert await steady.prefer((b"good", b"bad"), steady.purse()) == 0
    assert await steady.prefer((b"bad", b"good"), steady.purse()) == 1
    assert await fickle.prefer((b"good", b"bad"), fickle.purse()) is None


async def test_no_picture_costs_more_than_its_budget() -> None:
    scripted = Scripted(lambda _: sight())
    judge = Judge(scripted.ask, budget=Budget(calls=2, usd=1.0))
    opinion = await judge.look([SHOT] * 5, judge.purse())
    assert len(scripted.asked) == 2
    assert opinion.sentence.startswith("(saw 2 of 5 pages)")
    poor = Scripted(lambda _: sight())
    short = Judge(poor.ask, budget=Budget(calls=9, usd=0.015))
    await short.look([SHOT] * 5, short.purse())
    assert len(poor.asked) == 2


async def test_a_judge_that_misses_spoilt_pictures_is_not_asked_any_more(store: Store) -> None:
    blind = Scripted(lambda _: sight(), model="blind")
    judge = Judge(blind.ask, store)
    for number in range(5):
        await store.run(record, "blind", "cut", was_found=number == 0)
    opinion = await judge.look([SHOT], judge.purse())
    assert blind.asked[-1].avoid == {"blind"}
    assert opinion.looked_by == ""
    assert "blind was right about 20%" in opinion.sentence


async def test_spoilt_twins_measure_a_judge(store: Store) -> None:
    sharp = Scripted(lambda question: sight(cut_off=True) if question.images == (b"bad",) else sight(), model="sharp")
    judge = Judge(sharp.ask, store)
    shots = [replace(SHOT, image=bytes([number])) for number in range(40)]
    for shot in shots:
        await judge.look([shot], judge.purse())
    (found,) = await store.run(recalls)
    assert (found.model, found.share) == ("sharp", 1.0)
    assert 4 <= found.asked <= 20


async def test_a_judge_that_cannot_be_asked_is_said_and_the_picture_stands() -> None:
    async def ask(question: Question) -> Answered | None:
        raise Unavailable("nobody answers")

    presenter = Presenter(budget_s=20, judge=Judge(ask))
    figure = await presenter.present(Diagram(source=TEN_NODES))
    await presenter.close()
    assert figure.verdict.ok
    assert badge(figure.verdict).endswith("no model looked (the vision model could not be asked: nobody answers)")


async def test_the_judge_sees_what_the_surface_delivers_and_its_word_joins_the_verdict() -> None:
    def answer(question: Question) -> str:
        if question.answer == Choice.model_json_schema():
            return '{"better": "neither"}'
        if "Three steps" in question.prompt:
            return sight("Three steps", "Request", "Decision", "Answer", links=(("Request", "Decision"),))
        return sight(*TEXTS_OF_TEN, links=(("Person", "Gateway"),), too_pale=True)

    scripted = Scripted(answer)
    presenter = Presenter(budget_s=20, judge=Judge(scripted.ask))
    figure = await presenter.present(Diagram(source=TEN_NODES, surface="telegram"))
    await presenter.close()
    assert scripted.asked[0].images[0].startswith(b"\xff\xd8"), "Telegram makes a JPEG of it"
    assert not figure.verdict.ok
    assert "m looked: Looks fine." in badge(figure.verdict)
    assert "% read back" in badge(figure.verdict)


async def test_pictures_are_made_smaller_as_the_surface_does_and_can_be_spoilt() -> None:
    presenter = Presenter(budget_s=20)
    figure = await presenter.present(Diagram(source=TEN_NODES))
    await presenter.close()
    assert len(as_delivered(figure.png, "slack")) < len(figure.png)
    assert as_delivered(figure.png, "page").startswith(b"\x89PNG")
    one, name = spoilt(figure.png)
    assert (spoilt(figure.png), one != figure.png) == ((one, name), True)
