"""The executor's side: sandboxes, crashes, audit, secrets."""

from __future__ import annotations

from benchmarks.control.section import Section

SECTIONS: dict[str, Section] = {}
