"""Work trees of agents, outside everybody's files: a name and a workspace in, a folder out; later, what changed in it.

Each is a git repository of its own that only borrows the workspace's objects: whatever an agent runs in it, commits or
configures there, no file, index, reference or setting of the workspace can change by it. It is at the workspace's
branch, detached, without remotes or hooks, and holds every file byte for byte, except those that hold secrets.

No git that reads an agent's files or configuration is ever run on what it has made: files are read and hashed here.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import json
import logging
import os
import re
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from layers.coordination import rules
from layers.coordination.editing import MAX_FILE_BYTES
from layers.coordination.git import (
    BOT,
    SUBMODULE,
    Repository,
    Scratch,
    open_repository,
    scratch,
    workspace_id,
)
from layers.coordination.heads import read_head
from layers.coordination.looking import Seen
from layers.coordination.merging import merge
from layers.coordination.running import run
from layers.coordination.types import Entry
from layers.coordination.worktree import Folder
from layers.errors import Misconfigured, Refused

log = logging.getLogger(__name__)

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
OID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
RAW = "* -text -ident -filter -working-tree-encoding -crlf\n"
"""What git does to a file on its way into such a tree: nothing."""
RECORD = ".git/bulkhead.json"
"""What a tree is of, inside it."""
FEW = 5
"""Names that a refusal tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentTree:
    """A work tree of an agent's."""

    name: str
    folder: Path
    workspace: Path
    """Whose branch it began at."""
    base: str
    """The commit it began at."""
    made_at: int
    """Epoch seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What an agent's tree holds now."""

    tree: str
    """Equal to the base's where nothing changed."""
    diff: bytes
    """From its base, as `git diff --binary`."""
    paths: tuple[str, ...]


async def make_tree(shelf: Path, workspace: Path, name: str, now: float) -> AgentTree:
    """A new tree at the head of the workspace's branch, below the folder `shelf`.

    Raises:
        Refused: the name is none or taken, or there is no branch to begin at.
        Misconfigured: the folder cannot be made.
    """
    if not NAME.fullmatch(name):
        raise Refused(f"{name[:80]!r} is no name for a work tree; use up to 40 small letters, digits, - and _")
    repository = await open_repository(workspace)
    head = await read_head(repository)
    place = shelf / workspace_id(repository)
    made = AgentTree(name=name, folder=place / name, workspace=repository.root, base=head.commit, made_at=int(now))
    draft = place / f".{name}.{secrets.token_hex(6)}"
    try:
        draft.mkdir(mode=0o700, parents=True)
        await _check_out(repository, draft, head.commit)
        facts = {"workspace": str(made.workspace), "base": made.base, "made_at": made.made_at}
        (draft / RECORD).write_text(json.dumps(facts))
        os.rename(draft, made.folder)  # takes the name: it fails where a folder has anything in it
        await repository.run("update-ref", _ref(repository, name), made.base, place=BOT)  # git keeps the base as long
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY):
            raise Refused(f"there is a work tree {name!r} already; remove it, or take another name") from None
        raise Misconfigured(f"no work tree can be made in {str(place)!r}: {error.strerror}; see to the home") from None
    finally:
        await asyncio.to_thread(shutil.rmtree, draft, ignore_errors=True)
    return made


def find_trees(shelf: Path) -> list[AgentTree]:
    """Every tree there is, by workspace and name. What an agent has spoilt is none."""
    found: list[AgentTree] = []
    for folder in sorted(shelf.glob("*/*")):
        if not NAME.fullmatch(folder.name) or not (folder / RECORD).is_file():
            continue
        try:
            facts = json.loads((folder / RECORD).read_bytes())
            workspace, base, made_at = Path(facts["workspace"]), str(facts["base"]), int(facts["made_at"])
        except (ValueError, TypeError, LookupError, OSError) as error:
            log.warning("worktree.unreadable", extra={"folder": str(folder), "error": str(error)})
            continue
        found.append(
            AgentTree(name=folder.name, folder=folder, workspace=workspace, base=base, made_at=made_at)
        )
    return found


async def look_in(tree: AgentTree) -> Made:
    """What differs in an agent's tree from the commit it began at; ignored files do not.

    Raises:
        Refused: something that no patch can hold, or too much of it.
    """
    repository = await _workspace_of(tree)
    async with scratch(repository) as pad:
        return await _look(pad, tree, await _base_tree(repository, tree))


