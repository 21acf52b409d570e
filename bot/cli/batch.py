"""`draw` and `route`: one input, or a file with one JSON object per line; in a batch errors are data."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import TypedDict

from bot.app import make_presenter, make_router, prepare_home
from bot.config import Settings
from layers.errors import BadInput, BulkheadError, Misconfigured
from layers.presentation import Diagram, DiagramSpec, Figure, badge, parse_mermaid
from layers.routing import Router


async def draw(parsed: argparse.Namespace, settings: Settings) -> int:
    """Draw one file, or many; 1 when a drawing did not pass or one of one could not be read."""
    if parsed.batch:
        return await draw_batch(parsed, settings)
    if not parsed.file:
        raise Misconfigured("draw needs a Mermaid file, `-` for standard input, or --batch FILE.jsonl")
    presenter = make_presenter(settings)
    try:
        figure = await presenter.present(Diagram(source=read(parsed.file)))
    finally:
        await presenter.close()
    target = parsed.output or ("" if parsed.file == "-" else str(Path(parsed.file).with_suffix(".png")))
    if not target:
        raise Misconfigured("draw from standard input needs -o FILE.png")
    try:
        await asyncio.to_thread(Path(target).write_bytes, figure.png)
    except OSError as error:
        raise Misconfigured(f"cannot write {target!r} ({error.strerror}); choose another file with -o") from None
    told = describe(figure) | {"output": target}
    sys.stdout.write((json.dumps(told) if parsed.json else f"{target}: {badge(figure.verdict)}") + "\n")
    return 0 if figure.verdict.ok else 1


async def draw_batch(parsed: argparse.Namespace, settings: Settings) -> int:
    """One JSON object per line out."""
    presenter = make_presenter(settings)

    async def one(text: str) -> dict[str, object]:
        if parsed.no_render:
            return outline(parse_mermaid(text))
        return describe(await presenter.present(Diagram(source=text)))

    try:
        return await run_batch(parsed.batch, one, {"kind": None, "nodes": [], "edges": []})
    finally:
        await presenter.close()


def outline(spec: DiagramSpec) -> dict[str, object]:
    """A diagram in ids."""
    nodes = [node.id for node in spec.nodes]
    edges = [[edge.source, edge.target] for edge in spec.edges]
    return {"ok": True, "error": None, "kind": spec.kind, "nodes": nodes, "edges": edges}


def describe(figure: Figure) -> dict[str, object]:
    """A drawing in words: its outline and what was found."""
    findings = [
        {"rule": f.rule, "severity": f.severity, "elements": list(f.elements), "text": f.text}
        for f in figure.verdict.findings
    ]
    return outline(figure.spec) | {
        "ok": figure.verdict.ok,
        "findings": findings,
        "width": figure.width,
        "height": figure.height,
        "looked_by": figure.verdict.looked_by or None,
    }


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
