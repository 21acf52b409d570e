"""The tables of Mermaid's shapes and arrows."""

from __future__ import annotations

import re
from typing import NamedTuple

from layers.presentation.spec import Head, Line, Shape


class Bracket(NamedTuple):
    """A pair that frames a label in Mermaid."""

    opens: str
    closes: tuple[tuple[str, Shape], ...]
    """Each closing text and the shape it makes."""


BRACKETS = (
    Bracket("(((", ((")))", Shape.DOUBLE_CIRCLE),)),
    Bracket("((", (("))", Shape.CIRCLE),)),
    Bracket("([", (("])", Shape.STADIUM),)),
    Bracket("(-", (("-)", Shape.ELLIPSE),)),
    Bracket("(", ((")", Shape.ROUNDED),)),
    Bracket("[[", (("]]", Shape.SUBROUTINE),)),
    Bracket("[(", ((")]", Shape.CYLINDER),)),
    Bracket("[/", (("/]", Shape.LEAN_RIGHT), ("\\]", Shape.TRAPEZOID))),
    Bracket("[\\", (("\\]", Shape.LEAN_LEFT), ("/]", Shape.TRAPEZOID_TOP))),
    Bracket("[", (("]", Shape.RECT),)),
    Bracket("{{", (("}}", Shape.HEXAGON),)),
    Bracket("{", (("}", Shape.DIAMOND),)),
    Bracket(">", (("]", Shape.FLAG),)),
)
"""Longest opening first: the first that fits is taken, a shorter one when its closing is missing."""

_NAMES = {
    Shape.RECT: "rect proc process rectangle squarerect square notch-rect card notched-rectangle hourglass collate bolt"
    " com-link lightning-bolt div-rect div-proc divided-process divided-rectangle win-pane internal-storage window-pane"
    " lin-rect lin-proc lined-process lined-rectangle shaded-process st-rect processes procs stacked-rectangle tag-rect"
    " tag-proc tagged-process tagged-rectangle sl-rect manual-input sloped-rectangle fork join labelrect datastore"
    " data-store bow-rect bow-tie-rectangle stored-data icon iconsquare iconcircle iconrounded imagesquare image",
    Shape.ROUNDED: "rounded event roundedrect cloud bang",
    Shape.STADIUM: "stadium pill terminal delay half-rounded-rectangle curv-trap curved-trapezoid display",
    Shape.SUBROUTINE: "fr-rect framed-rectangle subproc subprocess subroutine",
    Shape.CYLINDER: "cyl cylinder database db h-cyl das horizontal-cylinder lin-cyl disk lined-cylinder",
    Shape.CIRCLE: "circle circ sm-circ small-circle start f-circ filled-circle junction cross-circ"
    " crossed-circle summary",
    Shape.DOUBLE_CIRCLE: "dbl-circ double-circle fr-circ framed-circle stop",
    Shape.ELLIPSE: "ellipse",
    Shape.DIAMOND: "diam decision diamond question",
    Shape.HEXAGON: "hex hexagon prepare notch-pent loop-limit notched-pentagon",
    Shape.LEAN_RIGHT: "lean-r in-out lean-right",
    Shape.LEAN_LEFT: "lean-l out-in lean-left",
    Shape.TRAPEZOID: "trap-b priority trapezoid trapezoid-bottom",
    Shape.TRAPEZOID_TOP: "trap-t inv-trapezoid manual trapezoid-top",
    Shape.FLAG: "odd flag paper-tape",
    Shape.DOCUMENT: "doc document docs documents st-doc stacked-document lin-doc lined-document tag-doc"
    " tagged-document",
    Shape.TRIANGLE: "tri extract triangle flip-tri flipped-triangle manual-file",
    Shape.TEXT: "text anchor brace brace-l brace-r braces comment",
}
NAMED = {name: shape for shape, names in _NAMES.items() for name in names.split()}
"""What `A@{ shape: name }` may say (mermaid 11), and the nearest outline we draw."""

LINK = re.compile(r"[xo<]?--+[-xo>]|[xo<]?==+[=xo>]|[xo<]?-?\.+-[xo>]?|~~~+")
"""A whole arrow."""
LINK_STARTS = re.compile(r"[xo<]?(?:--|==|-\.)")
"""The first half of an arrow that carries its label inside: `-- text -->`."""
LINK_ENDS = {
    "-": re.compile(r"(?:(?<=\s)[xo<])?--+[-xo>]"),
    "=": re.compile(r"(?:(?<=\s)[xo<])?==+[=xo>]"),
    ".": re.compile(r"(?:(?<=\s)[xo<])?-?\.+-[xo>]?"),
}
"""The second half, by the last character of the first. Mermaid eats the last letter of `-- go-->`; this does not."""

_HEADS = {"<": Head.ARROW, ">": Head.ARROW, "x": Head.CROSS, "o": Head.CIRCLE}


def arrow(link: str, start: str = "") -> tuple[Line, tuple[Head, Head]]:
    """The line and the heads that `link` (with `start` before its inner label) stands for."""
    first = (start or link)[0]
    heads = (_HEADS.get(first, Head.NONE), _HEADS.get(link[-1], Head.NONE))
    style = Line.HIDDEN if "~" in link else Line.THICK if "=" in link else Line.DOTTED if "." in link else Line.SOLID
    return style, heads
