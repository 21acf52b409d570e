"""A workspace's repository, as git sees it. Takes names, trees and bytes, gives the same; knows nothing of proposals.

What a repository brings along can run code even inside plumbing (hooks, fsmonitor, filters, external diffs, merge
drivers; coordination reference 2.3). So trees, diffs and patches are worked out in a `Scratch`: a bare repository of
our own with our own config, an empty attribute set and a private index, which only borrows the object store. The few
commands that need the repository itself (refs, history, its index) run with hooks and fsmonitor off and read no
attributes.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import re
import shutil
import tempfile
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from layers.coordination import warm
from layers.coordination.objects import commit_body, tree_entries, write_object
from layers.coordination.rules import as_bytes
from layers.coordination.running import Ran, run
from layers.coordination.types import Entry
from layers.errors import Misconfigured, Refused, Unavailable

OLDEST = (2, 38)
BOT = {"GIT_COMMITTER_NAME": "Bulkhead", "GIT_COMMITTER_EMAIL": "bulkhead@localhost"}
COMMITTER = "Bulkhead <bulkhead@localhost>"
FOLDER, SUBMODULE = "040000", "160000"
MAX_INDEXES, MAX_INDEX_BYTES = 8, 4 << 20
MAX_OPENED = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """Where a workspace's git data is."""

    root: Path
    """The work tree, resolved; of a bare repository, its own folder."""
    git_dir: Path
    common_dir: Path
    """Equal to `git_dir` except in a linked work tree."""
    object_format: str
    """`sha1` or `sha256`."""

    @property
    def is_bare(self) -> bool:
        """Whether there is neither a work tree nor an index."""
        return self.root == self.git_dir

    @property
    def zero(self) -> str:
        """The id that means: nothing."""
        return "0" * (64 if self.object_format == "sha256" else 40)

    @property
    def objects(self) -> Path:
        """Where its objects are."""
        return self.common_dir / "objects"

    @property
    def place(self) -> Mapping[str, str]:
        """The environment that points git at this repository, whatever its config says."""
        return {"GIT_DIR": str(self.git_dir)} | ({} if self.is_bare else {"GIT_WORK_TREE": str(self.root)})

    async def run(
        self, *arguments: str, feed: bytes = b"", accept: Sequence[int] = (0,), place: Mapping[str, str] | None = None
    ) -> Ran:
        """Run git in the repository."""
        return await run(*arguments, cwd=self.root, place={**self.place, **(place or {})}, feed=feed, accept=accept)

    async def commit_at(self, name: str) -> tuple[str, str] | None:
        """The ids of the commit that `name` leads to, and of its tree; None when it leads to none."""
        [answer] = await warm.contents(self.git_dir, self.objects, [f"{name}^{{commit}}"])
        return (answer.oid, answer.content[5 : 5 + len(self.zero)].decode("ascii")) if answer else None

    async def tip(self, ref: str) -> str:
        """The id that a reference has; empty where there is none."""
        [answer] = await warm.infos(self.git_dir, self.objects, [ref])
        return answer.oid if answer else ""


def workspace_id(repository: Repository) -> str:
    """The name of a workspace in refs and in the store: readable, and its own for every work tree of a repository."""
    name = re.sub(r"[^a-z0-9]+", "-", repository.root.name.lower()).strip("-")[:30] or "workspace"
    return f"{name}-{hashlib.sha256(str(repository.git_dir).encode()).hexdigest()[:10]}"


