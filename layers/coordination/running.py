"""One git command, start to end: arguments and bytes in, a `Ran` out.

No shell, no inherited environment, no configuration but the repository's own, of which nothing that names a program is
ever used: hooks, fsmonitor, pagers and fetches are off.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import shutil
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from layers.errors import Misconfigured, Unavailable

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
    "GIT_ALLOW_PROTOCOL": "none",  # stronger than protocol.allow: the repository's config can allow none either
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
}

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
            program(), *SAFE, *arguments, cwd=cwd, env={**ENVIRONMENT, **place, "PATH": os.defpath},
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
def program() -> str:
    """Where git is."""
    found = shutil.which("git")
    if found is None:
        raise Misconfigured("git is not installed; install git 2.38 or newer, for example `apt install git`")
    return found
