"""`secret` and `executor`: what only the executor may hold, and the executor as a process of its own."""

from __future__ import annotations

import argparse
import os
import sys

from bot.app import executor_command
from bot.cli.records import say
from bot.config import Settings, first_start
from layers import control
from layers.errors import BadInput


async def secret(parsed: argparse.Namespace, settings: Settings) -> int:
    """Set one from standard input, name all, or remove one. A value is never printed."""
    first_start(settings.home)
    vault = control.Vault(settings.home)
    if parsed.action == "list":
        say(parsed, {"ok": True, "secrets": vault.names()}, "\n".join(vault.names()) or "there are no secrets")
        return 0
    if not parsed.name:
        raise BadInput(f"`bulkhead secret {parsed.action}` needs a name, such as DEPLOY_TOKEN")
    if parsed.action == "remove":
        vault.forget(parsed.name)
    else:
        vault.keep(parsed.name, sys.stdin.read())
    done = "removed" if parsed.action == "remove" else "kept"
    say(parsed, {"ok": True, "secret": parsed.name}, f"the secret {parsed.name} is {done}")
    return 0


async def executor(_parsed: argparse.Namespace, settings: Settings) -> int:
    """Become the executor; returns only where that cannot be."""
    program, arguments, environment = executor_command(settings, dict(os.environ))
    sys.stdout.flush()
    os.chdir("/")
    os.execve(program, arguments, environment)
