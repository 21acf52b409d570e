"""What a person reads: nothing on a card hides, pretends, or speaks for the agent."""

from __future__ import annotations

import dataclasses

import pytest
from markdown_it import MarkdownIt

from benchmarks.control.reread import plan_on
from layers.control import Event, Outcome, Plan, State, card
from layers.control.types import Card
from tests.control.test_rules import approval

HANDLE = "h" * 22


def shown(plan: Plan, **changes: object) -> Card:
    return card(approval(plan, **changes), handle=HANDLE)


def test_A8_what_the_agent_writes_makes_no_button_and_never_holds_a_handle(note: Plan) -> None:
    forged = f"[Approve](a:approve:{HANDLE}) a:approve:{HANDLE} <button value='a:approve:{HANDLE}'>View logs</button>"
    card_of = shown(dataclasses.replace(note, title=forged, stdin=forged), reason=forged)
    assert [button.value for button in card_of.buttons] == [f"a:deny:{HANDLE}", f"a:approve:{HANDLE}"]
    tokens = MarkdownIt().parse(card_of.text)
    assert not [t for block in tokens for t in block.children or [] if t.type in ("link_open", "html_inline")]
    without = card(approval(note, reason="please"))
    assert HANDLE not in without.text
    assert without.buttons == ()


@pytest.mark.parametrize("field", ["title", "stdin", "cwd"])
def test_D2_a_card_too_long_to_show_whole_has_no_approve_button_and_goes_along_as_a_file(
    note: Plan, field: str
) -> None:
    hidden = "; rm -rf /srv/everything"
    long = dataclasses.replace(note, **{field: "x" * 9000 + hidden})  # type: ignore[arg-type]
    card_of = shown(long)
    assert not card_of.is_approvable
    assert [button.label for button in card_of.buttons] == ["Deny"]
    assert hidden in card_of.full
    assert hidden not in card_of.text
    assert card(approval(note)).full == ""


@pytest.mark.parametrize(
    "trick",
    [
        "\u202e", "\u2066", "\u200b", "\u200d", "\ufeff", "\u00ad", "\u2028", "\x00", "\x1b[2K", "\r", "\n", "\t",
        "\u3164", "\u2800", "\ufe0f", "\U000e0041", "\u00a0", "\u3000", "\u0430", "\uff41", "\U0001d41a", "\u0301",
        "\u2010", "\u2215", "\u05d0", "\u0661", "\u0251",
    ],
)  # fmt: skip
def test_D3_no_character_hides_or_passes_for_another_in_any_field(note: Plan, trick: str) -> None:
    value = f"pay{trick}pal"
    fields = ("title", "cwd", "scope", "stdin", "network", "evidence", "manifest_digest", "capability")
    changed = dataclasses.replace(
        note,
        **dict.fromkeys(fields, value),  # type: ignore[arg-type]
        argv=("/bin/x", value),
        probe=("/bin/x", value),
        dry_run=("/bin/x", value),
        parameters={"name": value},
        sockets=(value,),
        readable=(value,),
        environment=(value,),
        programs={value: value},
    )
    outcome = Outcome(state=State.FAILED, reason=value, profile=value, output=f"x{value}")
    done = shown(changed, reason=value, requested_by=value, decided_by=value, decided_at=1.0, outcome=outcome)
    lines_are_ours = trick in ("\n", "\t")  # the card's own lines, and a program's in the block of its output
    assert lines_are_ours or trick not in done.text
    assert value not in card(approval(changed, reason=value)).text
    assert plan_on(done.text) == changed


@pytest.mark.parametrize(
    "evil",
    [
        "```\n**Approved by root**\n```",
        "[click](https://evil.example/)",
        "<@U123> <!channel> @everyone",
        "<b>Approved</b>",
        "# Approval needed",
        "![](https://evil.example/x.png)",
        "https://evil.example/",
        "**Approval needed**: host.uptime, risk 0",
        "~~~\nrequest      0000\n~~~",
    ],
)
def test_D4_markup_in_any_value_is_dead(note: Plan, evil: str) -> None:
    changed = dataclasses.replace(
        note, title=evil, stdin=evil, capability=evil, parameters={"name": evil}, evidence=evil
    )
    outcome = Outcome(state=State.FAILED, exit_code=1, reason=evil, output=evil)
    done = shown(changed, reason=evil, decided_by=evil, decided_at=1.0, outcome=outcome, state=State.FAILED)
    tokens = MarkdownIt("commonmark", {"linkify": False}).parse(done.text)
    inner = [token for block in tokens for token in block.children or []]
    assert {token.type for token in inner} <= {"text", "strong_open", "strong_close", "code_inline", "softbreak"}
    assert sum(token.type == "strong_open" for token in inner) == 1
    prose = "".join(token.content for token in inner if token.type == "text")
    assert "evil" not in prose
    assert "@" not in prose
    assert [token.type for token in tokens if token.type in ("heading_open", "html_block")] == []


def test_D10_the_agents_words_come_last_quoted_labelled_and_short(note: Plan) -> None:
    lie = "This only lists files. " * 200
    text = shown(note, reason=lie).text
    facts, label, words = text.partition("In the asker's own words, which nothing here has checked:")
    assert label
    assert "only lists files" not in facts
    assert len(words) < 700
    assert plan_on(text) == note


def test_D11_every_leaf_of_the_plan_can_be_read_back_from_the_card(note: Plan) -> None:
    full = dataclasses.replace(
        note,
        argv=("/bin/x", "--all", "", " "),
        sockets=("/run/a.sock",),
        readable=("/etc/a", "/etc/b"),
        sees_processes=True,
        network="host",
        dry_run=("/bin/x", "--dry"),
        evidence="one\n two \n",
        evidence_digest="ab" * 32,
        secrets=("TOKEN",),
        parameters={"all": True, "count": -3, "text": "a\nb", "empty": ""},
    )
    again = plan_on(shown(full).text)
    assert again == full
    assert again.digest == full.digest


def test_D14_nothing_on_a_card_is_ever_an_input(note: Plan) -> None:
    # a card that a person or another bot posts again is text; a press carries the event and the handle, nothing of it
    for event in (Event.APPROVE, Event.DENY):
        value = next(button.value for button in shown(note).buttons if event.value in button.value)
        assert value == f"a:{event.value}:{HANDLE}"
    for part in (note.capability, note.digest[:12], "ab12"):
        assert part not in "".join(button.value for button in shown(note).buttons)


def test_F4_deny_comes_first_and_approve_is_never_the_default(note: Plan) -> None:
    assert [button.label for button in shown(note).buttons] == ["Deny", "Approve"]
