"""What Slack gets is within its limits, whole, and dead."""

from __future__ import annotations

import json
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.slack.manifest import manifest, manifest_text
from bot.adapters.slack.writing import Reference, actions, image, key_of, message_id, parts_of
from bot.adapters.text import render_slack
from layers.types import Address, Button, ButtonStyle, Outbound, Picture
from tests.fakes.slack_rules import against_limits

ADDRESS = Address(channel="slack", conversation="T1/C1")
WORDS = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("<>&\n `*_~@!#|"), max_size=400)
LONG = st.builds(lambda text, times: text * times, WORDS, st.integers(1, 120))
BUTTONS = st.lists(
    st.builds(
        Button,
        label=st.text(max_size=200),
        value=st.from_regex(r"[!-~]{1,64}", fullmatch=True),
        style=st.sampled_from(ButtonStyle),
    ),
    max_size=60,
)


def outbound(text: str, buttons: tuple[Button, ...] = (), key: str = "t1") -> Outbound:
    return Outbound(address=ADDRESS, key=key, text=text, buttons=buttons)


@given(LONG, BUTTONS, st.text(max_size=300))
def test_every_part_is_within_the_limits_and_nothing_is_live(text: str, buttons: list[Button], key: str) -> None:
    picture = image(Picture(digest="d", alt=text, width=1, height=1), "F1")
    for part in parts_of(outbound(text, tuple(buttons), key), render_slack(text), [picture]):
        assert against_limits({"text": part.text, "blocks": part.blocks}) == []
        assert "<" not in part.text
        assert not {kind for block in part.blocks for kind in kinds(block)} & {
            "user",
            "usergroup",
            "broadcast",
            "channel",
        }


@given(LONG, BUTTONS)
def test_every_button_is_there_once_and_in_order(text: str, buttons: list[Button]) -> None:
    parts = parts_of(outbound(text, tuple(buttons)), render_slack(text))
    rows = [block for part in parts for block in part.blocks if block["type"] == "actions"]
    assert [element["value"] for row in rows for element in row["elements"]] == [button.value for button in buttons]


def kinds(value: object) -> Iterator[str]:
    """Every `type` within."""
    if isinstance(value, dict):
        yield str(value.get("type"))
        for inner in value.values():
            yield from kinds(inner)
    if isinstance(value, list):
        for inner in value:
            yield from kinds(inner)


@given(st.text(max_size=400))
def test_the_key_comes_back_from_the_block(key: str) -> None:
    block = actions(key, (Button(label="a", value="b"),))[0]
    assert key_of(block["block_id"]) == key[:235]


def test_a_foreign_block_names_no_message() -> None:
    assert key_of("abc") == key_of("") == ""


def test_the_same_message_has_the_same_id_and_another_part_another() -> None:
    assert message_id(outbound("a"), 0) == message_id(outbound("b"), 0) != message_id(outbound("a"), 1)


def test_a_reference_survives_being_written_down() -> None:
    reference = Reference("C1", ("1.1", "1.2"), {"d" * 64: "F1"})
    assert Reference.load(reference.dump()) == reference
    assert len(Reference("C0123456789", ("1700000000.000001",) * 150, {"d" * 64: "F1"}).dump()) <= 4000


def test_the_manifest_asks_for_what_the_adapter_uses() -> None:
    found = json.loads(manifest_text())
    assert found == manifest()
    assert found["settings"]["socket_mode_enabled"] is True
    assert found["features"]["slash_commands"][0]["command"] == "/bulkhead"
    assert {"app_mention", "message.im"} <= set(found["settings"]["event_subscriptions"]["bot_events"])
