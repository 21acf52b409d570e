"""`make bench`: every figure the house is built for, beside its floor. Nothing is asserted; a slow machine is slow.

`--quick` measures less, `--only NAME` one benchmark, `--json` prints one object.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks import serving, talking, turns
from benchmarks.figures import FULL, QUICK, QUOTED, Figure, Scale, quoted, table

Benchmark = Callable[[Path, Scale], list[Figure]]

BENCHMARKS: dict[str, Benchmark] = {
    "start": serving.warm_start,
    "memory": serving.idle_memory,
    "replies": talking.replies,
    "sqlite": turns.on_sqlite,
    "postgres": turns.on_postgres,
    "diagrams": talking.diagrams,
    "models": talking.models,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.house", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="measure less")
    parser.add_argument("--only", choices=BENCHMARKS, help="one benchmark")
    parsed = parser.parse_args(arguments)
    scale = QUICK if parsed.quick else FULL
    started, figures = time.perf_counter(), []
    os.environ["PYTHONDONTWRITEBYTECODE"] = ""  # servers keep theirs: it is what makes a start warm
    for name in [parsed.only] if parsed.only else list(BENCHMARKS):
        if sys.stderr.isatty():
            print(f"... {name}", file=sys.stderr)
        figures += measure(BENCHMARKS[name], scale)
    seconds = time.perf_counter() - started
    print(json.dumps(as_json(figures, scale, seconds), indent=1) if parsed.json else as_text(figures, seconds))
    return 0


def measure(benchmark: Benchmark, scale: Scale) -> list[Figure]:
    """One benchmark in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="bulkhead-bench-") as folder:
        return benchmark(Path(folder), scale)


def machine() -> str:
    """Where this was measured."""
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return f"Python {platform.python_version()}, {os.cpu_count()} cores, load {load}"


def as_text(figures: Sequence[Figure], seconds: float) -> str:
    """For people."""
    return f"{table(figures)}\n\n{quoted()}\nMeasured in {seconds:.0f} s on {machine()}."


def as_json(figures: Sequence[Figure], scale: Scale, seconds: float) -> dict[str, object]:
    """For programs."""
    return {
        "figures": [figure.as_json() for figure in figures],
        "quoted": [{"peer": name, "boot_s": boot, "memory_mb": memory} for name, boot, memory in QUOTED],
        "scale": asdict(scale),
        "machine": machine(),
        "seconds": seconds,
    }


if __name__ == "__main__":
    raise SystemExit(main())
