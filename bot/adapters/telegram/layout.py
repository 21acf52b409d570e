"""An `Outbound` -> the Telegram messages that show it: pure.

One visible message of ours is one of Telegram's, or several where it does not fit: text is split by the renderer, which
makes files of what nobody would read in a chat, or it is one rich message where it gains by that; a picture carries the
text as its caption where that is short enough, and stands above it where not; then come the pictures of an album, and
the files. Buttons hang on the last one that can have any: in an album none can.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, MessageEntity
from telegram.constants import MessageLimit

from bot.adapters.text import File, TelegramPart, render_rich, render_telegram
from layers.types import Attachment, Button, ButtonStyle, Outbound, Picture

PLACEHOLDER = "…"
BUTTONS_IN_A_ROW = 3
PHOTO_SIDES, PHOTO_RATIO, PHOTO_BYTES = 10_000, 20, 10_000_000
"""Width and height together, the longer by the shorter, and size: beyond those Telegram takes it as a document only."""
FILE_BYTES = 50_000_000
ALBUM_ITEMS = 10
LONG_CHARS = 8_000
"""A longer text is laid out beside the event loop: the worst take seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One message of Telegram's."""

    text: str = ""
    """The caption where the slot carries media."""
    entities: tuple[MessageEntity, ...] = ()
    rich: str = ""
    """Rich HTML, in place of the text."""
    is_media: bool = False
    picture: Picture | None = None
    """With `is_media`: what to show; where there is no file either, what is there stays."""
    file: File | Attachment | None = None
    """With `is_media`: what to attach."""
    album: int = 0
    """Neighbours of one number, counted from 1, are one album; 0 is none."""
    buttons: tuple[Button, ...] = ()


def layout(outbound: Outbound, *, carries_media: bool = False, is_rich: bool = False) -> tuple[Slot, ...]:
    """The messages that show `outbound`, in order.

    Args:
        carries_media: The first one has a picture already: media of a message can be replaced, never removed.
        is_rich: Rich messages may be used.
    """
    slots = captions(outbound.text, outbound.text, MessageLimit.MAX_TEXT_LENGTH)
    pictures = (outbound.picture, *outbound.album) if outbound.picture else outbound.album
    single = pictures[0] if len(pictures) == 1 else None
    has_media = single is not None or carries_media
    if is_rich and not (has_media and is_caption(slots)) and (rich := render_rich(outbound.text)):
        slots = [Slot(rich=rich)]
    if has_media:
        slots = under(single, slots)
    if not slots:
        slots = captions(pictures[0].alt if pictures else "", PLACEHOLDER, MessageLimit.MAX_TEXT_LENGTH)[:1]
    if single is None:
        slots += in_albums(pictures)
    slots += [Slot(is_media=True, file=file) for file in outbound.files if file.digest]
    last = max(n for n, slot in enumerate(slots) if not slot.album)
    slots[last] = replace(slots[last], buttons=outbound.buttons)
    return tuple(slots)


def captions(text: str, otherwise: str, limit: int) -> list[Slot]:
    """A text as messages, or `otherwise` where there is nothing to see of it."""
    parts = render_telegram(text, limit=limit) or render_telegram(otherwise)
    return [to_slot(part) for part in parts]


def to_slot(part: TelegramPart | File) -> Slot:
    """One rendered part."""
    if isinstance(part, File):
        return Slot(is_media=True, file=part)
    entities = (MessageEntity(e.type, e.offset, e.length, url=e.url, language=e.language) for e in part.entities)
    return Slot(text=part.text, entities=tuple(entities))


def is_caption(slots: Sequence[Slot]) -> bool:
    """Whether all the text there is can stand below a picture."""
    texts = [slot for slot in slots if not slot.is_media]
    return len(texts) == 1 and not texts[0].rich and units(texts[0].text) <= MessageLimit.CAPTION_LENGTH


def under(picture: Picture | None, slots: list[Slot]) -> list[Slot]:
    """The picture with the text as its caption, or above the text."""
    if is_caption(slots):
        (text,) = (slot for slot in slots if not slot.is_media)
        return [replace(text, is_media=True, picture=picture), *(slot for slot in slots if slot.is_media)]
    titles = captions(picture.alt[:200], "", MessageLimit.CAPTION_LENGTH) if picture is not None else []
    title = titles[0] if titles else Slot()
    return [replace(title, is_media=True, picture=picture), *slots]


def in_albums(pictures: Sequence[Picture]) -> list[Slot]:
    """Photos in albums of up to ten; what is alone, or no photo to Telegram, is a message by itself."""
    photos = [picture for picture in pictures if is_photo(picture, 0)]
    others = [picture for picture in pictures if not is_photo(picture, 0)]
    slots = []
    for start in range(0, len(photos), ALBUM_ITEMS):
        group = photos[start : start + ALBUM_ITEMS]
        number = start // ALBUM_ITEMS + 1 if len(group) > 1 else 0
        slots += [replace(slot, album=number) for picture in group for slot in under(picture, [])]
    return [*slots, *(slot for picture in others for slot in under(picture, []))]


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
    rows: list[list[InlineKeyboardButton]] = []
    for button, key in zip(buttons, keys, strict=True):
        if button.begins_row or not rows or len(rows[-1]) == BUTTONS_IN_A_ROW:
            rows.append([])
        rows[-1].append(key)
    return InlineKeyboardMarkup(rows) if rows else None
