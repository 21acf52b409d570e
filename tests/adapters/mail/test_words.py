"""What of a mail the person wrote: history and signatures go, everything else stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.mail.words import html_to_text, unflowed, what_was_written

TRIMMED = {
    "Gmail": ("Yes.\n\nOn Mon, Mar 2, 2026 at 10:00 AM Bot <bot@x.test> wrote:\n\n> old\n>> older\n", "Yes."),
    "Gmail in two lines": (
        "Yes.\n\nOn Mon, Mar 2, 2026 at 10:00 AM A Very Long Name\n<bot@x.test> wrote:\n> old",
        "Yes.",
    ),
    "German": ("Ja.\n\nAm 02.03.2026 um 10:00 schrieb Bot:\n> alt", "Ja."),
    "Japanese": ("はい\n\n2026年3月2日(月) 10:00 Bot <bot@x.test>:\n> 前", "はい"),
    "Outlook": (
        "Yes.\n\nFrom: Bot <bot@x.test>\nSent: Monday, March 2, 2026 10:00\nTo: Anna\nSubject: RE: x\n\nold words",
        "Yes.",
    ),
    "Outlook with a line": (
        "Ja.\n________________________________\nVon: Bot\nGesendet: Montag\nAn: Anna\nBetreff: x\n\nalt",
        "Ja.",
    ),
    "Original Message": ("Yes.\n\n-----Original Message-----\nFrom: Bot\nSent: Monday\n\nold", "Yes."),
    "signature": ("Yes.\n-- \nAnna\nKöln", "Yes."),
    "phone": ("Yes.\n\nSent from my iPhone", "Yes."),
    "below the quote": ("On Mon at 10:00 Bot wrote:\n> What?\n\nThat.", "That."),
}
KEPT = {
    "answers between": "> One?\nYes.\n> Two?\nNo.",
    "a list": "Please:\n- one\n- two",
    "a colon": "These are the reasons of 2026:\n\nNone.",
    "a diff": "/patch\n--- a/x\n+++ b/x\n@@ -1,2 +1 @@\n-- \n-a\n+b",
    "headers in prose": "From: here\nit is far.",
    "only a quote": "> all\n> of it",
    "only a signature": "-- \nAnna",
    "a rule": "One\n\n-----\n\nTwo",
    "an arrow": "a\n\n> b\n\nc",
}


@pytest.mark.parametrize("name", TRIMMED)
def test_history_and_signatures_go(name: str) -> None:
    text, left = TRIMMED[name]
    assert what_was_written(text) == left


@pytest.mark.parametrize("name", KEPT)
def test_what_the_person_wrote_stays(name: str) -> None:
    assert what_was_written(KEPT[name]) == KEPT[name].strip()


LINES = st.sampled_from(
    (
        *("> old", "", "Yes.", "-- ", "On Mon at 10:00 Bot <b@x.test> wrote:", "From: a@b", "Sent: x", "To: y"),
        *("Subject: z", "-----Original Message-----", "Sent from my iPhone", "________", "  ", "- item", ">"),
    )
)


@given(st.lists(LINES, max_size=30))
def test_trimming_adds_nothing_and_leaves_something(lines: list[str]) -> None:
    text = "\n".join(lines)
    left = what_was_written(text)
    assert left in text
    assert bool(left) == bool(text.strip())


@given(st.text(max_size=400))
def test_any_text_can_be_trimmed_and_unflowed(text: str) -> None:
    assert what_was_written(text) in text
    unflowed(text, deletes_space=True)


@given(
    st.lists(
        st.sampled_from(["<div>", "</div>", "<p>", "<a href='https://x.test'>", "<br>", "<table><tr><td>", "a", " "])
    )
)
def test_any_html_can_be_read(pieces: list[str]) -> None:
    assert html_to_text("".join(pieces)).count("a") >= 0


def test_history_in_html_goes() -> None:
    gmail = "<div>Yes.</div><br><div class='gmail_quote'><div class='gmail_attr'>On Mon Bot wrote:</div>old</div>"
    apple = "<div>Yes.</div><blockquote type='cite'><div>On 2 Mar Bot wrote:</div>old</blockquote>"
    outlook = "<p>Yes.</p><div id='appendonsend'></div><hr><div id='divRplyFwdMsg'>From: Bot</div><p>old</p>"
    for html in (gmail, apple, outlook):
        assert html_to_text(html) == "Yes."
    assert html_to_text("<blockquote type='cite'>all of it</blockquote>") == "all of it"


def test_lines_that_a_program_broke_are_joined() -> None:
    assert unflowed("one \ntwo\nthree \nfour", deletes_space=False) == "one two\nthree four"
    assert unflowed("ein- \nmal", deletes_space=True) == "ein-mal"
    assert unflowed("> a \n> b\nc \n-- \nd", deletes_space=False) == "> a b\nc \n-- \nd"
