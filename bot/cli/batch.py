"""`route`, and what `--batch` means: a file with one JSON object per line, where errors are data."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from bot.app import make_router, prepare_home
from bot.config import Settings
from layers.errors import BadInput, BulkheadError, Misconfigured
from layers.routing import Router


async def route(parsed: argparse.Namespace, settings: Settings) -> int:
    """Shape, cues and models of a text; nothing is asked."""
    prepare_home(settings)
    router = make_router(settings)
    try:
        if parsed.batch:
            return await run_batch(parsed.batch, lambda text: explain(router, text), {"shape": None})
        if parsed.text is None:
            raise Misconfigured("route needs a text, `-` for standard input, or --batch FILE.jsonl")
        told = await explain(router, read("-") if parsed.text == "-" else parsed.text)
    finally:
        await router.close()
    if parsed.json:
        sys.stdout.write(json.dumps(told) + "\n")
    else:
        models = ", ".join(told["models"]) if isinstance(told["models"], list) else ""
        cues = ", ".join(told["cues"]) if isinstance(told["cues"], list) else ""
        sys.stdout.write(f"shape {told['shape']} ({cues or 'no cue'}): {models or 'no model is connected'}\n")
    return 0


async def explain(router: Router, text: str) -> dict[str, object]:
    """Where a text would go."""
    explained = await router.explain(text)
    judged, models = explained.judged, list(explained.models)
    return {
        "ok": True,
        "error": None,
        "shape": judged.shape.value,
        "cues": [cue.name for cue in judged.cues],
        "model": models[0] if models else None,
        "models": models,
        "us": round(explained.judge_us, 1),
    }


async def run_batch(path: str, one: Callable[[str], Awaitable[dict[str, object]]], blank: dict[str, object]) -> int:
    """One output line per input line, in order. What is wrong with a line is said in its place; exit code 0."""
    for text, error in lines(path):
        try:
            told = await one(text) if error is None else {"ok": False, "error": error, **blank}
        except BulkheadError as failure:
            told = {"ok": False, "error": str(failure), **blank}
            if isinstance(failure, BadInput):
                told |= {"line": failure.line, "column": failure.column, "expected": failure.expected}
        sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()
    return 0


def lines(path: str) -> Iterator[tuple[str, str | None]]:
    """The texts of a batch, or what is wrong with the line. Only a line feed ends a line, as JSON wants it."""
    for number, line in enumerate(read_bytes(path).split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            item = json.loads(line.decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            yield "", f"line {number} is not UTF-8 at byte {error.start}"
            continue
        except (ValueError, RecursionError) as error:
            yield "", f"line {number} is not JSON: {error}"
            continue
        text = item.get("text", item.get("prompt")) if isinstance(item, dict) else None
        if isinstance(text, str):
            yield text, None
        else:
            yield "", f'line {number} has no string under "text"'


def read(path: str) -> str:
    """The text of a file, or of standard input for `-`.

    Raises:
        Misconfigured: it cannot be read.
    """
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Misconfigured(f"{path!r} is not UTF-8 at byte {error.start}; save it as UTF-8") from None


def read_bytes(path: str) -> bytes:
    """The bytes of a file, or of standard input for `-`.

    Raises:
        Misconfigured: it cannot be read.
    """
    try:
        return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise Misconfigured(f"cannot read {path!r} ({error.strerror}); name a file that is there") from None
