"""What a mail of ours looks like, and which message becomes one."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.mail.guards import silence
from bot.adapters.mail.parsing import parse
from bot.adapters.mail.writing import INTERIM, OURS, Enclosure, From, compose, is_worth_a_mail, message_id, subject
from layers.control.card import STATES
from layers.control.types import State
from layers.transport import Letter
from layers.types import Address, Button, Outbound, OutboundKind
from tests.fakes.mail_servers import text_of

ANNA = Address(channel="mail", conversation="anna@example.test", thread="abc")
ME = From(address="bot@example.test", page="https://chat.example.test")
SAID = Outbound(address=ANNA, key="t1", text="Hello **Anna**")
ASKED = Letter(
    correspondent="anna@example.test",
    message_id="<q@anna>",
    conversation=ANNA.id,
    subject="AW: Re: A question",
    ancestors=("<root@anna>", "<mid@bot>"),
    hops=1,
)
CARD = replace(SAID, kind=OutboundKind.CARD, key="a1", buttons=(Button(label="Approve", value="a:approve:x"),))


def composed(outbound: Outbound, before: Letter | None = ASKED, *enclosures: Enclosure) -> EmailMessage:
    raw = compose(message_id(outbound, "example.test"), outbound, before, ME, enclosures)
    assert raw.isascii()
    return message_from_bytes(raw, policy=policy.default)


def test_an_answer_stands_in_its_thread_and_says_that_a_machine_wrote_it() -> None:
    mail = composed(SAID)
    assert mail["Subject"] == "Re: A question"
    assert mail["In-Reply-To"] == "<q@anna>"
    assert mail["References"] == "<root@anna> <mid@bot> <q@anna>"
    assert mail["Auto-Submitted"] == "auto-replied"
    assert mail["X-Bulkhead-Hops"] == "2"
    assert OURS.fullmatch(mail["Message-ID"])
    assert text_of(mail).strip() == "Hello Anna"
    html = mail.get_body(("html",))
    assert html is not None
    assert "<strong>Anna</strong>" in html.get_content()
    assert silence(parse(mail.as_bytes()), "someone@else.test")


def test_the_same_message_has_the_same_id_and_another_one_another() -> None:
    ids = {message_id(each, "x") for each in (SAID, SAID, replace(SAID, buttons=CARD.buttons))}
    assert len(ids) == 1
    others = (replace(SAID, text="x"), replace(SAID, key="t2"), replace(SAID, address=replace(ANNA, thread="y")))
    assert not ids & {message_id(each, "x") for each in others}


def test_a_mail_that_begins_a_conversation_is_called_after_its_first_line() -> None:
    mail = composed(replace(SAID, text="# The disk is full\n\nIt is."), None)
    assert mail["Subject"] == "The disk is full"
    assert mail["In-Reply-To"] is None
    assert mail["Auto-Submitted"] == "auto-generated"


def test_buttons_are_a_link_and_nothing_to_press() -> None:
    text = text_of(composed(CARD))
    assert "Approve: open https://chat.example.test" in text
    assert "Nothing can be decided by mail" in text
    assert "a:approve:x" not in composed(CARD).as_string()


def test_pictures_are_shown_in_the_text_and_files_attached() -> None:
    picture = Enclosure(name="picture-1.png", content_type="image/png", content=b"\x89PNG", alt='A "picture"')
    file = Enclosure(name="a/b.txt", content_type="text/plain", content=b"x")
    odd = Enclosure(name="", content_type="multipart/evil", content=b"y")
    mail = composed(replace(SAID, text="See"), ASKED, picture, file, odd)
    html = mail.get_body(("related", "html"))
    assert html is not None
    assert "cid:" in html.as_string()
    kinds = [part.get_content_type() for part in mail.walk()]
    assert kinds.count("image/png") == 1
    assert [each.get_filename() for each in mail.iter_attachments()] == ["a_b.txt", "file"]


def test_long_code_is_attached() -> None:
    mail = composed(replace(SAID, text="```python\n" + "x = 1\n" * 2000 + "```"))
    assert [each.get_filename() for each in mail.iter_attachments()] == ["code-1.py"]
    assert len(text_of(mail)) < 200


@given(st.text(max_size=200), st.text(max_size=200))
def test_nothing_in_a_text_or_a_subject_becomes_a_header(text: str, theirs: str) -> None:
    outbound = replace(SAID, text=text)
    for before in (None, replace(ASKED, subject=theirs)):
        mail = composed(outbound, before)
        assert mail.get_all("To") == ["anna@example.test"]
        assert mail.get_all("Bcc") is None
        assert "\n" not in subject(outbound, before)


@pytest.mark.parametrize("state", State)
def test_of_a_card_only_the_outcome_is_mailed_after_the_question(state: State) -> None:
    form = replace(CARD, text=f"**{STATES[state]}**: host.uptime, risk 1", buttons=())
    is_interim = state in (State.APPROVED, State.CLAIMED, State.RUNNING)
    assert (INTERIM.search(form.text) is not None) == is_interim
    assert is_worth_a_mail(form, 1) == (not is_interim)
    assert not is_worth_a_mail(form, 2)
    assert not is_worth_a_mail(replace(form, buttons=CARD.buttons), 1)


def test_an_edit_of_what_was_said_is_not_mailed_but_a_failure_is() -> None:
    assert not is_worth_a_mail(SAID, 1)
    assert is_worth_a_mail(replace(SAID, kind=OutboundKind.ERROR), 1)
