"""A patch is tried on the workspace's branch: `Patch` in, `Proposal` out, nothing moved. Only objects are added.

Unreferenced objects live for git's two weeks; an approval that comes later is told to propose again.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from layers.coordination import rules
from layers.coordination.editing import MAX_FILE_BYTES, edit
from layers.coordination.git import Repository, Scratch, open_repository, scratch
from layers.coordination.heads import Head, read_head
from layers.coordination.merging import merge
from layers.coordination.running import Ran
from layers.coordination.types import Entry, FileChange, Patch, Proposal, Rehearsal, Snapshot, Unmergeable
from layers.errors import BadInput, Refused, Unavailable

SHOWN = ("-z", "--raw", "--numstat", "-p", "-M", "--no-ext-diff", "--no-textconv", "--no-color")
NOTHING = "the patch changes nothing: the files already are as it would make them"
_REVISION = re.compile(r"[0-9A-Za-z_][0-9A-Za-z_./~^-]{0,199}")
_FAILED_AT = re.compile(r"^error: patch failed: (.+):(\d+)$", re.MULTILINE)


async def read_files(workspace: Path, paths: Sequence[str]) -> Snapshot:
    """What the workspace's branch has at `paths`, and the commit it is of.

    Raises:
        Refused: a path that no patch may touch, so that nobody reads it either, or a file that is too large.
    """
    for path in paths:
        rules.check_path(path)
    repository = await open_repository(workspace)
    head = await read_head(repository)
    async with scratch(repository) as pad:
        entries = await pad.entries(head.tree, paths)
        for path, entry in entries.items():
            if entry.size > MAX_FILE_BYTES:
                raise Refused(f"{path!r} has {entry.size:,} bytes and {MAX_FILE_BYTES:,} is the limit")
        files = {path: entry for path, entry in entries.items() if entry.mode in rules.MODES}
        blobs = await pad.blobs([entry.oid for entry in files.values()])
    contents = {path: blobs[entry.oid] for path, entry in files.items()}
    return Snapshot(commit=head.commit, entries=files, contents=contents)


async def draft(patch: Patch, now: float) -> Proposal:
    """The proposal that `patch` makes.

    Raises:
        BadInput: the diff cannot be read; `line` says where.
        Refused: a rule forbids it, it does not fit, or (Unmergeable) it does not merge with what came after its base.
    """
    reading = _read(patch)
    repository = await open_repository(patch.workspace)
    head = await read_head(repository)
    base = await _find_base(repository, patch.base, head)
    async with scratch(repository) as pad:
        result, diff, files = await _work_out(pad, reading, base)
        if base.tree != head.tree:
            result = await _carry_over(repository, pad, (base, result, head), reading.paths)
            if result == head.tree:
                raise Refused(NOTHING)
            diff, files = await _compare(pad, head.tree, result)
        await _check_result(pad, result, files)
    return _proposal(repository, head, (result, diff, files), patch.author, now)


async def draft_revert(workspace: Path, commit: str, author: str, now: float) -> Proposal:
    """The proposal that takes out of the branch what `commit` did to it, and keeps what came after.

    Raises:
        Refused: `commit` is not in the branch's history, has not exactly one parent, or is undone already; a rule
            forbids it; or (Unmergeable) what came after it changed the same lines.
    """
    repository = await open_repository(workspace)
    head = await read_head(repository)
    undone = await _find_base(repository, commit, head)
    ran = await repository.run("rev-list", "--parents", "-1", undone.commit)
    parents = ran.text.split(" ")[1:]
    if len(parents) != 1:
        what = "is a merge" if parents else "is the first one"
        raise Refused(f"the commit {undone.commit[:10]} {what} and cannot be reverted; change the files by a patch")
    landed = await repository.run("merge-base", "--is-ancestor", undone.commit, head.commit, accept=(0, 1))
    if landed.code:
        raise Refused(f"the commit {undone.commit[:10]} is not in the history of {head.name}; check its branch out")
    before = await _find_base(repository, parents[0], head)
    async with scratch(repository) as pad:
        result = await merge(pad, undone.tree, head.tree, before.tree)
        if isinstance(result, tuple):
            names = ", ".join(repr(rules.visible(one.path)) for one in result)
            text = f"{names} changed on {head.name} after the commit {undone.commit[:10]} in the same lines"
            raise Unmergeable(f"{text}; take it back by a patch of your own", result)
        if result == head.tree:
            raise Refused(f"nothing of the commit {undone.commit[:10]} is left on {head.name}: it is undone already")
        diff, files = await _compare(pad, head.tree, result)
        await _check_result(pad, result, files)
    return _proposal(repository, head, (result, diff, files), author, now)


def _proposal(
    repository: Repository, head: Head, made: tuple[str, str, tuple[FileChange, ...]], author: str, now: float
) -> Proposal:
    result, diff, files = made
    return Proposal(
        id=secrets.token_hex(10), workspace=repository.root, branch=head.branch, base_commit=head.commit,
        base_tree=head.tree, result_tree=result, diff=diff, files=files, author=author, proposed_at=int(now),
    )  # fmt: skip


async def rehearse(patch: Patch) -> Rehearsal:
    """What `patch` makes of its base, wherever that is: no branch is looked at, and nothing is kept to be applied.

    Raises:
        BadInput: the diff cannot be read; `line` says where.
        Refused: a rule forbids it, or it does not fit.
    """
    reading = _read(patch)
    repository = await open_repository(patch.workspace)
    named = patch.base or "HEAD"
    base = await _find_base(repository, named, Head(branch=named, commit="", tree=""))
    async with scratch(repository) as pad:
        result, diff, files = await _work_out(pad, reading, base)
        await _check_result(pad, result, files)
    return Rehearsal(base_commit=base.commit, base_tree=base.tree, result_tree=result, diff=diff, files=files)


def _read(patch: Patch) -> rules.Reading | rules.Edits:
    if patch.whole and patch.diff:
        raise Refused("the patch has whole files and a diff; send one or the other")
    return rules.whole_files(patch.whole) if patch.whole else rules.understand(patch.diff)


async def _work_out(
    pad: Scratch, reading: rules.Reading | rules.Edits, base: Head
) -> tuple[str, str, tuple[FileChange, ...]]:
    """The tree that the patch makes of `base`, and the comparison of the two."""
    if isinstance(reading, rules.Edits):
        tree = await edit(pad, reading, base.tree, base.name)
        compared = await pad.run("diff-tree", "-r", *SHOWN, base.tree, tree)
    else:
        tree, compared = await _apply_on(pad, reading, base)
    if tree == base.tree:
        raise Refused(NOTHING)
    diff, files = _read_comparison(compared)
    check_lines(files)
    return tree, diff, files


def check_lines(files: Sequence[FileChange]) -> None:
    """Raise `Refused` where more lines change than people can look at."""
    changed = sum((file.added or 0) + (file.removed or 0) for file in files)
    if changed > rules.MAX_CHANGED_LINES:
        raise Refused(f"the patch changes {changed:,} lines and {rules.MAX_CHANGED_LINES:,} is the limit; split it")


async def _apply_on(pad: Scratch, reading: rules.Reading, base: Head) -> tuple[str, Ran]:
    """The tree of `base` with the diff applied, and git's comparison of the two. What does not wait runs at once."""
    loading = asyncio.create_task(pad.load(base.tree))
    try:
        found = await _check_places(pad, reading, base)
    finally:
        await loading
    await _apply(pad, reading, base, found)
    written, compared = await asyncio.gather(
        pad.keep_tree(), pad.run("diff-index", "--cached", *SHOWN, base.tree)
    )
    return written, compared


