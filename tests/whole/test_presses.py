"""Presses that must not count: twice, by the wrong person, too late, on something that is no longer what was shown."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.scenario import APPEND
from tests.fakes import postgres
from tests.fakes.house import House
from tests.whole.people import bulkhead, card, effects, error, execute, furnish, outcome, visitor


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    url = ""
    if request.param == "postgresql":
        url = postgres.create(request.getfixturevalue("postgres_server"), f"p{uuid.uuid4().hex[:12]}")
    opened = House(tmp_path_factory.mktemp("presses") / "home", url)
    furnish(opened.home)
    opened.start()
    opened.sign_in()
    try:
        yield opened
    finally:
        opened.close()


def test_a_second_press_is_refused_and_changes_nothing(house: House) -> None:
    shown = card(house, "once", "second")
    assert house.press(shown, "Approve", "second").status_code == 202
    assert "Done" in outcome(house, shown["key"], "second")
    assert house.press(shown, "Approve", "second").status_code == 202
    assert "already decided" in error(house, "second")
    assert effects(house.home).count("once") == 1


def test_two_presses_at_once_run_it_once(house: House) -> None:
    shown = card(house, "race", "race")
    for _ in range(5):
        house.press(shown, "Approve", "race")
    assert "Done" in outcome(house, shown["key"], "race")
    error(house, "race")
    assert effects(house.home).count("race") == 1


def test_a_press_by_somebody_who_may_not_is_refused_and_the_card_stays(house: House) -> None:
    shown = card(house, "anna", "person")
    anna = visitor(house, "anna")
    assert anna.client.get("/api/me").json()["person"]["id"] == "anna"
    anna.press(shown, "Approve", "person")
    assert "Anna" in error(anna, "person")
    anna.client.close()
    still = next(event for event in house.history("person") if event["key"] == shown["key"])
    assert {button["label"] for button in still["buttons"]} == {"Approve", "Deny"}
    house.press(shown, "Deny", "person")
    assert "Denied" in outcome(house, shown["key"], "person")
    assert "anna" not in effects(house.home)


def test_a_link_works_once_and_a_session_ends_when_told(house: House) -> None:
    anna = visitor(house, "anna")
    token = anna.url.partition("#token=")[2]
    again = house.post("/auth", {"token": token})
    assert (again.status_code, "was used before" in again.json()["error"]) == (401, True)
    anna.post("/api/leave", {})
    assert anna.client.get("/api/me").status_code == 401
    anna.client.close()


@pytest.mark.parametrize("value", ["a:approve:nonsense", "a:frob:x", "x", "d:approve:nothing", "a::", "d:redo:", ":::"])
def test_a_button_nobody_made_is_refused(house: House, value: str) -> None:
    conversation = f"made-{uuid.uuid4().hex[:8]}"
    body = {"id": str(uuid.uuid4()), "conversation": conversation, "key": "t1", "value": value}
    assert house.post("/api/presses", body).status_code == 202
    assert error(house, conversation)


def test_a_press_cannot_dress_up_another_message(house: House) -> None:
    """The key a press names is the browser's word: approving a picture must not edit an approval's card."""
    shown = card(house, "dressed", "dress")
    picture = house.ask("/diagram\nflowchart LR\n  a --> b", "dress")
    approve = next(button["value"] for button in picture["buttons"] if button["label"] == "Approve")
    body = {"id": str(uuid.uuid4()), "conversation": "dress", "key": shown["key"], "value": approve}
    assert house.post("/api/presses", body).status_code == 202
    house.wait_for(lambda e: e["key"] == picture["key"] and "Approved by" in e["html"], "dress")
    still = next(event for event in house.history("dress") if event["key"] == shown["key"])
    assert "Approved by" not in still["html"]
    assert {button["label"] for button in still["buttons"]} == {"Approve", "Deny"}


def test_the_audit_trail_tells_of_tampering(house: House) -> None:
    shown = card(house, "audited", "audit")
    house.press(shown, "Deny", "audit")
    outcome(house, shown["key"], "audit")
    assert bulkhead(house, "audit", "verify").returncode == 0, "also beside a running server"
    [(body,)] = execute(house, "SELECT body FROM audit WHERE seq = 1")
    tampering = "UPDATE audit SET body = replace(body, 'request', 'observe') WHERE seq = 1"
    with pytest.raises(Exception, match="only ever added to"):
        execute(house, tampering)
    is_postgresql = house.env["BULKHEAD_DATABASE_URL"].startswith("postgresql")
    execute(house, f"DROP TRIGGER {'audit_only_grows ON audit' if is_postgresql else 'audit_no_update'}")
    execute(house, tampering)
    broken = bulkhead(house, "audit", "verify")
    assert broken.returncode == 1
    assert '"ok": false' in broken.stdout
    assert '"first_bad_seq": 1' in broken.stdout
    assert '"error": "' in broken.stdout
    execute(house, f"UPDATE audit SET body = '{body}' WHERE seq = 1")
    assert bulkhead(house, "audit", "verify").returncode == 0


def test_what_changed_while_the_server_was_down_is_not_run(house: House) -> None:
    """Three cards before a restart: one as it was, one whose manifest was edited, one whose plan was tampered with."""
    other = APPEND.replace("workspace.append", "workspace.other")
    manifest = house.home / "capabilities" / "workspace.other.toml"
    manifest.write_text(other)
    house.stop()
    house.start()
    asis, tampered = card(house, "asis", "down"), card(house, "tampered", "down")
    edited = house.ask("/run workspace.other text=edited", "down")
    late = card(house, "late", "down")
    house.stop()
    manifest.write_text(other.replace('"-a", ', ""))
    execute(house, "UPDATE approval SET plan = replace(plan, 'tampered', 'forged') WHERE plan LIKE '%tampered%'")
    execute(house, f"UPDATE approval SET expires_at = created_at - 1 WHERE id = '{late['key'][1:]}'")
    house.start()

    house.press(asis, "Approve", "down")
    assert "Done" in outcome(house, asis["key"], "down")
    assert "Expired" in outcome(house, late["key"], "down")
    seen: frozenset[str] = frozenset()
    for event, word in ((edited, "changed"), (tampered, "changed after it was shown"), (late, "expired")):
        house.press(event, "Approve", "down")
        assert word in error(house, "down", seen)
        seen = frozenset(e["key"] for e in house.history("down") if e["kind"] == "error")
    assert {"asis"} == {"asis", "edited", "tampered", "forged", "late"} & set(effects(house.home))
    house.press(edited, "Deny", "down")
    assert "Denied" in outcome(house, edited["key"], "down"), "what may not run may still be denied"


def test_an_approval_expires_by_itself(tmp_path: Path) -> None:
    house = House(tmp_path / "home", env={"BULKHEAD_APPROVAL_TTL_S": "1"})
    furnish(house.home)
    house.start()
    try:
        house.sign_in()
        shown = card(house, "slow")
        assert "Expired" in outcome(house, shown["key"])
        house.press(shown, "Approve")
        assert "expired" in error(house)
        assert effects(house.home) == []
    finally:
        house.close()
