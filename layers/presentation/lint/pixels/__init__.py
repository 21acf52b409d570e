"""The lint of pixels: a picture and the `Scene` that it claims to show in, findings out. Only the worker imports this.

The geometry rules believe the geometry. These hold it against the finished image: what should be seen is there, and
what is there should be. They know nothing of how the image was made, so a defect of the renderer, of a font or of
whatever touched the image later is found as well.
"""

from __future__ import annotations

from layers.presentation.lint.pixels import strays, strokes, words
from layers.presentation.lint.pixels.grid import Image, read
from layers.presentation.scene import Scene
from layers.presentation.types import Finding, Repair

OFF = 3.0
"""Pixels by which the height may differ from the scene's."""


def inspect(png: bytes, scene: Scene) -> tuple[Finding, ...]:
    """What the pixels tell against `scene`, errors first."""
    image = read(png, scene)
    off = abs(image.height - scene.height * image.scale)
    if off > OFF:
        text = f"the picture is {off:.0f} pixels higher or lower than its drawing: it was cut or stretched"
        return (Finding("picture_size", "error", (), text, None, off, OFF, Repair.REDRAW),)
    found = [*words.judge(image, scene), *strokes.judge(image, scene), *strays.judge(image, scene)]
    return tuple(sorted(found, key=lambda finding: finding.severity != "error"))


__all__ = ["Image", "inspect"]
