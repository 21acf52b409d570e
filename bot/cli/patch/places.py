"""Which workspaces a verb is about, and how what strangers wrote is put on a terminal."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

from bot.app import workspaces_of
from bot.config import FILE_NAME, Settings, load_file
from layers.coordination import Known, look_at, look_known, visible
from layers.errors import Misconfigured, Refused
from layers.store import ReadStore

IS_NAME = re.compile(r"[a-z][a-z0-9_-]*")
"""What may be the name of a table; anything else is a folder."""


def named(settings: Settings) -> dict[str, Path]:
    """The workspaces of bulkhead.toml, the first one first.

    Raises:
        Misconfigured: the file is missing or wrong.
    """
    return workspaces_of(settings, load_file(settings.home / FILE_NAME))


def folder_of(settings: Settings, text: str) -> Path:
    """The folder that a name of bulkhead.toml stands for, or a folder itself; without either the first workspace.

    Raises:
        Refused: it is neither.
    """
    if not text:
        return next(iter(named(settings).values()))
    names = named(settings) if IS_NAME.fullmatch(text) and (settings.home / FILE_NAME).exists() else {}
    if text in names:
        return names[text]
    if names and not Path(text).is_dir():
        known = ", ".join(names)
        raise Refused(f"bulkhead.toml has no workspace {text!r}, and there is no such folder; it has {known}")
    return Path(text)


async def chosen(settings: Settings, store: ReadStore, text: str) -> list[Known]:
    """The one that is meant; without one every one that bulkhead.toml or the database knows.

    Raises:
        Refused: it is none.
    """
    names = {path: name for name, path in named(settings).items()}
    if text:
        found = await look_at(folder_of(settings, text))
        return [Known(id=found.id, root=found.root, name=names.get(found.root, ""))]
    known = await look_known(store)
    found_here = [Known(id=one.id, root=one.root, name=names.get(one.root, "")) for one in known]
    return sorted(found_here, key=lambda one: (not one.name, one.name, one.root))


def label(known: Known) -> str:
    """What a workspace is called."""
    return known.name or plain(str(known.root))


def plain(text: str) -> str:
    """Somebody's words on one line of a terminal, with nothing in them that hides, moves or colours."""
    return visible(" ".join(text.split()))


def quoted(text: str) -> str:
    """A name that may have anything in it."""
    return visible(json.dumps(text, ensure_ascii=False))


def clock(epoch_s: float) -> str:
    """A time for people, in UTC."""
    return datetime.fromtimestamp(epoch_s, UTC).strftime("%Y-%m-%d %H:%M:%S")


def ago(seconds: float) -> str:
    """An age in its largest unit: `3 h`."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"


def at_most(most: int) -> int:
    """How many are asked for.

    Raises:
        Misconfigured: too few, or more than anybody reads.
    """
    if not 1 <= most <= 10_000:
        raise Misconfigured(f"--most {most} is refused; say a number from 1 to 10000")
    return most
