"""`/stop` and the Stop button: on a fleet of two servers, with a model that never ends on a real socket."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import model_server, postgres
from tests.fakes.house import House
from tests.whole.people import execute, furnish, until, visitor
from tests.whole.test_fleet import share, share_key

Fleet = tuple[House, House]


@pytest.fixture(scope="module")
def fake() -> Iterator[model_server.ModelServer]:
    with model_server.running() as server:
        yield server


@pytest.fixture(scope="module")
def fleet(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: str, fake: model_server.ModelServer
) -> Iterator[Fleet]:
    url = postgres.create(postgres_server, f"s{uuid.uuid4().hex[:12]}")
    folder = tmp_path_factory.mktemp("stop")
    houses = [House(folder / name, url) for name in ("a", "b")]
    for house in houses:
        furnish(house.home, fake.base_url, "drip")
        share(house, folder / "workspace")
    share_key(*houses)
    try:
        for house in houses:
            house.start()
            house.sign_in()
        yield houses[0], houses[1]
    finally:
        for house in houses:
            house.close()


def answering(house: House, conversation: str) -> dict[str, object]:
    """The draft of an answer that would go on for ever."""
    house.say("tell me a story", conversation)
    return house.wait_for(lambda event: event["kind"] == "working" and "drip drip" in event["html"], conversation)


def stopped(house: House, conversation: str) -> str:
    """What stays of it."""
    return str(house.wait_for(lambda event: "Stopped by" in event.get("html", ""), conversation)["html"])


@pytest.mark.parametrize("at", [0, 1])
def test_a_stop_ends_the_request_to_the_model_wherever_it_is_said(
    fleet: Fleet, fake: model_server.ModelServer, at: int
) -> None:
    fake.left.clear()
    conversation = f"typed{at}"
    draft = answering(fleet[0], conversation)
    fleet[at].say("/stop", conversation)
    kept = stopped(fleet[0], conversation)
    until(lambda: fake.left == ["drip"])
    assert "drip drip" in kept
    assert "Stopped by Owner" in kept
    told = fleet[at].wait_for(lambda event: event.get("html", "").startswith("<p>Stopped."), conversation)
    assert told["key"] != draft["key"]
    shown = [event for event in fleet[0].history(conversation) if event["key"] == draft["key"]]
    assert [(event["kind"], event.get("buttons")) for event in shown] == [("message", None)]
    why = fleet[0].ask("/why", conversation)["html"]
    assert "got no answer: Stopped by Owner" in why
    assert "fake/drip: Stopped by Owner" in why
    assert "without 1 of unknown price" in why
    ((body,),) = execute(fleet[0], "SELECT body FROM audit ORDER BY seq DESC LIMIT 1")
    trail, turn = json.loads(body), str(draft["key"]).removeprefix("t")
    assert (trail["actor"], trail["action"], trail["ref"]) == ("owner", "stop", f"turn:{turn}")


def test_the_button_under_a_draft_stops_it(fleet: Fleet, fake: model_server.ModelServer) -> None:
    fake.left.clear()
    draft = answering(fleet[0], "button")
    assert [button["label"] for button in draft["buttons"]] == ["Stop"]  # type: ignore[attr-defined]
    fleet[1].press(draft, "Stop", "button")
    assert "Stopped by Owner" in stopped(fleet[0], "button")
    until(lambda: fake.left == ["drip"])
    fleet[1].press(draft, "Stop", "button")
    late = fleet[0].wait_for(lambda event: event["kind"] == "error", "button")
    assert "It had ended already" in late["html"]


def test_somebody_else_may_not_stop_an_answer_and_is_told_at_once(
    fleet: Fleet, fake: model_server.ModelServer
) -> None:
    anna = visitor(fleet[0], "anna")
    draft = answering(fleet[0], "theirs")
    fake.left.clear()
    anna.say("/stop", "theirs")
    anna.press(draft, "Stop", "theirs")
    until(lambda: len([event for event in anna.history("theirs") if event["kind"] == "error"]) == 2)
    assert "Only Owner, who is being answered, or an approver" in anna.history("theirs")[-1]["html"]
    assert fake.left == []
    fleet[0].say("/stop", "theirs")
    stopped(fleet[0], "theirs")
    until(lambda: not execute(fleet[0], "SELECT 1 FROM inbox WHERE state = 'pending'"))
    assert len([event for event in anna.history("theirs") if event["kind"] == "error"]) == 2
    answering(anna, "hers")
    anna.say("/stop", "hers")
    assert "Stopped by Anna" in stopped(anna, "hers")
    anna.client.close()


def test_where_nothing_is_answered_there_is_nothing_to_stop(fleet: Fleet) -> None:
    assert "No answer is being given here" in fleet[0].ask("/stop", "idle")["html"]
    assert fleet[0].ask("/stop now", "idle")["kind"] == "error"


def test_a_server_that_dies_right_after_the_word_does_not_begin_again(
    tmp_path: Path, fake: model_server.ModelServer
) -> None:
    house = House(tmp_path / "home")
    furnish(house.home, fake.base_url, "drip")
    house.start("accept.after_commit:2")
    try:
        house.sign_in()
        draft = answering(house, "killed")
        asked = len(fake.calls)
        with pytest.raises(Exception, match=r"disconnected|reset"):
            house.say("/stop", "killed")
        house.start()
        house.sign_in()
        kept = stopped(house, "killed")
        assert "drip drip" in kept
        assert "Stopped by Owner" in kept
        until(lambda: not execute(house, "SELECT 1 FROM inbox WHERE state = 'pending'"))
        assert len(fake.calls) == asked
        assert [event["key"] for event in house.history("killed")].count(draft["key"]) == 1
        assert execute(house, "SELECT state FROM turn ORDER BY id") == [("stopped",), ("done",)]
    finally:
        house.close()