async def redraft(pad: Scratch, proposal: Proposal, head: Head, tree: str) -> Proposal:
    """The proposal that turns `head` into `tree`, in the name of `proposal`.

    Raises:
        Refused: a rule forbids it.
    """
    diff, files = await _compare(pad, head.tree, tree)
    await _check_result(pad, tree, files)
    return replace(
        proposal, id=secrets.token_hex(10), base_commit=head.commit, base_tree=head.tree, result_tree=tree, diff=diff,
        files=files,
    )  # fmt: skip


async def moved(
    repository: Repository, since: str, head: Head, was: dict[str, Entry], now: dict[str, Entry]
) -> dict[str, str]:
    """Path to sentence, for every path of `was` or `now` that differs."""
    found: dict[str, str] = {}
    for path in dict.fromkeys((*was, *now)):
        if was.get(path) != now.get(path):
            ran = await repository.run(
                "rev-list", "-1", head.commit, f"^{since}", "--", path, accept=(0, 128)
            )  # since may be gone from history: then no commit can be named
            by = f" in commit {ran.text[:10]}" if ran.code == 0 and ran.text else ""
            act = "was deleted" if path not in now else "was added" if path not in was else "changed"
            found[path] = f"{rules.visible(path)!r} {act} on {head.name}{by}"
    return found


