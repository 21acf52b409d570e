"""The vision check as it is wired: a real server that speaks OpenAI's protocol, the real router, the real worker."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bot.app.making import judge_of
from layers.presentation import Diagram, Figure, Judge, Presenter, badge
from layers.presentation.judge import recalls
from layers.presentation.judge.answers import Check
from layers.presentation.judge.service import Budget
from layers.routing import Router, load_routes
from layers.store import Store
from tests.fakes import model_server

SOURCE = "flowchart LR\n  a[Alpha] --> b[Beta]\n  b --> c[Gamma]"
READ = (["Alpha", "Beta", "Gamma"], [("Alpha", "Beta"), ("Beta", "Gamma")])
CONTROL = (["Three steps", "Request", "Decision", "Answer"], [("Request", "Decision"), ("Decision", "Answer")])
CLEAR = {check.value: False for check in Check}
Says = Callable[[list[dict[str, Any]]], str]
Draw = Callable[..., Any]


@pytest.fixture(scope="module")
def models() -> Iterator[model_server.ModelServer]:
    with model_server.running() as running:
        yield running


@pytest.fixture
async def draw(models: model_server.ModelServer, lite: Store, tmp_path: Path) -> AsyncIterator[Draw]:
    """Draws with a judge that says what is given."""
    routers: list[Router] = []
    judge = Judge(lambda question: judge_of(routers[-1])(question), lite)
    presenter = Presenter(budget_s=60, judge=judge)  # one for a test: its worker takes a second to start

    async def drawn(says: Says | None, model: str = "seer", source: str = SOURCE, **budget: float) -> Figure:
        models.calls.clear()
        if says is not None:
            models.says[model] = says
        (tmp_path / "routes.toml").write_text(
            f'[routes]\nvision = "fake/{model}"\n[servers]\nfake = "{models.base_url}"\n'
        )
        router = Router(environ={}, routes=load_routes(tmp_path / "routes.toml").only_named())
        routers.append(router)
        judge.budget = Budget(**budget)  # type: ignore[arg-type]
        return await presenter.present(Diagram(source=source, surface="telegram"))

    yield drawn
    await presenter.close()
    for router in routers:
        await router.close()


def sight(read: tuple[list[str], list[tuple[str, str]]], **checks: bool) -> str:
    labels, links = read
    return json.dumps(
        {
            "labels": labels,
            "links": [{"source": source, "target": target} for source, target in links],
            "checks": CLEAR | checks,
            "sentence": "All of it can be read.",
        }
    )


def is_control(messages: list[dict[str, Any]]) -> bool:
    return "Three steps" in messages[-1]["content"][0]["text"]


def pictures(call: model_server.Call) -> list[bytes]:
    urls = [part["image_url"]["url"] for part in call.messages[-1]["content"] if part["type"] == "image_url"]
    return [base64.b64decode(url.partition(",")[2]) for url in urls]


async def test_a_judge_gets_what_telegram_delivers_and_its_word_is_on_the_badge(
    draw: Draw, models: model_server.ModelServer
) -> None:
    figure = await draw(lambda _: sight(READ))
    assert (figure.verdict.ok, figure.verdict.looked_by, figure.verdict.read_back) == (True, "fake/seer", 1.0)
    assert badge(figure.verdict).endswith("fake/seer looked: All of it can be read. · 100% read back")
    (picture,) = pictures(models.calls[0])
    with Image.open(io.BytesIO(picture)) as opened:
        assert (opened.format, max(opened.size) <= 1280) == ("JPEG", True)
    assert "geometry" not in json.dumps(models.calls[0].messages), "what the lint says is not told"


async def test_a_real_objection_keeps_the_picture_back(draw: Draw, models: model_server.ModelServer) -> None:
    figure = await draw(lambda said: sight(CONTROL) if is_control(said) else sight(READ, cut_off=True))
    assert not figure.verdict.ok
    assert {finding.rule for finding in figure.verdict.findings} == {"vision_cut_off"}
    assert any(is_control(call.messages) for call in models.calls)


async def test_who_objects_to_everything_is_found_out_at_once_and_is_soon_not_asked(draw: Draw, lite: Store) -> None:
    for number in range(5):
        source = SOURCE.replace("Gamma", f"Gamma {number}")
        figure = await draw(lambda said: sight(CONTROL if is_control(said) else READ, too_pale=True), source=source)
        assert figure.verdict.ok
        assert "faultless picture" in badge(figure.verdict)
    (record,) = await lite.run(recalls)
    assert record.is_demoted
    figure = await draw(None, source=SOURCE.replace("Gamma", "Delta"))
    assert "of the pictures that test it: not asked" in badge(figure.verdict)


async def test_who_reads_nothing_and_finds_everything_fine_says_nothing(draw: Draw) -> None:
    figure = await draw(lambda _: sight(([], [])))
    assert figure.verdict.ok
    assert "does not count" in badge(figure.verdict)


async def test_what_is_no_answer_leaves_the_lint_and_is_said(draw: Draw) -> None:
    for said in (
        "I'm sorry, I can't help with images of this kind.",
        '{"labels": ["Alpha"',
        '{"labels": "all of them", "checks": {}}',
        "[" * 20_000,
        sight(READ)[:-1] + ', "checks": {"cut_off": "perhaps"}}',
    ):
        figure = await draw(lambda _, said=said: said)
        assert (figure.verdict.ok, figure.verdict.looked_by) == (True, "")
        assert "no model looked (the vision model could not be asked" in badge(figure.verdict)


async def test_an_answer_that_says_too_much_is_cut_and_counts(draw: Draw) -> None:
    labels, links = READ
    answer = json.loads(sight((labels, links))) | {"sentence": "long " * 500, "extra": 1}
    figure = await draw(lambda _: f"Here you are:\n```json\n{json.dumps(answer)}\n```")
    assert figure.verdict.looked_by == "fake/seer"


async def test_who_takes_too_long_is_not_waited_for(draw: Draw) -> None:
    for model in ("slow-600s", "drip"):
        figure = await draw(None, model=model, seconds=0.5)
        assert figure.verdict.ok
        assert "did not answer within 0.5 s" in badge(figure.verdict)


async def test_a_model_that_fails_costs_no_picture(draw: Draw) -> None:
    for model in ("err500", "err401", "empty", "midbreak", "vision-babble"):
        figure = await draw(None, model=model)
        assert figure.verdict.ok
        assert "no model looked" in badge(figure.verdict)
