"""Mermaid's label markup to plain text: `<br>`, HTML tags and entities, `#35;`, markdown strings, `fa:` icons.

Pure. Only known HTML tags go, so that `List<T>` stays; only markdown strings (in backticks) lose their stars and
underscores, so that `asset_fetch` stays.
"""

from __future__ import annotations

import html
import re

BREAK = re.compile(r"<br\s*/?\s*>|\\n", re.IGNORECASE)
TAG = re.compile(
    r"</?(?:a|b|i|u|s|p|em|strong|small|big|sub|sup|span|div|code|pre|font|center|img|ul|ol|li|h[1-6]|hr|mark|kbd)(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
ICON = re.compile(r"\b(?:fa[a-z]?|mdi|logos|icon):[a-z][\w-]*", re.IGNORECASE)
ENTITY = re.compile(r"#(\w{1,30});|&#?\w{1,30};")
EMPHASIS = re.compile(r"(\*\*|__|\*|_)(?=\S)(.+?)(?<=\S)\1")
UNDRAWABLE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufe0e\ufe0f\ufeff\ud800-\udfff]"
)
LONGEST_MARKDOWN = 2000
"""Characters up to which emphasis is looked for: its pattern takes quadratic time."""
MARKDOWN = re.compile(r"\s*`(.*)`\s*", re.DOTALL)


def plain(raw: str) -> str:
    """What a reader should see of the label `raw`; lines are separated by `\\n`."""
    markdown = MARKDOWN.fullmatch(raw)
    text = markdown.group(1) if markdown else raw
    text = ICON.sub("", TAG.sub("", BREAK.sub("\n", text)))
    text = UNDRAWABLE.sub("", ENTITY.sub(_entity, text))
    if markdown and len(text) <= LONGEST_MARKDOWN:
        text = EMPHASIS.sub(r"\2", EMPHASIS.sub(r"\2", text))
    lines = [" ".join(line.split()) for line in text.split("\n")]
    return "\n".join(lines).strip("\n")


def _entity(match: re.Match[str]) -> str:
    name = match.group(1)
    if name is None:
        return html.unescape(match.group())
    return html.unescape(f"&#{name};" if name.isdecimal() else f"&{name};")
