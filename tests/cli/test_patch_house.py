"""`bulkhead patch` through a house: work trees, propose, apply and revert, with a server and without one."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.coordination.conftest import README_PATCH, Workspace
from tests.fakes.command import bulkhead
from tests.fakes.house import House

PEOPLE = """
[people.zoe]
approver = true
scopes = ["workspace.files.site"]

[people.ben]
"""
README = "".join(f"line {n}\n" for n in range(1, 11))


def make_home(folder: Path) -> tuple[Path, Workspace]:
    """A home whose bulkhead.toml declares a second workspace, `site`."""
    site = Workspace(folder / "site")
    site.root.mkdir()
    site.git("init", "-q", "-b", "main")
    site.commit({"README.md": README, "src/app.py": "app\n"}, "first")
    home = folder / "home"
    assert bulkhead("migrate", home=home).returncode == 0
    with open(home / "bulkhead.toml", "a", encoding="utf-8") as file:
        file.write(f"\n[workspaces.site]\npath = {json.dumps(str(site.root))}\n{PEOPLE}")
    return home, site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The second workspace."""
    return make_home(tmp_path_factory.mktemp("patched"))[1]


@pytest.fixture(scope="module")
def house(site: Workspace) -> Iterator[House]:
    """A running server of it."""
    opened = House(site.root.parent / "home")
    opened.start()
    opened.sign_in()
    try:
        yield opened
    finally:
        opened.close()


def patch(home: Path, *arguments: str, stdin: str = "", code: int = 0) -> dict[str, Any]:
    """What a verb tells a program."""
    done = bulkhead("patch", *arguments, "--json", home=home, stdin=stdin)
    assert done.returncode == code, (done.stdout, done.stderr)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def press(house: House, words: str, label: str) -> None:
    """What a person does on the page."""
    event = house.wait_for(lambda event: words in event["html"] and event["buttons"], "approvals")
    assert house.press(event, label, "approvals").status_code == 202


def propose_new(house: House, name: str, *more: str) -> dict[str, Any]:
    diff = f"--- /dev/null\n+++ b/{name}\n@@ -0,0 +1 @@\n+{name}\n"
    given = ("propose", "--workspace", "site", "--base", "main", "--diff", "-", *more)
    return patch(house.home, *given, stdin=diff)


def test_what_an_agent_did_in_its_tree_is_put_before_a_person_and_lands_in_the_trees_own_workspace(
    house: House, site: Workspace
) -> None:
    made = patch(house.home, "worktree", "claude", "--workspace", "site")["worktree"]
    mine, base = Workspace(Path(made["path"])), site.git("rev-parse", "HEAD")
    assert (made["workspace"], made["base"]) == ("site", base)
    mine.write({"README.md": README.replace("line 2", "line two"), "new.txt": "new\n"})
    given = ("propose", "--from-worktree", "claude", "--summary", "Two things")
    tried = patch(house.home, *given, "--dry-run")
    assert [file["path"] for file in tried["files"]] == ["README.md", "new.txt"]
    pressing = threading.Thread(target=press, args=(house, "new.txt", "Approve"))
    pressing.start()
    told = patch(house.home, *given, "--wait", "60")
    pressing.join()
    assert (told["state"], told["commit"]) == ("applied", site.git("rev-parse", "HEAD"))
    assert site.git("rev-parse", "HEAD^{tree}") == tried["result_tree"]
    assert site.git("log", "-1", "--format=%an: %s") == "claude for Owner: Two things"
    (row,) = patch(house.home, "status", told["id"])["proposals"]
    assert (row["state"], row["changeset"], row["workspace"]) == ("applied", told["id"], "site")
    assert (row["decided_by"], row["commit"]) == ("owner", told["commit"])
    (entry,) = patch(house.home, "log", "--workspace", "site")["workspaces"][0]["entries"]
    assert (entry["proposal"], entry["approver"], entry["differences"]) == (row["id"], "owner", [])
    assert site.status == ""
    patch(house.home, "worktree", "claude", "--remove")
    assert patch(house.home, "worktree", "--list")["worktrees"] == []


def test_a_tree_with_unsaved_work_stays_unless_forced(house: House) -> None:
    made = patch(house.home, "worktree", "mine", "--workspace", "site")["worktree"]
    (Path(made["path"]) / "x.txt").write_text("x")
    refused = patch(house.home, "worktree", "mine", "--remove", code=2)
    assert "changes that main does not have ('x.txt')" in refused["error"]
    assert [tree["name"] for tree in patch(house.home, "worktree", "--list")["worktrees"]] == ["mine"]
    assert "already" in patch(house.home, "worktree", "mine", "--workspace", "site", code=2)["error"]
    patch(house.home, "worktree", "mine", "--remove", "--force")