def own_folder(repository: Repository) -> Path:
    """Where the lock, the journal and the stage are: inside the git folder, on the file system of the files."""
    return repository.git_dir / "bulkhead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scratch:
    """A throw-away bare repository over another one's objects."""

    folder: Path
    repository: Repository

    @property
    def zero(self) -> str:
        """The id that means: nothing."""
        return self.repository.zero

    async def run(
        self, *arguments: str, feed: bytes = b"", accept: Sequence[int] = (0,), place: Mapping[str, str] | None = None
    ) -> Ran:
        """Run git here."""
        here = {"GIT_DIR": str(self.folder), "GIT_OBJECT_DIRECTORY": str(self.repository.objects)}
        return await run(*arguments, cwd=self.folder, place=here | dict(place or {}), feed=feed, accept=accept)

    async def commit(self, tree: str, parents: Sequence[str], body: bytes, *, author: str, at: int) -> str:
        """A commit object with nothing in it that a second run would make differently. `at` is epoch seconds, UTC.

        Nobody looks whether git has `tree`: it was just written, or its content was just read.
        """
        name = "".join(char for char in author if char.isprintable() and char not in "<>").strip(" .,:;\"'\\")
        content = commit_body(tree, parents, (f"{name or 'unknown'} <>", COMMITTER), at, body)
        return await self._keep("commit", content)

    async def entries(self, tree: str, paths: Sequence[str]) -> dict[str, Entry]:
        """The files that `tree` has at `paths`; absent ones and folders are left out."""
        found: dict[str, Entry] = {}
        wanted: dict[str, list[str]] = {tree: list(dict.fromkeys(paths))} if paths else {}
        depth = 0
        while wanted:
            bodies = await self._contents(wanted, "tree")
            below: dict[str, list[str]] = {}
            for oid, inside in wanted.items():
                try:
                    entries = tree_entries(bodies[oid], self.repository.object_format)
                except ValueError:
                    raise Unavailable(f"the tree {oid[:12]} is damaged; run `git fsck`") from None
                for path in inside:
                    parts = path.split("/")
                    mode, named = entries.get(as_bytes(parts[depth]), ("", ""))
                    if mode == FOLDER and depth + 1 < len(parts):
                        below.setdefault(named, []).append(path)
                    elif mode not in ("", FOLDER) and depth + 1 == len(parts):
                        found[path] = Entry(mode=mode, oid=named)
            wanted, depth = below, depth + 1
        return await self._with_sizes(found)

    async def _with_sizes(self, entries: dict[str, Entry]) -> dict[str, Entry]:
        here = self.repository
        oids = list(dict.fromkeys(entry.oid for entry in entries.values() if entry.mode != SUBMODULE))
        answers = await warm.infos(here.git_dir, here.objects, oids) if oids else []
        sizes = {oid: answer.size for oid, answer in zip(oids, answers, strict=True) if answer}
        return {path: replace(entry, size=sizes.get(entry.oid, 0)) for path, entry in entries.items()}

    async def changes(self, before: str, after: str) -> dict[str, tuple[Entry | None, Entry | None]]:
        """What differs between two trees, path by path."""
        ran = await self.run("diff-tree", "-r", "-z", "--raw", "--no-renames", before, after)
        fields = ran.text.split("\0")[:-1]
        found: dict[str, tuple[Entry | None, Entry | None]] = {}
        for facts, path in zip(fields[::2], fields[1::2], strict=True):
            old_mode, new_mode, old_oid, new_oid, _ = facts[1:].split(" ")
            old = Entry(mode=old_mode, oid=old_oid) if old_oid.strip("0") else None
            found[path] = (old, Entry(mode=new_mode, oid=new_oid) if new_oid.strip("0") else None)
        return found

    async def blobs(self, oids: Sequence[str]) -> dict[str, bytes]:
        """The contents of `oids`, as kept: no filter, no conversion."""
        return await self._contents(oids)

    async def _contents(self, oids: Iterable[str], kind: str = "") -> dict[str, bytes]:
        here, wanted = self.repository, list(dict.fromkeys(oids))
        answers = await warm.contents(here.git_dir, here.objects, wanted) if wanted else []
        found: dict[str, bytes] = {}
        for oid, answer in zip(wanted, answers, strict=True):
            if answer is None or kind not in ("", answer.kind):
                raise Refused(f"git no longer has the object {oid[:12]}; propose the patch again")
            found[oid] = answer.content
        return found

    async def keep_blob(self, content: bytes) -> str:
        """Store `content` as it is; its id."""
        return await self._keep("blob", content)

    async def _keep(self, kind: str, content: bytes) -> str:
        here = self.repository
        try:
            return await asyncio.to_thread(write_object, here.objects, kind, content, here.object_format)
        except OSError as error:
            raise Unavailable(f"git's objects cannot be written: {error.strerror}; free the disk, try again") from error

    async def write_tree(self, start: str, entries: Mapping[str, Entry | None]) -> str:
        """The tree `start` (empty text: nothing) with `entries` put in, whatever is in their way, None taken out."""
        await self.load(start)
        await self.run("update-index", "-z", "--index-info", feed=index_lines(entries, self.zero))
        return await self.keep_tree()

    async def load(self, tree: str) -> None:
        """Make the index here that of `tree`; empty text: of nothing."""
        key = (self.repository.objects, tree)
        index = _indexes.pop(key, None)
        if index is None:
            await self.run("read-tree", tree or "--empty")
            await self._remember(tree)
            return
        _indexes[key] = index
        await asyncio.to_thread((self.folder / "index").write_bytes, index)

    async def keep_tree(self) -> str:
        """Store what the index here has; the tree's id."""
        tree = (await self.run("write-tree")).text
        await self._remember(tree)
        return tree

    async def _remember(self, tree: str) -> None:
        index = await asyncio.to_thread((self.folder / "index").read_bytes)
        if len(index) <= MAX_INDEX_BYTES:
            _indexes[self.repository.objects, tree] = index
            while len(_indexes) > MAX_INDEXES:
                _indexes.popitem(last=False)


_indexes: OrderedDict[tuple[Path, str], bytes] = OrderedDict()
"""Of the trees that were loaded or stored last: most patches are made on one of them, which is then not read again."""


