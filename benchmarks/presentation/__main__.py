"""`python -m benchmarks.presentation`: every figure that presentation promises. See `section` for how one is added.

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

from benchmarks.presentation import accept, defects, layouts, looping, sheet, uploads
from benchmarks.presentation.section import Section

SECTIONS: Mapping[str, Section] = {
    **accept.SECTIONS,
    **layouts.SECTIONS,
    **defects.SECTIONS,
    **looping.SECTIONS,
    **uploads.SECTIONS,
}
"""Name -> section, in the order in which they run."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.presentation", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="measure less")
    parser.add_argument("--only", help=f"some of them, with commas: {','.join(SECTIONS)}")
    parser.add_argument("--sheet", metavar="FILE", type=Path, help="draw 60 real flowcharts on one sheet, and no more")
    parsed = parser.parse_args(arguments)
    if parsed.sheet:
        print(f"{parsed.sheet}: {sheet.contact_sheet(parsed.sheet)} pictures")
        return 0
    names = parsed.only.split(",") if parsed.only else list(SECTIONS)
    if unknown := [name for name in names if name not in SECTIONS]:
        parser.error(f"there is no section {unknown[0]!r}; there are {', '.join(SECTIONS)}")
    printed: dict[str, object] = {}
    is_good = True
    for name in names:
        values, complaints = measure(SECTIONS[name], is_quick=parsed.quick)
        printed.update(values)
        is_good = is_good and not complaints
        for complaint in complaints:
            print(f"{name}: {complaint}", file=sys.stderr)
    print(json.dumps(printed, indent=1) if parsed.json else as_text(printed))
    return 0 if is_good else 1


def measure(section: Section, *, is_quick: bool) -> tuple[Mapping[str, object], Sequence[str]]:
    """What it prints, and what is wrong with that. One section that breaks does not take the others along."""
    began = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="bulkhead-bench-") as folder:
            measured = section.run(Path(folder), is_quick)
    except Exception as error:  # noqa: BLE001  whatever it was, the figure is null and the reason is told
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        return dict.fromkeys(section.keys), [f"broke after {time.monotonic() - began:.0f} s: {reason}"]
    return measured.printed, measured.misses


def as_text(printed: Mapping[str, object]) -> str:
    """For people: a line each."""
    width = max((len(key) for key in printed), default=0)
    return "\n".join(f"{key:<{width}}  {json.dumps(value)}" for key, value in printed.items())


if __name__ == "__main__":
    raise SystemExit(main())
