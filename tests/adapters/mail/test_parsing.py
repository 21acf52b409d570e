"""Reading mails: whatever the bytes are, there is a mail, within the caps."""

from __future__ import annotations

import time
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.mail.guards import distrust, silence
from bot.adapters.mail.letters import read, written
from bot.adapters.mail.parsing import (
    ADDRESS,
    MAX_ATTACHMENTS,
    MAX_IDS,
    MAX_TEXT_CHARS,
    MESSAGE_ID,
    Mail,
    parse,
)
from tests.adapters.mail.hostile import HOSTILE, mixed, with_header


def check(mail: Mail) -> None:
    """What holds of every mail."""
    assert len(mail.text) <= MAX_TEXT_CHARS
    assert len(mail.parts) <= MAX_ATTACHMENTS
    assert len(mail.ancestors) <= MAX_IDS + 1
    assert len(mail.subject) <= 300
    assert len(mail.display) <= 80
    assert not mail.sender or ADDRESS.fullmatch(mail.sender)
    assert not mail.message_id or MESSAGE_ID.fullmatch(mail.message_id)
    everything = [mail.text, mail.subject, mail.display, *(part.name for part in mail.parts)]
    assert not [text for text in everything if "\0" in text]
    "".join(everything).encode()  # what databases take
    assert "\n" not in mail.subject + mail.display
    assert not [part.name for part in mail.parts if "/" in part.name or "\\" in part.name or len(part.name) > 125]
    assert isinstance(silence(mail, "bot@example.test") + distrust(mail) + written(mail, is_first=True), str)
    for part in mail.parts:
        assert isinstance(read(part), bytes)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_mail_is_read_within_the_caps_and_soon(name: str) -> None:
    started = time.process_time()
    check(parse(HOSTILE[name]))
    assert time.process_time() - started < 20, "the parser's time grows with the square of something"


@given(st.binary(max_size=3000))
def test_any_bytes_are_a_mail(raw: bytes) -> None:
    check(parse(raw))


NAMES = st.sampled_from(
    (
        *(
            "From",
            "Subject",
            "Date",
            "Message-ID",
            "References",
            "Content-Type",
            "Content-Transfer-Encoding",
            "List-Id",
        ),
        *("Content-Disposition", "Authentication-Results", "Auto-Submitted", "Return-Path", "X-Bulkhead-Hops"),
    )
)
PIECES = st.sampled_from(
    (
        *(b"multipart/mixed; boundary=b", b"multipart/report; boundary=b", b"message/rfc822", b"text/html", b"base64"),
        *(
            b"<",
            b">",
            b"a@b.c",
            b'"',
            b"(",
            b")",
            b";",
            b"=?utf-8?q?=41?=",
            b"=?x?b?!?=",
            b"charset=",
            b"*0*=",
            b"\xff",
        ),
        *(b"%00", b",", b":", b"\r\n ", b"\r\n\t", b"\x00", b"message/delivery-status", b"text/plain; format=flowed"),
        b"attachment; filename=",
    )
)
HEADERS = st.lists(st.tuples(NAMES, st.lists(PIECES, max_size=8).map(b"".join)), max_size=8)
LINES = st.lists(
    st.sampled_from([b"--b", b"--b--", b"", b"words", b"> said", b"-- ", b"<div>", b"Content-Type: text/html"])
)


@given(HEADERS, st.lists(HEADERS, max_size=3), LINES)
def test_anything_that_looks_like_a_mail_is_one(
    headers: list[tuple[str, bytes]], parts: list[list[tuple[str, bytes]]], lines: list[bytes]
) -> None:
    def block(fields: list[tuple[str, bytes]]) -> bytes:
        return b"".join(name.encode() + b": " + value + b"\r\n" for name, value in fields) + b"\r\n"

    check(parse(block(headers) + b"".join(b"--b\r\n" + block(each) for each in parts) + b"\r\n".join(lines)))


def test_an_ordinary_mail_is_read_whole() -> None:
    message = EmailMessage(policy=SMTP)
    message["From"] = "Anna Müller <Anna.Mueller@Example.TEST>"
    message["To"] = "bot@example.test"
    message["Subject"] = "Grüße aus Köln"
    message["Date"] = "Mon, 02 Mar 2026 10:00:00 +0100"
    message["Message-ID"] = "<one@example.test>"
    message["References"] = "<root@example.test> <mid@example.test>"
    message["In-Reply-To"] = "<mid@example.test>"
    message.set_content("Schöne Grüße!\n\n-- \nAnna Müller\nKöln\n")
    message.add_alternative("<p>Schöne <b>Grüße</b>! <img src='cid:pic'></p>", subtype="html")
    message.get_payload()[1].add_related(b"\x89PNG", "image", "png", cid="<pic>", filename="dom.png")
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="Übersicht.pdf")
    mail = parse(message.as_bytes())
    assert (mail.sender, mail.display) == ("anna.mueller@example.test", "Anna Müller")
    assert (mail.subject, mail.message_id) == ("Grüße aus Köln", "<one@example.test>")
    assert mail.ancestors == ("<root@example.test>", "<mid@example.test>")
    assert mail.sent_at == 1772442000
    assert mail.text == "Schöne Grüße!"
    assert [(part.name, part.content_type, part.read()) for part in mail.parts] == [
        ("dom.png", "image/png", b"\x89PNG"),
        ("Übersicht.pdf", "application/pdf", b"%PDF"),
    ]


def test_a_mail_that_is_only_html_is_read_as_text() -> None:
    body = b"<html><head><title>no</title></head><body><p>One</p><ul><li>a<li>b</ul><a href='https://x.test/y'>here</a>"
    mail = parse(with_header(b"Content-Type", b"text/html", body))
    assert mail.text == "One\n\n- a\n- b\n\nhere (https://x.test/y)"


def test_what_was_left_out_is_said() -> None:
    mail = parse(HOSTILE["many files"])
    assert "more than 20 files" in written(mail, is_first=False)
    assert "only its beginning" in written(parse(b"Subject: x\r\n\r\nwords", is_cut=True), is_first=False)


def test_two_authors_are_none() -> None:
    for name in ("two authors", "two From", "group", "colon in the local part"):
        assert parse(HOSTILE[name]).sender == ""
    assert parse(HOSTILE["From in a name"]).sender == "eve@example.test"


def test_equal_words_are_not_an_equal_mail() -> None:
    one, two = (parse(b"Message-ID: <%d@x>\r\nDate: Mon, 02 Mar 2026 10:00:00 +0100\r\n\r\nyes" % n) for n in (1, 2))
    assert one.fingerprint != two.fingerprint
    trace = b"Received: from there\r\nMessage-ID: <1@x>\r\nDate: Mon, 02 Mar 2026 10:00:00 +0100\r\n\r\nyes\r\n"
    assert parse(trace).fingerprint == one.fingerprint


def test_a_mail_within_a_mail_is_a_file() -> None:
    inner = b"Content-Type: message/rfc822\r\n\r\nFrom: x@y.z\r\nSubject: inner\r\n\r\nwords"
    (part,) = parse(mixed(b"Content-Type: text/plain\r\n\r\nsee below", inner)).parts
    assert part.name.endswith(".eml")
    assert b"Subject: inner" in part.read()
