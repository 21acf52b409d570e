"""An `Outbound` -> the Telegram messages that show it: pure.

One visible message of ours is one of Telegram's, or several where it does not fit: text is split by the renderer, a
picture carries the text as its caption where that is short enough and stands above it where not, buttons hang on the
last one. What would be a flood becomes its beginning and a file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, MessageEntity
from telegram.constants import MessageLimit

from layers.types import Button, ButtonStyle, Outbound, Picture

PLACEHOLDER = "…"
MOST_PARTS = 8
"""Messages that one text may take; a longer one is a file."""
BUTTONS_IN_A_ROW = 3
PHOTO_SIDES, PHOTO_RATIO, PHOTO_BYTES = 10_000, 20, 10_000_000
"""Width and height together, the longer by the shorter, and size: beyond those Telegram takes it as a document only."""
FILE_BYTES = 50_000_000


class Part(Protocol):
    """One message of rendered text."""

    @property
    def text(self) -> str:
        """1 to 4096 UTF-16 units."""

    @property
    def entities(self) -> Sequence[MessageEntity]:
        """Offsets in UTF-16 units."""


Render = Callable[[str], Sequence[Part]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One message of Telegram's."""

    text: str = ""
    """The caption where the slot carries media."""
    entities: tuple[MessageEntity, ...] = ()
    is_media: bool = False
    picture: Picture | None = None
    """With `is_media`: what to show; None leaves what is there."""
    file: bytes = b""
    """With `is_media`: a text file to attach."""
    buttons: tuple[Button, ...] = ()


def layout(outbound: Outbound, render: Render, carries_media: bool = False) -> tuple[Slot, ...]:
    """The messages that show `outbound`, in order.

    `carries_media` says that the first one has a picture already: media of a message can be replaced, never removed.
    """
    slots = [Slot(text=part.text, entities=tuple(part.entities)) for part in render(outbound.text) if part.text.strip()]
    if len(slots) > MOST_PARTS:
        slots = [*slots[: MOST_PARTS - 1], Slot(text="The whole text", is_media=True, file=outbound.text.encode())]
    if outbound.picture is not None or carries_media:
        slots = under(outbound.picture, slots)
    if not slots:
        slots = [Slot(text=PLACEHOLDER)]
    slots[-1] = replace(slots[-1], buttons=outbound.buttons)
    return tuple(slots)


def under(picture: Picture | None, slots: list[Slot]) -> list[Slot]:
    """The picture with the text as its caption, or above the text."""
    if len(slots) == 1 and units(slots[0].text) <= MessageLimit.CAPTION_LENGTH:
        return [Slot(text=slots[0].text, entities=slots[0].entities, is_media=True, picture=picture)]
    alt = picture.alt[:200] if picture is not None else ""
    return [Slot(text=alt, is_media=True, picture=picture), *slots]


def units(text: str) -> int:
    """Length as Telegram counts it."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def is_photo(picture: Picture, size_bytes: int) -> bool:
    """Whether Telegram takes it as a photo."""
    short, long = sorted((picture.width, picture.height))
    fits = short > 0 and short + long <= PHOTO_SIDES and long <= PHOTO_RATIO * short
    return fits and size_bytes <= PHOTO_BYTES


def keyboard(buttons: Sequence[Button]) -> InlineKeyboardMarkup | None:
    """The buttons in rows; None where there are none, which takes away those that were there."""
    keys = [
        InlineKeyboardButton(
            button.label,
            callback_data=button.value,
            style=None if button.style is ButtonStyle.PLAIN else button.style.value,
        )
        for button in buttons
    ]
    rows = [keys[n : n + BUTTONS_IN_A_ROW] for n in range(0, len(keys), BUTTONS_IN_A_ROW)]
    return InlineKeyboardMarkup(rows) if rows else None