async def drop_tree(tree: AgentTree, *, force: bool = False) -> None:
    """Remove a tree.

    Raises:
        Refused: it holds what the workspace's branch does not, and it is not forced.
    """
    if not force and (left := await _unsaved(tree)):
        raise Refused(f"the work tree {tree.name!r} {left}; propose that first, or remove it with --force")
    repository = await _workspace_of(tree) if tree.workspace.is_dir() else None
    await asyncio.to_thread(shutil.rmtree, tree.folder)
    if repository is not None:
        await repository.run("update-ref", "-d", _ref(repository, tree.name), place=BOT)


async def _workspace_of(tree: AgentTree) -> Repository:
    """The repository that a tree is of. What stands in the tree was an agent's to change, the folder's name was not.

    Raises:
        Refused: it is of another.
    """
    repository = await open_repository(tree.workspace)
    if workspace_id(repository) != tree.folder.parent.name:
        raise Refused(f"the work tree {tree.name!r} is not of {str(tree.workspace)!r}; remove its folder yourself")
    return repository


def _ref(repository: Repository, name: str) -> str:
    return f"refs/coord/{workspace_id(repository)}/worktree/{name}"


async def _check_out(repository: Repository, folder: Path, commit: str) -> None:
    """The files of `commit`, each as it is kept: no filter, no conversion, no hook."""
    options = ("--quiet", "--template=", "--initial-branch=none", f"--object-format={repository.object_format}")
    await run("init", *options, str(folder), cwd=folder, place={})
    git_dir = folder / ".git"
    for name, content in (("objects/info/alternates", f"{repository.objects}\n"), ("info/attributes", RAW)):
        path = git_dir / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
    own = {"GIT_DIR": str(git_dir), "GIT_WORK_TREE": str(folder)}
    await run("update-ref", "--no-deref", "HEAD", commit, cwd=folder, place=own)
    await run("read-tree", commit, cwd=folder, place=own)
    listed = await run("ls-files", "-z", cwd=folder, place=own)
    hidden = [path for path in listed.text.split("\0")[:-1] if rules.is_secret(path)]
    feed = b"".join(rules.as_bytes(path) + b"\0" for path in hidden)
    await run("update-index", "-z", "--skip-worktree", "--stdin", cwd=folder, place=own, feed=feed)
    await run("checkout-index", "--all", "--quiet", cwd=folder, place=own)


async def _base_tree(repository: Repository, tree: AgentTree) -> str:
    found = await repository.commit_at(tree.base) if OID.fullmatch(tree.base) else None
    if found is None:
        raise Refused(f"the commit {tree.base[:10]} that the work tree {tree.name!r} began at is gone; make a new one")
    return found[1]


async def _look(pad: Scratch, tree: AgentTree, base: str) -> Made:
    listed = await pad.run("ls-tree", "-r", "-z", base)
    before = dict(_entries(listed.text))
    new = await _others(pad, tree, base)
    folder = Folder(tree.folder, tree.folder / ".git", pad.repository.object_format)
    found = await asyncio.to_thread(_changes, folder, before, new)
    entries: dict[str, Entry | None] = {}
    for path, (entry, content) in found.items():
        rules.check_path(path)
        entries[path] = entry
        if entry is not None:
            await pad.keep_blob(content)
    result = await pad.write_tree(base, entries) if entries else base
    shown = ("-r", "-p", "-M", "--binary", "--full-index", "--no-ext-diff", "--no-textconv", "--no-color")
    ran = await pad.run("diff-tree", *shown, base, result)
    return Made(tree=result, diff=ran.out, paths=tuple(sorted(entries)))


def _entries(listed: str) -> list[tuple[str, Entry]]:
    rows = [row.partition("\t") for row in listed.split("\0")[:-1]]
    return [(path, Entry(mode=facts.split(" ")[0], oid=facts.split(" ")[2])) for facts, _, path in rows]


async def _others(pad: Scratch, tree: AgentTree, base: str) -> list[str]:
    """Files that the base does not have and nothing ignores: by `.gitignore` files and the workspace's own list."""
    await asyncio.to_thread(_demand_plain_ignores, tree.folder)
    await pad.load(base)
    own = pad.repository.common_dir / "info" / "exclude"
    more = (f"--exclude-from={own}",) if own.is_file() else ()
    ran = await pad.run(
        "ls-files", "--others", "--exclude-standard", *more, "-z", place={"GIT_WORK_TREE": str(tree.folder)}
    )
    found = ran.text.split("\0")[:-1]
    if inner := [path for path in found if path.endswith("/")]:
        raise Refused(f"{inner[0]!r} is a git repository of its own, and a patch holds none; move it elsewhere")
    if len(found) > rules.MAX_FILES:
        names = ", ".join(repr(path) for path in found[:FEW])
        text = f"the work tree has {len(found)} new files ({names} ...) and a patch holds {rules.MAX_FILES}"
        raise Refused(f"{text}; delete what is not meant, or let `.gitignore` name it")
    return found


