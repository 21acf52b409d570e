"""A spec made into pictures: `made` takes a spec, gives its pages drawn and judged. Only the worker imports this.

Graphs go through `layout`, the other kinds through `drawing.plan`; both come back as scenes, one for each page.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from layers.errors import Refused
from layers.presentation.drawing import DARK, LIGHT, THEMES, draw, draw_svg, plan
from layers.presentation.graph import Graph, graph_of, words_of
from layers.presentation.judge.readback import links_of, texts_on
from layers.presentation.layout import laid_out, smallest_css
from layers.presentation.lint import lint, missing_text
from layers.presentation.lint.pixels import inspect
from layers.presentation.rules import LONGEST_ALT, alternative
from layers.presentation.scene import Scene
from layers.presentation.spec import DiagramSpec
from layers.presentation.symbols import in_words
from layers.presentation.types import Finding
from layers.presentation.wire import DrawnPage
from layers.presentation.words import page_in_words

DARK_WITHIN_CPU_S = 3.0
"""What took longer gets no dark twin: that is a courtesy, and the budget is for the picture."""
LEAST_CSS = 7.0
"""Css pixels that text keeps on a phone: what is smaller is not delivered."""


@dataclass(frozen=True, slots=True)
class Made:
    """What a spec became."""

    pages: tuple[DrawnPage, ...]
    findings: tuple[Finding, ...]
    """Of all pages, errors first; with several, each says of which."""
    pngs: tuple[bytes, ...]
    svg: bytes
    """The whole in one drawing; empty where one page is the whole, unless it was asked for."""
    engine: str
    """Which layout engine placed the whole; empty where none was needed."""
    darks: tuple[bytes, ...] = ()
    """The pages in the dark theme, if asked for, and if nothing is wrong with them that is not with the others."""


@dataclass(frozen=True, slots=True)
class _Planned:
    scene: Scene
    wanted: Graph | DiagramSpec
    """What the scene must show."""
    alt: str = ""


def made(
    spec: DiagramSpec, rank: int = 0, *, is_paged: bool = True, has_dark: bool = False, has_svg: bool = False
) -> Made:
    """Laid out, drawn and judged. `rank` 1 takes the second best layout.

    Raises:
        Refused: no phone shows it legibly, on however many pages.
    """
    began = time.process_time()
    spec, replaced = in_words(spec)
    pages, whole = _planned(spec, rank, is_paged=is_paged)
    pngs, told, findings = [], [], [*replaced, *_missing(pages, spec)]
    theme = THEMES[spec.theme or LIGHT.name]
    for number, page in enumerate(pages, start=1):
        png, scene = draw(page.scene, theme)
        pixels = scene.pixels
        width, height = (pixels.width, pixels.height) if pixels else (0, 0)
        pngs.append(png)
        links = links_of(page.wanted) if len(pages) == 1 or isinstance(page.wanted, Graph) else []
        texts = texts_on(scene)
        told.append(DrawnPage(width=width, height=height, alt=page.alt, texts=tuple(texts), links=tuple(links)))
        found = (*lint(scene, page.wanted, is_page=len(pages) > 1), *inspect(png, scene))
        findings += found if len(pages) == 1 else [replace(one, text=f"page {number}: {one.text}") for one in found]
    findings.sort(key=lambda finding: finding.severity != "error")
    svg = draw_svg(whole, theme, alt=alternative(spec)) if len(pages) > 1 or has_svg else b""
    has_time = time.process_time() - began < DARK_WITHIN_CPU_S
    darks = _dark(pages) if has_dark and has_time and theme is not DARK and _passes(findings) else ()
    return Made(tuple(told), tuple(findings), tuple(pngs), svg, whole.engine, darks)


def _dark(pages: Sequence[_Planned]) -> tuple[bytes, ...]:
    """Every page in the dark theme; none where the pixels of one do not pass. The geometry is that of the others."""
    pngs = []
    for page in pages:
        png, scene = draw(page.scene, DARK)
        if not _passes(inspect(png, scene)):
            return ()
        pngs.append(png)
    return tuple(pngs)


def _passes(findings: Sequence[Finding]) -> bool:
    return all(finding.severity != "error" for finding in findings)


def _planned(spec: DiagramSpec, rank: int, *, is_paged: bool) -> tuple[Sequence[_Planned], Scene]:
    """The pages, and the whole as one."""
    graph = graph_of(spec)
    if graph is None:
        scenes = plan(spec, is_paged=is_paged)
        whole = scenes[0] if len(scenes) == 1 else plan(spec, is_paged=False)[0]
        is_one = len(scenes) == 1
        return [_Planned(scene, spec, "" if is_one else page_in_words(scene)[:LONGEST_ALT]) for scene in scenes], whole
    pages = laid_out(graph, rank, is_paged=is_paged)
    is_one = len(pages.shown) == 1
    if is_paged:
        _refuse_illegible([page.scene for page in pages.shown])
    planned = [_Planned(page.scene, page.graph, "" if is_one else words_of(page.graph)) for page in pages.shown]
    return planned, pages.whole.scene


def _refuse_illegible(scenes: Sequence[Scene]) -> None:
    css = min(map(smallest_css, scenes))
    if css < LEAST_CSS:
        where = f"even on {len(scenes)} pages" if len(scenes) > 1 else "and it cannot be paged"
        raise Refused(
            f"On a phone the smallest text would be {css:.1f} pixels high and must be {LEAST_CSS:g}, {where}: too much"
            " hangs together here. Leave out edges, shorten labels, or split the diagram into several."
        )


def _missing(pages: Sequence[_Planned], spec: DiagramSpec) -> Sequence[Finding]:
    """Words that are on none of several pages; on one page the lint looks for them itself."""
    if len(pages) == 1 or isinstance(pages[0].wanted, Graph):
        return ()
    return tuple(missing_text([page.scene for page in pages], spec))
