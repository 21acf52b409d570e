"""What every kind of Mermaid text may say about itself: `title`, `accTitle`, `accDescr`; and colours in CSS."""

from __future__ import annotations

import re
from dataclasses import dataclass

from layers.presentation.mermaid.cursor import Cursor
from layers.presentation.mermaid.labels import plain
from layers.presentation.mermaid.look import Style, Theme

ACC_TITLE = re.compile(r"accTitle\s*:[^\S\n]*([^\n]*)", re.IGNORECASE)
ACC_DESCR = re.compile(r"accDescr\s*(?::[^\S\n]*([^\n]*)|\{([^}]*)\})", re.IGNORECASE)
COLOUR = re.compile(r"(?:rgb|hsl)a?\s*\([^)\n]*\)|#[0-9a-fA-F]{3,8}\b|\w+", re.IGNORECASE)
_NAMES = """
transparent aliceblue antiquewhite aqua aquamarine azure beige bisque black blanchedalmond blue blueviolet brown
burlywood cadetblue chartreuse chocolate coral cornflowerblue cornsilk crimson cyan darkblue darkcyan darkgoldenrod
darkgray darkgreen darkgrey darkkhaki darkmagenta darkolivegreen darkorange darkorchid darkred darksalmon
darkseagreen darkslateblue darkslategray darkslategrey darkturquoise darkviolet deeppink deepskyblue dimgray dimgrey
dodgerblue firebrick floralwhite forestgreen fuchsia gainsboro ghostwhite gold goldenrod gray green greenyellow grey
honeydew hotpink indianred indigo ivory khaki lavender lavenderblush lawngreen lemonchiffon lightblue lightcoral
lightcyan lightgoldenrodyellow lightgray lightgreen lightgrey lightpink lightsalmon lightseagreen lightskyblue
lightslategray lightslategrey lightsteelblue lightyellow lime limegreen linen magenta maroon mediumaquamarine
mediumblue mediumorchid mediumpurple mediumseagreen mediumslateblue mediumspringgreen mediumturquoise
mediumvioletred midnightblue mintcream mistyrose moccasin navajowhite navy oldlace olive olivedrab orange orangered
orchid palegoldenrod palegreen paleturquoise palevioletred papayawhip peachpuff peru pink plum powderblue purple
rebeccapurple red rosybrown royalblue saddlebrown salmon sandybrown seagreen seashell sienna silver skyblue
slateblue slategray slategrey snow springgreen steelblue tan teal thistle tomato turquoise violet wheat white
whitesmoke yellow yellowgreen
"""
COLOUR_NAMES = frozenset(_NAMES.split())


@dataclass(slots=True)
class Meta:
    """What has been said so far. `title` is the front matter's until the diagram says another."""

    title: str = ""
    alt: str = ""
    theme: Theme = ""
    style: Style = ""

    def take(self, cursor: Cursor) -> bool:
        """Read `accTitle` or `accDescr` when one of them is here."""
        if cursor.take(ACC_TITLE):
            return True
        found = cursor.take(ACC_DESCR)
        if found:
            self.alt = plain((found.group(1) or found.group(2) or "").strip())
        return found is not None


def split_colour(text: str) -> tuple[str, str]:
    """The CSS colour at the start of `text`, and the rest; no colour where none is."""
    found = COLOUR.match(text)
    if found is None or (found.group().isalnum() and found.group().lower() not in COLOUR_NAMES):
        return "", text
    return found.group(), text[found.end() :].strip()
