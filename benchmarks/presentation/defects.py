"""The section `lint`."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.presentation.section import Section

SECTIONS: Mapping[str, Section] = {}
