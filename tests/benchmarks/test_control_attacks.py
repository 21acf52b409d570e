"""The section `attack_cases`: every case is named by a test, and what it prints of a report is what stands there."""

from __future__ import annotations

import re

import pytest

from benchmarks.control.attacks import CASES, FOLDER, Told, failures, read
from tests.fakes.environment import REPO

REPORT = """<testsuites><testsuite>
<testcase name="test_A1_A2_good[x]"/>
<testcase name="test_B1_bypassed"><failure message="AssertionError: it ran"/></testcase>
<testcase name="test_B2_broke"><error message="failed on setup"/></testcase>
<testcase name="test_B3_broke_within"><failure message="httpx.ConnectError: no"/></testcase>
<testcase name="test_C1_left_out"><skipped message="no bwrap"/></testcase>
<testcase name="test_no_case_A7_at_the_beginning"/>
</testsuite></testsuites>"""


def test_each_of_the_95_cases_is_named_by_a_test() -> None:
    source = "".join(file.read_text() for file in (REPO / FOLDER).glob("test_*.py"))
    names = re.findall(r"^(?:async )?def (test_\w+)", source, re.MULTILINE)
    named = {case for name in names for case in Told(name=name, is_passed=True).cases}
    assert len(CASES) == 95
    assert named == set(CASES)


def test_what_failed_broke_or_was_left_out_has_not_passed() -> None:
    told = read(REPORT)
    failed = failures(told)
    assert {"A1", "A2"}.isdisjoint(failed)
    assert {"B1", "B2", "B3", "C1", "A7"} <= set(failed)
    assert failed["A7"] == "no test names it"
    assert {case for test in told if test.is_bypass for case in test.cases} == {"B1"}


@pytest.mark.parametrize("name", ["test_A12_no_such_case", "test_H99"])
def test_a_case_that_does_not_exist_is_a_failure(name: str) -> None:
    assert "there is no such case" in failures([Told(name=name, is_passed=True)]).values()