def test_apply_is_an_approvers_press_and_nobody_elses(house: House, site: Workspace) -> None:
    told = propose_new(house, "applied.txt")
    assert told["state"] == "awaiting_approval"
    assert "ben" in patch(house.home, "apply", told["id"], "--as", "ben", code=2)["error"]
    assert site.git("log", "-1", "--format=%s") != "applied.txt"
    done = patch(house.home, "apply", told["id"], "--as", "zoe")
    assert (done["state"], done["decided_by"], done["commit"]) == ("applied", "zoe", site.git("rev-parse", "HEAD"))
    assert (site.root / "applied.txt").exists()
    assert "already decided" in patch(house.home, "apply", done["request"], code=2)["error"]
    diff = "--- /dev/null\n+++ b/first.txt\n@@ -0,0 +1 @@\n+x\n"
    given = ("propose", "--workspace", "workspace", "--base", "main", "--diff", "-")
    first = patch(house.home, *given, stdin=diff)
    elsewhere = patch(house.home, "apply", first["id"], "--as", "zoe", code=2)["error"]
    assert "workspace.files.workspace" in elsewhere
    assert patch(house.home, "apply", first["id"])["decided_by"] == "owner"


def test_revert_puts_the_undoing_of_a_commit_before_people(house: House, site: Workspace) -> None:
    landed = patch(house.home, "apply", propose_new(house, "undone.txt")["id"])
    given = ("revert", landed["commit"], "--workspace", "site")
    told = patch(house.home, *given)
    assert (told["state"], [(file["status"], file["path"]) for file in told["files"]]) == (
        "awaiting_approval", [("D", "undone.txt")],
    )  # fmt: skip
    assert patch(house.home, "apply", told["id"])["state"] == "applied"
    assert not (site.root / "undone.txt").exists()
    assert site.git("log", "-1", "--format=%an: %s") == f"Owner: Revert {landed['commit'][:10]}"
    again = patch(house.home, *given, code=1)
    assert (again["state"], "it is undone already" in again["refusal"]) == ("refused", True)
    assert "names no commit" in patch(house.home, "revert", "f" * 40, "--workspace", "site", code=1)["refusal"]


def test_in_a_chat_a_commit_is_reverted_by_its_name_and_a_card_is_shown_again(house: House, site: Workspace) -> None:
    patch(house.home, "apply", propose_new(house, "chatted.txt")["id"])
    card = house.ask("/revert in=site HEAD")
    assert "chatted.txt" in card["html"]
    request = card["key"].removeprefix("a")
    shown = house.ask(f"/pending {request}", conversation="elsewhere")
    assert "chatted.txt" in shown["html"]
    house.press(shown, "Approve", conversation="elsewhere")
    house.wait_for(lambda event: event["key"] == card["key"] and "Done" in event["html"])
    assert not (site.root / "chatted.txt").exists()
    assert "already decided" in house.ask(f"/pending {request}")["html"]
    assert "no request has the id" in house.ask("/pending 0123456789abcdef")["html"]
    asked = bulkhead("ask", f"/pending {request}", "--as", "ben", home=house.home)
    assert (asked.returncode, "chatted.txt" in asked.stdout) == (1, False)


def test_a_refused_patch_is_an_answer_and_status_keeps_it(house: House) -> None:
    gone = README_PATCH.replace("line 1\n", "line 0\n")
    given = ("propose", "--workspace", "site", "--base", "main", "--diff", "-")
    told = patch(house.home, *given, stdin=gone, code=1)
    assert (told["ok"], told["state"]) == (False, "refused")
    assert "does not have the lines" in told["refusal"]
    (row,) = patch(house.home, "status", told["id"])["proposals"]
    assert (row["state"], row["reason"], row["files"]) == ("refused", told["refusal"], [])
    assert row["id"] in [each["id"] for each in patch(house.home, "status", "--workspace", "site")["proposals"]]
    words = bulkhead("patch", *given, home=house.home, stdin=gone)
    assert (words.returncode, "refused\n    the patch does not apply" in words.stdout) == (1, True)


