"""`draw`: Mermaid files, Markdown files with Mermaid blocks, standard input or a batch; and `cases`.

What is found is printed as linters do: file, line, severity, rule, words. Exit code 1 when an error remains, or cannot
be read; with `--strict` also for a warning.
"""

from __future__ import annotations

import argparse
import asyncio
import glob
import json
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot.app import make_presenter
from bot.cli.batch import read, run_batch
from bot.config import Settings
from layers import presentation
from layers.errors import BadInput, BulkheadError, Misconfigured
from layers.presentation import Diagram, DiagramSpec, Figure, Finding, Flowchart, Presenter, badge, parse_mermaid
from layers.store import read_store

SURFACES = ("page", "telegram", "slack", "print")
PNG, SVG = ".png", ".svg"
MARKDOWN = (".md", ".markdown", ".mdx")
FENCE = re.compile(r"^(?P<indent>[ \t>]*)(?P<fence>`{3,}|~{3,})[ \t]*\{?\.?mermaid\b[^`\n]*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One diagram of one file."""

    file: str
    line: int
    """Of its first line, counted from 1."""
    text: str
    number: int = 0
    """Which of the blocks of a Markdown file, from 1; 0 where the file is the diagram."""

    @property
    def picture(self) -> Path:
        """Where its PNG goes unless somebody says otherwise."""
        path = Path(self.file)
        return path.with_name(f"{path.stem}-{self.number}.png") if self.number else path.with_suffix(".png")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of a block."""

    block: Block
    ms: float
    figure: Figure | None = None
    problem: str = ""
    """Why there is no figure."""
    line: int = 1
    """Of the problem, within the block."""
    output: str = ""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Of the figure."""
        return self.figure.verdict.findings if self.figure else ()

    def is_good(self, *, is_strict: bool) -> bool:
        """True when nothing is left that counts."""
        return self.figure is not None and self.figure.verdict.ok and not (is_strict and self.findings)


async def draw(parsed: argparse.Namespace, settings: Settings) -> int:
    """Draw, or only check."""
    presenter = make_presenter(settings)
    try:
        if parsed.batch:
            return await draw_batch(parsed, presenter)
        return await draw_files(parsed, presenter)
    finally:
        await presenter.close()


async def draw_files(parsed: argparse.Namespace, presenter: Presenter) -> int:
    """One line for each finding, or one JSON array."""
    if not parsed.files:
        raise Misconfigured("draw needs a Mermaid or Markdown file, `-` for standard input, or --batch FILE.jsonl")
    blocks = gathered(parsed)
    is_one = len(blocks) == 1 and not parsed.check
    results = []
    for block in blocks:
        result = block if isinstance(block, Result) else await drawn(block, parsed, presenter, raises=is_one)
        results.append(result)
        if not parsed.json:
            sys.stdout.write("".join(f"{line}\n" for line in lines_of(result, is_check=parsed.check)))
    if parsed.json:
        told = [as_json(result) for result in results]
        sys.stdout.write(json.dumps(told[0] if is_one else told) + "\n")
    elif not is_one:
        if not results:
            sys.stdout.write("there is no diagram in them\n")
            return 0
        good = sum(result.is_good(is_strict=parsed.strict) for result in results)
        sys.stdout.write(f"{good} of {len(results)} diagrams are good\n")
    return 0 if all(result.is_good(is_strict=parsed.strict) for result in results) else 1


def gathered(parsed: argparse.Namespace) -> list[Block | Result]:
    """Every diagram; where files are only checked, one that cannot be read is a result and does not hide the others.

    Raises:
        Misconfigured: the options do not fit what there is.
    """
    blocks: list[Block | Result] = []
    for name in expanded(parsed.files):
        try:
            for block in blocks_of(name):
                blocks.append(block)
        except Misconfigured as error:
            if not parsed.check:
                raise
            blocks.append(Result(block=Block(file=name, line=1, text=""), ms=0.0, problem=str(error)))
    if parsed.check:
        return blocks
    if not blocks:
        raise Misconfigured(f"there is no Mermaid diagram in {' or '.join(map(repr, parsed.files[:3]))}")
    if parsed.output and len(blocks) != 1:
        raise Misconfigured(f"-o names one picture and there are {len(blocks)} diagrams; leave it out")
    if parsed.output and Path(parsed.output).suffix.lower() not in (PNG, SVG):
        raise Misconfigured(f"-o names a {PNG} or {SVG} file, not {parsed.output!r}")
    if not parsed.output and "-" in parsed.files:
        raise Misconfigured("draw from standard input needs -o FILE.png, or --check")
    return blocks


async def drawn(block: Block, parsed: argparse.Namespace, presenter: Presenter, *, raises: bool) -> Result:
    """One block. `raises`: one that cannot be read ends the command with its sentence."""
    started = time.perf_counter()
    try:
        figure = await presenter.present(asked(block.text, parsed))
    except BulkheadError as error:
        if raises:
            raise
        line = error.line if isinstance(error, BadInput) and error.line else 1
        return Result(block=block, ms=elapsed(started), problem=str(error), line=line)
    output = "" if parsed.check else await written(Path(parsed.output or block.picture), figure)
    return Result(block=block, ms=elapsed(started), figure=figure, output=output)


def asked(text: str, parsed: argparse.Namespace) -> Diagram:
    """A diagram with the look that the options ask for."""
    source = presentation.with_look(text, parsed.theme, parsed.style.replace("-", "_"))
    return Diagram(source=source, surface=parsed.surface, has_svg=Path(parsed.output or "").suffix.lower() == SVG)


def elapsed(started: float) -> float:
    """Milliseconds."""
    return round((time.perf_counter() - started) * 1e3, 1)


async def written(target: Path, figure: Figure) -> str:
    """The first page under this name, the others numbered, the whole as SVG beside them; or only that."""
    files = {target: figure.png} if target.suffix.lower() != SVG else {}
    if files:
        files |= {target.with_name(f"{target.stem}.p{n}.png"): page.png for n, page in enumerate(figure.further, 2)}
    if figure.svg:
        files[target.with_suffix(SVG)] = figure.svg
    for path, content in files.items():
        try:
            await asyncio.to_thread(path.write_bytes, content)
        except OSError as error:
            raise Misconfigured(f"cannot write {str(path)!r} ({error.strerror}); choose another file with -o") from None
    return str(target)


def expanded(names: list[str]) -> Iterator[str]:
    """The files; patterns that the shell left alone are expanded, sorted."""
    for name in names:
        if name != "-" and any(mark in name for mark in "*?[") and not Path(name).exists():
            found = sorted(path for path in glob.glob(name, recursive=True) if Path(path).is_file())
            if not found:
                raise Misconfigured(f"no file matches {name!r}")
            yield from found
        elif name != "-" and Path(name).is_dir():
            raise Misconfigured(f"{name!r} is a directory; name its files, e.g. '{name.rstrip('/')}/**/*.md'")
        else:
            yield name


def blocks_of(name: str) -> Iterator[Block]:
    """The diagrams of a file: all Mermaid blocks of Markdown, else the file itself."""
    text = read(name)
    if Path(name).suffix.lower() not in MARKDOWN:
        yield Block(file=name, line=1, text=text)
        return
    number, start, end, indent, held = 0, 0, "", "", list[str]()
    for at, line in enumerate(text.splitlines(), start=1):
        if end:
            if line.strip(" \t>").startswith(end) and not line.strip(" \t>").strip(end[0]):
                number, end = number + 1, ""
                yield Block(file=name, line=start, text="\n".join(held), number=number)
            else:
                held.append(line.removeprefix(indent))
        elif found := FENCE.match(line):
            start, end, indent, held = at + 1, found["fence"], found["indent"], []
    if end:
        raise Misconfigured(f"{name}:{start - 1}: the Mermaid block that begins here has no end; close it with {end}")


def lines_of(result: Result, *, is_check: bool) -> Iterator[str]:
    """For people and editors."""
    block = result.block
    place = f"{block.file}:{block.line + (result.line - 1 if result.problem else 0)}"
    if result.problem:
        yield f"{place}: error: unreadable: {' '.join(result.problem.split())}"
        return
    for finding in result.findings:
        yield f"{place}: {finding.severity}: {finding.rule}: {finding.text}"
    if not is_check and result.figure:
        yield f"{result.output}: {badge(result.figure.verdict)}"


def as_json(result: Result) -> dict[str, object]:
    """For programs."""
    where: dict[str, object] = {"file": result.block.file, "line": result.block.line, "ms": result.ms}
    if result.figure is None:
        at = result.block.line + result.line - 1
        return where | {"ok": False, "error": result.problem, "line": at, "findings": [], "pages": [], "engine": None}
    return describe(result.figure) | where | {"output": result.output or None}


async def draw_batch(parsed: argparse.Namespace, presenter: Presenter) -> int:
    """One JSON object per line out."""

    async def one(text: str) -> dict[str, object]:
        if parsed.no_render:
            return outline(parse_mermaid(text))
        started = time.perf_counter()
        figure = await presenter.present(asked(text, parsed))
        return describe(figure) | {"ms": elapsed(started)}

    return await run_batch(parsed.batch, one, {"kind": None, "nodes": [], "edges": []})


def outline(spec: DiagramSpec) -> dict[str, object]:
    """A diagram in ids."""
    nodes = [node.id for node in spec.nodes] if isinstance(spec, Flowchart) else []
    edges = [[edge.source, edge.target] for edge in spec.edges] if isinstance(spec, Flowchart) else []
    return {"ok": True, "error": None, "kind": spec.kind, "nodes": nodes, "edges": edges}


def describe(figure: Figure) -> dict[str, object]:
    """A drawing in words: its outline and what was found."""
    sizes = [(figure.width, figure.height), *((page.width, page.height) for page in figure.further)]
    return outline(figure.spec) | {
        "ok": figure.verdict.ok,
        "findings": [asdict(finding) for finding in figure.verdict.findings],
        "pages": [{"width": width, "height": height} for width, height in sizes],
        "engine": figure.engine or None,
        "width": figure.width,
        "height": figure.height,
        "looked_by": figure.verdict.looked_by or None,
    }


async def list_cases(parsed: argparse.Namespace, settings: Settings) -> int:
    """What people saw and the lint did not."""
    async with read_store(settings.store_url) as store:
        found = await presentation.cases(store, max(1, parsed.most))
    if parsed.json:
        sys.stdout.write(json.dumps([asdict(case) for case in found]) + "\n")
        return 0
    for case in found:
        day = datetime.fromtimestamp(case.created_at, UTC).strftime("%Y-%m-%d %H:%M")
        rules = ", ".join(case.rules) or "nothing"
        sys.stdout.write(f"{day} {case.id} by {case.reported_by}: {case.comment} (the lint found {rules})\n")
    if not found:
        sys.stdout.write("Nobody has reported a picture.\n")
    return 0
