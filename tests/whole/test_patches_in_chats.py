"""A patch before people in Telegram and Slack: what its card shows, and the file of a diff too long for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.control.attacks.surfaces import World, between
from tests.whole.pictures import Chat, Seen, Slack, Telegram, wait

TOKEN = "ghp_" + "a1B2" * 9


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Iterator[World]:
    with between(tmp_path_factory.mktemp("patches") / "home", shared) as made:
        yield made


@pytest.fixture(params=[Telegram, Slack])
def chat(request: pytest.FixtureRequest, world: World) -> Chat:
    made: Chat = request.param(world)
    return made


def propose(chat: Chat, *lines: str) -> Seen:
    """The card of a patch that adds a file of these lines."""
    name = f"{type(chat).__name__}{len(lines)}.txt".lower()
    diff = f"--- /dev/null\n+++ b/{name}\n@@ -0,0 +1,{len(lines)} @@\n" + "".join(f"+{line}\n" for line in lines)
    chat.say(f"/patch\n{diff}")
    return wait(chat, lambda seen: name in seen.text)


def test_a_short_diff_stands_on_the_card_without_its_secrets(chat: Chat) -> None:
    card = propose(chat, "first", f"token = {TOKEN}", "right\u202eleft")
    assert "+first" in card.text
    assert "+token = [secret]" in card.text
    assert "something is masked: 1." in card.text
    assert "right<U+202E>left" in card.text
    assert "Approve" in card.buttons, "nothing comes after it"
    assert not card.files


def test_a_long_diff_goes_along_as_a_file_in_which_an_unfinished_key_hides_nothing(chat: Chat) -> None:
    card = propose(chat, "-----BEGIN PRIVATE KEY-----", f"token = {TOKEN}", "right\u202eleft", *map(str, range(67)))
    assert "+70 -0" in card.text
    assert "something is masked: 2." in card.text
    assert "All of the diff is in the file that goes along." in card.text
    (content,) = wait(chat, lambda seen: any(b"+66" in file for file in seen.files.values())).files.values()
    text = content.decode()
    assert "+[secret]\n+token = [secret]\n+right<U+202E>left\n" in text
    assert text.endswith("\n+66\n")
