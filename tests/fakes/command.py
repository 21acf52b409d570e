"""The `bulkhead` command in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.fakes.house import REPO, environment


def bulkhead(
    *arguments: str, home: Path | None = None, stdin: str | bytes = "", seconds: float = 60, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run one verb to its end."""
    command = [sys.executable, "-m", "bot", *arguments, *(["--home", str(home)] if home else [])]
    given = stdin.encode() if isinstance(stdin, str) else stdin
    done = subprocess.run(
        command, input=given, capture_output=True, cwd=REPO, env=environment(**env), timeout=seconds, check=False
    )
    return subprocess.CompletedProcess(command, done.returncode, done.stdout.decode(), done.stderr.decode())
