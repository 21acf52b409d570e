"""`python -m benchmarks.coordination`: every figure that coordination promises.

`--json` prints one object, `--only a,b` takes these sections, `--quick` measures less, `--repos DIR` (again and again)
adds repositories whose history is replayed, `--operations N` is how long the stress goes on. A section that breaks
prints null, and its reason on standard error. Exit code 1 when a section broke or missed a target.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from benchmarks.control.section import Measured, Section
from benchmarks.coordination import history, hostile, latency, stress
from benchmarks.coordination.ground import REPO

OPERATIONS, QUICK_OPERATIONS = 100_000, 240


def sections(repositories: Sequence[Path] = (REPO,), operations: int = 0) -> Mapping[str, Section]:
    """Name -> section, in the order in which they run. No `operations` means: as many as the target asks for."""
    found = {
        "latency": Section(keys=("commit_ms", "propose_ms"), run=latency.latency),
        "replay": Section(keys=("replay",), run=partial(history.replay, repositories)),
        "merges": Section(keys=("merges",), run=partial(history.merges, repositories)),
        "hostile": Section(keys=("hostile",), run=hostile.hostile),
    }
    counts = (operations or QUICK_OPERATIONS, operations or OPERATIONS)
    found["stress"] = Section(keys=("stress", "queue_inversions"), run=partial(stress.stress, counts))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    known = sections()
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.coordination", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="measure less")
    parser.add_argument("--only", help=f"some of them, with commas: {','.join(known)}")
    parser.add_argument("--repos", action="append", type=Path, default=[], metavar="DIR", help="more histories")
    parser.add_argument("--operations", type=int, default=0, help="of the stress, over both databases")
    parsed = parser.parse_args(arguments)
    names = parsed.only.split(",") if parsed.only else list(known)
    if unknown := [name for name in names if name not in known]:
        parser.error(f"there is no section {unknown[0]!r}; there are {', '.join(known)}")
    chosen = sections((REPO, *parsed.repos), parsed.operations)
    printed: dict[str, object] = {}
    is_good = True
    for name in names:
        measured = measure(chosen[name], is_quick=parsed.quick)
        printed.update(measured.printed)
        is_good = is_good and not measured.misses
        for sentence in (*measured.misses, *measured.notes):
            print(f"{name}: {sentence}", file=sys.stderr)
    print(json.dumps(printed, indent=1) if parsed.json else as_text(printed))
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


def as_text(printed: Mapping[str, object]) -> str:
    """For people: a line each."""
    width = max((len(key) for key in printed), default=0)
    return "\n".join(f"{key:<{width}}  {json.dumps(value)}" for key, value in printed.items())


if __name__ == "__main__":
    raise SystemExit(main())
