"""The files people see. Takes `Step`s and contents, gives one sentence for every file that it left alone.

git is not used for this: its checkout runs the repository's filters, follows what it finds, and overwrites by name.
Here every folder is opened without following links, every new content is staged in the git folder, and RENAME_EXCHANGE
swaps it with what is there; what was displaced is then hashed, and if it is not what the step expected, it is swapped
back. So an editor's save between the look and the swap survives (9,000 such saves: check and replace lost 794, this
lost 0; coordination reference 4.2). An editor that has the displaced file open still writes into it: see `quarantine`.
Where the file system cannot exchange (NFS, macOS), what is there gets a second name, is replaced, and is looked at
under that name: a save in place still survives, one by rename at that very moment does not, and people are told so.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import functools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from layers.coordination.looking import Seen, read_in
from layers.coordination.quarantine import Quarantine
from layers.coordination.rules import as_bytes, visible
from layers.coordination.types import Entry, Step
from layers.failpoint import Landing, reach

NO_REPLACE = 1
EXCHANGE = 2


class Folder:
    """A work tree's root and the stage its new contents wait in."""

    def __init__(self, root: Path, stage: Path, object_format: str) -> None:
        self.root = root
        self.stage = stage
        self.object_format = object_format
        self.quarantine = Quarantine(stage.parent / "quarantine", self._content_of)
        self.unguarded: list[str] = []
        """Paths that were written where the file system cannot exchange."""

    def _content_of(self, name: str) -> str:
        seen = self._look_in(None, name)
        return seen.oid if seen else ""

    def obstacles(self, steps: Sequence[Step]) -> dict[str, str]:
        """Path to reason, for every step whose file is not as the step expects."""
        going = {step.path for step in steps if step.new is None}
        found: dict[str, str] = {}
        for step in steps:
            seen = self.look(step.path)
            if not _is_ready(seen, step) and not (step.new and seen and self._makes_room(step.path, seen, going)):
                found[step.path] = _why(step, seen)
        return found

    def _makes_room(self, path: str, seen: Seen, going: set[str]) -> bool:
        """Whether what is in the way of a new file is all deleted by the same change."""
        if seen.kind == "below no folder":
            return any(path.startswith(f"{gone}/") for gone in going)
        if seen.kind != "a folder":
            return False
        inside = os.walk(self.root / path)
        return all(
            os.path.relpath(os.path.join(at, name), self.root) in going for at, _, names in inside for name in names
        )

    def look(self, path: str) -> Seen | None:
        """What is at `path`; None when nothing is."""
        found = self.read(path)
        return found[0] if found else None

    def read(self, path: str) -> tuple[Seen, bytes] | None:
        """What is at `path` and its content (of a link, its target); None when nothing is."""
        try:
            with self._parent(path) as (folder, name):
                return read_in(folder, name, self.object_format)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno in (errno.ENOTDIR, errno.ELOOP):
                return Seen("below no folder"), b""
            raise

    def write(self, steps: Sequence[Step], contents: Mapping[str, bytes]) -> dict[str, str]:
        """Take every step whose file is as expected; path to reason for the others. May be run again after a crash."""
        self.stage.mkdir(parents=True, exist_ok=True)
        for part in self.stage.glob("*.part"):
            part.unlink()
        left: dict[str, str] = {}
        for number, step in enumerate(steps):
            done = self._take(step, str(self.stage / str(number)), contents)
            if not done:
                left[step.path] = _why(step, self.look(step.path))
            reach(Landing.FILE_DONE)
        return left

    def _take(self, step: Step, staged: str, contents: Mapping[str, bytes]) -> bool:
        """Whether the file is now as the step wants it."""
        try:
            with self._parent(step.path, make=step.new is not None) as (folder, name):
                self._finish_staged(folder, name, staged, step)
                seen = self._look_in(folder, name)
                if step.new is None:
                    done = seen is None or (seen.holds(step.old) and self._displace(folder, name, staged, step))
                elif seen is not None and seen.is_exactly(step.new):
                    done = True
                elif not _is_ready(seen, step):
                    done = False
                else:
                    self._stage(staged, step.new, contents[step.new.oid], seen)
                    reach(Landing.STAGED)
                    done = (
                        self._place(folder, name, staged, step)
                        if seen is None
                        else self._swap(folder, name, staged, step)
                    )
                os.fsync(folder)
        except FileNotFoundError:
            return step.new is None
        except OSError as error:
            if error.errno in (errno.ENOTDIR, errno.ELOOP):
                return False
            raise
        if step.new is None and done:
            self._drop_empty_folders(step.path)
        return done

    def _finish_staged(self, folder: int, name: str, staged: str, step: Step) -> None:
        """Clear what a crash left in the stage; what is neither old nor new is somebody's edit and goes back."""
        seen = self._look_in(None, staged)
        if seen is None:
            return
        if not seen.holds(step.old) and not seen.holds(step.new):
            at_path = self._look_in(folder, name)
            if at_path is None:
                _rename(None, staged, folder, name)
                return
            if at_path.holds(step.new):
                _exchange(staged, folder, name)
            # else both differ: the path keeps the newer one, and the older one is caught
        self.quarantine.take(staged, step.path, _id_of(step.old if seen.holds(step.old) else step.new))

    def _stage(self, staged: str, entry: Entry, content: bytes, seen: Seen | None) -> None:
        if entry.mode == "120000":
            os.symlink(content, staged.encode())
            return
        wanted = 0o777 if entry.mode == "100755" else 0o666
        part = f"{staged}.part"  # what stands under its own name is whole: half of it would pass for somebody's edit
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, wanted)
        with open(handle, "wb") as file:
            file.write(content)
            if seen is not None and seen.kind == "file":  # keep who may read it, give or take the executable bit
                bits = seen.permissions & 0o666
                os.fchmod(handle, bits | ((bits & 0o444) >> 2 if entry.mode == "100755" else 0))
            file.flush()
            os.fsync(handle)
        os.rename(part, staged)

    def _place(self, folder: int, name: str, staged: str, step: Step) -> bool:
        try:
            _rename(None, staged, folder, name)
        except FileExistsError:
            os.unlink(staged)
            return False
        return True

    def _swap(self, folder: int, name: str, staged: str, step: Step) -> bool:
        if not _exchange(staged, folder, name):
            self.unguarded.append(step.path)
        reach(Landing.EXCHANGED)
        displaced = self._look_in(None, staged)
        mine = displaced is None or displaced.holds(step.old)  # None: there was nothing to give a second name
        if not mine:
            _exchange(staged, folder, name)
            again = self._look_in(None, staged)
            if again is not None and not again.holds(step.new):  # saved once more meanwhile: the newest save wins
                _exchange(staged, folder, name)
        if displaced is not None:  # what is neither the old nor ours is a save that nobody has seen: it is caught
            self.quarantine.take(staged, step.path, _id_of(step.old if mine else step.new))
        return mine

    def _displace(self, folder: int, name: str, staged: str, step: Step) -> bool:
        _rename(folder, name, None, staged)
        displaced = self._look_in(None, staged)
        if displaced is not None and not displaced.holds(step.old):
            with contextlib.suppress(FileExistsError):  # saved under its name again meanwhile: the newest save wins
                _rename(None, staged, folder, name)
                return False
        if displaced is not None:
            self.quarantine.take(staged, step.path, _id_of(step.old))
        return True

    def _drop_empty_folders(self, path: str) -> None:
        parts = path.split("/")[:-1]
        while parts:
            try:
                with self._parent("/".join(parts)) as (folder, name):
                    os.rmdir(name, dir_fd=folder)
            except OSError:  # not empty, or no plain folder: it stays
                return
            parts.pop()

    @contextlib.contextmanager
    def _parent(self, path: str, *, make: bool = False) -> Iterator[tuple[int, str]]:
        """The folder of `path`, opened part by part without following a link, and the last part."""
        *folders, name = path.split("/")
        handle = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for part in folders:
                if make:
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(part, dir_fd=handle)
                below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=handle)
                os.close(handle)
                handle = below
            yield handle, name
        finally:
            os.close(handle)

    def _look_in(self, folder: int | None, name: str) -> Seen | None:
        found = read_in(folder, name, self.object_format)
        return found[0] if found else None


