"""The `bulkhead` command in a process of its own."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from tests.fakes.environment import environment
from tests.fakes.house import NOWHERE
from tests.fakes.nursery import Child, shared


def bulkhead(
    *arguments: str, home: Path | None = None, stdin: str | bytes = "", seconds: float = 60, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run one verb to its end."""
    words = [*arguments, *(["--home", str(home)] if home else [])]
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        given.write(stdin.encode() if isinstance(stdin, str) else stdin)
        given.seek(0)
        streams = [given.fileno(), out.fileno(), errors.fileno()]
        child = Child(*shared().fork([NOWHERE, *words], environment(**env), streams), None)
        try:
            code = child.wait(seconds)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
            raise
        out.seek(0)
        errors.seek(0)
        return subprocess.CompletedProcess(words, code, out.read().decode(), errors.read().decode())
