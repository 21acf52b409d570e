"""An `Outbound` -> the Telegram messages that show it: pure.

One visible message of ours is one of Telegram's, or several where it does not fit: text is split by the renderer, which
makes files of what nobody would read in a chat; a picture carries the text as its caption where that is short enough,
and stands above it where not; buttons hang on the last one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, MessageEntity
from telegram.constants import MessageLimit

from bot.adapters.text import File, TelegramPart, render_telegram
from layers.types import Button, ButtonStyle, Outbound, Picture

PLACEHOLDER = "…"
BUTTONS_IN_A_ROW = 3
PHOTO_SIDES, PHOTO_RATIO, PHOTO_BYTES = 10_000, 20, 10_000_000
"""Width and height together, the longer by the shorter, and size: beyond those Telegram takes it as a document only."""
FILE_BYTES = 50_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One message of Telegram's."""

    text: str = ""
    """The caption where the slot carries media."""
    entities: tuple[MessageEntity, ...] = ()
    is_media: bool = False
    picture: Picture | None = None
    """With `is_media`: what to show; None leaves what is there."""
    file: File | None = None
    """With `is_media`: what to attach."""
    buttons: tuple[Button, ...] = ()


def layout(outbound: Outbound, carries_media: bool = False) -> tuple[Slot, ...]:
    """The messages that show `outbound`, in order.

    `carries_media` says that the first one has a picture already: media of a message can be replaced, never removed.
    """
    slots = [to_slot(part) for part in render_telegram(outbound.text)]
    if outbound.picture is not None or carries_media:
        slots = under(outbound.picture, slots)
    if not slots:
        slots = [Slot(text=PLACEHOLDER)]
    slots[-1] = replace(slots[-1], buttons=outbound.buttons)
    return tuple(slots)


def to_slot(part: TelegramPart | File) -> Slot:
    """One rendered part."""
    if isinstance(part, File):
        return Slot(is_media=True, file=part)
    entities = (MessageEntity(e.type, e.offset, e.length, url=e.url, language=e.language) for e in part.entities)
    return Slot(text=part.text, entities=tuple(entities))


def under(picture: Picture | None, slots: list[Slot]) -> list[Slot]:
    """The picture with the text as its caption, or above the text."""
    texts = [slot for slot in slots if not slot.is_media]
    if len(texts) == 1 and units(texts[0].text) <= MessageLimit.CAPTION_LENGTH:
        return [replace(texts[0], is_media=True, picture=picture), *(slot for slot in slots if slot.is_media)]
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
