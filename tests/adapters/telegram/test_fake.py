"""The fake refuses what Telegram refuses: a fake that takes everything proves nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.adapters.telegram.rig import png
from tests.fakes.telegram_checks import SPEC, Checks

OK = {"chat_id": 42, "text": "hello"}


def button(**more: Any) -> dict[str, Any]:
    return {"inline_keyboard": [[{"text": "a", "callback_data": "x"} | more]]}


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("sendMessage", OK | {"text": ""}),
        ("sendMessage", OK | {"text": "x" * 4097}),
        ("sendMessage", OK | {"text": "🎉" * 2049}),
        ("sendMessage", OK | {"entities": [{"type": "bold", "offset": 4, "length": 2}]}),
        ("sendMessage", OK | {"entities": [{"type": "bold", "offset": 0, "length": 1}] * 101}),
        ("sendMessage", OK | {"reply_markup": button(callback_data="x" * 65)}),
        ("sendMessage", OK | {"reply_markup": button(callback_data="ü" * 33)}),
        ("sendMessage", OK | {"reply_markup": button(style="pink")}),
        ("sendMessage", OK | {"reply_markup": {"inline_keyboard": [[{"text": "a", "callback_data": "x"}] * 9]}}),
        ("editMessageCaption", {"chat_id": 1, "message_id": 1, "caption": "x" * 1025}),
        ("setMyCommands", {"commands": [{"command": "Run", "description": "x"}]}),
    ],
)
def test_limits_are_kept_with_or_without_the_specification(method: str, params: dict[str, Any]) -> None:
    assert Checks().violations(method, params, {})
    assert Checks(SPEC / "absent").violations(method, params, {})


@pytest.mark.skipif(not SPEC.is_file(), reason=f"no specification at {SPEC}")
@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("sendMessages", OK),
        ("sendMessage", {"text": "hello"}),
        ("sendMessage", OK | {"markup": 1}),
        ("sendMessage", OK | {"disable_notification": "yes"}),
        ("sendMessage", OK | {"entities": [{"kind": "bold", "offset": 0, "length": 1}]}),
        ("sendMessage", OK | {"reply_markup": button(colour="red")}),
        ("editMessageMedia", {"chat_id": 1, "message_id": 1, "media": {"type": "photo"}}),
    ],
)
def test_the_specification_is_kept(method: str, params: dict[str, Any]) -> None:
    assert Checks().violations(method, params, {})


@pytest.mark.parametrize(("size", "is_fine"), [((40, 30), True), ((6000, 4100), False), ((2100, 100), False)])
def test_a_photo_has_limits_of_its_own(size: tuple[int, int], is_fine: bool) -> None:
    media = {"type": "photo", "media": "attach://a"}
    params = {"chat_id": 1, "message_id": 1, "media": media}
    assert (not Checks().violations("editMessageMedia", params, {"a": png(*size)})) is is_fine


def test_a_good_call_passes() -> None:
    assert Checks().violations("sendMessage", OK | {"reply_markup": button(style="danger")}, {}) == []
