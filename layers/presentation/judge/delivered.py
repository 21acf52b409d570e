"""A picture as it arrives: what a surface does to it before a person sees it. And what spoils one on purpose."""

from __future__ import annotations

import hashlib
import io
import random
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFilter

MOST_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a surface does."""

    longest: int
    """Pixels of the long side that people get without asking for more."""
    jpeg: int = 0
    """Quality; 0 leaves it PNG."""


SURFACES = {
    "telegram": Delivery(1280, jpeg=80),
    "slack": Delivery(1024),
    "page": Delivery(2560),
    "print": Delivery(5000),
}
"""Reference 5: Telegram's clients load 1280 and make it JPEG; Slack's largest thumbnail is 1024."""


def as_delivered(png: bytes, surface: str) -> bytes:
    """PNG or JPEG as people get it there."""
    delivery = SURFACES.get(surface, SURFACES["page"])
    with Image.open(io.BytesIO(png)) as opened:
        picture = opened.convert("RGB")
    scale = delivery.longest / max(picture.size)
    if scale < 1:
        width, height = (max(1, round(side * scale)) for side in picture.size)
        picture = picture.resize((width, height), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    if delivery.jpeg:
        picture.save(out, "JPEG", quality=delivery.jpeg)
    else:
        picture.save(out, "PNG", compress_level=4)
    return out.getvalue()


def spoilt(png: bytes) -> tuple[bytes, str]:
    """The same picture with one defect that nobody could miss, and which. The picture's bytes decide."""
    dice = random.Random(hashlib.sha256(png).digest())
    with Image.open(io.BytesIO(png)) as opened:
        picture = opened.convert("RGB")
    name = dice.choice(sorted(DEFECTS))
    out = io.BytesIO()
    DEFECTS[name](picture, dice).save(out, "PNG", compress_level=4)
    return out.getvalue(), name


def _cut(picture: Image.Image, dice: random.Random) -> Image.Image:
    width, height = picture.size
    share = dice.uniform(0.2, 0.3)
    left = round(width * share) if dice.random() < 0.5 else 0
    right = width if left else round(width * (1 - share))
    return picture.crop((left, 0, right, height))


def _struck(picture: Image.Image, dice: random.Random) -> Image.Image:
    width, height = picture.size
    pen = ImageDraw.Draw(picture)
    for _ in range(3):
        y = round(height * dice.uniform(0.15, 0.85))
        pen.line((0, y, width, round(height * dice.uniform(0.15, 0.85))), fill=(100, 116, 139), width=width // 160 + 3)
    return picture


def _blurred(picture: Image.Image, dice: random.Random) -> Image.Image:
    return picture.filter(ImageFilter.GaussianBlur(max(picture.size) / dice.uniform(110, 140)))


def _doubled(picture: Image.Image, dice: random.Random) -> Image.Image:
    """A part of the picture lies on another part."""
    width, height = picture.size
    part = picture.crop((width // 5, height // 5, width * 4 // 5, height * 4 // 5))
    by = (round(width * dice.uniform(0.04, 0.1)), round(height * dice.uniform(0.03, 0.08)))
    moved = (width // 5 + by[0], height // 5 + by[1])
    over = picture.copy()
    over.paste(part, moved)
    return Image.blend(picture, over, 0.5)


DEFECTS: dict[str, Callable[[Image.Image, random.Random], Image.Image]] = {
    "blurred": _blurred,
    "cut": _cut,
    "doubled": _doubled,
    "struck": _struck,
}
