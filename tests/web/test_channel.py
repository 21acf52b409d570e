"""The pure half of the web channel: a post -> `Inbound`, an `Outbound` -> the browser's JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.web import to_event, to_inbound
from layers.errors import BadInput
from layers.types import (
    Address,
    Button,
    ButtonStyle,
    Inbound,
    InboundKind,
    Outbound,
    OutboundKind,
    Person,
    Picture,
    Press,
)

OWNER = Person(id="owner", name="Ada")
ID = "0b7c1f7e-6a51-4f0e-9a39-0d6d1f1f6a11"


def body(**fields: object) -> bytes:
    return json.dumps({"id": ID, **fields}).encode()


def test_a_message_becomes_an_inbound_event() -> None:
    assert to_inbound(InboundKind.MESSAGE, body(text="a\r\nb", conversation="ops"), OWNER) == Inbound(
        address=Address(channel="web", conversation="ops"), event_id=ID, person=OWNER, text="a\nb"
    )


def test_the_same_uuid_in_capitals_is_the_same_event() -> None:
    upper = json.dumps({"id": ID.upper(), "text": "x"}).encode()
    assert to_inbound(InboundKind.MESSAGE, upper, OWNER).event_id == ID


def test_a_press_becomes_an_inbound_event() -> None:
    inbound = to_inbound(InboundKind.PRESS, body(key="a7", value="figure:redo:x"), OWNER)
    assert inbound.kind is InboundKind.PRESS
    assert inbound.press == Press(value="figure:redo:x", key="a7", proofs=("page",))
    assert inbound.address.id == "web:main"


@pytest.mark.parametrize("value", ["", "x" * 65, "a b", "é", "a\n"])
def test_a_value_no_button_can_have_is_refused(value: str) -> None:
    with pytest.raises(BadInput, match="value was refused"):
        to_inbound(InboundKind.PRESS, body(key="a7", value=value), OWNER)


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace")))
def test_any_bytes_give_an_event_or_one_sentence(content: bytes) -> None:
    for kind in (InboundKind.MESSAGE, InboundKind.PRESS):
        with pytest.raises(BadInput) as refused:
            to_inbound(kind, content, OWNER)
        assert len(str(refused.value)) < 300


def test_an_outbound_becomes_what_the_browser_shows() -> None:
    outbound = Outbound(
        address=Address(channel="web", conversation="main"),
        key="t1",
        text="**look**",
        kind=OutboundKind.CARD,
        picture=Picture(digest="ab" * 32, alt="two boxes", width=800, height=600),
        buttons=(Button(label="Approve", value="figure:approve:x", style=ButtonStyle.PRIMARY),),
    )
    assert json.loads(to_event(outbound)) == {
        "kind": "card",
        "html": "<p><strong>look</strong></p>\n",
        "picture": {"url": f"/media/{'ab' * 32}", "alt": "two boxes", "width": 800, "height": 600},
        "buttons": [{"label": "Approve", "value": "figure:approve:x", "style": "primary"}],
    }
