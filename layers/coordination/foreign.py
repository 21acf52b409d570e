"""Edits that people saved and did not commit: found by their hashes, and kept under a ref before anything else is done.

The branch and a change's steps go in, a `Foreign` comes out. The work tree is only read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from layers.coordination.git import BOT, Repository, Scratch, workspace_id
from layers.coordination.heads import Head
from layers.coordination.looking import Seen
from layers.coordination.settling import work_tree
from layers.coordination.types import Entry, Foreign, Step

AUTHOR = "work tree"
WORDS = b"Keep what was saved and not committed\n"


async def keep_foreign(repository: Repository, pad: Scratch, head: Head, steps: Sequence[Step]) -> Foreign | None:
    """Whatever the work tree has at the paths of `steps` that is neither their beginning nor their end.

    None when there is nothing of the kind, or something that no commit can hold. Keeping it again makes nothing new.
    """
    found = await asyncio.to_thread(_look, repository, steps)
    entries: dict[str, Entry | None] = {}
    for path, seen, content in found:
        if seen is not None and seen.entry is None:
            return None
        entries[path] = seen.entry if seen else None
        if seen is not None:
            await pad.keep_blob(content)
    tree = await pad.write_tree(head.tree, entries) if entries else head.tree
    if tree == head.tree:
        return None
    saved_at = max((seen.saved_at for _, seen, _ in found if seen), default=0)
    commit = await pad.commit(tree, (head.commit,), WORDS, author=AUTHOR, at=saved_at)
    ref = f"refs/coord/{workspace_id(repository)}/foreign/{commit[:12]}"
    await repository.run("update-ref", ref, commit, place=BOT)
    changes = await pad.changes(head.tree, tree)
    ordered = sorted(changes.items(), key=lambda item: item[1][1] is not None)  # removals first
    kept = tuple(Step(path=path, old=old, new=new) for path, (old, new) in ordered)
    return Foreign(ref=ref, commit=commit, tree=tree, steps=kept, saved_at=saved_at)


def _look(repository: Repository, steps: Sequence[Step]) -> list[tuple[str, Seen | None, bytes]]:
    folder, found = work_tree(repository), []
    for step in steps:
        read = folder.read(step.path)
        seen, content = read or (None, b"")
        is_as_expected = seen.holds(step.old) or seen.is_exactly(step.new) if seen else None in (step.old, step.new)
        if not is_as_expected:
            found.append((step.path, seen, content))
    return found
