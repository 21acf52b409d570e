"""The label of a node: `[text]` and its kin, quoted strings, and `@{ shape: ..., label: ... }`."""

from __future__ import annotations

import re

from layers.presentation.mermaid.cursor import Cursor
from layers.presentation.mermaid.labels import plain
from layers.presentation.mermaid.shapes import BRACKETS, Bracket
from layers.presentation.spec import Shape

PROPERTIES = re.compile(r"\[\|[\w-]+:[^|\n]*\|")
NESTING = {"[": "]", "(": ")", "{": "}"}
LONGEST_LABEL = 5000
DATA_KEY = re.compile(r"[\s,]*([\"']?)([A-Za-z_][\w-]*)\1\s*:[^\S\n]*")
DATA_ALONE = re.compile(r"[\s,]*(?:\"[^\"]*\"|[\w-]+)(?=\s*[,}])")
DATA_STRING = re.compile(r"\"((?:[^\"\\]|\\.)*)\"|'([^']*)'", re.DOTALL)
DATA_BLOCK = re.compile(r"[|>][+-]?[^\S\n]*\n((?:(?![^\S\n]*[\w-]+:\s|\s*\}).*(?:\n|$))*)")
DATA_WORD = re.compile(r"[^,\n}]*")
DATA_END = re.compile(r"[\s,]*\}")


def quoted(cursor: Cursor) -> str:
    """The text between the double quotes that start here."""
    start = cursor.at
    close = cursor.text.find('"', start + 1)
    if close < 0:
        cursor.fail("a closing double quote", 'inside quotes write #quot; for "', at=start)
    cursor.at = close + 1
    return cursor.text[start + 1 : close]


def label_in_brackets(cursor: Cursor) -> tuple[str, Shape] | None:
    """The label and shape framed here; None where no bracket opens.

    Brackets inside a label are taken when they balance, though Mermaid wants quotes around such a label.
    """
    start = cursor.at
    if found := cursor.take(PROPERTIES):
        return _framed(cursor, Bracket(found.group(), (("]", Shape.RECT),)), start) or cursor.fail("`]`", at=start)
    opened = False
    for bracket in BRACKETS:
        if not cursor.starts_with(bracket.opens):
            continue
        opened = True
        cursor.at = start + len(bracket.opens)
        found_label = _framed(cursor, bracket, start)
        if found_label is not None:
            return found_label
        cursor.at = start
    if opened:
        closing = {"[": "]", "(": ")", "{": "}", ">": "]"}[cursor.text[start]]
        cursor.fail(f"`{closing}` to close this label", "put a label that has brackets in double quotes", at=start)
    return None


def _framed(cursor: Cursor, bracket: Bracket, start: int) -> tuple[str, Shape] | None:
    begin = cursor.at
    cursor.skip_space()
    if cursor.starts_with('"'):
        label = quoted(cursor)
        cursor.skip_space()
        for close, shape in bracket.closes:
            if cursor.starts_with(close):
                cursor.at += len(close)
                return plain(label), shape
        if len(bracket.opens) == 1:
            cursor.fail(
                f"`{bracket.closes[0][0]}` after the quoted label", 'inside quotes write #quot; for "', at=cursor.at
            )
        return None
    cursor.at = begin
    return _bare(cursor, bracket)


def _bare(cursor: Cursor, bracket: Bracket) -> tuple[str, Shape] | None:
    text, at = cursor.text, cursor.at
    begin = at
    awaited: list[str] = []
    has_brackets = False
    while at < len(text) and at - begin < LONGEST_LABEL:
        if not awaited:
            for close, shape in bracket.closes:
                if text.startswith(close, at) and not text.startswith(close[0], at + len(close)):
                    cursor.at = at + len(close)
                    if has_brackets:
                        cursor.tolerate(f"the label {text[begin:at][:40]!r} was read as if it were in quotes", begin)
                    return plain(text[begin:at]), shape
        character = text[at]
        if character in NESTING:
            awaited.append(NESTING[character])
            has_brackets = True
        elif awaited and character == awaited[-1]:
            awaited.pop()
        elif character in '"' or (character == "\n" and awaited):
            return None
        at += 1
    return None


def data_fields(cursor: Cursor) -> dict[str, str]:
    """The keys and values of `@{ ... }`: a small, forgiving part of YAML."""
    start = cursor.at
    cursor.at += 2
    fields: dict[str, str] = {}
    while not cursor.take(DATA_END):
        key = cursor.take(DATA_KEY)
        if key is None and cursor.take(DATA_ALONE):
            cursor.tolerate('a text without `label:` was left out; write label: "…"', cursor.at)
            continue
        if key is None:
            cursor.fail("`key: value` or `}`", 'write @{ shape: rect, label: "text" }', at=max(start, cursor.at))
        if found := cursor.take(DATA_STRING):
            value = found.group(1) if found.group(1) is not None else found.group(2)
            value = re.sub(r"\\(.)", r"\1", value) if found.group(1) is not None and '\\"' in value else value
        elif found := cursor.take(DATA_BLOCK):
            value = "\n".join(line.strip() for line in found.group(1).strip().split("\n"))
        else:
            value = (cursor.take(DATA_WORD) or cursor.fail("a value")).group().strip()
        fields[key.group(2)] = plain(value) if key.group(2) == "label" else value
    return fields
