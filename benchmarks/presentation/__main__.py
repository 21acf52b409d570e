"""`python -m benchmarks.presentation`: every figure that presentation promises. `benchmarks.section` has the options.

`python -m benchmarks.presentation.sheet FILE` draws 60 real flowcharts on one sheet, for a person's eyes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks import section
from benchmarks.presentation import accept, defects, layouts, looping, uploads
from benchmarks.section import Section

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
    return section.run("presentation", (__doc__ or "").partition("\n")[0], SECTIONS, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
