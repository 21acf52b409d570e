"""Defects as they happen to artists and to pixels, at five severities. Nothing here knows a rule of the lint.

Each class is a function from a stage, dice and a severity to a picture; None where the drawing has nothing of the kind.
"""

from __future__ import annotations

import random
from collections.abc import Mapping

import numpy as np
from matplotlib.artist import Artist
from matplotlib.colors import to_rgb
from matplotlib.patches import PathPatch, Polygon
from matplotlib.path import Path
from matplotlib.text import Text
from matplotlib.transforms import Affine2D
from PIL import Image, ImageDraw, ImageFilter

from benchmarks.presentation.stage import SCALE, Spoil, Stage

Box = tuple[float, float, float, float]


def of(severity: int, *values: float) -> float:
    """The severity's value of five."""
    return values[severity - 1]


def words(stage: Stage) -> list[Text]:
    """Texts with something to read."""
    return [one for one in stage.tagged("", texts=True) if isinstance(one, Text) and len(one.get_text().strip()) > 2]


def moved(artists: list[Artist], dx: float, dy: float) -> None:
    """By pixels."""
    for artist in artists:
        artist.set_transform(artist.get_transform() + Affine2D().translate(dx, dy))


def extent(artist: Artist) -> Box:
    """Left, bottom, right, top in pixels."""
    box = artist.get_window_extent()
    return box.x0, box.y0, box.x1, box.y1


def towards(dice: random.Random, length: float) -> tuple[float, float]:
    """A step of this length in one of four directions."""
    x, y = dice.choice(((1, 0), (-1, 0), (0, 1), (0, -1)))
    return x * length, y * length


def text_shifted(stage: Stage, dice: random.Random, severity: int) -> Image.Image | None:
    """A text lies beside its place."""
    if not (texts := words(stage)):
        return None
    text = dice.choice(texts)
    left, _, right, _ = extent(text)
    moved([text], (right - left) * of(severity, 0.5, 0.7, 0.9, 1.3, 2.0) + 20 * severity, 0)
    return stage.shot()


def text_swollen(stage: Stage, dice: random.Random, severity: int) -> Image.Image | None:
    """Another font size than was measured."""
    boxed = [one for one in stage.tagged("node", texts=True) if isinstance(one, Text) and len(one.get_text()) > 3]
    if not boxed:
        return None
    text = dice.choice(boxed)
    text.set_fontsize(float(text.get_fontsize()) * of(severity, 1.7, 2.0, 2.4, 3.0, 4.0))
    return stage.shot()


def text_faded(stage: Stage, dice: random.Random, severity: int) -> Image.Image | None:
    """Ink close to the ground."""
    if not (texts := words(stage)):
        return None
    dice.choice(texts).set_alpha(of(severity, 0.45, 0.38, 0.3, 0.2, 0.08))
    return stage.shot()


def text_gone(stage: Stage, dice: random.Random, severity: int) -> Image.Image | None:
    """Texts that were never painted."""
    if not (texts := words(stage)):
        return None
    for text in dice.sample(texts, min(len(texts), severity)):
        text.set_visible(False)
    return stage.shot()


def text_altered(stage: Stage, dice: random.Random, severity: int) -> Image.Image | None:
    """Letters lost on the way."""
    if not (texts := words(stage)):
        return None
    text = dice.choice(texts)
    said = text.get_text()
    text.set_text(said[: max(1, len(said) - severity)] if dice.random() < 0.5 else said[severity:] or said[:1])
    return stage.shot()


def box_shifted(stage: Stage, dice: random.Random, severity: int) -> Image.Image | None:
    """A box beside its text."""
    tag = _some(stage, dice, "node")
    if not tag:
        return None
    moved([one for one in stage.tagged(tag, texts=False) if one.get_gid() == tag], *towards(dice, 20.0 * severity))
    return stage.shot()


def box_gone(stage: Stage, dice: random.Random, severity: int) -> Image.Image | None:
    """Boxes that were never painted."""
    tags = sorted({str(one.get_gid()) for one in stage.tagged("node", texts=False)})
    if not tags:
        return None
    for tag in dice.sample(tags, min(severity, len(tags))):
        for one in stage.tagged(tag, texts=False):
            if one.get_gid() == tag:
                one.set_visible(False)
    return stage.shot()


