"""`patch propose --dry-run`: what a change makes of its base, in memory; one, or a file of them. Nothing is written.

It needs no server and no home. A patch that is refused is an answer; what keeps every patch from being tried (no
repository, no git) is an error.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections import deque
from collections.abc import Mapping
from pathlib import Path

from bot.cli.batch import objects
from bot.cli.patch.places import quoted
from layers.coordination import Coordinator, FileChange, Patch, Rehearsal
from layers.errors import BadInput, Refused

AT_ONCE = 4
"""Patches of a batch that are tried beside each other: most of the time each waits for a process of git."""
NOBODY = "nobody"
"""The author of what is never committed."""
NO_BASE = "the patch names no base; say which commit it was made on"
BLANK: Mapping[str, object] = {"result_tree": None, "files": []}


async def say_tried(parsed: argparse.Namespace, workspace: Path, base: str, diff: bytes) -> int:
    """Try one patch and tell of it; 1 when it is refused."""
    told = await tried(Coordinator(), workspace, base, diff.decode("utf-8", "surrogateescape"))
    sys.stdout.write(json.dumps(told) + "\n" if parsed.json else in_words(told))
    return 0 if told["ok"] else 1


async def run_batch(path: str, workspace: Path, base: str) -> None:
    """One output line per input line, in order. What is wrong with a line is said in its place.

    `base` is that of lines that name none.
    """
    coordinator = Coordinator()
    waiting: deque[asyncio.Task[Mapping[str, object]]] = deque()
    for item, error in objects(path):
        waiting.append(asyncio.create_task(line_told(coordinator, workspace, base, item, error)))
        if len(waiting) == AT_ONCE:
            sys.stdout.write(json.dumps(await waiting.popleft()) + "\n")
    for task in waiting:
        sys.stdout.write(json.dumps(await task) + "\n")
    sys.stdout.flush()


async def line_told(
    coordinator: Coordinator, workspace: Path, base: str, item: object, error: str | None
) -> Mapping[str, object]:
    """The answer to one line of a batch."""
    if error is not None:
        return refused(error)
    diff, named = (item.get("diff"), item.get("base", base)) if isinstance(item, dict) else (None, None)
    if not isinstance(diff, str) or not isinstance(named, str):
        return refused('the line has no strings under "base" and "diff"')
    return await tried(coordinator, workspace, named, diff)


async def tried(coordinator: Coordinator, workspace: Path, base: str, diff: str) -> Mapping[str, object]:
    """What becomes of one patch."""
    if not base:
        return refused(NO_BASE)
    try:
        return validated(await coordinator.rehearse(Patch(workspace=workspace, diff=diff, base=base, author=NOBODY)))
    except BadInput as error:
        return {**refused(str(error)), "line": error.line}
    except Refused as error:
        return refused(str(error))


def validated(rehearsal: Rehearsal) -> Mapping[str, object]:
    """The answer to a patch that fits."""
    return {
        "ok": True,
        "state": "validated",
        "base_commit": rehearsal.base_commit,
        "base_tree": rehearsal.base_tree,
        "result_tree": rehearsal.result_tree,
        "files": [as_json(file) for file in rehearsal.files],
        "refusal": None,
    }


def as_json(file: FileChange) -> Mapping[str, object]:
    """One path; `added` and `removed` count lines, null for a binary file. `control` says why it may run code."""
    return {
        "path": file.path,
        "old_path": file.old_path,
        "status": file.status,
        "old_mode": file.old_mode,
        "new_mode": file.new_mode,
        "old_oid": file.old_oid,
        "new_oid": file.new_oid,
        "added": file.added,
        "removed": file.removed,
        "control": file.control,
    }


def refused(why: str) -> Mapping[str, object]:
    """The answer to a patch that is not to be."""
    return {"ok": False, "state": "refused", **BLANK, "refusal": why}


def in_words(told: Mapping[str, object]) -> str:
    """For people: what is changed, or why nothing is."""
    files = told["files"]
    if not told["ok"] or not isinstance(files, list):
        return f"refused: {told['refusal']}\n"
    lines = [f"tree {told['result_tree']}"]
    for file in files:
        count = "binary" if file["added"] is None else f"+{file['added']} -{file['removed']}"
        control = f"  ({file['control']})" if file["control"] else ""
        lines.append(f"{file['status']} {quoted(file['path'])}  {count}{control}")
    return "".join(f"{line}\n" for line in lines)
