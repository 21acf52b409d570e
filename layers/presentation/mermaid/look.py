"""How a diagram wants to look: read from Mermaid's front matter and directives, written into a source. Pure.

Mermaid's own words are understood (`theme: dark`, `curve: step`), and `style: right-angled` of the front matter, which
Mermaid leaves alone.
"""

from __future__ import annotations

import json
import re
from typing import Literal

Theme = Literal["", "light", "dark"]
Style = Literal["", "curved", "right_angled"]
THEME = re.compile(r"\btheme[\"']?\s*:\s*[\"']?([\w-]+)")
CURVE = re.compile(r"\bcurve[\"']?\s*:\s*[\"']?(\w+)")
STYLE = re.compile(r"^[^\S\n]*style\s*:\s*[\"']?(\w+)[-_ ]?(\w*)", re.MULTILINE)
STEPS = ("step", "stepBefore", "stepAfter")
RIGHT_ANGLED = ("right", "orthogonal")
OBJECT = re.compile(r"\{.*\}", re.DOTALL)


def theme_in(text: str) -> Theme:
    """The last theme that is named there, if it is one of ours."""
    named = THEME.findall(text)
    if not named:
        return ""
    return "dark" if named[-1].endswith("dark") else "light" if named[-1] == "light" else ""


def style_in(text: str) -> Style:
    """The last way of drawing lines that is named there."""
    found = sorted([*CURVE.finditer(text), *STYLE.finditer(text)], key=lambda one: one.start())
    if not found:
        return ""
    named = found[-1].group(1)
    return "right_angled" if named in (*STEPS, *RIGHT_ANGLED) else "curved" if named in ("basis", "curved") else ""


def with_look(source: str, theme: Theme = "", style: Style = "") -> str:
    """`source` with that look, whatever it asked for before: Mermaid as a directive at its end, JSON in its fields."""
    if not theme and not style:
        return source
    if source.lstrip().startswith(("{", "```json")):
        return _in_json(source, {name: value for name, value in (("theme", theme), ("style", style)) if value})
    options: dict[str, object] = {"theme": theme} if theme else {}
    if style:
        options["flowchart"] = {"curve": "step" if style == "right_angled" else "basis"}
    return f"{source.rstrip()}\n%%{{init: {json.dumps(options)}}}%%\n"


def _in_json(source: str, look: dict[str, str]) -> str:
    """The object with these fields; what is no object stays as it is, for its reader to complain about."""
    found = OBJECT.search(source)
    try:
        spec = json.loads(found.group()) if found else None
    except (ValueError, RecursionError):
        return source
    return json.dumps(spec | look, ensure_ascii=False) if isinstance(spec, dict) else source
