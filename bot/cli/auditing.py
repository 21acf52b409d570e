"""`audit verify` and `audit export`: the hash chain against its head and its checkpoints, also without a database."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bot.app import CHECKPOINTS
from bot.cli.records import say
from bot.config import Settings
from layers import control
from layers.errors import BadInput, Refused
from layers.store import read_store


async def audit(parsed: argparse.Namespace, settings: Settings) -> int:
    """Verify (1 when the trail is broken) or export, also beside a running server."""
    if parsed.action == "export":
        return await export(parsed, settings)
    try:
        checkpoints = known_checkpoints(parsed, settings)
    except Refused as error:
        report = control.Report(ok=False, entries=0, reason=str(error))
    else:
        report = await check(parsed, settings, checkpoints)
    told = {
        "ok": report.ok,
        "entries": report.entries,
        "error": report.reason or None,
        "first_bad_seq": report.first_bad_seq,
        "reason": report.reason or None,
        "head": report.head,
    }
    if report.ok:
        text = f"the audit trail is whole: {report.entries} entries, head {report.head[:16] or '(empty)'}"
    else:
        where = f" at entry {report.first_bad_seq}" if report.first_bad_seq else ""
        text = f"the audit trail is BROKEN{where}: {report.reason}"
    say(parsed, told, text)
    return 0 if report.ok else 1


async def check(
    parsed: argparse.Namespace, settings: Settings, checkpoints: list[control.Checkpoint]
) -> control.Report:
    """An export needs no database."""
    if parsed.export:
        try:
            with open(parsed.export, encoding="utf-8") as lines:
                return control.verify_export(lines, checkpoints)
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"the export {parsed.export!r} cannot be read ({error})") from None
    async with read_store(settings.store_url) as store:
        return await control.verify_store(store, checkpoints)


def known_checkpoints(parsed: argparse.Namespace, settings: Settings) -> list[control.Checkpoint]:
    """Those of `--checkpoint` (a file of notes, or the fingerprint from a chat), else those of the home.

    Raises:
        Refused: one is not signed by control's key.
        BadInput: the file cannot be read.
    """
    if parsed.checkpoint and (known := control.read_fingerprint(parsed.checkpoint)):
        return [known]
    own = settings.home / CHECKPOINTS
    if not parsed.checkpoint and (parsed.export or not own.exists()):
        return []
    file = Path(parsed.checkpoint or own)
    key = control.VerifyingKey.load(Path(parsed.key) if parsed.key else settings.home / "keys" / control.PUBLIC)
    try:
        return list(control.read_notes(file.read_text("utf-8"), key))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"the checkpoints {str(file)!r} cannot be read ({error})") from None


async def export(parsed: argparse.Namespace, settings: Settings) -> int:
    """Every entry as a line of JSON, to standard output or a file."""
    async with read_store(settings.store_url) as store:
        if not parsed.output:
            async for line in control.audit.export(store):
                sys.stdout.write(line)
            return 0
        count = 0
        with open(parsed.output, "w", encoding="utf-8") as file:
            async for line in control.audit.export(store):
                file.write(line)
                count += 1
    say(parsed, {"ok": True, "entries": count}, f"exported {count} entries to {parsed.output}")
    return 0
