"""`patch`: put a patch before people or try it in memory, work trees for agents, and what there is to see of all that.

Nothing here writes to a workspace's files: what is to be approved goes to the house, as from any chat.
"""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable
from typing import Any

from bot.cli.patch.deciding import apply, revert
from bot.cli.patch.delivering import propose
from bot.cli.patch.landed import log
from bot.cli.patch.leases import leases
from bot.cli.patch.status import status
from bot.cli.patch.worktrees import worktree
from bot.config import Settings

Verb = Callable[[argparse.Namespace, Settings], Awaitable[int]]
WHERE = "a name of bulkhead.toml, or the root of a work tree"


def add_patch_verb(verbs: Any, common: argparse.ArgumentParser) -> None:  # noqa: ANN401  argparse's unnamed kind
    """Put `patch` and its own verbs into a parser's."""
    about = "patches of git workspaces: propose, apply, revert, worktree, status, leases, log"
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

    add_propose(verb("propose", propose, "put a patch before people, or try it in memory with --dry-run"))
    applied = verb("apply", apply, "approve a proposed patch, as its card's button does, and commit it")
    applied.add_argument("id", help="the patch's id, or its request's")
    applied.add_argument("--as", dest="person", default="", help="who approves: an id of bulkhead.toml")
    undone = verb("revert", revert, "propose to take a commit back, and keep what came after it")
    undone.add_argument("commit", help="any revision of the workspace's branch")
    undone.add_argument("--workspace", metavar="NAME|DIR", default="", help=f"{WHERE}; here without it")
    undone.add_argument("--summary", default="", help="why, for the people who decide")
    undone.add_argument("--as", dest="person", default="", help="who proposes it: an id of bulkhead.toml")
    add_waiting(undone)
    made = verb("worktree", worktree, "a work tree for an agent, outside everybody's files; print where it is")
    made.add_argument("name", nargs="?", default="", help="small letters, digits, - and _")
    made.add_argument("--workspace", metavar="NAME|DIR", default="", help=f"{WHERE}; the first one without it")
    what = made.add_mutually_exclusive_group()
    what.add_argument("--list", action="store_true", help="tell of every one")
    what.add_argument("--remove", action="store_true", help="remove it, unless its work is nowhere else")
    made.add_argument("--force", action="store_true", help="with --remove: whatever is in it")
    told = seen("status", status, "the proposed patches, newest first, and what was decided about each")
    told.add_argument("id", nargs="?", default="", help="one alone: its id, or its request's")
    told.add_argument("--most", type=int, default=20, help="how many, the newest first")
    seen("leases", leases, "who may write what now, who waits, and behind whom")
    landed = seen("log", log, "what landed, from git and from the database")
    landed.add_argument("--most", type=int, default=20, help="how many of each workspace, the newest first")


def add_propose(added: argparse.ArgumentParser) -> None:
    """The options of `patch propose`."""
    added.add_argument("--workspace", metavar="NAME|DIR", default="", help=f"{WHERE}; here without it")
    added.add_argument("--base", metavar="REV", default="", help="the commit that the patch was made on")
    added.add_argument("--diff", metavar="FILE", help="a diff, search/replace blocks or V4A; - is standard input")
    added.add_argument("--from-worktree", metavar="NAME|DIR", default="", help="what differs in an agent's work tree")
    added.add_argument("--dry-run", action="store_true", help="write nothing and ask nobody; needs no server")
    added.add_argument("--batch", metavar="FILE.jsonl", help='one {"base": ..., "diff": ...} per line; a dry run each')
    added.add_argument("--summary", default="", help="why, for the people who decide")
    added.add_argument("--as", dest="person", default="", help="who proposes it: an id of bulkhead.toml")
    added.add_argument("--assistant", default="", help="the assistant that made it; of a work tree, its name")
    add_waiting(added)


def add_waiting(added: argparse.ArgumentParser) -> None:
    """What every verb takes that puts something before people."""
    added.add_argument("--key", default="", help="your own name of this: under the same one it is handed in once")
    added.add_argument("--wait", metavar="SECONDS", type=float, default=0.0, help="until people have decided")
