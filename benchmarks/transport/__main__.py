"""`python -m benchmarks.transport`: each promise of the transport, measured at the providers' side.

`--json` prints one object, `--only NAME,NAME` measures some sections, `--quick` less of each. What cannot be measured
is null, and the reason goes to standard error. The exit code is 1 when a target was missed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.figures import Figure, table
from benchmarks.house import machine
from benchmarks.transport import churn, crash, latency, memory, mentions, quarantine, soak, storm
from benchmarks.transport.bench import FULL, QUICK, Bench, NotMeasured, Scale, Section
from tests.fakes.environment import REPO

SECTIONS: Mapping[str, Callable[[Bench], Section]] = {
    "crash_points": crash.crash_points,
    "sigkill_soak": soak.sigkill_soak,
    "head_of_line": storm.head_of_line,
    "socket_churn": churn.socket_churn,
    "quarantine": quarantine.quarantine,
    "mention_leaks": mentions.mention_leaks,
    "latency_ms": latency.latency_ms,
    "rss_mb": memory.rss_mb,
}
SHORT = {"latency": "latency_ms", "mentions": "mention_leaks", "soak": "sigkill_soak", "rss": "rss_mb"}
KEYS = (
    *("crash_points", "sigkill_soak", "head_of_line", "socket_churn", "quarantine"),
    *("spec_violations", "mention_leaks", "latency_ms", "rss_mb"),
)
"""Of the printed object, in this order."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parsed = arguments_of(arguments)
    scale = parsed.scale
    values: dict[str, object] = dict.fromkeys(KEYS)
    figures: list[Figure] = []
    violations: list[str] = []
    os.environ["PYTHONDONTWRITEBYTECODE"] = ""  # servers keep theirs: it is what makes a start warm
    started = time.perf_counter()
    for name in parsed.only:
        try:
            section, told = measure(SECTIONS[name], scale)
        except (NotMeasured, AssertionError, OSError) as error:
            print(f"{name}: not measured: {error}", file=sys.stderr, flush=True)
            figures.append(Figure(key=name, title=name, value=None, unit="", note=f"not measured: {error}"))
        else:
            values[name] = section.value
            figures += section.figures
            violations += told
    values["spec_violations"] = len(violations)
    figures.append(
        Figure(key="spec_violations", title="calls against a specification", value=len(violations), unit="", at_most=0)
    )
    for violation in violations[:20]:
        print(f"spec_violations: {violation}", file=sys.stderr)
    if parsed.json:
        print(json.dumps(values, indent=1))
    else:
        print(f"{table(figures)}\nMeasured in {time.perf_counter() - started:.0f} s on {machine()}.")
    missed = [figure for figure in figures if figure.is_met is False]
    for figure in missed:
        miss = f"missed: {figure.title}: {figure.value:g} {figure.unit}".rstrip()
        print(f"{miss} ({figure.note})" if figure.note else miss, file=sys.stderr)
    return 1 if missed or any(figure.value is None for figure in figures) else 0


def arguments_of(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line; `scale` and `only` are ready for use."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.transport", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="measure less")
    parser.add_argument("--only", default="", help=f"sections, with commas: {', '.join(SECTIONS)}")
    parser.add_argument("--kills", type=int, help="kills of the soak")
    parser.add_argument("--messages", type=int, help="messages of the soak")
    parsed = parser.parse_args(arguments)
    only = [SHORT.get(name.strip(), name.strip()) for name in parsed.only.split(",") if name.strip()]
    if unknown := [name for name in only if name not in SECTIONS]:
        parser.error(f"there is no section {unknown[0]!r}; there are {', '.join(SECTIONS)}")
    parsed.only = only or list(SECTIONS)
    scale: Scale = QUICK if parsed.quick else FULL
    given = {name: value for name in ("kills", "messages") if (value := getattr(parsed, name)) is not None}
    parsed.scale = replace(scale, **given)
    return parsed


def measure(section: Callable[[Bench], Section], scale: Scale) -> tuple[Section, list[str]]:
    """One section in a folder of its own; and what the providers had to object."""
    shared = Path(os.environ.get("BULKHEAD_SHARED", REPO.parent / "shared"))
    with tempfile.TemporaryDirectory(prefix="bulkhead-bench-") as folder:
        bench = Bench(folder=Path(folder), shared=shared, scale=scale)
        return section(bench), bench.violations


if __name__ == "__main__":
    raise SystemExit(main())
