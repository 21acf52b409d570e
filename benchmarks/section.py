"""What a section is: a function from an empty folder and a scale to a `Measured`; `run` prints a table of them.

Each area keeps its own table. `--json` prints one object, `--only a,b` takes these sections, `--quick` measures less. A
section that breaks prints null, and its reason on standard error.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one section found."""

    printed: Mapping[str, object]
    """Key of the printed object -> value; exactly the section's keys."""
    misses: tuple[str, ...] = ()
    """One sentence for each target that was missed."""
    notes: tuple[str, ...] = ()
    """One sentence for each thing that could not be measured here, and is nobody's miss."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One entry of the table."""

    keys: tuple[str, ...]
    """What it prints; each is null where it fails."""
    run: Callable[[Path, bool], Measured]
    """Takes an empty folder of its own, and whether to measure less."""
    table: Callable[[Mapping[str, object]], str] | None = None
    """For people: the text of what it printed. None means a line for each key."""


def missed(claims: Mapping[str, bool]) -> tuple[str, ...]:
    """The sentences that do not hold."""
    return tuple(sentence for sentence, holds in claims.items() if not holds)


def run(area: str, about: str, sections: Mapping[str, Section], arguments: Sequence[str] | None = None) -> int:
    """Measure and print what the command line asks for; 1 when a section broke or missed a target."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{area}", description=about)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="measure less")
    parser.add_argument("--only", help=f"some of them, with commas: {','.join(sections)}")
    parsed = parser.parse_args(arguments)
    names = parsed.only.split(",") if parsed.only else list(sections)
    if unknown := [name for name in names if name not in sections]:
        parser.error(f"there is no section {unknown[0]!r}; there are {', '.join(sections)}")
    printed: dict[str, object] = {}
    is_good = True
    for name in names:
        measured = measure(sections[name], is_quick=parsed.quick)
        printed.update(measured.printed)
        is_good = is_good and not measured.misses
        for sentence in (*measured.misses, *measured.notes):
            print(f"{name}: {sentence}", file=sys.stderr)
    print(json.dumps(printed, indent=1) if parsed.json else as_text(printed, sections))
    return 0 if is_good else 1


def measure(section: Section, *, is_quick: bool) -> Measured:
    """What it found. One section that breaks does not take the others along."""
    began = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="bulkhead-bench-", ignore_cleanup_errors=True) as folder:
            return section.run(Path(folder), is_quick)
    except Exception as error:  # noqa: BLE001  whatever it was, the figure is null and the reason is told
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        broke = f"broke after {time.monotonic() - began:.0f} s: {reason}"
        return Measured(printed=dict.fromkeys(section.keys), misses=(broke,))


def as_text(printed: Mapping[str, object], sections: Mapping[str, Section]) -> str:
    """For people: a line each, or the section's table."""
    tables = {key: section.table for section in sections.values() if section.table for key in section.keys}
    width = max((len(key) for key in printed), default=0)
    lines = []
    for key, value in printed.items():
        table = tables.get(key)
        lines.append(table(value) if table and isinstance(value, dict) else f"{key:<{width}}  {json.dumps(value)}")
    return "\n".join(lines)
