"""`doctor`, `migrate`, `db copy` and `slack manifest`: what an operator does at 3 a.m."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping

from bot.adapters.slack.manifest import manifest_text
from bot.app import examine_house
from bot.config import Settings, first_start
from bot.doctor import as_json, as_text
from layers.store import copy_store, upgrade_store


async def doctor(parsed: argparse.Namespace, settings: Settings) -> int:
    """Check every part; 1 when something that is needed does not work."""
    checks = await examine_house(settings)
    say(parsed, as_json(checks), as_text(checks))
    return 0 if all(check.ok or check.severity != "error" for check in checks) else 1


async def migrate(parsed: argparse.Namespace, settings: Settings) -> int:
    """Bring the schema up to date."""
    first_start(settings.home)
    await upgrade_store(settings.store_url)
    say(parsed, {"ok": True}, "the schema is up to date")
    return 0


async def copy(parsed: argparse.Namespace, settings: Settings) -> int:
    """Copy one database into another."""
    copied = await copy_store(parsed.source, parsed.target)
    rows = sum(copied.values())
    say(
        parsed,
        {"ok": True, "tables": copied},
        f"copied {rows} rows of {len(copied)} tables; point BULKHEAD_DATABASE_URL there",
    )
    return 0


async def slack_manifest(parsed: argparse.Namespace, _settings: Settings) -> int:
    """JSON with and without --json: it is to be pasted."""
    sys.stdout.write(manifest_text(http=parsed.http))
    return 0


def say(parsed: argparse.Namespace, told: Mapping[str, object], text: str) -> None:
    """To a program or to a person."""
    sys.stdout.write((json.dumps(told) if parsed.json else text) + "\n")
