"""Draws one diagram of each kind as a phone shows it, and puts them on one sheet: `make gallery`, or
`python -m docs.gallery [FOLDER]`.

Writes `gallery-light.webp` and `gallery-dark.webp`; into a FOLDER also each picture by itself, as PNG and SVG. On the
sheet every picture is 360 pixels wide, at which it must be legible without zoom.
"""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path

from PIL import Image

from docs.specimens import specimens
from layers.presentation.drawing import DARK, LIGHT, Theme, draw, draw_svg, plan
from layers.presentation.graph import graph_of
from layers.presentation.layout import lay_out
from layers.presentation.rules import alternative
from layers.presentation.scene import Scene, Tone
from layers.presentation.spec import DiagramSpec

HERE = Path(__file__).parent
PHONE = 360
"""Css pixels."""
COLUMNS = 5
GAP = 12
QUALITY = 82
"""Of the sheet's WebP: a quarter of a PNG's bytes, and no difference to the eye."""


def scenes(spec: DiagramSpec) -> tuple[Scene, ...]:
    """Every page."""
    return (lay_out(spec),) if graph_of(spec) is not None else plan(spec)


def picture(png: bytes) -> Image.Image:
    """At the width of a phone."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    return image.resize((PHONE, round(image.height * PHONE / image.width)), Image.Resampling.LANCZOS)


def sheet(pictures: list[Image.Image], paper: str) -> Image.Image:
    """In columns; each picture goes where the column is shortest."""
    heights = [GAP] * COLUMNS
    places = []
    for one in pictures:
        column = heights.index(min(heights))
        places.append((GAP + column * (PHONE + GAP), heights[column]))
        heights[column] += one.height + GAP
    whole = Image.new("RGB", (GAP + COLUMNS * (PHONE + GAP), max(heights)), paper)
    for one, place in zip(pictures, places, strict=True):
        whole.paste(one, place)
    return whole


def gallery(theme: Theme, folder: Path, *, has_singles: bool) -> None:
    """One sheet and, where wished for, its single pictures."""
    pictures = []
    for name, spec in specimens().items():
        for number, scene in enumerate(scenes(spec), 1):
            png, _ = draw(scene, theme)
            pictures.append(picture(png))
            if not has_singles:
                continue
            stem = f"{name.replace(' ', '-')}-{number}-{theme.name}"
            (folder / f"{stem}.png").write_bytes(png)
            (folder / f"{stem}.svg").write_bytes(draw_svg(scene, theme, alt=alternative(spec)))
    path = folder / f"gallery-{theme.name}.webp"
    sheet(pictures, theme.shade(Tone.DEEP_BAND)).save(path, quality=QUALITY, method=6)
    sys.stdout.write(f"{path}: {len(pictures)} pictures, {path.stat().st_size // 1000} kB\n")


def main() -> None:
    """Both themes."""
    reader = argparse.ArgumentParser(prog="python -m docs.gallery", description="Every kind of picture.")
    reader.add_argument("folder", nargs="?", type=Path, metavar="FOLDER", help="each picture as a file of its own, too")
    folder: Path | None = reader.parse_args().folder
    (folder or HERE).mkdir(parents=True, exist_ok=True)
    for theme in (LIGHT, DARK):
        gallery(theme, folder or HERE, has_singles=folder is not None)


if __name__ == "__main__":
    main()
