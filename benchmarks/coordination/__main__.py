"""`python -m benchmarks.coordination`: every figure that coordination promises.

`--json` prints one object, `--only a,b` takes these sections, `--quick` measures less, `--repos DIR` (again and again)
adds repositories whose history is replayed, `--operations N` is how long the stress goes on. A section that breaks
prints null, and its reason on standard error. Exit code 1 when a section broke or missed a target.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from benchmarks import section
from benchmarks.coordination import assistant, history, hostile, latency, stress
from benchmarks.coordination.ground import REPO
from benchmarks.section import Section

OPERATIONS, QUICK_OPERATIONS = 100_000, 240


def sections(repositories: Sequence[Path] = (REPO,), operations: int = 0) -> Mapping[str, Section]:
    """Name -> section, in the order in which they run. No `operations` means: as many as the target asks for."""
    counts = (operations or QUICK_OPERATIONS, operations or OPERATIONS)
    return {
        "latency": Section(keys=("commit_ms", "propose_ms"), run=latency.latency),
        "replay": Section(keys=("replay",), run=partial(history.replay, repositories)),
        "merges": Section(keys=("merges",), run=partial(history.merges, repositories)),
        "hostile": Section(keys=("hostile",), run=hostile.hostile),
        "mcp": Section(keys=("mcp",), run=assistant.assistant),
        "stress": Section(keys=("stress", "queue_inversions"), run=partial(stress.stress, counts)),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--repos", action="append", type=Path, default=[], metavar="DIR")
    parser.add_argument("--operations", type=int, default=0)
    own, others = parser.parse_known_args(arguments)
    about = "Every figure that coordination promises. Also: --repos DIR, --operations N."
    return section.run("coordination", about, sections((REPO, *own.repos), own.operations), others)


if __name__ == "__main__":
    raise SystemExit(main())
