"""What `/models` and `/cost` say, and all of it once through a server: pins, sums, reasons."""

from __future__ import annotations

import json
from pathlib import Path

from bot.dispatcher.models import chart_of, cost_text, models_text, obeys
from layers.presentation import Chart, read_spec
from layers.routing import Belief, Model, Spent, Tokens
from tests.fakes import model_server
from tests.fakes.house import House

ROUTES = """\
local_only = ["web:board*"]
[routes]
cheap = ["openai/err500", "openai/echo"]
[models."openai/echo"]
usd_per_million_in = 0
usd_per_million_out = 100000
local = false
[models."openai/err500"]
local = false
[budgets]
person_usd_per_day = 0.5
"""


def spent(name: str, day: str, usd: float, unpriced: int = 0) -> Spent:
    return Spent(day=day, name=name, calls=2, failures=1, unpriced=unpriced, tokens=Tokens(read=8), usd=usd, ms=10.0)


def test_a_cost_is_summed_by_name_and_what_is_not_known_is_said() -> None:
    days = [spent("a", "2026-01-01", 1.0), spent("b", "2026-01-01", 0.0, 2), spent("a", "2026-01-02", 2.0)]
    told = cost_text("model", days)
    rows = told.splitlines()[3:-1]
    assert [row.split()[0] for row in rows] == ["a", "b"]
    assert "3.0000" in rows[0]
    assert "2 of unknown price" in rows[1]
    assert "2 calls have no known price" in told
    assert told.startswith("**$3.0000**")


def test_a_cost_by_day_has_a_row_for_each_day() -> None:
    told = cost_text("day", [spent("", "2026-01-01", 1.0), spent("", "2026-01-02", 2.0)])
    assert [row.split()[0] for row in told.splitlines()[3:-1]] == ["2026-01-01", "2026-01-02"]
    assert "No model was asked" in cost_text("day", [])


def test_a_chart_is_drawn_where_there_is_something_to_compare() -> None:
    days = [spent("a", "2026-01-01", 1.0), spent("b", "2026-01-01", 2.0), spent("c", "2026-01-01", 0.0)]
    spec = json.loads(chart_of("model", days))
    assert spec["x"]["categories"] == ["b", "a"]
    assert spec["series"][0]["values"] == [2.0, 1.0]
    assert isinstance(read_spec(json.dumps(spec)), Chart)
    assert chart_of("model", days[:1]) == ""


def test_what_is_not_known_of_a_model_is_called_unknown() -> None:
    model = Model(name="openai/x", wire="openai/x", vision=None, tools=False, usd_per_million=(1.0, 2.5))
    told = models_text([model], {("openai/x", "length"): Belief(held=1, broke=3)}, [spent("openai/x", "2026-01-01", 1)])
    row = told.splitlines()[-1]
    assert "| unknown | no | unknown | 1 / 2.5 | 2 | 50% | length 33%" in row
    assert "No model is connected" in models_text([], {}, [])


def test_the_clause_that_is_kept_worst_comes_first() -> None:
    beliefs = {("m", "length"): Belief(held=9, broke=1), ("m", "case"): Belief(held=0, broke=8)}
    assert obeys("m", beliefs).startswith("case 10%")
    assert obeys("o", beliefs) == "not seen yet"


def test_a_person_sees_what_was_spent_and_why_and_pins_a_model(tmp_path: Path) -> None:
    with model_server.running() as model:
        house = House(tmp_path / "home", env={"OPENAI_BASE_URL": model.base_url, "OPENAI_API_KEY": "k"})
        house.home.mkdir(mode=0o700)
        (house.home / "routes.toml").write_text(ROUTES)
        try:
            house.start()
            house.sign_in()
            assert "ping" in house.ask("ping", seconds=40)["html"]
            assert "scripted 500" in house.ask("/why", seconds=40)["html"]
            assert "$0.2000" in house.ask("/cost", seconds=40)["html"]
            assert "openai/echo" in house.ask("/cost model", seconds=40)["html"]
            assert "There is no model" in house.ask("/model openai/ecco", seconds=40)["html"]
            assert "answered by" in house.ask("/model openai/whole", seconds=40)["html"]
            assert "ping" in house.ask("ping", seconds=40)["html"]
            assert "pinned" in house.ask("/why", seconds=40)["html"]
            assert "openai/whole" in house.ask("/models", seconds=40)["html"]
            assert model.asked() == ["err500", "echo", "whole"]
            listed = {line["name"]: line for line in house.client.get("/api/models").json()["models"]}
            assert (listed["openai/echo"]["calls"], listed["openai/err500"]["failures"]) == (1, 1)
            spend_all_of_it(house, model)
            keep_to_this_machine(house, model)
        finally:
            house.kill()
            house.close()


def spend_all_of_it(house: House, model: model_server.ModelServer) -> None:
    """$0.20 an answer, of $0.50 a day: the second one warns, and nobody who costs money is asked after the third."""
    house.ask("/model openai/echo", seconds=40)
    warned = house.ask("ping", seconds=40)["html"]
    assert "$0.40 of the $0.50" in warned
    assert "will get no paid answer beyond that" in warned
    assert "$0.50" not in house.ask("ping", seconds=40)["html"], "told once"
    model.calls.clear()
    refused = "may spend no more"
    assert refused in house.ask("ping", seconds=40)["html"]
    assert refused in house.ask("/why", seconds=40)["html"]
    assert model.asked() == []


def keep_to_this_machine(house: House, model: model_server.ModelServer) -> None:
    """What is said in a marked conversation is asked of no model elsewhere, and the reason is told."""
    assert "must stay on this machine" in house.ask("ping", "board-1", seconds=40)["html"]
    assert "must stay on this machine" in house.ask("/why", "board-1", seconds=40)["html"]
    assert model.asked() == []
