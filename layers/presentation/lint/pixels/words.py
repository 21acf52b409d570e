"""Text in the pixels: each letter can be seen against its ground, none is covered, and nothing runs through them.

The glyphs that should be there are drawn once more, alone, at the same places: a mask that says for every pixel how
much of it is letter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Affine2D

from layers.presentation import fonts
from layers.presentation.lint.finding import error
from layers.presentation.lint.pixels.grid import Image, Mask, contrast, grown
from layers.presentation.scene import Scene, TextMark
from layers.presentation.types import Finding, Repair

LEAST_CONTRAST = 4.5
"""WCAG 2.2, 1.4.3."""
GONE = 1.25
"""A contrast that nobody sees."""
CORE, TRACE = 0.85, 0.04
"""Shares of a pixel that are letter: surely inside, and nothing at all."""
DARKEST = 60.0
"""Percentile from which letters show their full ink; the rest is antialiased."""
MOST_COVERED = 0.1
"""Share of a text's letters that may differ from its ink."""
OFF = 2
"""Pixels by which the letters may stand beside the place that was worked out for them."""
RING = 3
"""Pixels around the letters in which nothing else may be."""
MOST_FOREIGN = 14
"""Pixels of something else close to the letters: a hair line across a few of them."""
LEAST_GAPS, RULED = 3, 0.8
"""Pixels between letters in one row, and the share of them that a line through the letters darkens."""
ASCENT = 0.8
"""Of the size: how far letters reach up."""
LEAST_COVER = 0.2
SEEN = 0.3
"""Share of the way from ground to ink that counts as foreign ink."""
LEAST_STEP = 44
"""Of a colour channel: paler than this beside a letter disturbs nobody."""

PACKED = np.array([65536, 256, 1], dtype=np.int32)
"""What a colour's channels count in a number that stands for it."""

Coverage = npt.NDArray[np.float32]


def judge(image: Image, scene: Scene) -> Iterator[Finding]:
    """One finding at most for each text."""
    texts = [(name, text) for name, text in scene.texts() if any(line.strip() for line in text.lines)]
    letters = _coverage(image, scene, [text for _, text in texts])
    for name, text in texts:
        yield from _judged(image, letters, name, text)


def _judged(image: Image, letters: Coverage, name: str, text: TextMark) -> Iterator[Finding]:
    rows, columns = image.window(text.box.inset(-(RING + OFF) / image.scale))
    cover, seen = letters[rows, columns], image.colours[rows, columns].astype(np.float64)
    if not (cover >= LEAST_COVER).any():
        return  # nothing of this text lies on the paper; canvas_clip says so
    clear = cover < TRACE
    ground = _commonest(seen[clear]) if clear.any() else np.median(seen, axis=(0, 1))
    away = np.abs(seen - ground).max(axis=2)
    cover = _aligned(cover, away)
    for line in _rows_of_lines(image, text, rows.start):
        part = _Part(seen[line], cover[line], ground, away[line])
        if (cover[line] >= LEAST_COVER).any() and (found := _wrong(part, name, text)) is not None:
            yield found
            return


@dataclass(frozen=True, slots=True)
class _Part:
    """The pixels around one line of a text."""

    seen: npt.NDArray[np.float64]
    cover: Coverage
    ground: npt.NDArray[np.float64]
    away: npt.NDArray[np.float64]
    """How far each pixel is from the ground."""


def _wrong(part: _Part, name: str, text: TextMark) -> Finding | None:
    """The worst that is to be said of one line."""
    seen, cover, ground, away = part.seen, part.cover, part.ground, part.away
    core = cover >= min(CORE, float(cover.max()))
    darkest = core & (away >= np.percentile(away[core], DARKEST))
    ink = np.median(seen[darkest], axis=0)
    ratio = contrast(ink, ground)
    if ratio < LEAST_CONTRAST:
        rule, words = ("hidden_text", "cannot be seen") if ratio < GONE else ("contrast", "is too pale for its ground")
        measured = (ratio, LEAST_CONTRAST)
        words = f"the text of {name!r} {words}"
        return error(rule, (name,), words, box=text.box, measured=measured, repair=Repair.RECOLOUR)
    step = np.abs(ink - ground).max()
    covered = float((_strongest_near(away)[core] < 0.5 * step).mean())
    if covered > MOST_COVERED:
        words, measured = f"{covered:.0%} of the text of {name!r} is covered or missing", (covered, MOST_COVERED)
        return error("hidden_text", (name,), words, box=text.box, measured=measured, repair=Repair.REDRAW)
    least = max(LEAST_STEP, SEEN * step)
    foreign = _foreign(seen, cover, ground, least)
    if text.underlined:
        foreign = _without_rules(foreign)
    count = int(foreign.sum())
    if count > MOST_FOREIGN or (not text.underlined and _is_ruled(cover, away > least)):
        words, measured = f"something runs through the text of {name!r}", (count, MOST_FOREIGN)
        return error("struck_text", (name,), words, box=text.box, measured=measured, repair=Repair.MOVE_LABEL)
    return None


