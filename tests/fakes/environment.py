"""Where the repository is, and an environment without the developer's own keys."""

from __future__ import annotations

import os
from pathlib import Path

REPO = Path(__file__).parents[2]
KEYS = ("API_KEY", "BASE_URL", "API_BASE", "BULKHEAD_")
"""Variables of the developer's own that a test must not see."""
QUIET = {
    "PATH": os.defpath,
    "LC_ALL": "C",
    "HOME": "/nonexistent",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Ann",
    "GIT_AUTHOR_EMAIL": "ann@example.org",
    "GIT_COMMITTER_NAME": "Ann",
    "GIT_COMMITTER_EMAIL": "ann@example.org",
}
"""For a git that reads nobody's configuration but the repository's."""


def environment(**more: str) -> dict[str, str]:
    """Ours without the developer's keys and settings."""
    kept = {name: value for name, value in os.environ.items() if not any(key in name for key in KEYS)}
    return kept | more