def _demand_plain_ignores(folder: Path) -> None:
    """git opens every one of these, and would wait for ever for somebody to write into a pipe."""
    for at, _, names in os.walk(folder):
        if ".gitignore" in names and not (Path(at) / ".gitignore").is_file():
            raise Refused(f"{os.path.relpath(at, folder)}/.gitignore is no plain file; make it one")


def _changes(
    folder: Folder, before: Mapping[str, Entry], new: Sequence[str]
) -> dict[str, tuple[Entry | None, bytes]]:
    """Path -> what is there now and its content, for every path that is not as it was."""
    found: dict[str, tuple[Entry | None, bytes]] = {}
    for path in (*before, *new):
        old = before.get(path)
        read = folder.read(path)
        seen, content = read or (None, b"")
        if seen is None and (path in new or rules.is_secret(path)):
            continue  # gone since it was listed; or never there
        if old is not None and old.mode == SUBMODULE and seen is not None and seen.kind == "a folder":
            continue
        entry = _entry(folder, path, seen, old)
        if entry != old:
            if len(content) > MAX_FILE_BYTES:
                raise Refused(f"{path!r} has more than {MAX_FILE_BYTES:,} bytes, the limit for patched files")
            found[path] = (entry, content)
        if len(found) > 2 * rules.MAX_FILES:  # twice: a rename is one file of a patch
            raise Refused(f"more than {2 * rules.MAX_FILES} files changed in the work tree; propose it in parts")
    return found


def _entry(folder: Folder, path: str, seen: Seen | None, old: Entry | None) -> Entry | None:
    """What a tree would have there; None of nothing."""
    if seen is None or seen.kind in ("a folder", "below no folder"):
        return None
    if seen.kind == "file" and not seen.oid and old is not None:  # too large to be read at once
        oid = _digest(folder.root / path, folder.object_format)
        return Entry(mode="100755" if seen.permissions & 0o100 else "100644", oid=oid)
    if seen.kind not in ("file", "link"):
        raise Refused(f"{path!r} is no plain file, link or folder; remove it")
    return seen.entry or Entry(mode="100644", oid="")


def _digest(path: Path, object_format: str) -> str:
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        size = os.fstat(file.fileno()).st_size
        made = hashlib.new(object_format, b"blob %d\0" % size, usedforsecurity=False)
        while piece := file.read(1 << 20):
            made.update(piece)
    return made.hexdigest()


async def _unsaved(tree: AgentTree) -> str:
    """What would be lost with the tree, as the end of a sentence; empty where nothing would."""
    repository = await _workspace_of(tree)
    async with scratch(repository) as pad:
        base = await _base_tree(repository, tree)
        made = await _look(pad, tree, base)
        head = await read_head(repository)
        merged = await merge(pad, base, head.tree, made.tree)
        if merged != head.tree:
            names = ", ".join(repr(rules.visible(path)) for path in made.paths[:FEW])
            return f"has changes that {head.name} does not have ({names})"
    return await _own_commits(tree, made.tree)


async def _own_commits(tree: AgentTree, now: str) -> str:
    """Commits, stashes among them, that somebody made in the tree and that hold other files than are there now."""
    own = {"GIT_DIR": str(tree.folder / ".git"), "GIT_WORK_TREE": str(tree.folder)}
    ran = await run("for-each-ref", "--format=%(objectname)", cwd=tree.folder, place=own, accept=(0, 128))
    head = await run("rev-parse", "--verify", "--quiet", "HEAD", cwd=tree.folder, place=own, accept=(0, 1, 128))
    tips = [tip for tip in (*ran.text.split(), head.text) if tip and tip != tree.base]
    for tip in tips:
        held = await run("rev-parse", f"{tip}^{{tree}}", cwd=tree.folder, place=own, accept=(0, 128))
        if held.text != now:
            return f"has the commit {tip[:10]}, whose files are not those that are there now"
    return ""
