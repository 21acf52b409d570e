"""The only place that runs git. Takes arguments and bytes, gives bytes; knows nothing of proposals.

What a repository brings along can run code even inside plumbing (hooks, fsmonitor, filters, external diffs, merge
drivers; coordination reference 2.3). So trees, diffs and patches are worked out in a `Scratch`: a bare repository of
our own with our own config, an empty attribute set and a private index, which only borrows the object store. The few
commands that need the repository itself (refs, history, its index) run with hooks and fsmonitor off and read no
attributes.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hashlib
import os
import re
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from layers.coordination.objects import commit_body, write_object
from layers.coordination.types import Entry
from layers.errors import Misconfigured, Refused, Unavailable

OLDEST = (2, 38)
TIMEOUT_S = 60.0
ERROR_BYTES = 4_000
SAFE = (
    "-c", "core.hooksPath=/dev/null",
    "-c", "core.fsmonitor=false",
    "-c", "core.attributesFile=/dev/null",
    "-c", "core.pager=cat",
    "-c", "core.fsync=committed,loose-object",
    "-c", "protocol.allow=never",
    "-c", "gc.auto=0",
    # Who owns the folder does not matter here: nothing that the folder's config names is ever run.
    "-c", "safe.directory=*",
    "--literal-pathspecs",
)  # fmt: skip
ENVIRONMENT = {
    "LC_ALL": "C",
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
}
BOT = {"GIT_COMMITTER_NAME": "Bulkhead", "GIT_COMMITTER_EMAIL": "bulkhead@localhost"}
COMMITTER = "Bulkhead <bulkhead@localhost>"


@dataclass(frozen=True, slots=True)
class Ran:
    """How one git command ended."""

    code: int
    out: bytes
    error: str

    @property
    def text(self) -> str:
        """Standard output as text, without the last newline."""
        return self.out.decode("utf-8", "surrogateescape").removesuffix("\n")

    @property
    def first_line(self) -> str:
        """The beginning of what it complained of; never empty."""
        return self.error.partition("\n")[0].strip() or f"code {self.code}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """Where a workspace's git data is."""

    root: Path
    """The work tree, resolved."""
    git_dir: Path
    common_dir: Path
    """Equal to `git_dir` except in a linked work tree."""
    object_format: str
    """`sha1` or `sha256`."""

    @property
    def zero(self) -> str:
        """The id that means: nothing."""
        return "0" * (64 if self.object_format == "sha256" else 40)

    @property
    def place(self) -> Mapping[str, str]:
        """The environment that points git at this repository, whatever its config says."""
        return {"GIT_DIR": str(self.git_dir), "GIT_WORK_TREE": str(self.root)}

    async def run(
        self, *arguments: str, feed: bytes = b"", accept: Sequence[int] = (0,), place: Mapping[str, str] | None = None
    ) -> Ran:
        """Run git in the repository."""
        return await run(*arguments, cwd=self.root, place={**self.place, **(place or {})}, feed=feed, accept=accept)


def workspace_id(repository: Repository) -> str:
    """The name of a workspace in refs and in the store: readable, and its own for every work tree of a repository."""
    name = re.sub(r"[^a-z0-9]+", "-", repository.root.name.lower()).strip("-")[:30] or "workspace"
    return f"{name}-{hashlib.sha256(str(repository.git_dir).encode()).hexdigest()[:10]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scratch:
    """A throw-away bare repository over another one's objects."""

    folder: Path
    objects: Path
    object_format: str
    zero: str
    """The id that means: nothing."""

    async def run(
        self, *arguments: str, feed: bytes = b"", accept: Sequence[int] = (0,), place: Mapping[str, str] | None = None
    ) -> Ran:
        """Run git here."""
        here = {"GIT_DIR": str(self.folder), "GIT_OBJECT_DIRECTORY": str(self.objects)}
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
        if not paths:
            return found
        ran = await self.run("ls-tree", "-z", "-l", "--full-tree", tree, "--", *paths)
        for record in ran.text.split("\0")[:-1]:
            facts, _, path = record.partition("\t")
            mode, kind, oid, size = facts.split()
            if kind == "tree":
                continue
            found[path] = Entry(mode=mode, oid=oid, size=int(size) if size != "-" else 0)
        return found

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
        wanted = list(dict.fromkeys(oids))
        if not wanted:
            return {}
        out = (await self.run("cat-file", "--batch", feed="\n".join(wanted).encode() + b"\n")).out
        found: dict[str, bytes] = {}
        at = 0
        for oid in wanted:
            end = out.index(b"\n", at)
            fields = out[at:end].split()
            if len(fields) != 3:
                raise Refused(f"git no longer has the object {oid[:12]}; propose the patch again")
            at = end + 1 + int(fields[2]) + 1
            found[oid] = out[end + 1 : at - 1]
        return found

    async def keep_blob(self, content: bytes) -> str:
        """Store `content` as it is; its id."""
        return await self._keep("blob", content)

    async def _keep(self, kind: str, content: bytes) -> str:
        try:
            return await asyncio.to_thread(write_object, self.objects, kind, content, self.object_format)
        except OSError as error:
            raise Unavailable(f"git's objects cannot be written: {error.strerror}; free the disk, try again") from error

    async def write_tree(self, start: str, entries: Mapping[str, Entry | None]) -> str:
        """The tree `start` (empty text: nothing) with `entries` put in, whatever is in their way, None taken out."""
        await self.run("read-tree", start or "--empty")
        await self.run("update-index", "-z", "--index-info", feed=index_lines(entries, self.zero))
        return (await self.run("write-tree")).text


