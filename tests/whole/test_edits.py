"""An approved patch meets an edit that nobody has committed: Keep mine, Merge, Show both. A real server, real git."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.crash.scenario import Driver
from tests.fakes import postgres
from tests.fakes.environment import QUIET
from tests.fakes.house import House
from tests.whole.people import bulkhead, error, furnish, until, visitor

BEFORE = [f"line {n}" for n in range(1, 11)]
CHOICES = {"Keep mine", "Merge", "Show both"}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    url = ""
    if request.param == "postgresql":
        url = postgres.create(request.getfixturevalue("postgres_server"), f"e{uuid.uuid4().hex[:12]}")
    opened = House(tmp_path_factory.mktemp("edits") / "home", url)
    furnish(opened.home)
    opened.start()
    opened.sign_in()
    try:
        yield opened
    finally:
        opened.close()


def git(house: House, *arguments: str) -> str:
    ran = subprocess.run(
        ["git", *arguments], cwd=house.home / "workspace", env=QUIET, capture_output=True, check=True, text=True
    )
    return ran.stdout.strip()


def text(**changed: str) -> str:
    """Ten lines; `two="x"` changes the second, `nine` the ninth."""
    lines = list(BEFORE)
    for name, number in (("two", 1), ("nine", 8)):
        lines[number] = changed.get(name, lines[number])
    return "\n".join(lines) + "\n"


def save(house: House, name: str, content: str) -> None:
    """As most editors do: a new file takes the old one's name."""
    path = house.home / "workspace" / f"{name}.txt"
    other = path.with_suffix(".swp")
    other.write_text(content)
    other.rename(path)


def read(house: House, name: str) -> str:
    return (house.home / "workspace" / f"{name}.txt").read_text()


def in_the_way(house: House, name: str, edit: str) -> dict[str, Any]:
    """A file, an approved patch of its second line, and an edit that was saved before; the card."""
    save(house, name, text())
    git(house, "add", f"{name}.txt")
    git(house, "commit", "--quiet", "-m", f"Write {name}")
    shown = house.ask(
        f"/patch\n--- a/{name}.txt\n+++ b/{name}.txt\n@@ -1,3 +1,3 @@\n line 1\n-line 2\n+line two\n line 3\n", name
    )
    save(house, name, edit)
    assert house.press(shown, "Approve", name).status_code == 202
    return parked(house, shown["key"], name)


def parked(house: House, key: str, name: str, but: str = "") -> dict[str, Any]:
    """The card, asking; with `but` not in its buttons: it asks about something newer."""

    def asks(event: dict[str, Any]) -> bool:
        values = " ".join(button["value"] for button in event.get("buttons", ()))
        labels = {button["label"] for button in event.get("buttons", ())}
        return bool(event["key"] == key and labels == CHOICES and (not but or but not in values))

    return house.wait_for(asks, name)


def ended(house: House, key: str, name: str, word: str) -> str:
    def is_over(event: dict[str, Any]) -> bool:
        labels = {button["label"] for button in event.get("buttons", ())}
        return bool(event["key"] == key and word in event["html"] and not labels & CHOICES)

    return str(house.wait_for(is_over, name)["html"])


def test_the_card_names_the_file_and_who_saved_it_when_and_the_patch_has_conflicted(house: House) -> None:
    shown = in_the_way(house, "named", text(nine="mine"))
    owner = (house.home / "workspace" / "named.txt").owner()
    assert "An edit is in the way" in shown["html"]
    for part in ("named.txt", f"<code>{owner}</code>", "UTC"):
        assert part in shown["html"], part
    (ref,) = git(house, "for-each-ref", "--format=%(refname)", "refs/coord/*/foreign/*").split()[-1:]
    assert git(house, "log", "-1", "--format=%s", "main") == "Write named"
    assert git(house, "show", f"{ref}:named.txt").splitlines()[8] == "mine"


def test_merge_commits_the_edit_as_the_persons_and_the_patch_under_its_approval(house: House) -> None:
    shown = in_the_way(house, "merge", text(nine="mine"))
    house.press(shown, "Merge", "merge")
    assert "committed" in ended(house, shown["key"], "merge", "Done")
    assert read(house, "merge") == text(two="line two", nine="mine")
    authors = git(house, "log", "-2", "--format=%an", "--", "merge.txt").splitlines()
    assert authors == ["Owner", "Owner"]
    assert git(house, "status", "--porcelain", "--", "merge.txt") == ""
    house.press(shown, "Keep mine", "merge")
    assert "decided already" in error(house, "merge")
    assert read(house, "merge") == text(two="line two", nine="mine")
    assert bulkhead(house, "audit", "verify").returncode == 0


def test_keep_mine_drops_the_patch_and_touches_nothing(house: House) -> None:
    shown = in_the_way(house, "keep", text(nine="mine"))
    house.press(shown, "Keep mine", "keep")
    assert "the patch is dropped" in ended(house, shown["key"], "keep", "Cancelled")
    assert read(house, "keep") == text(nine="mine")
    assert git(house, "log", "-1", "--format=%s", "--", "keep.txt") == "Write keep"
    house.press(shown, "Merge", "keep")
    assert "decided already" in error(house, "keep")
    assert git(house, "status", "--porcelain", "--", "keep.txt") == "M keep.txt"