def box_over_text(stage: Stage, dice: random.Random, severity: int) -> Image.Image | None:
    """Painted in the wrong order: boxes hide their own texts."""
    tags = sorted({str(one.get_gid()) for one in stage.tagged("node", texts=True)})
    if not tags:
        return None
    for tag in dice.sample(tags, min(severity, len(tags))):
        for one in stage.tagged(tag, texts=False):
            if one.get_gid() == tag:
                one.set_zorder(1e6)
    return stage.shot()


def _some(stage: Stage, dice: random.Random, start: str) -> str:
    tags = sorted({str(one.get_gid()) for one in stage.tagged(start, texts=False)})
    tags = [tag for tag in tags if tag.split()[-1].isdigit()]
    return dice.choice(tags) if tags else ""


def _line(stage: Stage, dice: random.Random) -> PathPatch | None:
    """The long stroke of an edge or message."""
    lines = [
        one
        for one in stage.tagged("edge", texts=False)
        if isinstance(one, PathPatch) and len(np.asarray(one.get_path().vertices)) >= 4
    ]
    return dice.choice(lines) if lines else None


def line_gone(stage: Stage, dice: random.Random, severity: int) -> Image.Image | None:
    """Lines that were never painted."""
    found = False
    for _ in range(severity):
        if line := _line(stage, dice):
            line.set_visible(False)
            found = True
    return stage.shot() if found else None


def line_cut(stage: Stage, dice: random.Random, severity: int) -> Image.Image | None:
    """A line that ends halfway."""
    line = _line(stage, dice)
    if line is None:
        return None
    points = Path(np.concatenate(list(line.get_path().to_polygons(closed_only=False)))).interpolated(40).vertices
    points = np.asarray(points)
    keep = max(2, round(len(points) * of(severity, 0.7, 0.6, 0.5, 0.35, 0.2)))
    line.set_path(Path(points[:keep]))
    return stage.shot()


def line_shifted(stage: Stage, dice: random.Random, severity: int) -> Image.Image | None:
    """A line that runs beside its boxes."""
    line = _line(stage, dice)
    if line is None:
        return None
    moved([line], *towards(dice, of(severity, 16, 24, 36, 56, 90)))
    return stage.shot()


def line_faded(stage: Stage, dice: random.Random, severity: int) -> Image.Image | None:
    """A line that can hardly be seen."""
    line = _line(stage, dice)
    if line is None:
        return None
    line.set_alpha(of(severity, 0.3, 0.24, 0.18, 0.12, 0.05))
    return stage.shot()


def head_gone(stage: Stage, dice: random.Random, severity: int) -> Image.Image | None:
    """Arrows without their heads."""
    heads = [one for one in stage.tagged("edge", texts=False) if isinstance(one, Polygon) and len(one.get_xy()) == 4]
    heads = [one for one in heads if "label" not in str(one.get_gid())]
    if not heads:
        return None
    for head in dice.sample(heads, min(severity, len(heads))):
        head.set_visible(False)
    return stage.shot()


def label_shifted(stage: Stage, dice: random.Random, severity: int) -> Image.Image | None:
    """An edge's label somewhere else, with the ground behind it."""
    tags = sorted({str(one.get_gid()) for one in stage.tagged("edge", texts=True)})
    if not tags:
        return None
    tag = dice.choice(tags)
    moved([one for one in stage.tagged(tag) if one.get_gid() == tag], *towards(dice, 50.0 + 40.0 * severity))
    return stage.shot()


def line_added(stage: Stage, dice: random.Random, severity: int) -> Image.Image | None:
    """A line that nobody asked for, between two places of the drawing."""
    picture = stage.shot()
    width, height = picture.size
    start = (dice.uniform(0.1, 0.3) * width, dice.uniform(0.1, 0.9) * height)
    end = (start[0] + width * 0.12 * severity, dice.uniform(0.1, 0.9) * height)
    ImageDraw.Draw(picture).line((*start, *end), fill=(100, 116, 139), width=3)
    return picture


def text_struck(stage: Stage, dice: random.Random, severity: int) -> Image.Image | None:
    """A line through letters."""
    if not (texts := words(stage)):
        return None
    picture = stage.shot()
    left, bottom, right, top = extent(dice.choice(texts))
    y = picture.height - (bottom + top) / 2
    ImageDraw.Draw(picture).line((left - 6, y, right + 6, y), fill=(100, 116, 139), width=severity)
    return picture


