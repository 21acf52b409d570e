"""What a section of routing is: `benchmarks.section`'s, under the name that routing's areas import."""

from __future__ import annotations

from benchmarks.section import Measured, Section, missed

__all__ = ["Measured", "Section", "missed"]
