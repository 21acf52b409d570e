"""Mermaid's own drawings in a browser, for comparison: how often its edges cross. Needs npm, chromium and a network."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import TypedDict

from playwright.sync_api import Error, Page, sync_playwright

from layers.presentation.geometry import crossings
from layers.presentation.graph import Graph
from layers.presentation.scene import EdgeMark
from layers.presentation.spec import Head, Line

VERSION = "11.17.2"
INSTALL_S = 300
RENDER_MS = 20_000
SAMPLES = 60
READ = """
async ([text, id, samples]) => {
  const { svg } = await mermaid.render(id, text);
  const holder = document.getElementById("holder");
  holder.innerHTML = svg;
  const lines = [...holder.querySelectorAll("path.flowchart-link")].map((path) => {
    const length = path.getTotalLength();
    const matrix = path.getCTM();
    return Array.from({ length: samples + 1 }, (_, n) => {
      const at = path.getPointAtLength(length * n / samples).matrixTransform(matrix);
      return [at.x, at.y];
    });
  });
  holder.innerHTML = "";
  return { lines };
}
"""


class Read(TypedDict):
    """What the browser tells of one drawing."""

    lines: list[list[tuple[float, float]]]


def crossings_of_mermaid(folder: Path, graphs: Mapping[str, Graph]) -> dict[str, int]:
    """Mermaid text to how often its edges cross. Only those that show all edges; empty where Mermaid cannot run."""
    chromium, script = shutil.which("chromium"), _script(folder)
    if chromium is None or script is None:
        return {}
    found = {}
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(RENDER_MS)
        page.set_content("<div id=holder></div>")
        page.add_script_tag(path=str(script))
        page.evaluate("mermaid.initialize({ startOnLoad: false })")
        for number, (text, graph) in enumerate(graphs.items()):
            lines = _lines(page, text, number)
            if lines is not None and len(lines) == len([edge for edge in graph.edges if edge.style is not Line.HIDDEN]):
                found[text] = _crossings(lines)
        browser.close()
    return found


def _script(folder: Path) -> Path | None:
    npm = shutil.which("npm")
    if npm is None:
        return None
    command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", f"mermaid@{VERSION}"]
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=INSTALL_S)
    except (subprocess.SubprocessError, OSError):
        return None
    return folder / "node_modules" / "mermaid" / "dist" / "mermaid.min.js"


def _lines(page: Page, text: str, number: int) -> list[list[tuple[float, float]]] | None:
    try:
        read: Read = json.loads(json.dumps(page.evaluate(READ, [text, f"d{number}", SAMPLES])))
    except Error:
        return None
    return [[(x, y) for x, y in line] for line in read["lines"]]


def _crossings(lines: list[list[tuple[float, float]]]) -> int:
    """With the same counting as ours: the curve of a mark is its points, straight between them."""
    marks = [_mark(line) for line in lines]
    return sum(crossings(one, other) for n, one in enumerate(marks) for other in marks[n + 1 :])


def _mark(line: list[tuple[float, float]]) -> EdgeMark:
    curve = [line[0]]
    for start, end in pairwise(line):
        curve += [start, end, end]
    return EdgeMark("", "", tuple(curve), (None, None), Line.SOLID, (Head.NONE, Head.NONE))
