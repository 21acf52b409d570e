"""`patch status`: the proposals of a database, and what was decided about each. Read-only, beside a server or not."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path

from bot.cli.patch.places import ago, at_most, chosen, named, plain, quoted
from bot.cli.records import say
from bot.config import Settings
from layers.control import Outcome
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

TOLD_OF_A_FILE = ("path", "old_path", "status", "added", "removed", "control")


async def status(parsed: argparse.Namespace, settings: Settings) -> int:
    """Tell of one, or of the newest."""
    names = {str(path): name for name, path in named(settings).items()}
    async with read_store(settings.store_url) as store:
        rows = await found(parsed, settings, store)
        now = await look_clock(store)
    proposals = [as_json(row, names, now) for row in rows]
    told: dict[str, object] = {"ok": True, "proposals": proposals}
    say(parsed, told, "\n".join(map(in_words, proposals)) or "no patch was proposed here")
    return 0


async def found(parsed: argparse.Namespace, settings: Settings, store: ReadStore) -> list[Row]:
    """The rows that are asked for."""
    if not parsed.id:
        roots = [str(one.root) for one in await chosen(settings, store, parsed.workspace)] if parsed.workspace else [""]
        return await store.fetch_all("bot.proposals", workspace=roots[0], few=at_most(parsed.most))
    row = await store.fetch_one("bot.proposal", id=parsed.id)
    if row is None:
        raise Refused(f"no patch has the id {parsed.id[:80]!r}; `bulkhead patch status` lists them")
    return [row]


def state_of(row: Row) -> str:
    """How far a proposal is: what became of it, or how far the request is that was made of it."""
    state, decision = State(row["state"]), row["decision"]
    if state in (State.APPLIED, State.CONFLICTED) or decision is None:
        return state.value
    return UNDER_WAY.get(Decision(decision), str(decision))


def reason_of(row: Row) -> str:
    """Why it is so, where there is more to say."""
    if row["outcome"]:
        return Outcome.parse(row["outcome"]).reason
    return {
        "denied": f"{row['decided_by']} said no",
        "expired": "nobody decided about it in time",
        "cancelled": f"{row['decided_by']} took it back",
        "invalidated": "it was approved, but was no longer what was shown",
    }.get(row["decision"] or "", "")


def as_json(row: Row, names: Mapping[str, str], now: float) -> dict[str, object]:
    """One proposal."""
    files = json.loads(row["summary"])["files"]
    return {
        "id": row["id"],
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
        "reason": reason_of(row) or None,
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
