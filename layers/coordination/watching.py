"""Whether files may have changed: marks of them, and hints of the system. Neither is the truth, which hashes tell.

A hint that is lost, or a system that gives none (the limit of inotify, a file system of the network), costs only time:
whoever waits for hints looks every few seconds as well. Only the folders of the files in question are listened to, so
that the size of a work tree does not matter.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable
from pathlib import Path

from layers.coordination.types import Proposal

log = logging.getLogger(__name__)

MAX_FOLDERS = 256
"""More are not listened to: inotify's own default is 8,192 of all programs of a user."""
DEBOUNCE_MS, STEP_MS = 250, 50
"""A burst of saves is one hint."""
Marks = tuple[tuple[int, ...], ...]


def marks_of(proposal: Proposal) -> Marks:
    """Of the files that a proposal touches, and of where the branch was: equal as long as nothing was written."""
    root = proposal.workspace
    paths = [*dict.fromkeys(step.path for step in proposal.steps), ".git/logs/HEAD"]
    return tuple(_mark(root / path) for path in paths)


def _mark(path: Path) -> tuple[int, ...]:
    try:
        found = os.lstat(path)
    except OSError:
        return ()
    return found.st_mode, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def folders_of(proposal: Proposal) -> set[Path]:
    """Those in which the touched files are, or would be: the nearest that are there, inside the work tree."""
    root, found = proposal.workspace, set()
    for step in proposal.steps:
        folder = (root / step.path).parent
        while folder != root and not folder.is_dir():
            folder = folder.parent
        found.add(folder)
    return found


class Hints:
    """Calls back when something may have changed in the folders that it was last aimed at."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._folders: frozenset[Path] = frozenset()
        self._task: asyncio.Task[None] | None = None

    async def aim(self, folders: set[Path]) -> None:
        """From now on at these, and at no others."""
        wanted = frozenset(sorted(folders)[:MAX_FOLDERS])
        if wanted == self._folders and (self._task is None or not self._task.done()):
            return
        await self.close()
        self._folders = wanted
        if wanted:
            self._task = asyncio.create_task(self._listen(wanted), name="hints")

    async def close(self) -> None:
        """Listen no more."""
        self._folders = frozenset()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _listen(self, folders: frozenset[Path]) -> None:
        from watchfiles import awatch

        with contextlib.suppress(FileNotFoundError):  # a folder was removed: the next look aims anew
            try:
                looking = awatch(*folders, watch_filter=None, debounce=DEBOUNCE_MS, step=STEP_MS, recursive=False)
                async for _ in looking:
                    self._wake()
            except (OSError, RuntimeError) as error:
                if isinstance(error, FileNotFoundError):
                    raise
                log.warning("hints.unavailable", extra={"error": str(error), "folders": len(folders)})
                await asyncio.Event().wait()  # until it is aimed elsewhere: not to be tried and told again and again
