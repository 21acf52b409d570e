"""`patch propose`: a patch is handed in at the house's desk, or tried in memory; what an agent's work tree holds, too.

What is handed in is put before people as from any chat. The server of this home takes it; where none runs, a house is
opened for it, so that it is tried and asked for all the same.
"""

from __future__ import annotations

import argparse
import base64
import json
import secrets
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import ValidationError

from bot.adapters.console import NoServer, connection
from bot.app import open_desk, open_house
from bot.cli.batch import read_bytes
from bot.cli.patch.places import folder_of, named, plain, quoted
from bot.cli.patch.trying import run_batch, say_tried
from bot.cli.patch.worktrees import tree_of
from bot.config import Settings
from bot.desk import MAX_WAIT_S, Asked, Desk, Standing, Submission
from layers.coordination import AgentTree, look_at, look_in
from layers.errors import Misconfigured, Refused

TRIED_S = 60.0
"""A patch is tried within this, or something is wrong."""
WENT_WELL = ("proposed", "awaiting_approval", "applied")


async def propose(parsed: argparse.Namespace, settings: Settings) -> int:
    """Try one patch, or every one of a batch, or hand one in; 1 when it is refused."""
    if parsed.batch:
        await run_batch(parsed.batch, await root_of(parsed, settings), parsed.base)
        return 0
    if bool(parsed.diff) == bool(parsed.from_worktree):
        raise Misconfigured(
            "patch propose needs --diff FILE, `-` for standard input, --from-worktree NAME, or --batch FILE.jsonl"
        )
    tree = await tree_of(settings, parsed.from_worktree, parsed.workspace) if parsed.from_worktree else None
    diff = (await look_in(tree)).diff if tree else read_bytes(parsed.diff)
    if tree and not diff:
        raise Refused(f"nothing differs in the work tree {tree.name!r} from {tree.base[:10]}, where it began")
    base = tree.base if tree else parsed.base
    root = tree.workspace if tree else await root_of(parsed, settings)
    if parsed.dry_run:
        return await say_tried(parsed, root, base, diff)
    return await deliver(parsed, settings, submission(parsed, name_of(settings, root), base, diff, tree))


async def root_of(parsed: argparse.Namespace, settings: Settings) -> Path:
    """The workspace that is named; without a name the folder that one stands in."""
    return (await look_at(folder_of(settings, parsed.workspace or "."))).root


def name_of(settings: Settings, root: Path) -> str:
    """What bulkhead.toml calls a workspace.

    Raises:
        Refused: it does not.
    """
    names = named(settings)
    for name, path in names.items():
        if path == root:
            return name
    known = ", ".join(names)
    raise Refused(f"{str(root)!r} is no workspace of bulkhead.toml ({known}): name one, declare it, or say --dry-run")


def submission(
    parsed: argparse.Namespace, workspace: str, base: str, diff: bytes, tree: AgentTree | None
) -> Submission:
    """What is handed in. Without a key it is new each time."""
    assistant = parsed.assistant or (tree.name if tree else "")
    return checked(
        {
            "who": {"person": parsed.person, "assistant": assistant},
            "key": parsed.key or secrets.token_hex(16),
            "workspace": workspace,
            "base": base,
            "diff": base64.b64encode(diff).decode("ascii"),
            "is_base64": True,
            "summary": parsed.summary,
        }
    )


def checked(given: Mapping[str, object]) -> Submission:
    """A submission of what was typed.

    Raises:
        Misconfigured: one of the options cannot be.
    """
    try:
        return Submission.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        names = ".".join(map(str, first["loc"]))
        raise Misconfigured(f"{names} is {str(first['input'])[:80]!r}: {first['msg'].lower()}") from None


async def deliver(parsed: argparse.Namespace, settings: Settings, handed: Submission) -> int:
    """Hand it in and tell what becomes of it; with --wait, what people decide."""
    async with desk_of(settings) as desk:
        told = await desk.submit(handed)
        told = await desk.wait(Asked(id=told.id, timeout_s=TRIED_S, until_tried=True))
        if parsed.wait:
            told = await waited(desk, told, parsed.wait)
    say_standing(parsed, told)
    return 0 if told.state in WENT_WELL else 1


async def waited(desk: Desk, told: Standing, seconds: float) -> Standing:
    """How it stands once it is decided, or when time is up."""
    until = time.monotonic() + seconds
    while told.is_open and (left := until - time.monotonic()) > 0:
        told = await desk.wait(Asked(id=told.id, timeout_s=min(left, MAX_WAIT_S)))
    return told


@asynccontextmanager
async def desk_of(settings: Settings) -> AsyncIterator[Desk]:
    """The desk of the running server, or of a house that is opened for this."""
    if await is_served(settings):
        async with open_desk(settings) as far:
            yield far
    else:
        async with open_house(settings) as house:
            yield house.desk


async def is_served(settings: Settings) -> bool:
    """Whether a server answers on this home."""
    try:
        async with connection(settings.home):
            return True
    except NoServer:
        return False


def say_standing(parsed: argparse.Namespace, told: Standing) -> None:
    """To a program or to a person."""
    if parsed.json:
        ok = told.state in WENT_WELL
        line = {"ok": ok, **told.model_dump(mode="json"), "refusal": None if ok else told.note}
        sys.stdout.write(json.dumps(line) + "\n")
        return
    facts = [told.id, told.state, *([f"commit {told.commit[:10]}"] if told.commit else [])]
    lines = ["  ".join(facts), *([f"    {plain(told.note)}"] if told.note else [])]
    for file in told.files:
        count = "binary" if file.added is None else f"+{file.added} -{file.removed}"
        lines.append(f"    {file.status} {quoted(file.path)}  {count}")
    sys.stdout.write("".join(f"{line}\n" for line in lines))
