"""The verbs of coordination that move nothing: read, propose, revert, pick, rehearse. No store, no lease."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from layers.coordination.picking import pick
from layers.coordination.proposing import draft, draft_revert, read_files, rehearse
from layers.coordination.types import Patch, Proposal, Rehearsal, Snapshot

log = logging.getLogger(__name__)


class Drafting:
    """What becomes of patches before anybody has approved them. Only objects are added to a repository."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock

    async def read(self, workspace: Path, paths: Sequence[str]) -> Snapshot:
        """Files as the branch has them, and the commit that a patch of them names as its base.

        Raises:
            Refused: a path that no patch may touch, or a file that is too large.
        """
        return await read_files(workspace, paths)

    async def propose(self, patch: Patch) -> Proposal:
        """Try `patch` on the workspace's branch, touching no file.

        Raises:
            BadInput: the diff cannot be read; `line` says where.
            Refused: a rule forbids it, it does not fit, or (Unmergeable) it does not merge with what happened since
                its base.
            Misconfigured: git is missing or too old.
        """
        return _log_proposed(await draft(patch, self._clock()))

    async def revert(self, workspace: Path, commit: str, author: str) -> Proposal:
        """A proposal that undoes `commit`, to be shown, approved and applied as any other.

        Raises:
            Refused: it is not in the branch's history, or is undone already; or (Unmergeable) the same lines changed
                after it.
        """
        return _log_proposed(await draft_revert(workspace, commit, author, self._clock()))

    async def pick(self, proposal: Proposal, ids: Collection[str], author: str) -> Proposal:
        """A proposal of these parts of `proposal` alone, by `author`, on the same base: to be shown and approved anew.

        Raises:
            Refused: there is no such part, or none was chosen; one cannot be had without another; or a rule forbids
                what they make.
        """
        return _log_proposed(await pick(proposal, ids, author, self._clock()))

    async def rehearse(self, patch: Patch) -> Rehearsal:
        """What `patch` makes of its own base; nothing is kept, and no branch need be checked out.

        Raises:
            BadInput, Refused, Misconfigured: as of `propose`.
        """
        return await rehearse(patch)


def _log_proposed(proposal: Proposal) -> Proposal:
    fields = {"proposal": proposal.id, "workspace": str(proposal.workspace), "files": len(proposal.files)}
    log.info("patch.proposed", extra=fields)
    return proposal
