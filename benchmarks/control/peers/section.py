"""Section `peers`: which attack cases the human-in-the-loop of LangGraph, pydantic-ai and openai-agents refuses.

They are never in our environment: `make bench-peers` makes `.venv-peers` for them. Where that is missing each peer
prints null, and what to do is told on standard error; `BULKHEAD_PEERS` names another folder. What the figures say and
what they do not is told in `benchmarks.control.peers`.
"""

from __future__ import annotations

import json
import os
import subprocess
import textwrap
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.control.decisions import REPO, tested
from benchmarks.control.peers.cases import POSED, TOTAL
from benchmarks.section import Measured, Section

PYTHON = Path(os.environ.get("BULKHEAD_PEERS", REPO / ".venv-peers")) / "bin" / "python"
"""The interpreter that has the peers."""
PEERS: Mapping[str, str] = {
    "langgraph": "benchmarks.control.peers.on_langgraph",
    "pydantic-ai": "benchmarks.control.peers.on_pydantic_ai",
    "openai-agents": "benchmarks.control.peers.on_openai_agents",
}
"""Name -> module with its attacks."""
PATIENCE_S = 300.0
NOTE = (
    "None of the three claims to be a gate: NO is what an application that needs one has to add, and no defect. "
    "- cannot be posed. Bulkhead's column is its own tests, written by those who wrote Bulkhead."
)


Outcomes = Mapping[str, tuple[bool, str]]
"""Case -> whether it was refused, and how."""


def peers(folder: Path, _is_quick: bool) -> Measured:
    """Every peer in an interpreter of its own, one after the other, and our tests of the same cases."""
    printed: dict[str, object] = {}
    misses: list[str] = []
    notes: list[str] = []
    for name, module in PEERS.items():
        if not PYTHON.exists():
            printed[name] = None
            notes.append(f"{name} is not installed, there is no {PYTHON}; `make bench-peers` installs it")
            continue
        printed[name], complaints = posed(module, made(folder / name))
        misses += [f"{name}: {complaint}" for complaint in complaints]
    seen = tested(made(folder / "bulkhead"), POSED)
    ours = {case: (seen.get(case, False), "" if seen.get(case) else lacking(case, seen)) for case in POSED}
    printed["bulkhead"] = told(metadata.version("bulkhead"), ours)
    misses += [f"bulkhead {case}: {how}" for case, (held, how) in ours.items() if not held]
    return Measured(printed={"peers": printed}, misses=tuple(misses), notes=tuple(notes))


def lacking(case: str, seen: Mapping[str, bool]) -> str:
    """Why our own row cannot claim a case."""
    return "a test that names it fails" if case in seen else "no test names it"


def made(folder: Path) -> Path:
    """A new folder."""
    folder.mkdir()
    return folder


def posed(module: str, folder: Path) -> tuple[dict[str, object] | None, list[str]]:
    """What a peer came to, or null, and what is wrong with that."""
    # no key, no home and no tracing: nothing of these may leave the machine
    around = {"PATH": os.environ["PATH"], "HOME": str(folder), "LANGSMITH_TRACING": "false", "PYTHONPATH": str(REPO)}
    command = [str(PYTHON), "-m", module, str(folder)]
    done = subprocess.run(
        command, cwd=REPO, env=around, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    if done.returncode:
        return None, [(done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1]]
    found = json.loads(done.stdout)
    outcomes = {case: (held, how) for case, (held, how) in found["outcomes"].items()}
    broken = found["broken"]
    return told(found["version"], outcomes, len(broken)), [f"{case} broke: {why}" for case, why in broken.items()]


def told(version: str, outcomes: Outcomes, broken: int = 0) -> dict[str, object]:
    """What is printed of one peer. An attack that broke is in neither list, and is not called not applicable."""
    return {
        "version": version,
        "refused": [case for case, (held, _) in outcomes.items() if held],
        "not_refused": [case for case, (held, _) in outcomes.items() if not held],
        "not_applicable": TOTAL - len(outcomes) - broken,
        "how": {case: how for case, (_, how) in outcomes.items() if how},
    }


def table(found: Mapping[str, Any]) -> str:
    """For people: a line for each case, the sums, and how each case that was not refused got through."""
    there = {name: one for name, one in found.items() if one}
    heads = {name: f"{name} {one['version']}" for name, one in there.items()}
    sums = {name: f"{len(one['refused'])} of {len(one['refused'] + one['not_refused'])}" for name, one in there.items()}
    rows = [("case", heads, "the attack")]
    rows += [(case, {name: cell(one, case) for name, one in there.items()}, why) for case, why in POSED.items()]
    rows += [("", sums, "refused, of those that can be posed")]
    rows += [("", {name: str(one["not_applicable"]) for name, one in there.items()}, f"not applicable, of {TOTAL}")]
    lines = [
        f"{case:<4}  {'  '.join(f'{cells[name]:<{len(heads[name])}}' for name in there)}  {text}"
        for case, cells, text in rows
    ]
    how = [f"{name} {case}: {one['how'].get(case, '')}" for name, one in there.items() for case in one["not_refused"]]
    return "\n".join([*lines, "", *textwrap.wrap(NOTE, 120), "", *how])


def cell(one: Mapping[str, Any], case: str) -> str:
    """`refused`, `NO` or `-`."""
    return "refused" if case in one["refused"] else "NO" if case in one["not_refused"] else "-"


SECTIONS: Mapping[str, Section] = {
    "peers": Section(keys=("peers",), run=peers, table=table),
}
