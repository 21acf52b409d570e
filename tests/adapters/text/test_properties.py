"""Whatever the text: nothing dropped, nothing live, every limit kept, and the same again the next time."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bot.adapters.text import Entity, File, SlackPart, TelegramPart, plain, render_mail, render_slack, render_telegram
from bot.adapters.text.mentions import BREAK, clean
from tests.adapters.text.samples import DOCUMENT, PIECES, PROSE, hostile

ANY = st.text(alphabet=st.characters(codec="utf-8"), max_size=300) | PIECES | DOCUMENT
LIMITS = st.sampled_from([64, 100, 333, 1024, 4096])
LIVE_ANYWHERE = re.compile(
    r"(?<!\w)@(channel|here|everyone)(?!\w)|<!(channel|here|everyone|subteam)|<@[UW]\d|<#C\d|tg://", re.IGNORECASE
)
USERNAME = re.compile(r"(?<!\w)@[A-Za-z0-9_]{2,32}(?!\w)")
DELETED_BY_TELEGRAM = dict.fromkeys([*range(0x2028, 0x202F), 0x0333, 0x033F, 0x030A, 0x0D])
INSIDE_ARE_NO_NAMES = ("code", "pre", "text_link")
TYPES = {"bold", "italic", "strikethrough", "code", "pre", "text_link", "blockquote"}
ELEMENTS = {
    "rich_text", "rich_text_section", "rich_text_list", "rich_text_quote", "rich_text_preformatted", "text", "link",
    "header", "plain_text", "divider",
}  # fmt: skip


def utf16(text: str) -> bytes:
    return text.encode("utf-16-le")


def covered(part: TelegramPart, entity: Entity) -> str:
    """The text under an entity; fails when it begins or ends inside of a surrogate pair."""
    return utf16(part.text)[2 * entity.offset : 2 * (entity.offset + entity.length)].decode("utf-16-le")


def check_telegram(part: TelegramPart, limit: int) -> None:
    size = len(utf16(part.text)) // 2
    assert part.text.strip()
    assert size <= limit
    assert len(part.entities) <= 100
    for entity in part.entities:
        assert entity.type in TYPES
        assert entity.length >= 1
        assert 0 <= entity.offset <= entity.offset + entity.length <= size
        covered(part, entity)
        assert (entity.type == "text_link") == (entity.url is not None)
        assert entity.url is None or re.match(r"https?://", entity.url, re.IGNORECASE)
    for number, one in enumerate(part.entities):
        for two in part.entities[number + 1 :]:
            assert (two.offset, -two.length) >= (one.offset, -one.length)
            if two.offset < one.offset + one.length:
                assert two.offset + two.length <= one.offset + one.length, (one, two)
                assert not {"code", "pre"} & {one.type} or two.type == "blockquote", (one, two)
                assert not {"code", "pre"} & {two.type} or one.type == "blockquote", (one, two)
                assert not one.type == two.type == "blockquote"


def check_dead_on_telegram(part: TelegramPart) -> None:
    shown = utf16(part.text)
    for entity in part.entities:
        if entity.type in INSIDE_ARE_NO_NAMES:
            start, stop = 2 * entity.offset, 2 * (entity.offset + entity.length)
            shown = shown[:start] + utf16("#") * entity.length + shown[stop:]
    text = shown.decode("utf-16-le").translate(DELETED_BY_TELEGRAM)
    assert not USERNAME.search(text), ascii(text)
    assert not LIVE_ANYWHERE.search(part.text.translate(DELETED_BY_TELEGRAM)), ascii(part.text)


def check_slack(part: SlackPart) -> None:
    assert 1 <= len(part.text) <= 4000
    assert 1 <= len(part.blocks) <= 50
    assert len(json.dumps(part.blocks, ensure_ascii=False)) <= 13_000
    assert not re.search(r"[<>]|&(?!(amp|lt|gt);)", part.text)
    for kind, text, url in walk(part.blocks):
        assert kind in ELEMENTS
        assert text is None or 1 <= len(text) <= 3000
        assert kind != "plain_text" or len(text or "") <= 150
        assert url is None or re.match(r"https?://|mailto:", url, re.IGNORECASE)
        assert not LIVE_ANYWHERE.search(text or ""), text
    assert not LIVE_ANYWHERE.search(part.text)


def walk(node: object) -> Iterator[tuple[str, str | None, str | None]]:
    """Type, text and address of every element."""
    if isinstance(node, list | tuple):
        for each in node:
            yield from walk(each)
    if isinstance(node, dict):
        text = node.get("text")
        yield node["type"], text if isinstance(text, str) else None, node.get("url")
        assert "elements" not in node or node["elements"]
        yield from (
            found for key in ("text", "elements") if not isinstance(node.get(key), str) for found in walk(node.get(key))
        )


def telegram_words(parts: list[TelegramPart | File]) -> str:
    found = []
    for part in parts:
        if isinstance(part, File):
            found.append(part.content.decode())
        else:
            found += [part.text, *(f"{entity.url} {entity.language}" for entity in part.entities)]
    return "\n".join(found)


def slack_words(parts: list[SlackPart | File]) -> str:
    found = []
    for part in parts:
        if isinstance(part, File):
            found.append(part.content.decode())
        else:
            found += [f"{text or ''}\n{url or ''}" for _, text, url in walk(part.blocks)]
    return "\n".join(found)


def words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+|[👍🇩🇪]+", text.replace(BREAK, "").replace("[x]", ""))


@settings(max_examples=60)
@given(ANY, LIMITS)
def test_every_telegram_part_can_be_sent_and_mentions_nobody(text: str, limit: int) -> None:
    for part in render_telegram(text, limit=limit):
        if isinstance(part, TelegramPart):
            check_telegram(part, limit)
            check_dead_on_telegram(part)


@settings(max_examples=60)
@given(ANY)
def test_every_slack_part_can_be_sent_and_mentions_nobody(text: str) -> None:
    for part in render_slack(text):
        if isinstance(part, SlackPart):
            check_slack(part)


@settings(max_examples=60)
@given(DOCUMENT, LIMITS)
def test_no_word_is_dropped(text: str, limit: int) -> None:
    source = Counter(words(clean(text)))
    source.pop("python", None)
    chats = {"telegram": telegram_words(render_telegram(text, limit=limit)), "slack": slack_words(render_slack(text))}
    for name, shown in (chats | {"mail": render_mail(text), "plain": plain(text)}).items():
        missing = source - Counter(words(shown))
        assert not missing, (name, missing)


@settings(max_examples=60)
@given(PROSE, LIMITS)
def test_words_stay_in_order(text: str, limit: int) -> None:
    def is_in_order(shown: str) -> bool:
        rest = iter(words(shown))
        return all(word in rest for word in words(clean(text)) if word != "python")

    parts = render_telegram(text, limit=limit)
    assume(not any(isinstance(part, File) and part.name.startswith("code-") for part in parts))
    assert is_in_order("\n".join(it.content.decode() if isinstance(it, File) else it.text for it in parts))
    assert is_in_order(slack_words(render_slack(text)))
    assert is_in_order(render_mail(text))


@given(PIECES)
def test_no_word_of_a_broken_text_is_dropped(text: str) -> None:
    source = set(re.findall(r"[A-Za-z]{3,}", re.sub(r"&[#\w]+;", " ", clean(text)).replace("&", " ")))
    for shown in (telegram_words(render_telegram(text)), render_mail(text), plain(text)):
        readable = shown.replace(BREAK, "")
        missing = {word for word in source if word not in readable}
        assert not missing, missing


@settings(max_examples=25)
@given(ANY, LIMITS)
def test_the_same_text_gives_the_same_message(text: str, limit: int) -> None:
    assert render_telegram(text, limit=limit) == render_telegram(text, limit=limit)
    assert render_slack(text) == render_slack(text)
    assert (render_mail(text), plain(text)) == (render_mail(text), plain(text))


def test_a_thousand_hostile_texts_are_dead() -> None:
    texts = list(hostile(1_500))
    assert len(texts) >= 1_000
    for text in texts:
        for part in render_telegram(text):
            if isinstance(part, TelegramPart):
                check_telegram(part, 4096)
                check_dead_on_telegram(part)
        for piece in render_slack(text):
            if isinstance(piece, SlackPart):
                check_slack(piece)
        for shown in (render_mail(text), plain(text)):
            assert not LIVE_ANYWHERE.search(shown), ascii(shown)


@settings(max_examples=60)
@given(ANY)
def test_blocks_are_what_slacks_own_models_accept(text: str) -> None:
    blocks = pytest.importorskip("slack_sdk.models.blocks", reason="slack_sdk is not installed")
    for part in render_slack(text):
        if isinstance(part, SlackPart):
            for block in part.blocks:
                assert json.loads(json.dumps(blocks.Block.parse(block).to_dict())) == block


HUGE = {
    "a wide table": "|a" * 500 + "|\n" + "|-" * 500 + "|\n" + ("|b" * 500 + "|\n") * 80,
    "items": "- a\n" * 22_000,
    "titles": "# a\n" * 20_000,
    "quotes": "> a\n\n" * 15_000,
    "words": "word " * 200_000,
}


@pytest.mark.parametrize("name", HUGE)
def test_of_a_huge_text_slack_gets_its_beginning_and_the_whole_as_a_file(name: str) -> None:
    parts = render_slack(HUGE[name])
    first, note, whole = parts
    assert isinstance(first, SlackPart)
    assert isinstance(note, SlackPart)
    assert isinstance(whole, File)
    check_slack(first)
    assert whole.content.decode() == HUGE[name]