def _rows_of_lines(image: Image, text: TextMark, top: int) -> Iterator[slice]:
    """Where each line is in the window that begins at row `top`."""
    for _, baseline, line in _lines(text):
        low = baseline - fonts.descent(line, text.size, text.bold, text.italic)
        highest, _ = image.at((0.0, baseline + text.size * ASCENT))
        lowest, _ = image.at((0.0, low))
        yield slice(max(0, highest - OFF - top), max(0, lowest + OFF - top) + 1)


def _is_ruled(cover: Coverage, is_dark: Mask) -> bool:
    """True when a hair line runs through all letters: in one row every gap between them is dark."""
    columns = np.nonzero((cover > TRACE).any(axis=0))[0]
    rows = np.nonzero((cover > 0.5).any(axis=1))[0]
    if not len(columns) or not len(rows):
        return False
    inner = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    gaps = ~grown(cover > TRACE, 1)[inner]
    dark = (gaps & is_dark[inner]).sum(axis=1)
    many = gaps.sum(axis=1)
    return bool(((many >= LEAST_GAPS) & (dark >= RULED * many)).any())


def _foreign(seen: npt.NDArray[np.float64], cover: Coverage, ground: npt.NDArray[np.float64], step: float) -> Mask:
    """Pixels close to the letters that are neither letter nor ground."""
    near = grown(cover > 0.5, RING) & ~grown(cover > TRACE, 1)
    foreign: Mask = near & (np.abs(seen - ground).max(axis=2) > step)
    return foreign


def _aligned(cover: Coverage, away: npt.NDArray[np.float64]) -> Coverage:
    """The mask where the letters really are: they are set on whole pixels, and which way is rounded is not known."""
    shifts = [(dy, dx) for dy in range(-OFF, OFF + 1) for dx in range(-OFF, OFF + 1)]
    shifts.sort(key=lambda shift: abs(shift[0]) + abs(shift[1]))  # the nearest of equals
    shift = max(shifts, key=lambda shift: float((np.roll(cover, shift, (0, 1)) * away).sum()))
    return np.roll(cover, shift, (0, 1))


def _strongest_near(away: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The largest within a pixel: each line of a text is rounded by itself."""
    padded = np.pad(away, 1)
    rows, columns = away.shape
    moved = [padded[y : y + rows, x : x + columns] for y in range(3) for x in range(3)]
    strongest: npt.NDArray[np.float64] = np.maximum.reduce(moved)
    return strongest


def _without_rules(foreign: Mask) -> Mask:
    """Without rows that are full from side to side: the line under an underlined text."""
    kept: Mask = foreign & (foreign.mean(axis=1) < 0.3)[:, None]
    return kept


def _commonest(colours: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The most frequent colour."""
    packed = colours.astype(np.int32) @ PACKED  # one number for each: rows are sorted ten times as slowly
    found, counts = np.unique(packed, return_counts=True)
    commonest: npt.NDArray[np.float64] = found[counts.argmax()] // PACKED % 256.0
    return commonest


def _coverage(image: Image, scene: Scene, texts: list[TextMark]) -> Coverage:
    """How much of each pixel is letter, 0 to 1."""
    scale = image.scale
    figure = Figure(figsize=(scene.width / 72, scene.height / 72), dpi=scale * 72, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    points = Affine2D().scale(scale)
    for text in texts:
        for x, baseline, line in _lines(text):
            artist = Text(
                x,
                baseline,
                line,
                color="black",
                fontproperties=fonts.properties(text.size, text.bold, text.italic),
                horizontalalignment="left" if text.is_left else "right" if text.is_right else "center",
                verticalalignment="baseline",
                parse_math=False,
            )
            artist.set_transform(points)
            figure.add_artist(artist)
    canvas.draw()  # type: ignore[no-untyped-call]
    grey = np.asarray(canvas.buffer_rgba())[:, :, 0]  # type: ignore[no-untyped-call]
    out = np.zeros((image.height, image.width), dtype=np.float32)
    height, width = min(image.height, grey.shape[0]), min(image.width, grey.shape[1])
    out[:height, :width] = 1.0 - grey[:height, :width].astype(np.float32) / 255
    return out


def _lines(text: TextMark) -> Iterator[tuple[float, float, str]]:
    """Where each line was set, found back from the extent of them all."""
    step = text.size * fonts.LINE_HEIGHT
    shown = [(number, line) for number, line in enumerate(text.lines) if line.strip()]
    last, lowest = shown[-1]
    bottom = text.box.bottom + fonts.descent(lowest, text.size, text.bold, text.italic)
    x = text.box.left if text.is_left else text.box.right if text.is_right else text.box.centre[0]
    for number, line in shown:
        yield x, bottom + (last - number) * step, line
