"""The colours: a `Tone` and an accent in, a shade out; one theme on white, one on near-black. Pure.

Contrast is that of WCAG 2: text has 4.5 to 1 or more on whatever this puts behind it, and the strong accents have 3 to
1 on the paper. The accents follow Okabe and Ito's order (2008), shifted until both hold; tests measure them as people
with the three kinds of colour blindness see them. Colour repeats what shape, place or word say; it never says more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from layers.presentation.scene import Outline, Special, Tone
from layers.presentation.spec import Shape

HEAT_STEPS = 11


class Accent(NamedTuple):
    """One colour in four strengths."""

    soft: str
    """Behind text."""
    rim: str
    """A line around `soft`."""
    strong: str
    """Bars, curves, slices."""
    on_strong: str
    """Text on `strong`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """Every shade that a drawing may have."""

    name: str
    tones: dict[Tone, str]
    accents: tuple[Accent, ...]
    """Accent 1 is the first; accent 0 is `calm`."""
    calm: Accent
    shapes: dict[Outline, Accent]
    """Of outlines that mean something; `calm` for the rest."""
    groups: tuple[str, ...]
    """Ground of a frame, by its depth."""
    group_line: str
    shadow: str
    heat: tuple[str, str]
    """The ends of the one-coloured scale."""

    def shade(self, tone: Tone, accent: int = 0) -> str:
        """What to paint with."""
        match tone:
            case Tone.SOFT:
                return self.accent(accent).soft
            case Tone.RIM:
                return self.accent(accent).rim
            case Tone.STRONG:
                return self.accent(accent).strong
            case Tone.ON_STRONG:
                return self.accent(accent).on_strong
            case Tone.HEAT:
                return mixed(*self.heat, accent / (HEAT_STEPS - 1))
            case Tone.ON_HEAT:
                ground = mixed(*self.heat, accent / (HEAT_STEPS - 1))
                return max((WHITE, BLACK), key=lambda ink: contrast(ink, ground))
            case _:
                return self.tones[tone]

    def accent(self, number: int) -> Accent:
        """Accent `number`; they begin again after the last."""
        return self.accents[(number - 1) % len(self.accents)] if number else self.calm

    def of_shape(self, shape: Outline, accent: int) -> Accent:
        """How a node is painted."""
        return self.accent(accent) if accent else self.shapes.get(shape, self.calm)

    def group(self, depth: int) -> str:
        """The ground of a frame."""
        return self.groups[min(depth, len(self.groups) - 1)]


def _rgb(shade: str) -> tuple[int, int, int]:
    return int(shade[1:3], 16), int(shade[3:5], 16), int(shade[5:7], 16)


def mixed(one: str, other: str, share: float) -> str:
    """`share` of `other` in `one`, 0 to 1."""
    share = min(1.0, max(0.0, share))
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in zip(_rgb(one), _rgb(other), strict=True))


