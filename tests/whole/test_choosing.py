"""Some parts of a patch are asked for in place of all of it: by keyboard and by typing, once, by who may approve."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fakes import postgres
from tests.fakes.house import House
from tests.whole.people import execute, furnish, outcome, until, visitor

ZOE = '[people.zoe]\nname = "Zoe"\napprover = true\n'
PAGE = "web:"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    url = ""
    if request.param == "postgresql":
        url = postgres.create(request.getfixturevalue("postgres_server"), f"c{uuid.uuid4().hex[:12]}")
    opened = House(tmp_path_factory.mktemp("choosing") / "home", url)
    furnish(opened.home)
    with open(opened.home / "bulkhead.toml", "a", encoding="utf-8") as file:
        file.write(ZOE)
    opened.start()
    opened.sign_in()
    try:
        yield opened
    finally:
        opened.close()


def three_files(name: str) -> str:
    """A patch of three new files."""
    files = (f"--- /dev/null\n+++ b/{name}-{n}.txt\n@@ -0,0 +1 @@\n+{n}\n" for n in (1, 2, 3))
    return "/patch\n" + "".join(files)


def asked(house: House, name: str) -> tuple[dict[str, Any], str]:
    """The card of a patch of three files in a conversation of that name, and its request's id."""
    shown = house.ask(three_files(name), name)
    assert shown["kind"] == "card", shown
    return shown, shown["key"][1:]


def labels(event: dict[str, Any]) -> list[str]:
    """Of its buttons."""
    return [button["label"] for button in event.get("buttons", ())]


def newest(house: House, conversation: str, label: str) -> dict[str, Any]:
    """The newest message there with such a button."""
    return house.wait_for(lambda event: label in labels(event), conversation)


def states(house: House, conversation: str) -> list[str]:
    """Of the requests of a conversation, oldest first."""
    where = f"conversation_id = '{PAGE}{conversation}'"
    return [state for (state,) in execute(house, f"SELECT state FROM approval WHERE {where} ORDER BY created_at, id")]


def trail(house: House, action: str, ref: str) -> list[dict[str, Any]]:
    """The audit entries of that kind about a request."""
    rows = execute(house, f"SELECT body FROM audit WHERE body LIKE '%\"ref\":\"{ref}\"%' ORDER BY seq")
    return [entry for (body,) in rows if (entry := json.loads(body))["action"] == action]


def made(house: House, name: str) -> list[str]:
    return sorted(path.name for path in (house.home / "workspace").glob(f"{name}-*.txt"))


def test_a_keyboard_outlives_the_server_and_what_it_proposes_is_shown_before_it_is_approved(house: House) -> None:
    card, first = asked(house, "keys")
    house.press(card, "Choose parts", "keys")
    keys = newest(house, "keys", "☑ keys-1.txt")
    assert "3 of 3 chosen" in keys["html"]
    house.press(keys, "☑ keys-1.txt", "keys")
    newest(house, "keys", "☐ keys-1.txt")
    house.kill()
    house.start()
    house.press(keys, "☑ keys-3.txt", "keys")
    keys = newest(house, "keys", "☐ keys-3.txt")
    assert labels(keys)[:2] == ["☐ keys-1.txt", "☑ keys-2.txt"]
    house.press(keys, "Propose chosen parts", "keys")
    until(lambda: states(house, "keys") == ["superseded", "pending"])
    second = house.wait_for(lambda event: event["key"] != card["key"] and "Approve" in labels(event), "keys")
    assert "keys-2.txt" in second["html"]
    assert "keys-1.txt" not in second["html"]
    old = house.wait_for(lambda event: event["key"] == card["key"] and "Replaced" in event["html"], "keys")
    assert not labels(old)
    assert "keys-1.txt (new file), keys-3.txt (new file)" in old["html"]
    gone = house.wait_for(lambda event: event["key"] == keys["key"] and not labels(event), "keys")
    assert "1 of its 3 parts" in gone["html"]
    ((derived,),) = execute(house, f"SELECT summary FROM proposal WHERE conversation_id = '{PAGE}keys'"
                            " AND state = 'proposed'")  # fmt: skip
    ((whole, note),) = execute(house, f"SELECT id, note FROM proposal WHERE conversation_id = '{PAGE}keys'"
                               " AND state = 'superseded'")  # fmt: skip
    assert json.loads(derived)["derived_from"] == whole
    (ended,), (began,) = trail(house, "supersede", first), trail(house, "request", second["key"][1:])
    assert (ended["actor"], ended["details"]["by"]) == ("owner", second["key"][1:])
    assert began["details"]["replaces"] == first
    assert "left out: keys-1.txt (new file), keys-3.txt (new file)" in note
    house.press(second, "Approve", "keys")
    assert "Done" in outcome(house, second["key"], "keys")
    assert made(house, "keys") == ["keys-2.txt"]