def text_covered(stage: Stage, dice: random.Random, severity: int) -> Image.Image | None:
    """A patch of the ground's colour over letters."""
    if not (texts := words(stage)):
        return None
    picture = stage.shot()
    left, bottom, right, top = extent(dice.choice(texts))
    ground = picture.getpixel((max(0, round(left) - 2), min(picture.height - 1, round(picture.height - top))))
    share = of(severity, 0.25, 0.4, 0.6, 0.8, 1.0)
    box = (left, picture.height - top, left + (right - left) * share, picture.height - bottom)
    ImageDraw.Draw(picture).rectangle(box, fill=ground)
    return picture


def blot(stage: Stage, dice: random.Random, severity: int) -> Image.Image | None:
    """Something dark that fell on the paper."""
    picture = stage.shot()
    size = of(severity, 8, 14, 22, 36, 60)
    x, y = dice.uniform(0.1, 0.9) * picture.width, dice.uniform(0.1, 0.9) * picture.height
    ImageDraw.Draw(picture).ellipse((x - size / 2, y - size / 2, x + size / 2, y + size / 2), fill=(60, 60, 60))
    return picture


def cut_off(stage: Stage, dice: random.Random, severity: int) -> Image.Image | None:
    """One side is missing, and white paper is in its place."""
    picture = stage.shot()
    share = of(severity, 0.14, 0.2, 0.26, 0.33, 0.42)
    ground = picture.getpixel((0, 0))
    width, height = picture.size
    box = dice.choice([(0, 0, width * share, height), (width * (1 - share), 0, width, height)])
    ImageDraw.Draw(picture).rectangle(box, fill=ground)
    return picture


def rolled(stage: Stage, dice: random.Random, severity: int) -> Image.Image | None:
    """Everything stands beside its place and runs out on one side."""
    shift = round(of(severity, 12, 24, 48, 96, 160))
    grid = np.roll(np.asarray(stage.shot()), shift, axis=dice.choice((0, 1)))
    return Image.fromarray(grid)


def blurred(stage: Stage, dice: random.Random, severity: int) -> Image.Image | None:
    """Out of focus."""
    return stage.shot().filter(ImageFilter.GaussianBlur(of(severity, 2.5, 3.5, 5.0, 7.0, 10.0)))


def washed(stage: Stage, dice: random.Random, severity: int) -> Image.Image | None:
    """The whole picture is pale."""
    picture = stage.shot()
    return Image.blend(picture, Image.new("RGB", picture.size, "white"), of(severity, 0.5, 0.6, 0.7, 0.8, 0.92))


def doubled(stage: Stage, dice: random.Random, severity: int) -> Image.Image | None:
    """The same again, a little beside."""
    picture = stage.shot()
    other = Image.fromarray(np.roll(np.asarray(picture), round(of(severity, 6, 9, 14, 22, 34)), axis=1))
    return Image.blend(picture, other, 0.5)


def frame_over_all(stage: Stage, dice: random.Random, severity: int) -> Image.Image | None:
    """A frame painted last hides what is in it."""
    frames = [one for one in stage.tagged("group", texts=False) if isinstance(one, Polygon)]
    frames = [one for one in frames if str(one.get_gid()).split()[-1].isdigit()]
    if not frames:
        return None
    for frame in dice.sample(frames, min(severity, len(frames))):
        frame.set_zorder(1e6)
    return stage.shot()


def part_gone(stage: Stage, dice: random.Random, severity: int) -> Image.Image | None:
    """Parts of a drawing that is no graph were never painted."""
    big = [one for one in stage.tagged("part", texts=False) if isinstance(one, PathPatch) and _is_long(one)]
    if not big:
        return None
    for one in dice.sample(big, min(severity, len(big))):
        one.set_visible(False)
    return stage.shot()


def _is_long(line: PathPatch) -> bool:
    left, bottom, right, top = extent(line)
    return right - left > 40 * SCALE and top - bottom < 8 and bool(max(to_rgb(line.get_edgecolor())) < 0.7)


CLASSES: Mapping[str, Spoil] = {
    one.__name__: one
    for one in (
        *(text_shifted, text_swollen, text_faded, text_gone, text_altered, text_struck, text_covered),
        *(box_shifted, box_gone, box_over_text, frame_over_all),
        *(line_gone, line_cut, line_shifted, line_faded, line_added, head_gone, label_shifted, part_gone),
        *(blot, cut_off, rolled, blurred, washed, doubled),
    )
}
