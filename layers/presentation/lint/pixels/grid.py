"""A picture as numbers: colours, which pixels are ground and which are ink, and points to pixels."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image as Pictures

from layers.presentation.scene import Point, Rect, Scene

Colours = npt.NDArray[np.int16]
"""Height, width, RGB."""
Points = npt.NDArray[np.float64]
"""A row of x and y for each."""
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
    near_ink: Mask
    """Ink, and the pixels next to it."""
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

    def colours_at(self, points: Points) -> Colours:
        """A row of RGB for each point; of the nearest pixel where a point lies outside."""
        found: Colours = self.colours[self._pixels(points)]
        return found

    def luminances(self, points: Points) -> npt.NDArray[np.float64]:
        """Relative luminance at each point."""
        luminances: npt.NDArray[np.float64] = _LINEAR[self.colours_at(points)] @ _WEIGHTS
        return luminances

    def are_inked(self, points: Points) -> Mask:
        """For each point, whether there is ink within a pixel."""
        found: Mask = self.near_ink[self._pixels(points)]
        return found

    def _pixels(self, points: Points) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        rows = np.rint(self.height - points[:, 1] * self.scale).astype(np.int64)
        columns = np.rint(points[:, 0] * self.scale).astype(np.int64)
        return rows.clip(0, self.height - 1), columns.clip(0, self.width - 1)


def read(png: bytes, scene: Scene) -> Image:
    """The picture, measured in the scene's points."""
    with Pictures.open(io.BytesIO(png)) as opened:
        colours = np.asarray(opened.convert("RGB"), dtype=np.int16)
    ink = _ink(colours)
    return Image(colours, ink, grown(ink, 1), colours.shape[1] / max(scene.width, 1.0))


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
        for here, there in _pairs(out, mask, by, axis):
            here &= there
    return out


def _reached(packed: npt.NDArray[np.int32], ground: Mask, axis: int) -> Mask:
    """Ground, and what has the colour of the ground within reach."""
    out = ground.copy()
    for by in range(1, REACH + 2):
        ((one, other),) = _pairs(packed, packed, by, axis, both=False)
        alike = one == other
        forth, back = _pairs(out, ground, by, axis)
        for here, there in (forth, back):
            here |= there & alike
    return out


def _pairs(
    out: npt.NDArray[Any], grid: npt.NDArray[Any], by: int, axis: int, *, both: bool = True
) -> list[tuple[npt.NDArray[Any], npt.NDArray[Any]]]:
    """Views of `out`, each with the view of `grid` that lies `by` before it along `axis`; and that lies `by` behind."""
    late, early = (np.s_[by:], np.s_[:-by]) if axis == 0 else (np.s_[:, by:], np.s_[:, :-by])
    return [(out[late], grid[early]), (out[early], grid[late])][: 2 if both else 1]


def grown(mask: Mask, by: int) -> Mask:
    """With everything within `by` pixels, along both axes."""
    out = mask.copy()
    for axis in (0, 1):
        at = out.copy()
        for step in range(1, by + 1):
            for here, there in _pairs(out, at, step, axis):
                here |= there
    return out


_CHANNEL = np.arange(256) / 255
_LINEAR = np.where(_CHANNEL <= 0.04045, _CHANNEL / 12.92, ((_CHANNEL + 0.055) / 1.055) ** 2.4)
"""Each value of a channel without its gamma (WCAG 2, relative luminance)."""
_WEIGHTS = np.array([0.2126, 0.7152, 0.0722])


def contrast(one: npt.NDArray[np.floating], other: npt.NDArray[np.floating]) -> float:
    """WCAG 2: 1 to 21."""
    found = [_LINEAR[np.rint(colour).astype(np.int64)] @ _WEIGHTS for colour in (one, other)]
    return float(contrasts(found[0], found[1]))


def contrasts(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The same of luminances."""
    found: npt.NDArray[np.float64] = (np.maximum(one, other) + 0.05) / (np.minimum(one, other) + 0.05)
    return found
