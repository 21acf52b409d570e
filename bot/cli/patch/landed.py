"""`patch log`: what landed in each workspace, by git's private line, the database's word beside it. Read-only."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping

from bot.cli.patch.places import at_most, chosen, clock, label, plain
from bot.cli.records import say
from bot.config import Settings
from layers.coordination import Known, Landed, State, look_line
from layers.errors import Refused, Unavailable
from layers.store import ReadStore, Row, read_store

NO_APPROVER = {"patch": "no approval is written down", "adopted": "saved in the work tree, and adopted"}


async def log(parsed: argparse.Namespace, settings: Settings) -> int:
    """Tell of one workspace, or of every one; one that cannot be read is told in its place."""
    most = at_most(parsed.most)
    async with read_store(settings.store_url) as store:
        spaces = [await space(store, one, most) for one in await chosen(settings, store, parsed.workspace)]
    words = [line for each in spaces for line in in_words(each)]
    say(parsed, {"ok": True, "workspaces": spaces}, "\n".join(words) or "nothing has landed here")
    return 0


async def space(store: ReadStore, known: Known, most: int) -> Mapping[str, object]:
    """A workspace and what landed there."""
    told = {"workspace": known.name or None, "label": label(known), "id": known.id, "root": str(known.root)}
    try:
        landed = await look_line(store, known.root, most)
    except (Refused, Unavailable) as error:
        return {**told, "error": str(error), "entries": []}
    decided = [await store.fetch_one("bot.proposal", id=one.name) if one.name else None for one in landed]
    entries = [as_json(one, row) for one, row in zip(landed, decided, strict=True)]
    return {**told, "error": None, "entries": entries}


def as_json(one: Landed, row: Row | None) -> Mapping[str, object]:
    """One entry; `row` is the proposal that it was."""
    differences = [*one.differences, *(differing(one, row) if row and not one.is_note else ())]
    return {
        "entry": one.entry,
        "kind": kind_of(one),
        "commit": one.commit or None,
        "proposal": one.name or None,
        "actor": one.author or (row["author"] if row else None),
        "fence": one.fence or None,
        "approver": row["decided_by"] if row else None,
        "approvers": sorted(json.loads(row["said_yes"] or "{}")) if row else [],
        "request": row["request"] if row else None,
        "landed_at": one.landed_at,
        "proposed_at": one.made_at,
        "branch": one.branch or None,
        "is_on_branch": one.is_on_branch,
        "differences": differences,
    }


def kind_of(one: Landed) -> str:
    """`patch`; `adopted` of what somebody had saved and not committed; `note` where nothing landed."""
    return "note" if one.is_note else "adopted" if one.name and one.commit.startswith(one.name) else "patch"


def differing(one: Landed, row: Row) -> Iterable[str]:
    """Where the proposal's row says otherwise than the line."""
    if row["state"] != State.APPLIED:
        yield f"the proposal is written down as {row['state']}"
    elif row["commit_id"] and row["commit_id"] != one.commit:
        yield f"the proposal is written down as commit {row['commit_id'][:10]}"


def in_words(told: Mapping[str, object]) -> Iterable[str]:
    """A line for each entry, and one for each difference."""
    entries = told["entries"]
    assert isinstance(entries, list)  # as `space` made it
    if told["error"]:
        yield f"{told['label']}  {plain(str(told['error']))}"
    for entry in entries:
        at = clock(entry["landed_at"] or entry["proposed_at"])
        if entry["kind"] == "note":
            yield f"{told['label']}  {at}  others moved the branch, so {plain(entry['proposal'])} cannot land any more"
            continue
        by = f"by {plain(entry['actor'] or 'nobody that git names')}"
        fence = f"fence {entry['fence']}" if entry["fence"] else "no fence"
        who = f"approved by {plain(entry['approver'])}" if entry["approver"] else NO_APPROVER[entry["kind"]]
        gone = "  NOT ON ITS BRANCH ANY MORE" if entry["is_on_branch"] is False else ""
        name = plain(entry["proposal"] or "?")
        yield f"{told['label']}  {at}  {str(entry['commit'])[:10]}  {name}  {by}  {fence}  {who}{gone}"
        for difference in entry["differences"]:
            yield f"    DIFFERS: {difference}"
