"""A proposal meets the branch as it is now: `Proposal` and `Head` in, a `Fit` or a `Conflict` out, nothing moved.

Where the touched files are as they were, each becomes exactly what was shown. Where they are not, the two are merged in
memory, and what then reads differently from what was approved goes back to be approved.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from layers.coordination import rules
from layers.coordination.foreign import keep_foreign
from layers.coordination.git import Repository, Scratch
from layers.coordination.heads import Head
from layers.coordination.index import index_entries
from layers.coordination.merging import merge
from layers.coordination.proposing import moved, redraft
from layers.coordination.settling import work_tree
from layers.coordination.types import Conflict, ForeignPolicy, Proposal, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """What is to be committed."""

    tree: str
    steps: tuple[Step, ...]
    """From the head's tree to `tree`, removals first."""


async def fit(
    repository: Repository, pad: Scratch, proposal: Proposal, head: Head, policy: ForeignPolicy
) -> Fit | Conflict:
    """What `proposal` comes to on `head`, and on what people have in the files."""
    if head.branch != proposal.branch:
        was = proposal.branch.removeprefix("refs/heads/")
        text = f"the patch is for the branch {was} and {head.name} is checked out; check {was} out and approve again"
        return Conflict(files=tuple(step.path for step in proposal.steps), text=text)
    fitted = await _on_head(repository, pad, proposal, head)
    if isinstance(fitted, Conflict):
        return fitted
    staged, changed = await _obstacles(repository, pad, fitted.steps)
    reasons = staged | changed
    if not reasons:
        return fitted
    text = f"nothing was changed: {'; '.join(reasons.values())}; commit or undo that and approve the patch again"
    foreign = None
    if not staged and policy is not ForeignPolicy.BLOCK:
        foreign = await keep_foreign(repository, pad, head, fitted.steps)
    return Conflict(files=tuple(reasons), text=text, foreign=foreign)


async def _on_head(repository: Repository, pad: Scratch, proposal: Proposal, head: Head) -> Fit | Conflict:
    if head.tree == proposal.base_tree:
        return Fit(tree=proposal.result_tree, steps=proposal.steps)
    expected = {step.path: step.old for step in proposal.steps if step.old}
    now = await pad.entries(head.tree, [step.path for step in proposal.steps])
    changes = await moved(repository, proposal.base_commit, head, expected, now)
    if changes:
        return await _merged(pad, proposal, head, changes)
    return await _as_shown(pad, proposal, head)


async def _as_shown(pad: Scratch, proposal: Proposal, head: Head) -> Fit | Conflict:
    """The tree of `head` with exactly what was shown changed; a conflict where that would change more.

    git makes room silently: a new file takes the place of a folder that grew meanwhile, and all that is in it.
    """
    tree = await pad.write_tree(head.tree, {step.path: step.new for step in proposal.steps})
    shown = {step.path: (step.old, step.new) for step in proposal.steps}
    changes = await pad.changes(head.tree, tree)
    if changes == shown:
        return Fit(tree=tree, steps=proposal.steps)
    others = tuple(path for path in changes if changes[path] != shown.get(path))
    names = ", ".join(repr(rules.visible(path)) for path in others)
    text = f"{head.name} moved on, and the patch would now also change {names}; propose it again on {head.commit[:10]}"
    return Conflict(files=others, text=text)


async def _merged(pad: Scratch, proposal: Proposal, head: Head, changes: dict[str, str]) -> Fit | Conflict:
    tree = await merge(pad, proposal.base_tree, head.tree, proposal.result_tree)
    what_happened = f"{'; '.join(changes.values())}, after the patch was shown"
    if isinstance(tree, tuple):
        text = f"{what_happened}, and the two do not merge; propose it again on {head.commit[:10]}"
        return Conflict(files=tuple(one.path for one in tree), text=text, stages=tree)
    if tree == head.tree:
        text = f"{what_happened}: {head.name} already has all that the patch would do"
        return Conflict(files=tuple(changes), text=text)
    again = await redraft(pad, proposal, head, tree)
    if rules.is_same_change(proposal.diff, again.diff) and not again.is_control_scope:
        return Fit(tree=tree, steps=again.steps)
    text = f"{what_happened}; merged with that, the patch reads differently: propose it again, look, and approve"
    return Conflict(files=tuple(changes), text=text, again=again)


async def _obstacles(
    repository: Repository, pad: Scratch, steps: Sequence[Step]
) -> tuple[dict[str, str], dict[str, str]]:
    """Path to sentence, for what somebody has staged, and for what somebody has changed, and not committed."""
    if repository.is_bare:
        return {}, {}
    index, changed = await asyncio.gather(
        index_entries(repository, pad, [step.path for step in steps]),
        asyncio.to_thread(work_tree(repository).obstacles, steps),
    )
    staged = {
        step.path: f"{rules.visible(step.path)!r} has staged changes that are not committed"
        for step in steps
        if index.get(step.path) not in (step.old, step.new)
    }
    return staged, changed
