"""Where a workspace's branch is: a repository in, a `Head` out, or the reason why nothing can be committed now."""

from __future__ import annotations

import os
from dataclasses import dataclass

from layers.coordination.git import Repository
from layers.errors import Refused

BRANCHES = "refs/heads/"
HALF_DONE = {
    "MERGE_HEAD": "a merge",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
    "rebase-merge": "a rebase",
    "rebase-apply/applying": "git am",
    "rebase-apply": "a rebase",
    "sequencer": "a cherry-pick or a revert of several commits",
}
"""What git leaves in its folder while a person has something to finish, in the order in which it is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Where the workspace's branch is."""

    branch: str
    """Full name of the ref; empty when none is checked out."""
    commit: str
    """Empty before the first one."""
    tree: str

    @property
    def name(self) -> str:
        """The branch as people call it."""
        return self.branch.removeprefix(BRANCHES)


async def look(repository: Repository) -> Head:
    """The checked-out branch, whatever state it is in."""
    branch = _plain_branch(repository)
    if branch is None:
        ran = await repository.run("symbolic-ref", "--quiet", "HEAD", accept=(0, 1, 128))
        branch = ran.text if ran.code == 0 and ran.text.startswith(BRANCHES) else ""
    found = await repository.commit_at(branch or "HEAD")
    commit, tree = found or ("", "")
    return Head(branch=branch, commit=commit, tree=tree)


async def read_head(repository: Repository) -> Head:
    """The checked-out branch.

    Raises:
        Refused: none is checked out, it has no commit, or a merge or rebase is half done.
    """
    where = repr(str(repository.root))
    for mark, what in HALF_DONE.items():
        if (repository.git_dir / mark).exists():
            raise Refused(f"the workspace {where} is in the middle of {what} ({mark}); finish or abort it first")
    head = await look(repository)
    if not head.commit:
        raise Refused(f"the workspace {where} has no commit yet; make a first one")
    if not head.branch:
        raise Refused(f"the workspace {where} is not on a branch; check one out")
    return head


def _plain_branch(repository: Repository) -> str | None:
    """What git's own file says; None where only git can tell (a link, another store of references, no branch)."""
    try:
        handle = os.open(repository.git_dir / "HEAD", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        said = os.read(handle, 4096)
    finally:
        os.close(handle)
    name = said.removeprefix(b"ref:").strip().decode("utf-8", "surrogateescape")
    is_plain = said.startswith(b"ref:") and name.startswith(BRANCHES) and name != f"{BRANCHES}.invalid"
    return name if is_plain and not any(char.isspace() for char in name) else None
