"""What people committed, done again: a commit from its diff, a merge from its two sides. Their trees are the oracle."""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.coordination.ground import borrow, git, git_bytes
from benchmarks.section import Measured, missed
from layers.coordination import Coordinator, Patch
from layers.coordination.git import open_repository, scratch
from layers.coordination.merging import merge
from layers.errors import Refused

COMMITS, QUICK_COMMITS = 2000, 40
MERGES, QUICK_MERGES = 2000, 40
AS_ONE = 0.995
"""Of 1,299 clean merges that people made, 1,295 are what git makes (coordination reference, 4.3)."""
RULES = re.compile(
    r"secrets|is the limit|submodule|control character|leaves the workspace|the mode \d+|git's own folder"
)
"""A refusal that names one of these is a rule of ours about what a patch may do, not a failure to apply it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One of a history."""

    repository: Path
    """A clone to write into."""
    id: str
    tree: str
    parents: tuple[str, ...]


def chosen(repositories: Sequence[Path], folder: Path, merges: bool, count: int) -> list[Commit]:
    """A seeded choice of commits with one parent, or of merges of two, of all repositories alike."""
    found = []
    for number, repository in enumerate(repositories):
        root = folder / f"clone{number}"
        borrow(repository, root)
        listed = git(root, "log", "--merges" if merges else "--no-merges", "--format=%H %T %P").split("\n")
        rows = [line.split() for line in listed if line]
        found += [
            Commit(repository=root, id=row[0], tree=row[1], parents=tuple(row[2:]))
            for row in rows
            if len(row) == (4 if merges else 3)
        ]
    return random.Random(6).sample(found, min(count, len(found)))


def replay(repositories: Sequence[Path], folder: Path, is_quick: bool) -> Measured:
    """Parent and diff must give the commit's own tree."""
    commits = chosen(repositories, folder, False, QUICK_COMMITS if is_quick else COMMITS)
    told = asyncio.run(replayed(commits))
    by_rule = sum(count for word, count in told.items() if word not in ("equal", "empty", "unequal", "refused"))
    total = sum(told.values()) - told["empty"]
    printed = {"equal": told["equal"], "total": total, "refused_by_rule": by_rule, "outcomes": dict(told)}
    tried = total - by_rule
    claims = {
        f"{told['equal']} of {tried} results are git's own tree": told["equal"] == tried,
        "a history was there to be replayed": total > 0,
    }
    notes = () if total >= COMMITS or is_quick else (f"the histories have {total:,} commits; --repos adds others",)
    return Measured(printed={"replay": printed}, misses=missed(claims), notes=notes)


async def replayed(commits: Sequence[Commit]) -> Counter[str]:
    """How often each thing happened."""
    coordinator, told = Coordinator(), Counter[str]()
    for commit in commits:
        options = ("-p", "--binary", "--full-index", "-M", "--no-ext-diff")
        diff = git_bytes(commit.repository, "diff-tree", *options, commit.parents[0], commit.id)
        if not diff:
            told["empty"] += 1
            continue
        text = diff.decode("utf-8", "surrogateescape")
        patch = Patch(workspace=commit.repository, diff=text, base=commit.parents[0], author="bench")
        try:
            rehearsal = await coordinator.rehearse(patch)
        except Refused as error:
            rule = RULES.search(str(error))
            told[rule[0] if rule else "refused"] += 1
            continue
        told["equal" if rehearsal.result_tree == commit.tree else "unequal"] += 1
    return told


def merges(repositories: Sequence[Path], folder: Path, is_quick: bool) -> Measured:
    """The two sides of a merge must give what people committed, or the versions of what does not merge."""
    commits = chosen(repositories, folder, True, QUICK_MERGES if is_quick else MERGES)
    told = asyncio.run(merged(commits))
    clean = told["equal"] + told["other"]
    printed = {"equal": told["equal"], "clean": clean, "total": clean + told["conflict"], "outcomes": dict(told)}
    claims = {
        f"{told['equal']} of {clean} clean merges are what people committed": told["equal"] >= AS_ONE * clean,
        "every conflict comes with its versions": not told["bare conflict"],
        "there were merges": clean > 0,
    }
    return Measured(printed={"merges": printed}, misses=missed(claims))


async def merged(commits: Sequence[Commit]) -> Counter[str]:
    """How often each thing happened."""
    told = Counter[str]()
    for commit in commits:
        bases = git(commit.repository, "merge-base", "--all", *commit.parents).split("\n")
        if len(bases) != 1 or not bases[0]:
            told["several bases"] += 1
            continue
        trees = git(commit.repository, "rev-parse", *(f"{id}^{{tree}}" for id in (bases[0], *commit.parents)))
        repository = await open_repository(commit.repository)
        async with scratch(repository) as pad:
            result = await merge(pad, *trees.split("\n"))
        if isinstance(result, str):
            told["equal" if result == commit.tree else "other"] += 1
        else:
            has_sides = all(one.base or one.ours or one.theirs for one in result)
            told["conflict" if has_sides else "bare conflict"] += 1
    return told
