"""What works on this machine and what does not. Takes the settings and the wiring's functions, gives a list of `Check`.

Everything is really tried, nothing is guessed from a version: the sandbox runs its canary, the port is bound, a file is
written. A check that breaks is a failed check; the others go on.
"""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import socket
import stat
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from layers.errors import BulkheadError, Misconfigured

OLDEST_PYTHON = (3, 11)
LOW_DISK_BYTES = 500 << 20
FULL_DISK_BYTES = 50 << 20
PATIENCE_S = 30.0


class Severity(StrEnum):
    """What a failed check means."""

    ERROR = "error"
    """Bulkhead does not work, or not safely."""
    WARNING = "warning"
    """A part is missing that some can do without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One part, looked at."""

    name: str
    ok: bool
    severity: Severity
    """How bad it is if not ok."""
    text: str
    """What was found, one line."""
    remedy: str
    """What to do; empty when ok."""


class Place(Protocol):
    """The settings that a check looks at."""

    @property
    def home(self) -> Path:
        """Where state lives."""

    @property
    def host(self) -> str:
        """The address the page listens on."""

    @property
    def port(self) -> int:
        """The port of the page; 0 takes a free one."""


Probe = Callable[[], Awaitable[str]]
"""Tries one part; tells what it found, or raises a `BulkheadError` that says what is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probes:
    """What only the layers can try, from the wiring."""

    git: Probe
    """git's version, when it is new enough."""
    workspace: Probe
    """The workspace's branch and commit."""
    sandbox: Probe
    """Runs the canary; the profile that held."""
    trust: Probe
    """Which users separate server and executor."""
    database: Probe
    """Opens it; its kind and schema version, when that is the newest."""
    drawing: Probe
    """Draws a small figure; the font it took."""
    models: Callable[[], Awaitable[Sequence[str]]]
    """The names of the models found; none is no error of the probe."""
    accounts: Mapping[str, Probe] = field(default_factory=dict)
    """Provider -> asks it about the account; empty where none is set up. Raises what the provider said, explained."""


@dataclass(frozen=True, slots=True)
class _Examination:
    """A row of the table below."""

    name: str
    severity: Severity
    look: Callable[[Place, Probes], Awaitable[str]]
    remedy: str


async def examine(place: Place, probes: Probes) -> list[Check]:
    """Look at every part, all at once; the checks in the order of the table, then one for each provider."""
    rows = (*TABLE, *(_account(name, probe) for name, probe in probes.accounts.items()))
    return list(await asyncio.gather(*(_examined(row, place, probes) for row in rows)))


def _account(name: str, probe: Probe) -> _Examination:
    """The row of one provider."""

    async def look(_place: Place, _probes: Probes) -> str:
        return await probe() or "not set up"

    remedy = f"README has {name.capitalize()} step by step."
    return _Examination(name, Severity.ERROR, look, remedy)


async def _examined(row: _Examination, place: Place, probes: Probes) -> Check:
    ok, remedy = False, row.remedy
    try:
        text = await asyncio.wait_for(row.look(place, probes), PATIENCE_S)
        ok, remedy = True, ""
    except BulkheadError as error:
        text = str(error)
    except TimeoutError:
        text = f"gave no answer within {PATIENCE_S:.0f} seconds"
    except Exception as error:  # noqa: BLE001  # whatever is broken, the other parts are still looked at
        text = f"could not be tried: {type(error).__name__}: {error}"
    return Check(name=row.name, ok=ok, severity=row.severity, text=" ".join(text.split()), remedy=remedy)


async def _python(_place: Place, _probes: Probes) -> str:
    version = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info < OLDEST_PYTHON:
        raise Misconfigured(f"Python {version} runs, and {OLDEST_PYTHON[0]}.{OLDEST_PYTHON[1]} or newer is needed")
    return version


async def _home(place: Place, _probes: Probes) -> str:
    return await asyncio.to_thread(_look_at_home, place.home)


def _look_at_home(home: Path) -> str:
    if not home.exists():
        parent = _nearest(home)
        if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
            raise Misconfigured(f"{str(home)!r} is not there and cannot be made in {str(parent)!r}")
        return f"{home} is made at the first start"
    if not home.is_dir():
        raise Misconfigured(f"{str(home)!r} is not a folder")
    try:
        with tempfile.TemporaryFile(dir=home) as file:
            file.write(b"x")
    except OSError as error:
        raise Misconfigured(f"{str(home)!r} cannot be written: {error.strerror}") from None
    mode = stat.S_IMODE(home.stat().st_mode)
    if mode & 0o077:
        raise Misconfigured(f"{str(home)!r} has the mode {mode:04o}: other users of this machine can look into it")
    return f"{home} is writable, and by nobody else"


