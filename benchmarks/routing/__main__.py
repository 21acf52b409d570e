"""`python -m benchmarks.routing`: every figure that routing promises. See `benchmarks.section` for its options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks import section
from benchmarks.routing import cascade, contract, drift, overhead, prompts, shape, wire
from benchmarks.section import Section

SECTIONS: Mapping[str, Section] = {
    **prompts.SECTIONS,
    **cascade.SECTIONS,
    **shape.SECTIONS,
    **contract.SECTIONS,
    **drift.SECTIONS,
    **wire.SECTIONS,
    **overhead.SECTIONS,
}
"""Name -> section, in the order in which they run. Each area of routing adds its own table here."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    return section.run("routing", (__doc__ or "").partition("\n")[0], SECTIONS, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