def luminance(shade: str) -> float:
    """Relative luminance by WCAG 2, 0 to 1."""
    parts = [part / 255 for part in _rgb(shade)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2: 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _shapes(decision: Accent, terminal: Accent, store: Accent, data: Accent) -> dict[Outline, Accent]:
    return {
        Shape.DIAMOND: decision,
        Shape.HEXAGON: decision,
        Special.CHOICE: decision,
        Shape.STADIUM: terminal,
        Shape.CIRCLE: terminal,
        Shape.DOUBLE_CIRCLE: terminal,
        Shape.CYLINDER: store,
        Shape.DOCUMENT: data,
        Shape.LEAN_LEFT: data,
        Shape.LEAN_RIGHT: data,
        Shape.FLAG: data,
    }


WHITE, NIGHT, BLACK = "#ffffff", "#10151f", "#04060a"

LIGHT = Theme(
    name="light",
    tones={
        Tone.PAPER: WHITE,
        Tone.INK: "#1e293b",
        Tone.MUTED: "#526077",
        Tone.LINE: "#64748b",
        Tone.HAIR: "#d5dce6",
        Tone.THREAD: "#aab6c7",
        Tone.BAND: "#f4f6fa",
        Tone.DEEP_BAND: "#e8edf5",
        Tone.CARD: "#eef3fd",
        Tone.CARD_LINE: "#8aa5dd",
        Tone.NOTE: "#fdf6dc",
        Tone.NOTE_LINE: "#d9c077",
        Tone.ALERT: "#b4232c",
        Tone.ALERT_SOFT: "#fdecec",
    },
    accents=(
        Accent("#e6effb", "#7ba4dc", "#4a64b4", WHITE),
        Accent("#fdf0e0", "#dfa866", "#d38104", "#14202f"),
        Accent("#e2f4ee", "#6fbda1", "#0b7b5a", WHITE),
        Accent("#f9e9f2", "#d794bb", "#ba498d", WHITE),
        Accent("#e5f4fb", "#74bcdc", "#4b9bc9", "#14202f"),
        Accent("#efeaf9", "#a792da", "#3c2e93", WHITE),
        Accent("#f7f3d9", "#c6b552", "#7b6f02", WHITE),
        Accent("#eceff3", "#9aa7b8", "#4e5163", WHITE),
    ),
    calm=Accent("#eef3fd", "#8aa5dd", "#3d66b8", WHITE),
    shapes=_shapes(
        Accent("#fdf4e0", "#d9ac53", "#9a6b00", WHITE),
        Accent("#e8f6ee", "#6fb58c", "#227a4a", WHITE),
        Accent("#f2eefc", "#a08bd8", "#5b3fa5", WHITE),
        Accent("#e6f5f7", "#62aebb", "#1a7384", WHITE),
    ),
    groups=("#f6f8fb", "#eef2f7", "#e6ebf3"),
    group_line="#d4dce7",
    shadow="#0f172a",
    heat=("#eef4fc", "#12427e"),
)

DARK = Theme(
    name="dark",
    tones={
        Tone.PAPER: NIGHT,
        Tone.INK: "#e6ebf4",
        Tone.MUTED: "#a6b1c4",
        Tone.LINE: "#8b98ae",
        Tone.HAIR: "#323d50",
        Tone.THREAD: "#56637a",
        Tone.BAND: "#171e2b",
        Tone.DEEP_BAND: "#202a3b",
        Tone.CARD: "#1b2740",
        Tone.CARD_LINE: "#5877b3",
        Tone.NOTE: "#2f2a17",
        Tone.NOTE_LINE: "#8f7c3c",
        Tone.ALERT: "#ff8f8f",
        Tone.ALERT_SOFT: "#3a1c22",
    },
    accents=(
        Accent("#182c47", "#4a7ab8", "#3d85c9", "#0c1420"),
        Accent("#38280f", "#a8742a", "#e89c34", "#0c1420"),
        Accent("#10302a", "#2f8a6d", "#21b384", "#0c1420"),
        Accent("#381f30", "#a55e8b", "#ce7faf", "#0c1420"),
        Accent("#132f3d", "#3a88a8", "#86d7fa", "#0c1420"),
        Accent("#271f42", "#7a66b5", "#aa97fc", "#0c1420"),
        Accent("#302c10", "#8d8130", "#f0da60", "#0c1420"),
        Accent("#252c38", "#6c7a8e", "#c2c5cf", "#0c1420"),
    ),
    calm=Accent("#1b2740", "#5877b3", "#7ea6ee", "#0c1420"),
    shapes=_shapes(
        Accent("#352a12", "#a07d34", "#e0b34c", "#0c1420"),
        Accent("#142f22", "#3f8a60", "#62c48e", "#0c1420"),
        Accent("#271f42", "#7a66b5", "#a58df0", "#0c1420"),
        Accent("#12303a", "#3a8796", "#62bccb", "#0c1420"),
    ),
    groups=("#161d2a", "#1c2534", "#232e40"),
    group_line="#35425a",
    shadow="#000000",
    heat=("#182740", "#a9d2ff"),
)

THEMES = {theme.name: theme for theme in (LIGHT, DARK)}
