"""`db copy` there and back: sessions, cards and history are the same, and a server goes on with them."""

from __future__ import annotations

import json
from pathlib import Path

from tests.fakes import model_server
from tests.fakes.house import House
from tests.whole.people import bulkhead, card, effects, error, execute, furnish, outcome


def move(house: House, target: str) -> None:
    """Copy the house's database and point the house there."""
    source = house.env["BULKHEAD_DATABASE_URL"] or f"sqlite:///{house.home / 'bulkhead.db'}"
    house.stop()
    done = bulkhead(house, "db", "copy", source, target)
    assert done.returncode == 0, done.stdout + done.stderr
    house.env["BULKHEAD_DATABASE_URL"] = target
    house.start()


def test_what_routing_has_learnt_moves_along(tmp_path: Path, postgres_url: str) -> None:
    with model_server.running() as fake:
        house = House(tmp_path / "home")
        furnish(house.home, fake.base_url)
        house.start()
        try:
            house.sign_in()
            house.ask("/rules add at most 100 words")
            house.ask("/model fake/echo")
            house.ask("Answer in all lowercase letters: ping")
            asked = ("/rules", "/model", "/cost model", "/models", "/why")
            before = [house.ask(text)["html"] for text in asked]
            tables = ("standing_rule", "pin", "spend", "obedience")
            rows = {name: sorted(execute(house, f"SELECT * FROM {name}")) for name in tables}
            assert all(rows.values()), "each has something in it"
            move(house, postgres_url)
            assert {name: sorted(execute(house, f"SELECT * FROM {name}")) for name in tables} == rows
            assert [house.ask(text)["html"] for text in asked] == before
            house.ask("/rules add no emojis")
            assert house.ask("/rules")["html"].count("<li>") == 2
            ((calls,),) = execute(house, "SELECT calls FROM spend WHERE scope = 'model'")
            house.ask("pong")
            assert execute(house, "SELECT calls FROM spend WHERE scope = 'model'") == [(calls + 1,)]
        finally:
            house.close()


def test_a_house_moves_to_postgresql_and_back(tmp_path: Path, postgres_url: str) -> None:
    house = House(tmp_path / "home")
    furnish(house.home)
    house.start()
    try:
        house.sign_in()
        picture = house.ask("/diagram\nflowchart LR\n  a[Größe 🙂] --> b")
        first, second = card(house, "first"), card(house, "second")
        house.ask('/schedule "0 9 * * mon" Europe/Berlin /pending')
        before = house.history()
        png = house.client.get(picture["picture"]["url"]).content

        move(house, postgres_url)
        assert house.history() == before
        assert house.client.get(picture["picture"]["url"]).content == png
        house.press(first, "Approve")
        assert "Done" in outcome(house, first["key"])

        refused = bulkhead(house, "db", "copy", postgres_url, f"sqlite:///{tmp_path / 'back.db'}")
        assert refused.returncode == 2, "a database that a server uses is not copied"
        assert "in use by process" in json.loads(refused.stdout)["error"]

        move(house, f"sqlite:///{tmp_path / 'back.db'}")
        assert [event["key"] for event in house.history()] == [event["key"] for event in before]
        house.press(first, "Approve")
        assert "already decided" in error(house)
        house.press(second, "Approve")
        assert "Done" in outcome(house, second["key"])
        assert effects(house.home) == ["first", "second"]
        assert "Nothing waits" in house.ask("/pending")["html"]
        assert "Europe/Berlin" in house.ask("/schedule")["html"]
        assert json.loads(bulkhead(house, "audit", "verify").stdout)["ok"]

        again = bulkhead(house, "db", "copy", f"sqlite:///{house.home / 'bulkhead.db'}", postgres_url)
        assert again.returncode == 2, "a database with something in it is not overwritten"
        assert "not empty" in json.loads(again.stdout)["error"]
        assert execute(house, "SELECT count(*) FROM inbox WHERE state = 'pending'") == [(0,)]
    finally:
        house.close()
