"""`patch`: what patches there are, who may write what, what landed; and a patch tried in memory.

Nothing here writes to a workspace. What is to be approved goes to the house, as from any chat.
"""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable
from typing import Any

from bot.cli.patch.landed import log
from bot.cli.patch.leases import leases
from bot.cli.patch.status import status
from bot.cli.patch.trying import propose
from bot.config import Settings

Verb = Callable[[argparse.Namespace, Settings], Awaitable[int]]
WHERE = "a name of bulkhead.toml, or the root of a work tree"


def add_patch_verb(verbs: Any, common: argparse.ArgumentParser) -> None:  # noqa: ANN401  argparse's unnamed kind
    """Put `patch` and its own verbs into a parser's."""
    about = "patches of git workspaces: propose, status, leases, log"
    inner = verbs.add_parser("patch", help=about, description=about).add_subparsers(
        dest="patch_verb", required=True, metavar="VERB"
    )

    def verb(name: str, run: Verb, about: str) -> argparse.ArgumentParser:
        added: argparse.ArgumentParser = inner.add_parser(name, help=about, description=about, parents=[common])
        added.set_defaults(run=run)
        return added

    def seen(name: str, run: Verb, about: str) -> argparse.ArgumentParser:
        added = verb(name, run, about)
        added.add_argument("--workspace", metavar="NAME|DIR", default="", help=f"{WHERE}; every one without it")
        return added

    tried = verb("propose", propose, "try a patch of a git repository in memory: its tree, or why it is refused")
    tried.add_argument("--workspace", metavar="DIR", default=".", help="the root of the work tree; here without it")
    tried.add_argument("--base", metavar="REV", default="", help="the commit that the patch was made on")
    tried.add_argument("--diff", metavar="FILE", help="a diff, search/replace blocks or V4A; - is standard input")
    tried.add_argument("--dry-run", action="store_true", help="write nothing; without a server nothing else is done")
    tried.add_argument("--batch", metavar="FILE.jsonl", help='one {"base": ..., "diff": ...} per line; a dry run each')

    told = seen("status", status, "the proposed patches, newest first, and what was decided about each")
    told.add_argument("id", nargs="?", default="", help="one alone: its id, or its request's")
    told.add_argument("--most", type=int, default=20, help="how many, the newest first")
    seen("leases", leases, "who may write what now, who waits, and behind whom")
    landed = seen("log", log, "what landed, from git and from the database")
    landed.add_argument("--most", type=int, default=20, help="how many of each workspace, the newest first")
