"""`python -m benchmarks.control`: every figure that control promises. See `section` for how one is added.

`--json` prints one object, `--only a,b` takes these sections, `--quick` measures less. A section that breaks prints
null, and its reason on standard error. Exit code 1 when a section broke or missed a target.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.control import attacks, decisions, executor, policy
from benchmarks.control.peers import section as peers
from benchmarks.control.section import Measured, Section

SECTIONS: Mapping[str, Section] = {
    **attacks.SECTIONS,
    **decisions.SECTIONS,
    **policy.SECTIONS,
    **executor.SECTIONS,
    **peers.SECTIONS,
}
"""Name -> section, in the order in which they run."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.control", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="measure less")
    parser.add_argument("--only", help=f"some of them, with commas: {','.join(SECTIONS)}")
    parsed = parser.parse_args(arguments)
    names = parsed.only.split(",") if parsed.only else list(SECTIONS)
    if unknown := [name for name in names if name not in SECTIONS]:
        parser.error(f"there is no section {unknown[0]!r}; there are {', '.join(SECTIONS)}")
    printed: dict[str, object] = {}
    is_good = True
    for name in names:
        measured = measure(SECTIONS[name], is_quick=parsed.quick)
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
        with tempfile.TemporaryDirectory(prefix="bulkhead-bench-") as folder:
            return section.run(Path(folder), is_quick)
    except Exception as error:  # noqa: BLE001  whatever it was, the figure is null and the reason is told
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        broke = f"broke after {time.monotonic() - began:.0f} s: {reason}"
        return Measured(printed=dict.fromkeys(section.keys), misses=(broke,))


def as_text(printed: Mapping[str, object]) -> str:
    """For people: a line each, or the section's table."""
    tables = {key: section.table for section in SECTIONS.values() if section.table for key in section.keys}
    width = max((len(key) for key in printed), default=0)
    lines = []
    for key, value in printed.items():
        table = tables.get(key)
        lines.append(table(value) if table and isinstance(value, dict) else f"{key:<{width}}  {json.dumps(value)}")
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
