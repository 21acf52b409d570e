"""Parsed JSON from outside -> the same with texts that a database takes. Pure.

A NUL (PostgreSQL) or half a surrogate pair (both databases) anywhere in an event would make its commit fail, every time
that the provider brings it again.
"""

from __future__ import annotations

from typing import TypeVar, cast

T = TypeVar("T")

NUL, INSTEAD = "\0", "\N{REPLACEMENT CHARACTER}"


def storable(value: T) -> T:
    """With a replacement character for each of them, in all texts and names of fields.

    Raises:
        RecursionError: it is nested deeper than anything that a provider sends.
    """
    return cast(T, _storable(value))


def _storable(value: object) -> object:
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, list):
        return [_storable(each) for each in value]
    if isinstance(value, dict):
        return {_storable(name): _storable(each) for name, each in value.items()}
    return value


def storable_text(text: str) -> str:
    """One text."""
    if text.isascii():
        return text.replace(NUL, INSTEAD)
    return text.replace(NUL, INSTEAD).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