async def _find_base(repository: Repository, base: str, head: Head) -> Head:
    """The commit that a patch names as its base, on the branch of `head`; `head` when it names none."""
    if not base:
        return head
    if not _REVISION.fullmatch(base):
        raise BadInput(f"the base {base[:80]!r} is no revision; name a commit, a branch or a tag")
    found = await repository.commit_at(base)
    if found is None:
        known = f"{head.name} is at {head.commit[:10]}" if head.commit else "name one that `git log` shows"
        raise Refused(f"the base {base!r} names no commit of this workspace; {known}")
    return Head(branch=head.branch, commit=found[0], tree=found[1])


async def _carry_over(
    repository: Repository, pad: Scratch, trees: tuple[Head, str, Head], paths: tuple[str, ...]
) -> str:
    """The tree of the branch with the change from a base to a result in it.

    Raises:
        Unmergeable: what happened since the base does not merge with it.
    """
    base, result, head = trees
    merged = await merge(pad, base.tree, head.tree, result)
    if isinstance(merged, str):
        return merged
    before, now = await asyncio.gather(pad.entries(base.tree, paths), pad.entries(head.tree, paths))
    changes = await moved(repository, base.commit, head, before, now)
    reasons = "; ".join(changes.values()) or ", ".join(repr(rules.visible(one.path)) for one in merged)
    text = f"the patch was made on {base.commit[:10]} and {head.name} moved on: {reasons}, and the two do not merge"
    raise Unmergeable(f"{text}; make it again on {head.commit[:10]}", merged)


async def _check_places(pad: Scratch, reading: rules.Reading, base: Head) -> dict[str, Entry]:
    """What `base` has at the patch's paths, where it is not too large and every hunk has one place to land."""
    found = await pad.entries(base.tree, reading.paths)
    for path, entry in found.items():
        if entry.size > MAX_FILE_BYTES:
            raise Refused(f"{path!r} has {entry.size:,} bytes and {MAX_FILE_BYTES:,} is the limit for patched files")
    known = [file for file in reading.files if file.hunks and file.old in found]
    contents = await pad.blobs([found[file.old].oid for file in known if found[file.old].mode in rules.MODES])
    for file in known:
        if (content := contents.get(found[file.old].oid)) is not None:
            rules.check_places(file, content)
    return found


async def _apply(pad: Scratch, reading: rules.Reading, head: Head, found: dict[str, Entry]) -> None:
    # unidiff-zero: a hunk that lacks context at one end may stand amid a file; `check_places` looked where it may land.
    options = ("--cached", "--unidiff-zero", "--whitespace=nowarn", f"-p{reading.strip}")
    ran = await pad.run("apply", *options, "-", feed=rules.as_bytes(reading.text), accept=(0, 1, 128))
    if ran.code:
        raise Refused(f"the patch does not apply on {head.name} ({head.commit[:10]}): {_reason(ran, reading, found)}")


