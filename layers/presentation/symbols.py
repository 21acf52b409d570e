"""Pictographs that no font here has, said in words: a spec in, the spec to draw out. Only the worker imports this.

A box in place of a character tells nobody anything. Letters, digits, punctuation and currency are left alone: a text
without them says something else, so that the lint's error stands and the outline goes out instead of the picture.
"""

from __future__ import annotations

import re
import unicodedata

from layers.presentation.fonts import can_draw, is_selector
from layers.presentation.lint.finding import warning
from layers.presentation.spec import DiagramSpec
from layers.presentation.types import Finding, Repair

TEXTS = frozenset(
    {"title", "label", "text", "name", "comment", "details", "events", "annotations", "categories", "cardinalities"}
)
"""Fields that are drawn and name nothing."""
PICTOGRAPHS = ("So", "Sk", "Me")
"""Unicode categories: symbols, colours of skin, and the frame around a key."""
UNSAID = ("Sk", "Me")
ALIKE = {"✅": "✔", "❌": "✘", "❎": "✘", "⭐": "★", "➕": "+", "➖": "−", "❗": "!", "❓": "?"}
JOINER = "\u200d"
FLAGS = 0x1F1E6
"""The regional indicator A; two of them are a flag."""
NAMED = 8


def in_words(spec: DiagramSpec) -> tuple[DiagramSpec, tuple[Finding, ...]]:
    """The spec with names for the pictographs that cannot be drawn, and a warning that tells which."""
    missing = "".join(
        character
        for character in dict.fromkeys(spec.model_dump_json())
        if unicodedata.category(character) in PICTOGRAPHS and not can_draw(character)
    )
    if not missing:
        return spec, ()
    run = re.compile(f"[{re.escape(missing)}][{re.escape(missing)}{JOINER}\ufe00-\ufe0f]*")
    drawn = type(spec).model_validate(_walked(spec.model_dump(mode="json"), run))
    if drawn == spec:
        return spec, ()  # only ids have them
    example = next((_words(each) for each in missing if _words(each)), "nothing")
    text = f"no font here has {missing[:NAMED]!r}, which is written in words, like {example!r}; install fonts-symbola"
    return drawn, (warning("missing_glyph", (), text, measured=(len(missing), 0), repair=Repair.FONT),)


def _walked(value: object, run: re.Pattern[str], is_text: bool = False) -> object:
    if isinstance(value, dict):
        return {key: _walked(inner, run, key in TEXTS) for key, inner in value.items()}
    if isinstance(value, list):
        return [_walked(inner, run, is_text) for inner in value]
    return run.sub(lambda found: _words(found.group()), value) if is_text and isinstance(value, str) else value


def _words(symbols: str) -> str:
    """`:rocket:` for a rocket, `DE` for a flag; what only decorates is left out."""
    said = ""
    for symbol in symbols:
        if FLAGS <= ord(symbol) < FLAGS + 26:
            said += chr(ord(symbol) - FLAGS + ord("A"))
        elif symbol in ALIKE:
            said += ALIKE[symbol]
        elif unicodedata.category(symbol) not in UNSAID and symbol != JOINER and not is_selector(symbol):
            said += f":{unicodedata.name(symbol, 'symbol').lower()}:"
    return said