def index_lines(entries: Mapping[str, Entry | None], zero: str) -> bytes:
    """`entries` as `git update-index -z --index-info` reads them; None removes."""
    lines: list[bytes] = []
    for path, entry in sorted(
        entries.items(), key=lambda item: item[1] is not None
    ):  # removals first: a file may become a folder
        facts = f"{entry.mode} {entry.oid} 0\t" if entry else f"0 {zero}\t"
        lines.append(facts.encode() + as_bytes(path) + b"\0")
    return b"".join(lines)


@contextlib.asynccontextmanager
async def scratch(repository: Repository) -> AsyncIterator[Scratch]:
    """A `Scratch` over `repository`'s objects, gone afterwards."""
    folder = Path(await asyncio.to_thread(_make_scratch, repository.object_format))
    try:
        yield Scratch(folder=folder, repository=repository)
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _make_scratch(object_format: str) -> str:
    folder = tempfile.mkdtemp(prefix="bulkhead-git-")
    os.mkdir(os.path.join(folder, "refs"))
    version, extension = ("1", "[extensions]\n\tobjectFormat = sha256\n") if object_format == "sha256" else ("0", "")
    core = f"[core]\n\trepositoryformatversion = {version}\n\tbare = true\n\tquotePath = false\n"
    safe = "\tprotectNTFS = true\n\tprotectHFS = true\n"  # refuse names that are .git on other file systems
    with open(os.path.join(folder, "config"), "w", encoding="ascii") as file:
        file.write(core + safe + extension)
    with open(os.path.join(folder, "HEAD"), "w", encoding="ascii") as file:
        file.write("ref: refs/heads/none\n")
    return folder


async def open_repository(workspace: Path) -> Repository:
    """The repository whose work tree is `workspace`, or which is `workspace` and bare.

    Raises:
        Refused: there is none, or `workspace` is only a folder inside one.
        Misconfigured: git is missing or too old.
    """
    await version()
    root = Path(os.path.realpath(workspace))
    if not root.is_dir():
        raise Refused(f"the workspace {str(workspace)!r} is not a folder; name one that exists")
    mark = _mark(root)
    known = _opened.pop(root, None)
    if known is not None and known[0] == mark:
        _opened[root] = known  # the newest again
        return known[1]
    repository = await _look_for_repository(workspace, root)
    _opened[root] = (mark, repository)
    while len(_opened) > MAX_OPENED:
        del _opened[next(iter(_opened))]
    return repository


async def root_of(workspace: Path) -> Path:
    """Where the work tree of `workspace` is. Raises as `open_repository`."""
    return (await open_repository(workspace)).root


_opened: dict[Path, tuple[tuple[int, ...], Repository]] = {}
"""What `open_repository` found, as long as its `.git` is the same file or folder with the same configuration."""


def _mark(root: Path) -> tuple[int, ...]:
    """Changes when `.git` is another, or when its configuration is; of a bare repository, when that is."""
    marks: list[int] = []
    for path in (root / ".git", root / ".git" / "config", root / "config"):
        try:
            status = path.stat()
        except OSError:  # a linked work tree has no config of its own; the file `.git` tells it apart
            marks += (0, 0, 0)
            continue
        is_plain = not path.is_dir()  # a folder's time changes with every ref
        marks += (status.st_dev, status.st_ino if path.parent == root else 0, status.st_mtime_ns if is_plain else 0)
    return tuple(marks)


async def _look_for_repository(workspace: Path, root: Path) -> Repository:
    wanted = ("--absolute-git-dir", "--path-format=absolute", "--git-common-dir", "--show-object-format")
    bare = "--is-bare-repository"
    ceiling = {"GIT_CEILING_DIRECTORIES": str(root.parent)}
    ran = await run("rev-parse", *wanted, bare, cwd=root, place=ceiling, accept=(0, 128))
    facts = ran.text.split("\n")
    if ran.code or len(facts) != 4 or not ((root / ".git").exists() or (facts[0], facts[3]) == (str(root), "true")):
        raise Refused(f"the workspace {str(workspace)!r} is not the top of a git work tree; run `git init` there")
    git_dir, common_dir, object_format, _ = facts
    return Repository(root=root, git_dir=Path(git_dir), common_dir=Path(common_dir), object_format=object_format)


async def version() -> str:
    """git's version, `2.39.5`.

    Raises:
        Misconfigured: there is no git, or one older than 2.38.
    """
    if _versions:
        return _versions[0]
    ran = await run("version", cwd=Path("/"), place={})
    numbers = re.search(r"\d+(\.\d+)+", ran.text)
    if numbers is None or tuple(int(n) for n in numbers[0].split(".")[:2]) < OLDEST:
        raise Misconfigured(
            f"git says {ran.text!r}; Bulkhead needs git 2.38 or newer, install it from your distribution"
        )
    _versions.append(numbers[0])
    return numbers[0]


_versions: list[str] = []
"""What `version` found, once."""
