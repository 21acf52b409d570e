"""Parts of a patch are chosen in chats: on a keyboard that is edited in place, in a modal; kept in the database."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.control.attacks.surfaces import ANNA, OWNER, STRANGER, World, between
from tests.coordination.conftest import Workspace
from tests.whole.people import until
from tests.whole.pictures import Chat, Seen, Slack, Telegram, press, says, wait

LINES = [f"    line {n}\n" for n in range(1, 41)]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Iterator[World]:
    with between(tmp_path_factory.mktemp("parts") / "home", shared) as made:
        yield made


def proposed(chat: Chat, name: str) -> Seen:
    """The card of a patch: a file of three hunks, and ten new files."""
    room = Workspace(chat.world.house.home / "workspace")
    long = "".join(LINES)
    room.commit({f"{name}.txt": long})
    for n in (3, 20, 38):
        long = long.replace(f" line {n}\n", f" line {n}, changed\n")
    room.write({f"{name}.txt": long} | {f"{name}/{n:02}.txt": f"{n}\n" for n in range(1, 11)})
    known = sum("Choose parts" in seen.buttons for seen in chat.seen())
    chat.say("/patch\n" + room.diff())
    until(lambda: sum("Choose parts" in seen.buttons for seen in chat.seen()) > known, 40)
    return wait(chat, lambda seen: "Choose parts" in seen.buttons)  # under the file of the diff, where a chat has both


def keyboard(chat: Chat, label: str) -> Seen:
    """The newest message with such a button."""
    return wait(chat, lambda seen: label in seen.buttons)


def rows(seen: Seen) -> list[list[str]]:
    """The labels of a keyboard as they stand."""
    markup = seen.raw.content["reply_markup"]
    markup = json.loads(markup) if isinstance(markup, str) else markup
    return [[button["text"] for button in row] for row in markup["inline_keyboard"]]


def test_parts_are_chosen_on_a_telegram_keyboard_that_outlives_the_server(world: World) -> None:
    chat = Telegram(world)
    card = proposed(chat, "keys")
    press(chat, card, "Choose parts")
    keys = keyboard(chat, "Propose chosen parts")
    assert rows(keys)[:3] == [["☑ keys.txt", "Hunks"], ["☑ keys/01.txt"], ["☑ keys/02.txt"]]
    assert rows(keys)[-2:] == [["Later"], ["Propose chosen parts", "Back"]]
    press(chat, keys, "Hunks")
    inside = keyboard(chat, "☑ lines 17 to 23")
    assert inside.id == keys.id
    press(chat, inside, "☑ lines 17 to 23")
    keyboard(chat, "☐ lines 17 to 23")
    world.restart(by_force=True)
    press(chat, inside, "Back")
    files = keyboard(chat, "◪ keys.txt")
    assert files.id == keys.id
    assert "12 of 13 chosen" in files.text
    press(chat, files, "☑ keys/02.txt")
    press(chat, keyboard(chat, "☐ keys/02.txt"), "Later")
    press(chat, keyboard(chat, "☑ keys/10.txt"), "☑ keys/10.txt")
    last = keyboard(chat, "☐ keys/10.txt")
    assert "10 of 13 chosen, page 2 of 2" in last.text
    with world.refused(card_id(world, "keys")):
        press(chat, last, "Propose chosen parts", ANNA)
    press(chat, last, "☑ keys/09.txt", STRANGER)
    press(chat, last, "Propose chosen parts")
    second = wait(chat, lambda seen: "Approve" in seen.buttons and seen.id != card.id)
    wait(chat, lambda seen: "Replaced" in seen.text and "keys.txt" in seen.text)
    wait(chat, lambda seen: seen.id == card.id and not seen.buttons)
    wait(chat, lambda seen: seen.id == keys.id and "10 of its 13 parts" in seen.text and not seen.buttons)
    press(chat, second, "Approve")
    wait(chat, lambda seen: "Done" in seen.text and "keys.txt" in seen.text)
    folder = world.house.home / "workspace"
    assert sorted(path.name for path in (folder / "keys").iterdir()) == [
        f"{n:02}.txt" for n in (1, 3, 4, 5, 6, 7, 8, 9)
    ]
    assert [line.split()[1] for line in (folder / "keys.txt").read_text().splitlines() if "changed" in line] == [
        "3,", "38,"
    ]  # fmt: skip


def card_id(world: World, name: str) -> str:
    """The newest request for a patch that touches such a file."""
    join = "approval a JOIN proposal p ON a.plan LIKE '%' || p.id || '%'"
    found = world.rows(f"SELECT a.id FROM {join} WHERE p.summary LIKE '%{name}%' ORDER BY a.created_at DESC")
    return str(found[0][0])


def test_back_takes_the_keyboard_away_and_the_request_waits(world: World) -> None:
    chat = Telegram(world)
    press(chat, proposed(chat, "back"), "Choose parts")
    keys = keyboard(chat, "Propose chosen parts")
    press(chat, keys, "Back")
    wait(chat, lambda seen: seen.id == keys.id and "the request waits" in seen.text and not seen.buttons)
    assert world.state(card_id(world, "back")) == "pending"
    until(lambda: not world.rows("SELECT 1 FROM choice"))
    wait(chat, says("back.txt"))


def opened(chat: Slack, card: Seen, who: str = OWNER) -> dict[str, Any]:
    """The modal that "Choose parts" opens."""
    before = len(chat.world.slack.workspace.views)
    press(chat, card, "Choose parts", who)
    until(lambda: len(chat.world.slack.workspace.views) > before)
    view: dict[str, Any] = chat.world.slack.workspace.views[-1]["view"]
    return view


def sent(chat: Slack, view: dict[str, Any], who: str = OWNER, **ticks: Collection[str]) -> dict[str, Any]:
    """What Slack is answered when the modal is sent."""
    envelope = chat.people.tick(view, chat.users[who], **ticks)
    until(envelope.acked.is_set)
    return envelope.answer


def test_parts_are_chosen_in_a_slack_modal(world: World) -> None:
    chat = Slack(world)
    card = proposed(chat, "modal")
    view = opened(chat, card)
    fields = [block for block in view["blocks"] if block["type"] == "input"]
    assert [block["label"]["text"] for block in fields[:2]] == ["modal.txt", "modal/01.txt"]
    assert [option["text"]["text"] for option in fields[0]["element"]["options"]] == [
        "lines 1 to 6, +1 -1", "lines 17 to 23, +1 -1", "lines 35 to 40, +1 -1"
    ]  # fmt: skip
    (key,) = world.rows("SELECT key FROM choice")[0]
    assert view["private_metadata"] == key
    assert "every part is chosen" in sent(chat, view)["errors"]["0.0"].lower()
    everything = {option["text"]["text"] for block in fields for option in block["element"]["options"]}
    assert "No part is chosen" in sent(chat, view, off=everything)["errors"]["0.0"]
    assert "used already" in sent(chat, view, ANNA, off={"lines 17 to 23, +1 -1"})["errors"]["0.0"]
    world.restart(by_force=True)
    assert sent(chat, view, off={"lines 17 to 23, +1 -1", "new file, +1 -0"}) == {}
    wait(chat, lambda seen: seen.id == card.id and "Replaced" in seen.text and not seen.buttons)
    second = wait(chat, lambda seen: "Approve" in seen.buttons and seen.id != card.id)
    press(chat, second, "Approve")
    wait(chat, lambda seen: seen.id == second.id and "Done" in seen.text)
    lines = (world.house.home / "workspace" / "modal.txt").read_text().splitlines()
    assert [line.split()[1] for line in lines if "changed" in line] == ["3,", "38,"]
    assert not (world.house.home / "workspace" / "modal").exists()
    assert "used already" in sent(chat, view)["errors"]["0.0"]


def test_a_modal_of_many_files_has_pages_and_says_who_decided_meanwhile(world: World) -> None:
    chat = Slack(world)
    chat.say("/patch\n" + "".join(f"--- /dev/null\n+++ b/p/{n:03}\n@@ -0,0 +1 @@\n+{n}\n" for n in range(90)))
    card = wait(chat, lambda seen: "Choose parts" in seen.buttons)
    view = opened(chat, card)
    assert view["submit"]["text"] == "Next page"
    pages = [view]
    for _ in range(2):
        answer = sent(chat, pages[-1])
        assert answer["response_action"] == "update"
        pages.append({**answer["view"], "id": view["id"]})
    assert [len(page["blocks"]) for page in pages] == [41, 41, 11]
    assert pages[-1]["submit"]["text"] == "Propose"
    press(chat, card, "Deny")
    wait(chat, lambda seen: seen.id == card.id and "Denied" in seen.text)
    assert "already decided: owner" in sent(chat, pages[-1], off={"new file, +1 -0"})["errors"]["2.0"]


def test_who_may_not_approve_gets_no_modal(world: World) -> None:
    chat = Slack(world)
    card = proposed(chat, "anna")
    before = len(world.slack.workspace.views)
    with world.refused(card_id(world, "anna")):
        press(chat, card, "Choose parts", ANNA)
    wait(chat, says("Anna may not decide this"))
    assert len(world.slack.workspace.views) == before