async def _disk(place: Place, _probes: Probes) -> str:
    free = (await asyncio.to_thread(shutil.disk_usage, _nearest(place.home))).free
    text = f"{free / 2**30:.1f} GiB free"
    if free < LOW_DISK_BYTES:
        urgency = (
            "the database will stop soon" if free < FULL_DISK_BYTES else f"{LOW_DISK_BYTES >> 20} MiB is the least"
        )
        raise Misconfigured(f"{text}; {urgency}")
    return text


def _nearest(path: Path) -> Path:
    """`path`, or the first folder above it that is there."""
    return next(each for each in (path, *path.absolute().parents) if each.exists())


async def _port(place: Place, _probes: Probes) -> str:
    return await asyncio.to_thread(_try_port, place.host, place.port)


def _try_port(host: str, port: int) -> str:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            taken = probe.getsockname()[1]
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Misconfigured(f"{host}:{port} is in use, by another program or by a Bulkhead that runs") from None
        raise Misconfigured(f"{host}:{port} cannot be listened on: {error.strerror}") from None
    return f"{host}:{port} is free" if port else f"any free port of {host}, for example {taken}"


async def _git(_place: Place, probes: Probes) -> str:
    return await probes.git()


async def _workspace(_place: Place, probes: Probes) -> str:
    return await probes.workspace()


async def _sandbox(_place: Place, probes: Probes) -> str:
    return await probes.sandbox()


async def _trust(_place: Place, probes: Probes) -> str:
    return await probes.trust()


async def _database(_place: Place, probes: Probes) -> str:
    return await probes.database()


async def _drawing(_place: Place, probes: Probes) -> str:
    return await probes.drawing()


async def _models(_place: Place, probes: Probes) -> str:
    found = await probes.models()
    if not found:
        raise Misconfigured("no model found: free text gets no answer; commands, diagrams, approvals and patches work")
    shown = ", ".join(found[:3])
    return shown if len(found) <= 3 else f"{shown} and {len(found) - 3} more"


TABLE = (
    _Examination("python", Severity.ERROR, _python, "Install Python 3.11 or newer and delete .venv."),
    _Examination(
        "home", Severity.ERROR, _home, "Make it yours alone (chown, chmod 700), or set BULKHEAD_HOME elsewhere."
    ),
    _Examination("disk", Severity.ERROR, _disk, "Free some space, or set BULKHEAD_HOME to a larger disk."),
    _Examination("database", Severity.ERROR, _database, "Check BULKHEAD_DATABASE_URL, then run `bulkhead migrate`."),
    _Examination("port", Severity.WARNING, _port, "Stop the other program, or set BULKHEAD_PORT (or `--port`)."),
    _Examination("git", Severity.ERROR, _git, "Install git 2.38 or newer, for example `apt install git`."),
    _Examination(
        "workspace", Severity.ERROR, _workspace, "Let [workspace] path in bulkhead.toml name a git work tree."
    ),
    _Examination(
        "sandbox", Severity.ERROR, _sandbox, "Install bubblewrap (`apt install bubblewrap`) or use Linux 5.13."
    ),
    _Examination(
        "trust", Severity.ERROR, _trust, "README, Three levels of trust, has the executor as a user of its own."
    ),
    _Examination(
        "drawing", Severity.ERROR, _drawing, "Delete .venv and run `make run`; fonts: `apt install fonts-noto`."
    ),
    _Examination(
        "models", Severity.WARNING, _models, "Set a provider's key (ANTHROPIC_API_KEY ...) or start Ollama here."
    ),
)
"""Every check, in the order it is shown."""


def as_text(checks: Sequence[Check]) -> str:
    """For a terminal: one line per check, what to do below those that failed, a sum at the end."""
    width = max((len(check.name) for check in checks), default=0)
    lines: list[str] = []
    for check in checks:
        lines.append(f"{_mark(check)} {check.name:<{width}}  {check.text}")
        if check.remedy:
            lines.append(f"  {'':<{width}}  {check.remedy}")
    return "\n".join((*lines, "", _sum(checks)))


def as_json(checks: Sequence[Check]) -> dict[str, object]:
    """For a program."""
    return {
        "ok": all(check.ok or check.severity != Severity.ERROR for check in checks),
        "checks": [asdict(c) for c in checks],
    }


def _mark(check: Check) -> str:
    if check.ok:
        return "✓"
    return "✗" if check.severity is Severity.ERROR else "!"


def _sum(checks: Sequence[Check]) -> str:
    errors = sum(not check.ok and check.severity is Severity.ERROR for check in checks)
    warnings = sum(not check.ok and check.severity is Severity.WARNING for check in checks)
    told = [
        f"{count} {word}{'' if count == 1 else 's'}"
        for count, word in ((errors, "error"), (warnings, "warning"))
        if count
    ]
    return ", ".join(told) or "Everything works."
