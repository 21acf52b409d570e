"""What people committed, done again: a commit from its diff, a merge from its two sides. Their trees are the oracle.

Where the histories have too few commits, pairs of their trees are taken in other ways: a merge seen from each of its
parents, a commit taken back, a commit together with the one before it. The outcomes are told by way.
"""

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
    r"secrets|is the limit|more than \d+ files|submodule|control character|leaves the workspace|the mode \d+"
    r"|git's own folder"
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two commits, and the way in which the second follows from the first."""

    repository: Path
    before: str
    after: str
    way: str


def commits_of(repositories: Sequence[Path], folder: Path) -> list[Commit]:
    """Those with a parent or two, of all repositories."""
    found = []
    for number, repository in enumerate(repositories):
        root = folder / f"clone{number}"
        borrow(repository, root)
        rows = [line.split() for line in git(root, "log", "--format=%H %T %P").split("\n")]
        found += [
            Commit(repository=root, id=row[0], tree=row[1], parents=tuple(row[2:]))
            for row in rows
            if len(row) in (3, 4)
        ]
    return found


def pairs_of(commits: Sequence[Commit], count: int) -> list[Pair]:
    """A seeded choice: of commits first, then of merges from either side, of commits taken back, of two at a time."""
    single = [one for one in commits if len(one.parents) == 1]
    known = {one.id: one for one in single}
    ways = {
        "commit": [(one, one.parents[0], one.id) for one in single],
        "merge": [(one, parent, one.id) for one in commits if len(one.parents) == 2 for parent in one.parents],
        "back": [(one, one.id, one.parents[0]) for one in single],
        "two": [(one, known[one.parents[0]].parents[0], one.id) for one in single if one.parents[0] in known],
    }
    rng, found = random.Random(6), list[Pair]()
    for way, entries in ways.items():
        for one, before, after in rng.sample(entries, min(count - len(found), len(entries))):
            found.append(Pair(repository=one.repository, before=before, after=after, way=way))
    return found


def replay(repositories: Sequence[Path], folder: Path, is_quick: bool) -> Measured:
    """What comes before and the diff must give the very tree that comes after."""
    pairs = pairs_of(commits_of(repositories, folder), QUICK_COMMITS if is_quick else COMMITS)
    told, ways = asyncio.run(replayed(pairs))
    by_rule = sum(count for word, count in told.items() if word not in ("equal", "empty", "unequal", "refused"))
    total = sum(told.values()) - told["empty"]
    outcomes = {"ways": dict(ways), "outcomes": dict(told)}
    printed = {"equal": told["equal"], "total": total, "refused_by_rule": by_rule, **outcomes}
    tried = total - by_rule
    claims = {
        f"{told['equal']} of {tried} results are git's own tree": told["equal"] == tried,
        "a history was there to be replayed": total > 0,
    }
    notes = () if total >= COMMITS or is_quick else (f"the histories give {total:,} changes; --repos adds others",)
    return Measured(printed={"replay": printed}, misses=missed(claims), notes=notes)


async def replayed(pairs: Sequence[Pair]) -> tuple[Counter[str], Counter[str]]:
    """How often each thing happened, and how often in each way the tree was git's own."""
    coordinator, told, ways = Coordinator(), Counter[str](), Counter[str]()
    for pair in pairs:
        options = ("-p", "--binary", "--full-index", "-M", "--no-ext-diff")
        diff = git_bytes(pair.repository, "diff-tree", *options, pair.before, pair.after)
        if not diff:
            told["empty"] += 1
            continue
        text = diff.decode("utf-8", "surrogateescape")
        patch = Patch(workspace=pair.repository, diff=text, base=pair.before, author="bench")
        try:
            rehearsal = await coordinator.rehearse(patch)
        except Refused as error:
            rule = RULES.search(str(error))
            told[rule[0] if rule else "refused"] += 1
            continue
        is_equal = rehearsal.result_tree == git(pair.repository, "rev-parse", f"{pair.after}^{{tree}}")
        told["equal" if is_equal else "unequal"] += 1
        ways[pair.way] += is_equal
    return told, ways


def merges(repositories: Sequence[Path], folder: Path, is_quick: bool) -> Measured:
    """The two sides of a merge must give what people committed, or the versions of what does not merge."""
    commits = [one for one in commits_of(repositories, folder) if len(one.parents) == 2]
    count = QUICK_MERGES if is_quick else MERGES
    told = asyncio.run(merged(random.Random(6).sample(commits, min(count, len(commits)))))
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