def test_of_two_approvers_who_choose_at_once_one_is_told_of_the_other(house: House) -> None:
    _, request = asked(house, "race")
    zoe = visitor(house, "zoe")
    house.say(f"/pick {request} 1", "race")
    zoe.say(f"/pick {request} 2", "zoe")
    until(lambda: sorted(states(house, "race")) == ["pending", "superseded"])
    until(lambda: any("already decided" in event["html"] for place in ("race", "zoe")
                      for event in house.history(place) if event["kind"] == "error"), 30)  # fmt: skip
    assert sorted(states(house, "race")) == ["pending", "superseded"]
    assert len(trail(house, "supersede", request)) == 1
    zoe.client.close()


def test_a_server_that_dies_before_the_choice_is_written_makes_it_once(house: House) -> None:
    card, request = asked(house, "dies")
    house.stop()
    house.start("finish.before_commit:1")
    house.say(f"/pick {request} 1 2", "dies")
    until(lambda: not house.is_alive)
    assert states(house, "dies") == ["pending"]
    house.start()
    until(lambda: states(house, "dies") == ["superseded", "pending"])
    second = house.wait_for(
        lambda event: event["key"] != card["key"] and "Approve" in labels(event), "dies"
    )
    house.press(second, "Approve", "dies")
    assert "Done" in outcome(house, second["key"], "dies")
    assert made(house, "dies") == ["dies-1.txt", "dies-2.txt"]
    assert states(house, "dies") == ["superseded", "succeeded"]


def test_who_may_not_approve_may_not_choose_and_the_request_waits_on(house: House) -> None:
    card, request = asked(house, "policy")
    anna = visitor(house, "anna")
    for press in (lambda: anna.press(card, "Choose parts", "policy"), lambda: anna.say(f"/pick {request} 1", "policy")):
        before = len(trail(house, "refused", request))
        press()
        until(lambda: len(trail(house, "refused", request)) > before)  # noqa: B023 - called at once
    assert "Anna may not decide this" in trail(house, "refused", request)[-1]["details"]["why"]
    assert states(house, "policy") == ["pending"]
    anna.client.close()


def test_a_request_that_is_decided_has_nothing_to_choose_and_says_who_decided(house: House) -> None:
    card, _ = asked(house, "late")
    house.press(card, "Choose parts", "late")
    keys = newest(house, "late", "☑ late-1.txt")
    house.press(card, "Deny", "late")
    until(lambda: states(house, "late") == ["denied"])
    house.press(keys, "Propose chosen parts", "late")
    refused = house.wait_for(lambda event: event["kind"] == "error", "late")
    assert "already decided: owner" in refused["html"]
    assert states(house, "late") == ["denied"]
    house.press(keys, "☑ late-1.txt", "late")
    house.wait_for(lambda event: event["key"] == keys["key"] and not labels(event), "late")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("/pick REQUEST 4", "parts 1 to 3"),
        ("/pick REQUEST 1 2 3", "every part is chosen"),
        ("/pick REQUEST one", "no number of a part"),
        ("/pick 0123456789abcdef 1", "no request has the id"),
        ("/pick", "needs the id"),
    ],
)
def test_a_choice_of_nothing_or_of_everything_is_refused(house: House, words: str, why: str) -> None:
    name = f"odd{uuid.uuid4().hex[:6]}"
    _, request = asked(house, name)
    house.say(words.replace("REQUEST", request), name)
    assert why in house.wait_for(lambda event: event["kind"] == "error", name)["html"]
    assert states(house, name) == ["pending"]


def test_who_types_is_given_numbers(house: House) -> None:
    _, request = asked(house, "typed")
    listed = house.ask(f"/pick {request}", "typed")
    assert "typed-2.txt" in listed["html"]
    assert not labels(listed)
    house.say(f"/pick {request} 2, 3", "typed")
    until(lambda: states(house, "typed") == ["superseded", "pending"])
