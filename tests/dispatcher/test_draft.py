"""What of an unfinished answer people are shown, and how often."""

from __future__ import annotations

import asyncio

import pytest

from bot.dispatcher.draft import MORE, MOST_CHARS, Draft, closed, shown


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("one two ", f"one two{MORE}"),
        ("```\nx = 1", f"```\nx = 1{MORE}\n```"),
        ("```\nx = 1\n```\nso", f"```\nx = 1\n```\nso{MORE}"),
    ],
)
def test_an_unfinished_answer_says_so_and_leaves_no_block_open(text: str, told: str) -> None:
    assert shown(text) == told


def test_a_draft_fits_into_one_message() -> None:
    assert len(shown("word " * MOST_CHARS)) <= MOST_CHARS + len(MORE)
    assert len(shown("x" * 2 * MOST_CHARS)) == MOST_CHARS + len(MORE)
    assert closed("plain ") == "plain"


async def test_what_came_between_two_looks_is_one_look() -> None:
    draft = Draft()
    add = draft.begin("before")
    add("one ")
    add("two ")
    looks = draft.looks()
    assert await anext(looks) == (0, f"before\n\none two{MORE}")
    add(" ")
    for piece in ("three ", "four "):
        add(piece)
    async with asyncio.timeout(20):
        assert await anext(looks) == (1, f"before\n\none two  three four{MORE}")
    await looks.aclose()
    assert draft.text == "before\n\none two  three four "
