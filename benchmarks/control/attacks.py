"""The 95 attack cases: the named tests of tests/control/attacks, run, and told case by case."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from benchmarks.section import Measured, Section, missed
from tests.fakes.environment import REPO, environment

GROUPS = {"A": 11, "B": 16, "C": 9, "D": 16, "E": 15, "F": 6, "G": 14, "H": 8}
CASES = tuple(f"{group}{number}" for group, count in GROUPS.items() for number in range(1, count + 1))
FOLDER = "tests/control/attacks"
CASE = re.compile(r"[A-H]\d{1,2}")
ASSERTED = ("AssertionError", "assert", "Failed: DID NOT RAISE")
"""How the report of a test begins in which the attack did what it must not; anything else is a test that broke."""
OVERALL_S = 1800


@dataclass(frozen=True, kw_only=True)
class Told:
    """What became of one test."""

    name: str
    is_passed: bool
    is_bypass: bool = False
    """Whether it failed on what it claims, and not before it came to that."""

    @property
    def cases(self) -> tuple[str, ...]:
        """Those that its name begins with: `test_A6_A7_a_value_...`."""
        found = []
        for word in self.name.partition("[")[0].split("_")[1:]:
            if not CASE.fullmatch(word):
                break
            found.append(word)
        return tuple(found)


def attack_cases(folder: Path, _is_quick: bool) -> Measured:
    """Run all; a case without a test has failed."""
    report = folder / "report.xml"
    options = ["-q", "-n", "0", "-p", "no:cacheprovider", f"--junitxml={report}"]
    command = [sys.executable, "-m", "pytest", *options, FOLDER]
    done = subprocess.run(
        command, cwd=REPO, env=environment(CI="1", PYTHONPATH=str(REPO)),
        capture_output=True, text=True, timeout=OVERALL_S, check=False,
    )  # fmt: skip
    if not report.exists():
        raise RuntimeError(f"pytest wrote no report: {done.stdout[-500:]} {done.stderr[-500:]}")
    told = read(report.read_text("utf-8"))
    failed = failures(told)
    bypasses = {case for test in told if test.is_bypass for case in test.cases}
    claims = {
        f"failed: {', '.join(f'{case} ({why})' for case, why in failed.items())}": not failed,
        f"{len(bypasses)} attacks had their effect: {', '.join(sorted(bypasses))}": not bypasses,
    }
    summary = {"passed": len(CASES) - len(failed), "total": len(CASES), "failed": list(failed)}
    return Measured(printed={"attack_cases": summary, "bypasses": len(bypasses)}, misses=missed(claims))


def read(report: str) -> list[Told]:
    """Every test of a report in JUnit's form. One that was skipped has shown nothing: it counts as failed."""
    found = []
    for case in ElementTree.fromstring(report).iter("testcase"):
        trouble = [child for child in case if child.tag in ("failure", "error", "skipped")]
        said = trouble[0].get("message", "") if trouble else ""
        is_bypass = bool(trouble) and trouble[0].tag == "failure" and said.startswith(ASSERTED)
        found.append(Told(name=case.get("name", ""), is_passed=not trouble, is_bypass=is_bypass))
    return found


def failures(told: Iterable[Told]) -> Mapping[str, str]:
    """Case -> why it has not passed, in the order of the cases."""
    named: dict[str, list[Told]] = {case: [] for case in CASES}
    for test in told:
        for case in test.cases:
            named.setdefault(case, []).append(test)
    wrong = {}
    for case, tests in named.items():
        bad = [test.name for test in tests if not test.is_passed]
        if not tests:
            wrong[case] = "no test names it"
        elif case not in CASES:
            wrong[case] = "there is no such case"
        elif bad:
            wrong[case] = ", ".join(bad)
    return wrong


SECTIONS: Mapping[str, Section] = {
    "attack_cases": Section(keys=("attack_cases", "bypasses"), run=attack_cases),
}
