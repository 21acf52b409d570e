"""`python -m benchmarks.control`: every figure that control promises. See `benchmarks.section` for its options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks import section
from benchmarks.control import attacks, decisions, executor, policy
from benchmarks.control.peers import section as peers
from benchmarks.section import Section

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
    return section.run("control", (__doc__ or "").partition("\n")[0], SECTIONS, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
