"""What the tests of handed-in patches share: a person at the work tree, and at the page."""

from __future__ import annotations

import subprocess

from tests.fakes.environment import QUIET
from tests.fakes.house import House


def git(house: House, *arguments: str) -> str:
    ran = subprocess.run(
        ["git", *arguments], cwd=house.home / "workspace", env=QUIET, capture_output=True, check=True, text=True
    )
    return ran.stdout.strip()


def save(house: House, path: str, content: str) -> str:
    """A person commits a file; the new commit."""
    (house.home / "workspace" / path).write_text(content)
    git(house, "add", path)
    git(house, "commit", "--quiet", "-m", f"Write {path}")
    return git(house, "rev-parse", "HEAD")


def decide(house: House, path: str, label: str) -> None:
    """A person presses a button of its card, on the page."""
    event = house.wait_for(lambda event: path in event["html"] and event["buttons"], "approvals")
    assert house.press(event, label, "approvals").status_code == 202
