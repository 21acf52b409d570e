"""A contact sheet of real flowcharts, for a person's eyes: `--sheet FILE`. What the lint missed becomes a rule."""

from __future__ import annotations

import io
import random
import warnings
from pathlib import Path

from PIL import Image, ImageDraw

from benchmarks.presentation.layouts import graphs
from layers.presentation.drawing import draw
from layers.presentation.graph import Graph
from layers.presentation.layout import laid_out

COUNT = 60
SEED = 5
CELL, COLUMNS = (420, 520), 6
HEADER = 16


def contact_sheet(path: Path, seed: int = SEED, count: int = COUNT) -> int:
    """Write the sheet; how many pictures are on it. Of what takes several pages, its pages follow each other."""
    warnings.simplefilter("ignore")  # missing glyphs are findings
    found = graphs()
    chosen = random.Random(seed).sample(range(len(found)), min(count, len(found)))
    pictures = [picture for number in sorted(chosen) for picture in _pictures(number, found[number][2])]
    width, height = CELL
    rows = -(-len(pictures) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * width, rows * height), "#c8ccd2")
    pen = ImageDraw.Draw(sheet)
    for number, (name, picture) in enumerate(pictures):
        left, top = number % COLUMNS * width, number // COLUMNS * height
        picture.thumbnail((width - 6, height - HEADER - 4), Image.Resampling.LANCZOS)
        sheet.paste(picture, (left + 3, top + HEADER))
        pen.text((left + 4, top + 2), name, fill="black")
    sheet.save(path)
    return len(pictures)


def _pictures(number: int, graph: Graph) -> list[tuple[str, Image.Image]]:
    pages = laid_out(graph).shown
    return [
        (f"#{number} page {at}/{len(pages)}", Image.open(io.BytesIO(draw(page.scene)[0])).convert("RGB"))
        for at, page in enumerate(pages, start=1)
    ]