def _id_of(entry: Entry | None) -> str:
    return entry.oid if entry else ""


def _is_ready(seen: Seen | None, step: Step) -> bool:
    """Whether the step can be taken or already was."""
    if seen is None:
        return step.old is None or step.new is None
    return seen.holds(step.old) or seen.is_exactly(step.new)


def _why(step: Step, seen: Seen | None) -> str:
    shown = repr(visible(step.path))
    if seen is None:
        return f"{shown} was deleted in the work tree"
    if seen.kind == "below no folder":
        return f"a folder above {shown} is a link or a file in the work tree"
    if seen.kind not in ("file", "link"):
        return f"{shown} is {seen.kind} in the work tree"
    if step.old is None:
        return f"{shown} exists in the work tree and is not committed"
    return f"{shown} has changes in the work tree that are not committed"


@functools.cache
def _renameat2() -> Callable[..., int] | None:
    function: Callable[..., int] | None = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    return function


def _exchange(staged: str, folder: int, name: str) -> bool:
    """The two change places; whether they did so in one step."""
    if _move(None, staged, folder, name, EXCHANGE):
        return True
    second = f"{staged}.part"
    with contextlib.suppress(OSError):  # nothing is there, or there are no links either
        os.link(name, second, src_dir_fd=folder, follow_symlinks=False)
    os.replace(staged, name, dst_dir_fd=folder)
    with contextlib.suppress(FileNotFoundError):
        os.rename(second, staged)
    return False


def _rename(from_folder: int | None, source: str, to_folder: int | None, target: str) -> None:
    """Never onto something. Raises `FileExistsError`."""
    if not _move(from_folder, source, to_folder, target, NO_REPLACE):
        os.link(source, target, src_dir_fd=from_folder, dst_dir_fd=to_folder, follow_symlinks=False)
        os.unlink(source, dir_fd=from_folder)


def _move(from_folder: int | None, source: str, to_folder: int | None, target: str, how: int) -> bool:
    """renameat2, which Python does not offer; False where there is none, or not of this kind."""
    here = -100  # AT_FDCWD
    folders = (here if from_folder is None else from_folder, here if to_folder is None else to_folder)
    function = _renameat2()
    if function is None:
        return False
    if function(folders[0], as_bytes(source), folders[1], as_bytes(target), how) == 0:
        return True
    code = ctypes.get_errno()
    if code not in (errno.ENOSYS, errno.EINVAL):
        raise OSError(code, os.strerror(code), source, None, target)
    return False
