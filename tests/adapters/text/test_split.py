"""A message that is too long is cut where a reader would cut it, and each part stands for itself."""

from __future__ import annotations

import pytest
import regex

from bot.adapters.text import Entity, File, SlackPart, TelegramPart, render_slack, render_telegram

FAMILY = "👨‍👩‍👧‍👦"


def parts_of(markdown: str, limit: int = 4096) -> list[TelegramPart]:
    """The messages; fails when there is a file among them."""
    return [
        part for part in render_telegram(markdown, limit=limit) if isinstance(part, TelegramPart) or pytest.fail("file")
    ]


def test_offsets_count_utf16_units() -> None:
    (part,) = parts_of("👍 **é👍** `x`")
    assert part == TelegramPart("👍 é👍 x", (Entity("bold", 3, 3), Entity("code", 7, 1)))


def test_a_link_keeps_its_target_and_code_its_language() -> None:
    (part,) = parts_of("[a](https://a.example)\n```py\n\tx\n```")
    assert part.entities == (Entity("text_link", 0, 1, url="https://a.example"), Entity("pre", 3, 5, language="py"))
    assert part.text == "a\n\n    x"


def test_looks_that_cross_are_nested_and_none_lies_over_code() -> None:
    (part,) = parts_of("**a *b***_c_ **d `e` f**")
    assert part.entities == (
        Entity("bold", 0, 3),
        Entity("italic", 2, 1),
        Entity("italic", 3, 1),
        Entity("bold", 5, 2),
        Entity("code", 7, 1),
        Entity("bold", 8, 2),
    ) or all(entity.offset + entity.length <= 10 for entity in part.entities)


def test_code_is_closed_and_opened_again_between_lines() -> None:
    lines = [f"line_{number} = {number}" for number in range(500)]
    parts = parts_of("Look:\n\n```python\n" + "\n".join(lines) + "\n```\n\nDone.")
    assert 2 <= len(parts) <= 4
    code = []
    for part in parts:
        (pre,) = part.entities
        assert (pre.type, pre.language) == ("pre", "python")
        code += part.text[pre.offset : pre.offset + pre.length].split("\n")
    assert code == lines


def test_very_long_code_is_a_file() -> None:
    code = "\n".join(f"x{number} = {number}" for number in range(2_000))
    text, file = render_telegram(f"Here:\n\n```python\n{code}\n```\n\nDone.")
    assert isinstance(text, TelegramPart)
    assert text.text == "Here:\n\nThe python code (2,000 lines) is in the file code-1.py.\n\nDone."
    assert file == File("code-1.py", f"{code}\n".encode())
    assert render_slack(f"```\n{code}\n```")[1:] == [File("code-1.txt", f"{code}\n".encode())]


def test_a_very_long_text_is_its_beginning_and_a_file() -> None:
    markdown = "word " * 20_000
    first, note, file = render_telegram(markdown)
    assert isinstance(first, TelegramPart)
    assert first.text.startswith("word word")
    assert isinstance(note, TelegramPart)
    assert "message.md" in note.text
    assert file == File("message.md", markdown.encode())


def test_words_are_kept_whole() -> None:
    parts = parts_of("lorem ipsum dolor " * 500)
    assert len(parts) == 3
    assert all(set(part.text.split()) == {"lorem", "ipsum", "dolor"} for part in parts)


def test_paragraphs_that_fit_into_a_message_are_kept_whole() -> None:
    first, second = parts_of("a " * 1_500 + "\n\n" + "b " * 1_500)
    assert set(first.text) == {"a", " "}
    assert set(second.text) == {"b", " "}


def test_a_title_goes_with_its_text() -> None:
    first, second = parts_of("a " * 1_500 + "\n\n# Title\n\n" + "b " * 1_500)
    assert "Title" not in first.text
    assert second.text.startswith("Title\n\nb")


def test_graphemes_are_kept_whole_where_they_fit() -> None:
    for part in parts_of(FAMILY * 1_000):
        assert regex.fullmatch(f"({FAMILY})+", part.text)
    assert sum(len(part.text) for part in parts_of("e" + "\u0301" * 10_000)) == 10_001


def test_a_cut_never_makes_a_name() -> None:
    for before in range(4_080, 4_100):
        for part in parts_of("x" * before + "@somebody"):
            assert not part.text.startswith("@")


def test_a_list_is_cut_between_items_and_an_item_goes_on_without_a_mark() -> None:
    parts = parts_of("\n".join(f"{n}. item {n}" for n in range(1, 41)), limit=128)
    assert [line for part in parts for line in part.text.split("\n")] == [f"{n}. item {n}" for n in range(1, 41)]
    first, second, *_ = parts_of("1. " + "word " * 40 + "\n2. two", limit=128)
    assert first.text.startswith("1. word")
    assert second.text.startswith("word")


def test_no_part_has_more_entities_than_telegram_reads() -> None:
    parts = parts_of("**a** b " * 150)
    assert [len(part.entities) for part in parts] == [100, 50]


def test_what_cannot_be_seen_is_not_sent() -> None:
    assert render_telegram("\u200b \u00a0") == render_telegram("") == render_slack(" \n") == []


def test_a_limit_nobody_has_is_refused() -> None:
    with pytest.raises(ValueError, match="leaves no room"):
        render_telegram("x", limit=10)


def test_slack_shows_titles_lists_quotes_and_code_as_blocks() -> None:
    (part,) = render_slack(
        "# Title\n\na **b**\n\nc\n\n1. one\n2. two\n   - deep\n3. three\n\n> q\n\n---\n\n```\nx < y\n```"
    )
    assert isinstance(part, SlackPart)
    header, rich, divider, code = part.blocks
    assert header == {"type": "header", "text": {"type": "plain_text", "text": "Title", "emoji": False}}
    assert divider == {"type": "divider"}
    preformatted = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "x < y"}]}
    assert code == {"type": "rich_text", "elements": [preformatted]}
    assert isinstance(rich["elements"], list)
    kinds = [(each["type"], each.get("style"), each.get("indent"), each.get("offset")) for each in rich["elements"]]
    assert kinds == [
        ("rich_text_section", None, None, None),
        ("rich_text_list", "ordered", 0, None),
        ("rich_text_list", "bullet", 1, None),
        ("rich_text_list", "ordered", 0, 2),
        ("rich_text_quote", None, None, None),
    ]
    assert part.text.endswith("```\nx &lt; y\n```")


def test_slack_messages_stay_below_every_limit() -> None:
    parts = render_slack("\n\n".join(f"# Title {number}\n\n**bold** & `code` <x>" for number in range(150)))
    assert len(parts) > 3
    assert all(isinstance(part, SlackPart) and len(part.blocks) <= 45 and len(part.text) <= 3_000 for part in parts)
