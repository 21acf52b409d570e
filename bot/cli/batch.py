"""`route`, and what `--batch` means: a file with one JSON object per line, where errors are data."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import TypedDict

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
            return await run_batch(parsed.batch, lambda text: explain(router, text), {"shape": None, "score": None})
        words = parsed.text[1:] if parsed.text[:1] == ["explain"] and len(parsed.text) > 1 else parsed.text
        if not words:
            raise Misconfigured("route needs a text, `-` for standard input, or --batch FILE.jsonl")
        told = await explain(router, read("-") if words == ["-"] else " ".join(words))
    finally:
        await router.close()
    sys.stdout.write((json.dumps(told) if parsed.json else in_words(told)) + "\n")
    return 0


def in_words(told: Routed) -> str:
    """A decision for people: the shape and its cues, the difficulty and what moved it, the models."""
    cues = ", ".join(told["cues"]) or "no cue"
    reasons = ", ".join(f"{name} {worth:+.3f}" for name, worth in told["reasons"].items()) or "nothing"
    models = ", ".join(told["models"]) or "no model is connected"
    return f"shape {told['shape']} ({cues}): {models}\ndifficulty {told['score']:+.3f} ({reasons})"


class Routed(TypedDict):
    """Where a text would go, for programs."""

    ok: bool
    error: str | None
    shape: str
    cues: list[str]
    score: float
    reasons: dict[str, float]
    model: str | None
    models: list[str]
    us: float


async def explain(router: Router, text: str) -> Routed:
    """Where a text would go."""
    explained = await router.explain(text)
    judged, models = explained.judged, list(explained.models)
    return {
        "ok": True,
        "error": None,
        "shape": judged.shape.value,
        "cues": [cue.name for cue in judged.cues],
        "score": round(explained.score, 5),
        "reasons": {name: round(worth, 5) for name, worth in explained.reasons},
        "model": models[0] if models else None,
        "models": models,
        "us": round(explained.judge_us, 1),
    }


async def run_batch(path: str, one: Callable[[str], Awaitable[Mapping[str, object]]], blank: dict[str, object]) -> int:
    """One output line per input line, in order. What is wrong with a line is said in its place; exit code 0."""
    for text, error in lines(path):
        try:
            told = dict(await one(text)) if error is None else {"ok": False, "error": error, **blank}
        except BulkheadError as failure:
            told = {"ok": False, "error": str(failure), **blank}
            if isinstance(failure, BadInput):
                told |= {"line": failure.line, "column": failure.column, "expected": failure.expected}
        sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()
    return 0


def lines(path: str) -> Iterator[tuple[str, str | None]]:
    """The texts of a batch, or what is wrong with the line."""
    for number, (item, error) in enumerate(objects(path), start=1):
        text = item.get("text", item.get("prompt")) if isinstance(item, dict) else None
        if isinstance(text, str):
            yield text, None
        else:
            yield "", error or f'line {number} has no string under "text"'


def objects(path: str) -> Iterator[tuple[object, str | None]]:
    """The values of a batch, or what is wrong with the line. Only a line feed ends a line, as JSON wants it."""
    for number, line in enumerate(read_bytes(path).split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            yield json.loads(line.decode("utf-8-sig")), None
        except UnicodeDecodeError as error:
            yield None, f"line {number} is not UTF-8 at byte {error.start}"
        except (ValueError, RecursionError) as error:
            yield None, f"line {number} is not JSON: {error}"


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
