"""Text metrics by matplotlib: which fonts, how wide a line is, where it breaks, what no font can draw.

DejaVu Sans comes with matplotlib and is first everywhere; after it whatever this machine has for CJK and symbols.
Only the worker imports this.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache

from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, fontManager, get_font
from matplotlib.text import Text

from layers.presentation.shown import KEPT, WIDE, shown

LINE_HEIGHT = 1.3
DPI = 144.0
"""Of measuring and of drawing: twice as many pixels as points."""
FALLBACKS = (
    "Noto Sans CJK SC", "Noto Sans CJK JP", "Source Han Sans SC", "WenQuanYi Zen Hei", "WenQuanYi Micro Hei",
    "Droid Sans Fallback", "IPAexGothic", "IPAGothic", "TakaoGothic", "NanumGothic", "UnDotum",
    "PingFang SC", "Hiragino Sans", "Apple SD Gothic Neo", "Microsoft YaHei", "Yu Gothic", "Malgun Gothic",
    "Noto Sans", "Noto Sans Arabic", "Noto Sans Hebrew", "Noto Sans Devanagari", "Noto Sans Thai", "Arial Unicode MS",
    "Noto Sans Symbols", "Noto Sans Symbols 2", "Noto Emoji", "Symbola", "Segoe UI Symbol", "FreeSans", "Unifont",
)  # fmt: skip
TOKEN = re.compile(r"\s+|[^\s/_.,:;|>)=&?-]+[/_.,:;|>)=&?-]*|[/_.,:;|>)=&?-]+")
HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
STRETCH = 1.5
TOFU = 1.15
"""Width of the box that stands for a missing character, in sizes; measured."""


@cache
def families() -> list[str]:
    """The font families to draw with, first choice first."""
    here = {entry.name for entry in fontManager.ttflist}
    return ["DejaVu Sans", *(name for name in FALLBACKS if name in here)]


@cache
def properties(size: float, bold: bool = False, italic: bool = False) -> FontProperties:
    """What to hand to matplotlib. Weight and slant fall back with the family."""
    weight = "bold" if bold else "normal"
    return FontProperties(family=families(), size=size, weight=weight, style="italic" if italic else "normal")


@cache
def _renderer() -> RendererAgg:
    return RendererAgg(8, 8, DPI)  # type: ignore[no-untyped-call]


@lru_cache(maxsize=8192)
def width(text: str, size: float, bold: bool = False) -> float:
    """Points that `text` takes on one line. What no font has is not measured: looking for it takes 4 ms each."""
    known = "".join(character for character in text if can_draw(character))
    pixels, _, _ = _renderer().get_text_width_height_descent(known, properties(size, bold), ismath=False)  # type: ignore[no-untyped-call]
    return float(pixels) * 72 / DPI + TOFU * size * (len(text) - len(known))


@lru_cache(maxsize=8192)
@lru_cache(maxsize=4096)
def descent(text: str, size: float, bold: bool = False, italic: bool = False) -> float:
    """Points from the baseline down to the lower end of the extent that matplotlib reports for one line."""
    artist = Text(0, 0, text, fontproperties=properties(size, bold, italic), va="baseline", parse_math=False)
    artist.set_figure(_figure())
    return -float(artist.get_window_extent().y0) * 72 / DPI


@cache
def _figure() -> Figure:
    figure = Figure(dpi=DPI)
    FigureCanvasAgg(figure)
    return figure


@lru_cache(maxsize=8192)
def can_draw(character: str) -> bool:
    """True when one of the families has a glyph for it."""
    paths = fontManager._find_fonts_by_props(properties(12.0))
    if character.isspace() or character in KEPT or is_selector(character):
        return True
    return any(get_font(path).get_char_index(ord(character)) for path in paths)


def is_selector(character: str) -> bool:
    """A variation selector: it asks for a look of the character before it and has none itself."""
    return "\ufe00" <= character <= "\ufe0f"


def undrawable(text: str) -> str:
    """The characters of `text` that no family has, each once."""
    return "".join(character for character in dict.fromkeys(text) if not can_draw(character))


def wrap(text: str, most: float, size: float, bold: bool = False) -> tuple[str, ...]:
    """Break `text` into lines of at most `most` points; the author's own line breaks stay.

    A long word may widen its line by `STRETCH` before it is broken, first at its humps (camelCase). Lines get equal
    lengths as far as that needs no further line: calmer than one long line and a stray word.
    """
    lines: list[str] = []
    for line in shown(text).split("\n"):
        widths = [width(piece.rstrip(), size, bold) for piece in _parted(line, most * STRETCH, size, bold)]
        longest = max(widths, default=0.0)
        room = max(most, longest) if longest <= most * STRETCH else most
        tokens = _tokens(line, room, size, bold)
        broken = _fill(tokens, room, size, bold)
        floor = max((width(token, size, bold) for token in tokens), default=0.0)
        while len(broken) > 1 and (room := room * 0.92) >= max(floor, most * 0.55):
            tighter = _fill(tokens, room, size, bold)
            if len(tighter) > len(broken):
                break
            broken = tighter
        lines += broken
    return tuple(lines)


def _parted(line: str, most: float, size: float, bold: bool) -> Iterator[str]:
    """Its words; the humps of those that are longer than `most`."""
    for word in TOKEN.findall(line):
        yield from HUMP.split(word) if width(word, size, bold) > most else [word]


def _fill(tokens: list[str], most: float, size: float, bold: bool) -> list[str]:
    lines, current = [], ""
    for token in tokens:
        if current and width((current + token).rstrip(), size, bold) > most:
            lines.append(current.rstrip())
            current = "" if token.isspace() else token
        else:
            current += token
    return [*lines, current.rstrip()] if current.strip() or not lines else lines


def _tokens(line: str, most: float, size: float, bold: bool) -> list[str]:
    """Pieces between which a line may break: words, path parts, CJK characters, and slices of what is too long."""
    pieces: list[str] = []
    for word in TOKEN.findall(line):
        if WIDE.search(word):
            pieces += _slices(word, most, size, bold)
        elif width(word, size, bold) > most:
            for hump in HUMP.split(word):
                pieces += _slices(hump, most, size, bold)
        else:
            pieces.append(word)
    return pieces


def _slices(word: str, most: float, size: float, bold: bool) -> list[str]:
    pieces, current = [], ""
    for character in word:
        combines = unicodedata.combining(character) or unicodedata.category(character) == "Po"
        breaks = WIDE.match(character) or (current and WIDE.match(current[-1]))
        if current and not combines and (breaks or width(current + character, size, bold) > most):
            pieces.append(current)
            current = ""
        current += character
    return [*pieces, current] if current else pieces