def index_lines(entries: Mapping[str, Entry | None], zero: str) -> bytes:
    """`entries` as `git update-index -z --index-info` reads them; None removes."""
    lines: list[bytes] = []
    for path, entry in sorted(
        entries.items(), key=lambda item: item[1] is not None
    ):  # removals first: a file may become a folder
        facts = f"{entry.mode} {entry.oid} 0\t" if entry else f"0 {zero}\t"
        lines.append(facts.encode() + path.encode("utf-8", "surrogateescape") + b"\0")
    return b"".join(lines)


@contextlib.asynccontextmanager
async def scratch(repository: Repository) -> AsyncIterator[Scratch]:
    """A `Scratch` over `repository`'s objects, gone afterwards."""
    folder = Path(await asyncio.to_thread(_make_scratch, repository.object_format))
    try:
        objects = repository.common_dir / "objects"
        yield Scratch(folder=folder, objects=objects, object_format=repository.object_format, zero=repository.zero)
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
    """The repository whose work tree is `workspace`.

    Raises:
        Refused: there is none, or `workspace` is only a folder inside one.
        Misconfigured: git is missing or too old.
    """
    await version()
    root = Path(os.path.realpath(workspace))
    if not root.is_dir():
        raise Refused(f"the workspace {str(workspace)!r} is not a folder; name one that exists")
    mark = _mark(root)
    known = _opened.get(root)
    if known is not None and known[0] == mark:
        return known[1]
    repository = await _look_for_repository(workspace, root)
    _opened[root] = (mark, repository)
    return repository


async def root_of(workspace: Path) -> Path:
    """Where the work tree of `workspace` is. Raises as `open_repository`."""
    return (await open_repository(workspace)).root


_opened: dict[Path, tuple[tuple[int, ...], Repository]] = {}
"""What `open_repository` found, as long as its `.git` is the same file or folder with the same configuration."""


def _mark(root: Path) -> tuple[int, ...]:
    """Changes when `.git` is another, or when its configuration is."""
    marks: list[int] = []
    for path in (root / ".git", root / ".git" / "config"):
        try:
            status = path.stat()
        except OSError:  # a linked work tree has no config of its own; the file `.git` tells it apart
            marks += (0, 0, 0)
            continue
        is_plain = not path.is_dir()  # a folder's time changes with every ref
        marks += (status.st_dev, status.st_ino if path.name == ".git" else 0, status.st_mtime_ns if is_plain else 0)
    return tuple(marks)


async def _look_for_repository(workspace: Path, root: Path) -> Repository:
    wanted = ("--absolute-git-dir", "--path-format=absolute", "--git-common-dir", "--show-object-format")
    ceiling = {"GIT_CEILING_DIRECTORIES": str(root.parent)}
    ran = await run("rev-parse", *wanted, cwd=root, place=ceiling, accept=(0, 128))
    facts = ran.text.split("\n")
    if ran.code or len(facts) != 3 or not (root / ".git").exists():
        raise Refused(f"the workspace {str(workspace)!r} is not the top of a git work tree; run `git init` there")
    git_dir, common_dir, object_format = facts
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


async def run(
    *arguments: str, cwd: Path, place: Mapping[str, str], feed: bytes = b"", accept: Sequence[int] = (0,)
) -> Ran:
    """Run git to its end: no shell, no inherited environment, its own process group.

    Raises:
        Misconfigured: git is not installed.
        Unavailable: it took longer than a minute, or ended with a code not in `accept`.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            _program(), *SAFE, *arguments, cwd=cwd, env={**ENVIRONMENT, **place, "PATH": os.defpath},
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise Unavailable(f"git {arguments[0]} could not be started: {error.strerror}; try again") from error
    try:
        async with asyncio.timeout(TIMEOUT_S):
            out, error_out = await process.communicate(feed)
    except TimeoutError:
        raise Unavailable(f"git {arguments[0]} took longer than {TIMEOUT_S:.0f} seconds and was stopped") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):  # it ended between the look and the kill
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    assert process.returncode is not None
    ran = Ran(process.returncode, out, error_out[:ERROR_BYTES].decode("utf-8", "replace").strip())
    if ran.code not in accept:
        raise Unavailable(
            f"git {arguments[0]} failed: {ran.first_line}; try again, and see to the repository if it stays"
        )
    return ran


@functools.cache
def _program() -> str:
    program = shutil.which("git")
    if program is None:
        raise Misconfigured("git is not installed; install git 2.38 or newer, for example `apt install git`")
    return program
