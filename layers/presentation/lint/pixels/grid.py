"""A picture as numbers: colours, which pixels are ground and which are ink, and points to pixels."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image as Pictures

from layers.presentation.scene import Point, Rect, Scene

Colours = npt.NDArray[np.int16]
"""Height, width, RGB."""
Mask = npt.NDArray[np.bool_]
REACH = 3
"""Pixels: what is not flat this far around is a line, a letter, or the edge of something."""
NEAR = 8
"""Steps of a colour channel that count as the same colour: rounding, and what JPEG does."""


@dataclass(frozen=True, slots=True)
class Image:
    """A picture of a scene."""

    colours: Colours
    ink: Mask
    """Pixels that belong to no flat ground, and those where two grounds meet."""
    scale: float
    """Pixels per point."""

    @property
    def height(self) -> int:
        """Pixels."""
        return int(self.colours.shape[0])

    @property
    def width(self) -> int:
        """Pixels."""
        return int(self.colours.shape[1])

    def at(self, point: Point) -> tuple[int, int]:
        """Row and column of a point, kept inside."""
        height, width, _ = self.colours.shape
        column = min(width - 1, max(0, round(point[0] * self.scale)))
        return min(height - 1, max(0, round(height - point[1] * self.scale))), column

    def window(self, box: Rect) -> tuple[slice, slice]:
        """Rows and columns of a rectangle."""
        top, left = self.at((box.left, box.top))
        bottom, right = self.at((box.right, box.bottom))
        return slice(top, bottom + 1), slice(left, right + 1)

    def is_inked(self, point: Point, slack: int = 1) -> bool:
        """True when there is ink within `slack` pixels."""
        row, column = self.at(point)
        return bool(self.ink[max(0, row - slack) : row + slack + 1, max(0, column - slack) : column + slack + 1].any())


def read(png: bytes, scene: Scene) -> Image:
    """The picture, measured in the scene's points."""
    with Pictures.open(io.BytesIO(png)) as opened:
        colours = np.asarray(opened.convert("RGB"), dtype=np.int16)
    return Image(colours, _ink(colours), colours.shape[1] / max(scene.width, 1.0))


def _ink(colours: Colours) -> Mask:
    """Everything but the inside of flat ground, where a flat pixel of the same colour is within `REACH`."""
    packed = _packed(colours)
    flat = _same(packed, 1)
    for axis in (0, 1):
        flat = _all_near(flat, axis)
    ground = flat
    for axis in (0, 1):
        ground = _reached(packed, ground, axis)
    return ~ground | ~_same(packed, 1)


def _packed(colours: Colours) -> npt.NDArray[np.int32]:
    wide = colours.astype(np.int32)
    return (wide[:, :, 0] << 16) | (wide[:, :, 1] << 8) | wide[:, :, 2]


def _same(packed: npt.NDArray[np.int32], step: int) -> Mask:
    """Pixels like their right and lower neighbour."""
    same = np.ones(packed.shape, dtype=np.bool_)
    same[:, :-step] &= packed[:, :-step] == packed[:, step:]
    same[:-step] &= packed[:-step] == packed[step:]
    return same


def _all_near(mask: Mask, axis: int) -> Mask:
    """True where all within `REACH` are."""
    out = mask.copy()
    for by in range(1, REACH + 1):
        out &= _moved(mask, by, axis, fill=True) & _moved(mask, -by, axis, fill=True)
    return out


def _reached(packed: npt.NDArray[np.int32], ground: Mask, axis: int) -> Mask:
    """Ground, and what has the colour of the ground within reach."""
    out = ground.copy()
    for by in range(1, REACH + 2):
        for way in (by, -by):
            alike = _moved(packed, way, axis, fill=-1) == packed
            out |= _moved(ground, way, axis, fill=False) & alike
    return out


def _moved(grid: npt.NDArray[Any], by: int, axis: int, *, fill: object) -> npt.NDArray[Any]:
    """`grid` moved along `axis`, with `fill` where nothing came."""
    out = np.full_like(grid, fill)
    kept, come = (slice(by, None), slice(None, -by)) if by > 0 else (slice(None, by), slice(-by, None))
    if axis == 0:
        out[kept] = grid[come]
    else:
        out[:, kept] = grid[:, come]
    return out


def grown(mask: Mask, by: int) -> Mask:
    """With everything within `by` pixels, along both axes."""
    out = mask.copy()
    for axis in (0, 1):
        at = out.copy()
        for step in range(1, by + 1):
            out |= _moved(at, step, axis, fill=False) | _moved(at, -step, axis, fill=False)
    return out


def luminance(colour: npt.NDArray[np.floating]) -> float:
    """Relative luminance by WCAG 2, 0 to 1."""
    red, green, blue = (_linear(float(part)) for part in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@lru_cache(maxsize=4096)
def _linear(part: float) -> float:
    """A channel, 0 to 255, without its gamma; kept, for a picture has few colours and asks thousands of times."""
    share = part / 255
    return share / 12.92 if share <= 0.04045 else float(((share + 0.055) / 1.055) ** 2.4)


def contrast(one: npt.NDArray[np.floating], other: npt.NDArray[np.floating]) -> float:
    """WCAG 2: 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)
