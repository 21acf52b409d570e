"""`patch worktree`: make, list and remove work trees for agents, below the home and outside everybody's files."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from pathlib import Path

from bot.cli.patch.places import clock, folder_of, named, quoted
from bot.cli.records import say
from bot.config import Settings, first_start
from layers.coordination import AgentTree, drop_tree, find_trees, look_at, make_tree
from layers.errors import Misconfigured, Refused

SHELF = "worktrees"


async def worktree(parsed: argparse.Namespace, settings: Settings) -> int:
    """Do the one thing that is asked for."""
    names = {path: name for name, path in named(settings).items()}
    if parsed.list:
        trees = [as_json(tree, names) for tree in find_trees(settings.home / SHELF)]
        say(parsed, {"ok": True, "worktrees": trees}, "\n".join(map(in_words, trees)) or "there are no work trees")
        return 0
    if not parsed.name:
        raise Misconfigured("patch worktree needs a name, or --list")
    if parsed.remove:
        tree = await tree_of(settings, parsed.name, parsed.workspace)
        await drop_tree(tree, force=parsed.force)
        told = as_json(tree, names)
        say(parsed, {"ok": True, "removed": told}, f"the work tree {tree.name} is removed")
        return 0
    first_start(settings.home)
    folder = folder_of(settings, parsed.workspace)
    told = as_json(await make_tree(settings.home / SHELF, folder, parsed.name, time.time()), names)
    say(parsed, {"ok": True, "worktree": told}, str(told["path"]))
    return 0


async def tree_of(settings: Settings, text: str, workspace: str = "") -> AgentTree:
    """The tree of that name, or that is that folder.

    Raises:
        Refused: there is none, or there are several.
    """
    trees = find_trees((settings.home / SHELF).resolve())
    inside = [tree for tree in trees if tree.folder == Path(text).resolve()]
    alike = inside or [tree for tree in trees if tree.name == text]
    if workspace:
        root = (await look_at(folder_of(settings, workspace))).root
        alike = [tree for tree in alike if tree.workspace == root]
    if not alike:
        raise Refused(f"there is no work tree {text[:80]!r}; `bulkhead patch worktree --list` names them")
    if len(alike) > 1:
        raise Refused(f"{len(alike)} workspaces have a work tree {text!r}; say which one with --workspace")
    return alike[0]


def as_json(tree: AgentTree, names: Mapping[Path, str]) -> Mapping[str, object]:
    """A work tree."""
    return {
        "name": tree.name,
        "path": str(tree.folder),
        "workspace": names.get(tree.workspace),
        "root": str(tree.workspace),
        "base": tree.base,
        "made_at": tree.made_at,
    }


def in_words(told: Mapping[str, object]) -> str:
    """A line of the list."""
    where = told["workspace"] or quoted(str(told["root"]))
    at = clock(float(str(told["made_at"])))
    return f"{told['name']}  {where}  at {str(told['base'])[:10]}  {at}  {quoted(str(told['path']))}"
