"""The file that a message carries: pure, what the library has of it -> a `Sent`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from telegram import Message

NAME_CHARS = 120
UNNAMEABLE = re.compile(r"[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069/\\]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A file at Telegram."""

    file_id: str
    unique_id: str
    name: str
    """A base name to show."""
    content_type: str
    size_bytes: int
    """0 where Telegram does not say."""


def sent_with(message: Message) -> tuple[Sent, ...]:
    """The file of a message: Telegram has one for each, of a photo the largest size."""
    if message.photo:
        largest = max(message.photo, key=lambda size: size.width * size.height)
        return (sent(largest, "photo.jpg", "image/jpeg"),)
    if sticker := message.sticker:
        ending, content_type = "webp", "image/webp"
        if sticker.is_animated:
            ending, content_type = "tgs", "application/x-tgsticker"
        elif sticker.is_video:
            ending, content_type = "webm", "video/webm"
        return (sent(sticker, f"sticker.{ending}", content_type),)
    for found, name, content_type in (
        (message.animation, "animation.mp4", "video/mp4"),  # before the document: it is one as well
        (message.document, "document", "application/octet-stream"),
        (message.voice, "voice.ogg", "audio/ogg"),
        (message.audio, "audio.mp3", "audio/mpeg"),
        (message.video, "video.mp4", "video/mp4"),
        (message.video_note, "video-note.mp4", "video/mp4"),
    ):
        if found is not None:
            return (sent(found, name, content_type),)
    return ()


def sent(found: object, name: str, content_type: str) -> Sent:
    """One of the library's files; its sender may have named it anything."""
    told = UNNAMEABLE.sub("_", str(getattr(found, "file_name", None) or "")).strip(" .")
    kind = str(getattr(found, "mime_type", None) or content_type)
    return Sent(
        file_id=str(getattr(found, "file_id", "")),
        unique_id=str(getattr(found, "file_unique_id", "")),
        name=told[-NAME_CHARS:].encode("utf-8", "replace").decode() or name,
        content_type=kind if re.fullmatch(r"[\w.+-]{1,60}/[\w.+-]{1,60}", kind, re.ASCII) else content_type,
        size_bytes=int(getattr(found, "file_size", None) or 0),
    )