def test_in_a_chat_a_patch_names_its_workspace_and_its_card_and_scope_do_too(house: House, site: Workspace) -> None:
    diff = "--- /dev/null\n+++ b/chat.txt\n@@ -0,0 +1 @@\n+chat\n"
    assert "there is no workspace" in house.ask(f"/patch in=nonesuch\n{diff}")["html"]
    before = site.git("rev-parse", "HEAD")
    first = house.ask(f"/patch\n{diff}")
    assert "Commit a patch to workspace" in first["html"]
    house.press(first, "Approve")
    house.wait_for(lambda event: event["key"] == first["key"] and "Done" in event["html"])
    assert (house.home / "workspace" / "chat.txt").exists()
    assert (site.git("rev-parse", "HEAD"), (site.root / "chat.txt").exists()) == (before, False)
    second = house.ask(f"/patch in=site\n{diff}")
    assert "Commit a patch to site" in second["html"]
    request = second["key"].removeprefix("a")
    told = json.loads(bulkhead("control", "explain", request, "--json", home=house.home).stdout)
    assert told["scope"] == "workspace.files.site"
    assert {each["person"]: each["may_approve"] for each in told["people"]} == {
        "owner": True, "zoe": True, "ben": False,
    }  # fmt: skip
    told = json.loads(bulkhead("control", "explain", first["key"][1:], "--json", home=house.home).stdout)
    assert told["scope"] == "workspace.files.workspace"
    house.press(second, "Approve")
    house.wait_for(lambda event: event["key"] == second["key"] and "Done" in event["html"])
    assert site.git("log", "-1", "--format=%an") == "Owner"
    assert (site.root / "chat.txt").read_text() == "chat\n"
    assert "workspace site" in house.ask("/status")["html"]


def test_a_policy_may_speak_of_one_workspace_and_a_misspelt_one_is_told(house: House, tmp_path: Path) -> None:
    policy = (house.home / "policy.cedar").read_text()
    for name, code in (("site", 0), ("sitte", 1)):
        scope = f'forbid (principal, action, resource in Scope::"workspace.files.{name}") when {{ context.risk > 3 }};'
        (tmp_path / "policy.cedar").write_text(f'{policy}\n@id("one")\n@reason("r")\n{scope}\n')
        done = bulkhead("control", "check", str(tmp_path / "policy.cedar"), home=house.home)
        assert done.returncode == code, done.stdout


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["propose"], "needs --diff FILE"),
        (["propose", "--diff", "-", "--from-worktree", "x"], "needs --diff FILE"),
        (["propose", "--diff", "-", "--base", "main", "--workspace", "."], "is no workspace of bulkhead.toml"),
        (["propose", "--diff", "-", "--workspace", "site"], "names no base"),
        (["propose", "--diff", "-", "--base", "main", "--workspace", "site", "--key", "a b"], "key is 'a b'"),
        (["propose", "--diff", "-", "--base", "main", "--workspace", "site", "--as", "eve"], "no [people.eve]"),
        (["propose", "--from-worktree", "nonesuch"], "there is no work tree 'nonesuch'"),
        (["propose", "--diff", "/nonesuch"], "cannot read '/nonesuch'"),
        (["apply", "nonesuch"], "no patch has the id 'nonesuch'"),
        (["revert", "--output=x", "--workspace", "site"], "the following arguments are required: commit"),
        (["revert", "HEAD", "--workspace", "/"], "is not the top of a git work tree"),
        (["worktree"], "needs a name"),
        (["worktree", "../x"], "is no name for a work tree"),
        (["worktree", "x", "--workspace", "nonesuch"], "has no workspace 'nonesuch'"),
    ],
)
def test_wrong_input_is_one_sentence(house: House, arguments: list[str], why: str) -> None:
    assert why in patch(house.home, *arguments, stdin=README_PATCH, code=2)["error"]


def test_without_a_server_a_patch_is_tried_and_waits_for_a_person_all_the_same(tmp_path: Path) -> None:
    home, _ = make_home(tmp_path)
    given = ("propose", "--workspace", "site", "--base", "main", "--diff", "-", "--key", "k1")
    told = patch(home, *given, stdin=README_PATCH)
    assert (told["state"], [file["path"] for file in told["files"]]) == ("awaiting_approval", ["README.md"])
    (row,) = patch(home, "status")["proposals"]
    assert (row["changeset"], row["state"], bool(row["request"])) == (told["id"], "awaiting_approval", True)
