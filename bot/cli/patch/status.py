"""`patch status`: the proposals of a database, and what was decided about each. Read-only, beside a server or not."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path

from bot.cli.patch.places import ago, at_most, chosen, named, plain, quoted
from bot.cli.records import say
from bot.config import Settings
from layers.control import State as Decision
from layers.coordination import State, look_clock
from layers.errors import Refused
from layers.store import ReadStore, Row, read_store

UNDER_WAY = {
    Decision.PENDING: "awaiting_approval",
    Decision.APPROVED: "applying",
    Decision.CLAIMED: "applying",
    Decision.RUNNING: "applying",
    Decision.SUCCEEDED: "applied",
    Decision.FAILED: "conflicted",
}
"""What is shown of a proposal that has not ended, by what was decided; any other decision is shown as it is."""

OF_A_PROPOSAL = ("commit_id", "base_commit", "request", "decision", "decided_by", "said_yes", "requested_by")
TOLD_OF_A_FILE = ("path", "old_path", "status", "added", "removed", "control")


async def status(parsed: argparse.Namespace, settings: Settings) -> int:
    """Tell of one, or of the newest."""
    names = {str(path): name for name, path in named(settings).items()}
    async with read_store(settings.store_url) as store:
        rows = await (found(parsed.id, store) if parsed.id else newest(parsed, settings, store))
        now = await look_clock(store)
    proposals = [as_json(row, names, now) for row in rows]
    told: dict[str, object] = {"ok": True, "proposals": proposals}
    say(parsed, told, "\n".join(map(in_words, proposals)) or "no patch was proposed here")
    return 0


async def newest(parsed: argparse.Namespace, settings: Settings, store: ReadStore) -> list[Row]:
    """What was proposed last, and what was handed in and became no proposal."""
    most, root = at_most(parsed.most), ""
    if parsed.workspace:
        [space] = await chosen(settings, store, parsed.workspace)
        root = str(space.root)
    rows = await store.fetch_all("bot.proposals", workspace=root, few=most)
    rows += [refused(row) for row in await store.fetch_all("bot.changesets", workspace=root, few=most)]
    return sorted(rows, key=lambda row: -row["created_at"])[:most]


async def found(id: str, store: ReadStore) -> list[Row]:
    """The one of that id.

    Raises:
        Refused: there is none.
    """
    row = await store.fetch_one("bot.proposal", id=id)
    if row is not None:
        return [row]
    row = await store.fetch_one("bot.changeset", id=id)
    if row is None:
        raise Refused(f"no patch has the id {id[:80]!r}; `bulkhead patch status` lists them")
    return [refused(row)]


def refused(row: Row) -> Row:
    """A changeset that is no proposal, as one."""
    return dict.fromkeys(OF_A_PROPOSAL) | {
        "id": row["id"],
        "changeset": row["id"],
        "workspace": row["workspace"],
        "author": row["actor"],
        "state": row["state"],
        "note": row["note"],
        "created_at": row["created_at"],
        "summary": '{"files": []}',
    }


def state_of(row: Row) -> str:
    """How far it is: what became of it, or how far the request is that was made of it."""
    if row["state"] not in (State.PROPOSED, State.DENIED) or row["decision"] is None:
        return "proposed" if row["state"] == "open" else str(row["state"])
    return UNDER_WAY.get(Decision(row["decision"]), str(row["decision"]))


def as_json(row: Row, names: Mapping[str, str], now: float) -> dict[str, object]:
    """One proposal."""
    files = json.loads(row["summary"])["files"]
    return {
        "id": row["id"],
        "changeset": row["changeset"],
        "state": state_of(row),
        "workspace": names.get(row["workspace"]) or None,
        "root": row["workspace"],
        "author": row["author"],
        "files": [
            {name: file[name] for name in TOLD_OF_A_FILE} for file in files
        ],
        "base_commit": row["base_commit"],
        "commit": row["commit_id"] or None,
        "request": row["request"],
        "requested_by": row["requested_by"],
        "decided_by": row["decided_by"],
        "reason": row["note"],
        "proposed_at": row["created_at"],
        "age_s": round(max(0.0, now - row["created_at"]), 1),
    }


def in_words(told: Mapping[str, object]) -> str:
    """One proposal for people: what it is, then its files."""
    files, age = told["files"], told["age_s"]
    assert isinstance(files, list) and isinstance(age, float)  # noqa: PT018  as `as_json` made them
    where = told["workspace"] or quoted(Path(str(told["root"])).name)
    facts = [f"{told['id']}  {told['state']}", f"{where}", f"by {plain(str(told['author']))}", f"{ago(age)} ago"]
    facts += [f"request {told['request']}"] if told["request"] else []
    facts += [f"commit {str(told['commit'])[:10]}"] if told["commit"] else []
    lines = ["  ".join(facts)]
    lines += [f"    {plain(str(told['reason']))}"] if told["reason"] else []
    for file in files:
        count = "binary" if file["added"] is None else f"+{file['added']} -{file['removed']}"
        lines.append(f"    {file['status']} {quoted(file['path'])}  {count}")
    return "\n".join(lines)
