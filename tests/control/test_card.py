"""The card: every leaf of the plan is on it, and nothing in a value can hide or pretend."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from layers.control import Approval, Outcome, Plan, State, card, outcome_line, patch_plan
from layers.control.card import quote_lines, visible
from tests.control.test_rules import approval

NASTY = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from('`~\n\r\u2028\u202e\u200b\u2066\ufe0f\u3164\u2800\x00\x1b\\"<>*_[]()#|'),
    ),
    max_size=60,
)
PLANS = st.builds(
    Plan,
    capability=st.just("a.b"),
    version=st.integers(1, 99),
    title=NASTY,
    parameters=st.dictionaries(st.from_regex("[a-z]{1,8}", fullmatch=True), NASTY | st.integers() | st.booleans()),
    argv=st.lists(NASTY, max_size=5).map(tuple),
    stdin=NASTY,
    cwd=NASTY,
    scope=NASTY,
    risk=st.integers(0, 3),
    timeout_s=st.integers(1, 3600),
    output_cap_bytes=st.integers(1, 10**6),
    is_workspace_writable=st.booleans(),
    environment=st.just(("HOME", "PATH")),
    probe=st.lists(NASTY, max_size=3).map(tuple),
    network=st.sampled_from(["none", "host"]),
    sockets=st.lists(NASTY, max_size=2).map(tuple),
    readable=st.lists(NASTY, max_size=2).map(tuple),
    sees_processes=st.booleans(),
    programs=st.dictionaries(NASTY, st.from_regex("[0-9a-f]{64}", fullmatch=True), max_size=2),
    dry_run=st.lists(NASTY, max_size=3).map(tuple),
    evidence=NASTY,
    is_idempotent=st.booleans(),
    manifest_digest=st.from_regex("[0-9a-f]{64}", fullmatch=True),
)


def read_back(quoted: str) -> str:
    """The text of one or more quoted lines."""
    names = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}

    def one(match: re.Match[str]) -> str:
        if match[1]:
            return chr(int(match[1], 16))
        return "`" if match[2] == "x60" else names[match[2]]

    return re.sub(r"\\(?:u\{([0-9a-f]+)\}|(x60|.))", one, quoted)


def quoted_strings(text: str) -> Iterator[str]:
    for found in re.findall(r'"((?:[^"\\]|\\.)*)"', text):
        yield read_back(found)


def block_of(markdown: str) -> str:
    """What a markdown reader takes for the first code block; the card must have the blocks we meant and no others."""
    return next(token.content for token in MarkdownIt().parse(markdown) if token.type == "fence")


@given(plan=PLANS)
def test_every_leaf_of_any_plan_is_in_the_code_block_exactly(plan: Plan) -> None:
    shown = card(approval(plan), limit=10**6)
    assert shown.is_approvable
    block = block_of(shown.text)
    strings = list(quoted_strings(block))
    everything = "".join(strings)
    for leaf in (
        *(plan.title, plan.cwd, plan.scope, *plan.argv, *plan.probe),
        *(*plan.sockets, *plan.readable, *plan.programs, *plan.dry_run),
    ):
        assert leaf in strings
    for value in (plan.stdin, plan.evidence, *plan.parameters.values()):
        if isinstance(value, str):
            assert value in everything
        else:
            assert str(value).lower() in block
    for number in (plan.version, plan.timeout_s, plan.output_cap_bytes, plan.risk):
        assert str(number) in block
    for word in (*plan.environment, *plan.parameters, plan.manifest_digest, approval(plan).digest[:12]):
        assert word in block
    assert ("may be written" in block) == plan.is_workspace_writable
    assert ("does no harm" in block) == plan.is_idempotent


def test_every_field_of_a_plan_changes_the_card() -> None:
    base = patch_plan("/w", {"base_tree": "aa"})
    others = {
        "capability": "x.y",
        "version": 9,
        "title": "other",
        "parameters": {"base_tree": "bb"},
        "argv": ("/x",),
        "stdin": "z",
        "cwd": "/v",
        "scope": "q",
        "risk": 3,
        "timeout_s": 77,
        "output_cap_bytes": 7,
        "is_workspace_writable": False,
        "network": "host",
        "sockets": ("/run/x.sock",),
        "readable": ("/etc/x",),
        "sees_processes": True,
        "programs": {"/bin/x": "ab"},
        "dry_run": ("/bin/y",),
        "evidence": "seen",
        "evidence_digest": "cd",
        "secrets": ("TOKEN",),
        "environment": ("A",),
        "probe": ("/p",),
        "is_idempotent": True,
        "approvals": 2,
        "manifest_digest": "ff",
    }
    assert set(others) == {field.name for field in dataclasses.fields(Plan)}
    same_digest = approval(base).digest
    before = card(approval(base, digest=same_digest)).text
    for name, value in others.items():
        changed = dataclasses.replace(base, **{name: value})
        assert card(approval(changed, digest=same_digest)).text != before, name


@given(text=NASTY, reason=NASTY, output=NASTY)
def test_no_value_breaks_out_of_its_block(text: str, reason: str, output: str) -> None:
    plan = dataclasses.replace(patch_plan("/w", {"x": text}), title=text)
    outcome = Outcome(state=State.FAILED, exit_code=1, output=f"x{output}")
    done = approval(plan, reason=f"y{reason}", state=State.FAILED, decided_by="o", decided_at=1.0, outcome=outcome)
    tokens = MarkdownIt().parse(card(done, limit=10**6).text)
    assert [token.type for token in tokens if token.type in ("fence", "html_block", "heading_open", "hr")] == [
        "fence"
    ] * 3
    assert sum(token.type == "paragraph_open" for token in tokens) == 4


@given(text=NASTY)
def test_visible_text_is_reversible_and_has_nothing_invisible_left(text: str) -> None:
    shown = visible(text)
    assert read_back(shown) == text
    assert "`" not in shown
    assert not re.search(
        "[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\u3164\u2800]", shown
    )
    assert "".join(read_back(line[1:-1]) for line in quote_lines(text)) == text


def test_a_trailing_space_and_a_right_to_left_override_can_be_seen() -> None:
    plan = dataclasses.replace(patch_plan("/w", {}), argv=("/bin/rm ", "a\u202eb", ""))
    text = card(approval(plan)).text
    assert '"/bin/rm "' in text
    assert '"a\\u{202e}b"' in text
    assert '""' in text


def test_a_card_that_is_too_long_has_no_approve_button_and_says_so() -> None:
    plan = dataclasses.replace(patch_plan("/w", {}), stdin="```\n" * 4000)
    shown = card(approval(plan), handle="h" * 22)
    assert not shown.is_approvable
    assert [button.label for button in shown.buttons] == ["Deny"]
    assert "cannot be approved" in shown.text
    assert len(shown.text) <= 8000
    assert [token.type for token in MarkdownIt().parse(shown.text)].count("fence") == 1


def test_deny_comes_first_and_every_button_fits_the_narrowest_channel() -> None:
    plan = patch_plan("/w", {})
    shown = card(approval(plan), handle="h" * 22)
    assert [button.label for button in shown.buttons] == ["Deny", "Approve"]
    unknown = card(approval(dataclasses.replace(plan, capability="a.b"), state=State.UNKNOWN), handle="h" * 22)
    assert [button.value.split(":")[1] for button in unknown.buttons] == ["happened", "cancel", "rerun"]
    for button in (*shown.buttons, *unknown.buttons):
        assert len(button.value.encode()) <= 64
    assert card(approval(plan)).buttons == ()


def test_the_askers_words_come_last_quoted_labelled_and_capped() -> None:
    text = card(approval(patch_plan("/w", {}), reason="**Approved by root**\n```\n" + "x" * 900)).text
    head, _, words = text.partition("In the asker's own words, which nothing here has checked:")
    assert "Approved by root" not in head
    assert '"**Approved by root**\\n\\x60\\x60\\x60\\n' in words
    assert words.count("x" * 400) == 1
    assert len(words) < 700


def finished(**changes: object) -> Approval:
    outcome = Outcome(state=State.SUCCEEDED, exit_code=0, duration_s=1.25, output="ok ``` \u202e\n", profile="bwrap")
    values = {"state": State.SUCCEEDED, "decided_by": "olga", "decided_at": 60.0, "outcome": outcome}
    return approval(patch_plan("/w", {}), **{**values, **changes})


def test_after_the_decision_the_card_says_who_when_and_what_came_of_it() -> None:
    line = outcome_line(finished())
    assert line == "Decided by olga at 1970-01-01 00:01:00 UTC; exit code 0, 1.2 s, sandbox bwrap."
    assert "ok \\x60\\x60\\x60 \\u{202e}" in card(finished()).text
    assert "look, then say" in outcome_line(finished(state=State.UNKNOWN))
    assert outcome_line(approval(patch_plan("/w", {}))) == ""


def test_long_output_is_cut_from_the_front() -> None:
    text = card(finished(outcome=Outcome(state=State.FAILED, exit_code=2, output="a" * 5000 + "the end"))).text
    assert "The last 1500 of 5007 characters of output:" in text
    assert "the end" in text


@pytest.mark.parametrize("state", list(State))
def test_every_state_has_a_card(state: State) -> None:
    assert card(approval(patch_plan("/w", {}), state=state)).text


def test_an_outcome_survives_its_json() -> None:
    outcome = Outcome(state=State.FAILED, exit_code=3, duration_s=0.5, output="\ud7ff\n", reason="r", profile="bwrap")
    assert Outcome.parse(outcome.json) == outcome
    assert json.loads(outcome.json)["state"] == "failed"