def _reason(ran: Ran, reading: rules.Reading, found: dict[str, Entry]) -> str:
    """git's complaint, with the file and the patch's own line number."""
    failed = _FAILED_AT.search(ran.error)
    if failed is None:
        return ran.first_line.removeprefix("error: ")
    name, number = failed[1], int(failed[2])
    file = next((file for file in reading.files if file.old == name), None)
    hunk = next((hunk for hunk in file.hunks if hunk.old_start == number), None) if file else None
    where = f"the hunk at line {hunk.line} of the patch" if hunk else "a hunk"
    text = f"{name!r} does not have the lines that {where} expects near line {number}"
    entry = found.get(name)
    if file and file.expects and entry and not entry.oid.startswith(file.expects):
        text += f" (the patch was made on version {file.expects[:10]} of the file, it is {entry.oid[:10]} now)"
    return text + "; read the file again and make a new patch"


async def _compare(pad: Scratch, base: str, result: str) -> tuple[str, tuple[FileChange, ...]]:
    """The diff people see and its files, both from the trees."""
    return _read_comparison(await pad.run("diff-tree", "-r", *SHOWN, base, result))


def _read_comparison(ran: Ran) -> tuple[str, tuple[FileChange, ...]]:
    head, _, diff = ran.out.partition(b"\0\0")
    if not diff.startswith(b"diff --git "):
        raise Unavailable("git's comparison of the two trees cannot be read; report this with `git version`")
    fields = rules.as_text(head).split("\0")
    raw: list[tuple[list[str], str, str]] = []
    at = 0
    while fields[at].startswith(":"):
        facts = fields[at][1:].split(" ")
        is_pair = facts[4][0] in "RC"
        raw.append((facts, fields[at + 1], fields[at + 1 + is_pair]))
        at += 2 + is_pair
    files: list[FileChange] = []
    for facts, old_path, path in raw:
        added, removed, name = fields[at].split("\t")
        at += 1 if name else 3  # a rename's names follow in fields of their own
        control = rules.control_reason(path) or rules.control_reason(old_path)
        files.append(
            FileChange(
                path=path, old_path=old_path, status=facts[4][0], old_mode=facts[0], new_mode=facts[1],
                old_oid=facts[2], new_oid=facts[3], control=control,
                added=None if added == "-" else int(added), removed=None if removed == "-" else int(removed),
            )
        )  # fmt: skip
    return diff.decode("utf-8", "replace").replace("\0", "\ufffd"), tuple(files)


async def _check_result(pad: Scratch, result: str, files: tuple[FileChange, ...]) -> None:
    """What git made of the patch is held against the rules once more: these names and modes are the true ones."""
    if len(files) > rules.MAX_FILES:
        raise Refused(f"the patch touches {len(files)} files and {rules.MAX_FILES} is the limit; split it")
    for file in files:
        rules.check_path(file.path)
        rules.check_path(file.old_path)
        rules.check_mode(file.path, file.new_mode)
        if file.old_mode == "160000":
            raise Refused(f"the patch removes {file.path!r}, a submodule; do that yourself")
    links = {file.path: file.new_oid for file in files if file.new_mode == "120000"}
    targets = await pad.blobs(tuple(links.values()))
    for path, oid in links.items():
        rules.check_link(path, rules.as_text(targets[oid]))
    sizes = await pad.entries(result, [file.path for file in files if file.added is None and file.new_mode != "000000"])
    for path, entry in sizes.items():
        if entry.size > MAX_FILE_BYTES:
            raise Refused(f"the patch makes {path!r} {entry.size:,} bytes large; {MAX_FILE_BYTES:,} is the limit")
