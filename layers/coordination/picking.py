"""Some parts of a proposal become one of their own: `Proposal` and the parts' ids in, `Proposal` out, nothing moved.

What is approved is what was shown: a derived proposal has its own trees and its own diff, goes through every rule as if
it had been sent that way, and is shown before anybody approves it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from layers.coordination import rules
from layers.coordination.git import Scratch, open_repository, scratch
from layers.coordination.heads import Head
from layers.coordination.proposing import check_lines, redraft
from layers.coordination.types import Entry, FileChange, Part, Proposal
from layers.errors import Refused


def parts_of(proposal: Proposal) -> tuple[Part, ...]:
    """What can be chosen of `proposal`, in the order of its diff; never empty.

    Raises:
        Unavailable: its diff is not what git makes of its files.
    """
    return tuple(cut.part for cut in rules.cuts(proposal))


async def pick(proposal: Proposal, ids: Collection[str], author: str, now: float) -> Proposal:
    """The proposal of these parts alone, on the same base. `now` is epoch seconds.

    Raises:
        Refused: there is no such part, or none was chosen; one cannot be had without another; or a rule forbids what
            they make.
    """
    cuts = rules.cuts(proposal)
    unknown = sorted(set(ids) - {cut.part.id for cut in cuts})
    if unknown:
        raise Refused(f"the proposal {proposal.id!r} has no part {unknown[0]!r}; look at its parts again")
    if not ids:
        raise Refused("no part was chosen; choose at least one, or deny the patch")
    repository = await open_repository(proposal.workspace)
    head = Head(branch=proposal.branch, commit=proposal.base_commit, tree=proposal.base_tree)
    async with scratch(repository) as pad:
        tree = await _assemble(pad, proposal, [cut for cut in cuts if cut.part.id in ids], cuts)
        derived = await redraft(pad, proposal, head, tree)
    check_lines(derived.files)
    return replace(derived, author=author, proposed_at=int(now), derived_from=proposal.id)


async def _assemble(pad: Scratch, proposal: Proposal, chosen: Sequence[rules.Cut], cuts: Sequence[rules.Cut]) -> str:
    """The base with the chosen parts in it and nothing else changed; the tree's id."""
    touched = list(dict.fromkeys(cut.file for cut in chosen))
    steps = sorted((step for file in touched for step in file.steps), key=lambda step: step.new is not None)
    entries: dict[str, Entry | None] = {step.path: step.new for step in steps}
    for file in touched:
        spans = [cut.span for cut in cuts if cut.file == file and cut.span]
        wanted = [cut.span for cut in chosen if cut.file == file and cut.span]
        if wanted != spans:
            entries[file.path] = await _some_hunks(pad, file, spans, wanted)
    tree = await pad.write_tree(proposal.base_tree, entries)
    others = [path for path in await pad.changes(proposal.base_tree, tree) if path not in entries]
    if others:  # git makes room silently: a file takes the place of a folder, and of all that is in it
        names = ", ".join(repr(rules.visible(path)) for path in others)
        raise Refused(f"what was chosen takes the place of {names}; choose the parts that remove it as well")
    return tree


async def _some_hunks(
    pad: Scratch, file: FileChange, spans: Sequence[rules.Span], wanted: Collection[rules.Span]
) -> Entry:
    contents = await pad.blobs([file.old_oid, file.new_oid])
    made = rules.assembled(contents[file.old_oid], contents[file.new_oid], spans, wanted)
    return Entry(mode=file.new_mode, oid=await pad.keep_blob(made))