def test_show_both_posts_the_two_diffs_and_the_file_as_it_was_and_decides_nothing(house: House) -> None:
    shown = in_the_way(house, "show", text(nine="mine"))
    house.press(shown, "Show both", "show")
    posted = house.wait_for(lambda e: "What was saved and not committed" in e.get("html", ""), "show")
    assert "+mine" in posted["html"]
    assert "+line two" in posted["html"]
    files = {file["name"]: house.client.get(file["url"]).text for file in posted["files"]}
    assert files.keys() == {"edit.diff", "patch.diff", "before-1-show.txt"}
    assert files["before-1-show.txt"] == text()
    assert {button["label"] for button in parked(house, shown["key"], "show")["buttons"]} == CHOICES


def test_what_is_posted_has_no_secret_and_no_file_without_an_end(house: House) -> None:
    shown = in_the_way(house, "huge", text(nine="ghp_" + "a1B2" * 9) + "x" * 700_000 + "\n")
    house.press(shown, "Show both", "huge")
    posted = house.wait_for(lambda e: "What was saved and not committed" in e.get("html", ""), "huge")
    files = {file["name"]: house.client.get(file["url"]).text for file in posted["files"]}
    assert "ghp_a1" not in files["edit.diff"] + posted["html"]
    assert len(files["edit.diff"]) < 600_000


def test_only_who_may_approve_the_patch_decides_and_only_where_its_card_is(house: House) -> None:
    shown = in_the_way(house, "anna", text(nine="mine"))
    anna = visitor(house, "anna")
    anna.press(shown, "Merge", "anna")
    assert "Anna may not" in error(anna, "anna")
    anna.client.close()
    house.press(shown, "Merge", "elsewhere")
    assert "not pressed where" in error(house, "elsewhere")
    assert read(house, "anna") == text(nine="mine")
    assert git(house, "log", "-1", "--format=%s", "--", "anna.txt") == "Write anna"
    parked(house, shown["key"], "anna")


def test_what_was_saved_again_since_the_card_is_asked_about_anew(house: House) -> None:
    shown = in_the_way(house, "again", text(nine="mine"))
    old = next(button["value"] for button in shown["buttons"] if button["label"] == "Merge").rpartition(":")[2]
    save(house, "again", text(nine="mine, and more"))
    house.press(shown, "Merge", "again")
    newer = parked(house, shown["key"], "again", but=old)
    assert git(house, "log", "-1", "--format=%s", "--", "again.txt") == "Write again"
    assert read(house, "again") == text(nine="mine, and more")
    house.press(shown, "Keep mine", "again")
    assert "decided already" in error(house, "again")
    house.press(newer, "Merge", "again")
    ended(house, shown["key"], "again", "Done")
    assert read(house, "again") == text(two="line two", nine="mine, and more")


def test_where_both_changed_the_same_line_the_edit_wins_and_the_versions_are_named(house: House) -> None:
    shown = in_the_way(house, "clash", text(two="mine"))
    house.press(shown, "Merge", "clash")
    told = house.wait_for(lambda e: "do not merge" in e.get("html", "") and e["key"] != shown["key"], "clash")
    ours = git(house, "rev-parse", "HEAD:clash.txt")
    assert ours[:12] in told["html"]
    assert read(house, "clash") == git(house, "show", "HEAD:clash.txt") + "\n" == text(two="mine")
    ended(house, shown["key"], "clash", "Failed")


@pytest.mark.parametrize("value", ["f:merge:nothing", "f:frob:x", "f:show:0", "f:keep:"])
def test_a_button_nobody_made_is_refused(house: House, value: str) -> None:
    body = {"id": str(uuid.uuid4()), "conversation": f"made-{value[2:6]}", "key": "t1", "value": value}
    assert house.post("/api/presses", body).status_code == 202
    assert "none of Bulkhead" in error(house, f"made-{value[2:6]}")


@pytest.mark.parametrize(
    "kill_at",
    [
        pytest.param("decision.after_commit:1", id="decided", marks=pytest.mark.slow),
        pytest.param("landing.moved:1", id="edit landed"),
        pytest.param("patch.committed:1", id="edit recorded", marks=pytest.mark.slow),
        pytest.param("landing.moved:2", id="patch landed"),
        pytest.param("finish.before_commit:1", id="before the end", marks=pytest.mark.slow),
    ],
)
def test_a_server_killed_while_it_merges_goes_on_and_commits_each_once(kill_at: str, tmp_path: Path) -> None:
    house = House(tmp_path / "home")
    furnish(house.home)
    house.start()
    try:
        house.sign_in()
        shown = in_the_way(house, "main", text(nine="mine"))
        house.stop()
        house.start(kill_at)
        driver = Driver(house)
        driver.press(shown, "Merge")
        driver.wait_for(lambda event: event["key"] == shown["key"] and "Done" in event["html"])
        assert driver.restarts == 1
        until(lambda: git(house, "status", "--porcelain") == "")
        assert read(house, "main") == text(two="line two", nine="mine")
        assert len(git(house, "log", "--format=%h", "--", "main.txt").splitlines()) == 3
    finally:
        house.close()
