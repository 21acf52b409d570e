"""`control explain | simulate | check | new-capability | new-key | drill | drills`: who may do what here, and why."""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.app import make_rules, prepare_home, read_catalog, read_members, read_rulebook
from bot.cli.drilling import drill, drills
from bot.cli.records import say
from bot.config import Settings
from layers import control
from layers.errors import BulkheadError, Misconfigured
from layers.store import open_store, read_store

Verb = Callable[[argparse.Namespace, Settings], Awaitable[int]]
AGES = {"m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


async def explain(parsed: argparse.Namespace, settings: Settings) -> int:
    """Who may approve a request now, and why the others may not; 1 when nobody may."""
    _, rules = await read_rulebook(settings, prepare_home(settings))
    async with read_store(settings.store_url) as store:
        row = await store.fetch_one("control.approval", id=parsed.request)
        rules = replace(rules, is_frozen=await control.look_frozen(store))
    if row is None:
        raise Misconfigured(f"no request has the id {parsed.request!r}; /pending and the foot of a card tell it")
    approval = control.approval_of(row)
    explained = control.explain(approval, rules, time.time())
    people = [
        {
            "person": person.id,
            "name": person.name,
            "may_approve": ruling.allowed,
            "reason": why(ruling),
            "policies": list(ruling.verdict.policy_ids) if ruling.verdict else [],
            "requires": sorted(ruling.requires),
            "is_solo": ruling.is_solo,
        }
        for person, ruling in explained
    ]
    told: dict[str, object] = {
        "ok": any(ruling.allowed for _, ruling in explained),
        "request": approval.id,
        "capability": approval.plan.capability,
        "risk": approval.plan.risk,
        "scope": approval.plan.scope,
        "state": approval.state.value,
        "requested_by": approval.requested_by,
        "by_agent": approval.by_agent,
        "people": people,
    }
    lines = [
        f"{approval.plan.capability}, risk {approval.plan.risk}, scope {approval.plan.scope}, "
        f"asked by {approval.requested_by}{' through the agent' if approval.by_agent else ''}: {approval.state.value}"
    ]
    for person, ruling in explained:
        needs = f" (needs: {', '.join(sorted(ruling.requires))})" if ruling.requires else ""
        lines.append(f"  {'yes' if ruling.allowed else 'no '}  {person.name}: {why(ruling)}{needs}")
    say(parsed, told, "\n".join(lines))
    return 0 if told["ok"] else 1


async def simulate(parsed: argparse.Namespace, settings: Settings) -> int:
    """What another policy would have decided over the recorded past; 1 when it differs."""
    file = prepare_home(settings)
    catalog, rules = await read_rulebook(settings, file)
    known = control.Known.of(rules.people, catalog.scopes, catalog.patch_scopes)
    other = control.load_policies(read_text(parsed.policy), known)
    since = time.time() - age(parsed.since)
    async with read_store(settings.store_url) as store:
        rows = await store.fetch_all("control.asked_since", since=since)
    replays = control.replay([control.approval_of(row) for row in rows], rules, other)
    changes = [
        {
            "request": one.approval,
            "capability": one.capability,
            "person": one.person,
            "act": one.act.value,
            "at": one.at,
            "happened": one.has_happened,
            "was": one.was.allowed,
            "would_be": one.would_be.allowed,
            "reason": one.would_be.reason,
            "policies": list(one.would_be.policy_ids),
        }
        for one in replays
        if one.is_change
    ]
    told = {"ok": not changes, "requests": len(rows), "asked": len(replays), "changes": changes}
    lines = [f"{len(rows)} requests, {len(replays)} questions asked of both policies, {len(changes)} answers differ"]
    lines += [
        f"  {one['request']} {one['capability']}: {one['person']} {'did' if one['happened'] else 'could'} "
        f"{one['act']}, {'and would be allowed' if one['would_be'] else 'but would not be allowed'}: {one['reason']}"
        for one in changes
    ]
    say(parsed, told, "\n".join(lines))
    return 1 if changes else 0


async def check(parsed: argparse.Namespace, settings: Settings) -> int:
    """Parse, validate and ask the golden questions, of the policy in the home or of another file; 1 when refused."""
    file = prepare_home(settings)
    members = await read_members(settings, file)
    catalog = read_catalog(settings, file)
    path = Path(parsed.file) if parsed.file else settings.home / control.POLICY
    beside = path.with_name(control.GOLDEN)
    golden = beside if beside.exists() else settings.home / control.GOLDEN
    try:
        known = control.Known.of(members, catalog.scopes, catalog.patch_scopes)
        policies = control.read_policy(path, golden, members, known)
    except Misconfigured as error:
        say(parsed, {"ok": False, "file": str(path), "error": str(error)}, str(error))
        return 1
    deciders = make_rules(members, catalog, policies).approvers
    told = {
        "ok": True,
        "file": str(path),
        "golden": str(golden),
        "policies": list(policies.ids),
        "sha256": policies.sha,
        "approvers": [person.id for person in deciders],
        "unavailable": dict(catalog.unavailable),
    }
    lines = [f"{path} is good: {len(policies.ids)} policies ({', '.join(policies.ids)}), sha256 {policies.sha[:12]}"]
    lines += [f"approvers: {', '.join(person.name for person in deciders) or 'none, so nothing can be approved'}"]
    lines += [f"unavailable: {name}: {reason}" for name, reason in sorted(catalog.unavailable.items())]
    say(parsed, told, "\n".join(lines))
    return 0


async def new_capability(parsed: argparse.Namespace, settings: Settings) -> int:
    """Write a commented manifest and check it."""
    prepare_home(settings)
    path = settings.home / "capabilities" / f"{parsed.name}.toml"
    if not re.fullmatch(r"[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+", parsed.name) or len(parsed.name) > 64:
        raise Misconfigured(f"{parsed.name!r} is no name for a capability; it must look like deploy.web")
    if path.exists():
        raise Misconfigured(f"{str(path)!r} is there already; edit it, or choose another name")
    try:
        path.write_text(control.template(parsed.name), encoding="utf-8")
        control.load_capability(path)
    except OSError as error:
        raise Misconfigured(f"{str(path)!r} cannot be written ({error.strerror})") from None
    except BulkheadError:
        path.unlink()
        raise
    text = f"{path} is written and good as it stands; edit it, run `bulkhead control check`, and restart"
    say(parsed, {"ok": True, "file": str(path)}, text)
    return 0


async def new_key(parsed: argparse.Namespace, settings: Settings) -> int:
    """Make this home's key the database's; what waits for a decision must be asked for again."""
    prepare_home(settings)
    key = control.SigningKey.open(settings.home / "keys")
    store = await open_store(settings.store_url)
    try:
        await store.run(control.replace_key, key.raw)
    finally:
        await store.close()
    say(parsed, {"ok": True, "public": key.raw.hex()}, f"the database's key is now {key.raw.hex()}")
    return 0


def add_control_verb(verbs: Any, common: argparse.ArgumentParser) -> None:  # noqa: ANN401
    """Put `control` and its own verbs into a parser's (`verbs` is argparse's unnamed kind of parser)."""
    about = "who may do what: explain, simulate, check, new-capability, new-key, drill, drills"
    inner = verbs.add_parser("control", help=about, description=about).add_subparsers(
        dest="control_verb", required=True, metavar="VERB"
    )

    def verb(name: str, run: Verb, about: str) -> argparse.ArgumentParser:
        added: argparse.ArgumentParser = inner.add_parser(name, help=about, description=about, parents=[common])
        added.set_defaults(run=run)
        return added

    asked = verb("explain", explain, "who may approve a request, and why the others may not")
    asked.add_argument("request", help="the id at the foot of the card, or of /pending")
    other = verb("simulate", simulate, "what another policy would have decided over the recorded past")
    other.add_argument("--policy", required=True, metavar="FILE", help="the other policy")
    other.add_argument("--since", default="30d", help="how far back: 30d, 12h, 2w")
    checked = verb("check", check, "parse and validate the policy, and ask its golden questions")
    checked.add_argument("file", nargs="?", help="another policy than the home's; a golden file may lie beside it")
    written = verb("new-capability", new_capability, "write a commented manifest to begin with, and check it")
    written.add_argument("name", help="its id, e.g. deploy.web")
    begun = verb("drill", drill, "put a decoy before every approver that nobody should approve and that never runs")
    begun.add_argument("--as", dest="person", default="", help="who makes it: an id of bulkhead.toml")
    verb("drills", drills, "every drill with what became of it, and how many were caught")
    verb("new-key", new_key, "make this home's key the database's, where the old one is lost")


def why(ruling: control.Ruling) -> str:
    """What decided it."""
    return ruling.reason or (ruling.verdict.reason if ruling.verdict else "")


def age(text: str) -> float:
    """Seconds of `30d`, `12h`, `90m`, `2w`.

    Raises:
        Misconfigured: it is none of these.
    """
    found = re.fullmatch(r"(\d{1,6})([mhdw])", text)
    if found is None:
        raise Misconfigured(f"--since {text!r} is refused; it must look like 30d, 12h or 2w")
    return int(found[1]) * AGES[found[2]]


def read_text(path: str) -> str:
    """A policy file.

    Raises:
        Misconfigured: it cannot be read.
    """
    try:
        return Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"cannot read {path!r} ({error}); name a policy file") from None
