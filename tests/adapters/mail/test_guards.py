"""What is never answered, what is not believed, and what servers' answers mean."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from bot.adapters.mail.bounces import told
from bot.adapters.mail.guards import distrust, silence
from bot.adapters.mail.parsing import parse
from bot.adapters.mail.servers import mail_settings
from bot.adapters.mail.troubles import answer_trouble, login_trouble
from layers.errors import AccountState, AccountTrouble, Misconfigured, NotReached, RateLimited, Refused

OWN = "bot@example.test"
FROM = b"From: Anna <anna@example.test>\r\n"


def quiet(*headers: str, sender: bytes = FROM) -> str:
    return silence(parse(sender + "".join(f"{each}\r\n" for each in headers).encode() + b"\r\nwords"), OWN)


@pytest.mark.parametrize(
    "header",
    [
        "Auto-Submitted: auto-replied",
        "Auto-Submitted: auto-generated (rejected)",
        "auto-submitted: AUTO-NOTIFIED; owner=x",
        "Return-Path: <>",
        "Return-Path:  < >",
        "List-Id: <a.b.c>",
        "List-Unsubscribe: <https://x.test>",
        "Precedence: bulk",
        "Precedence: Junk",
        "X-Auto-Response-Suppress: OOF, DR",
        "X-Autoreply: yes",
        "X-Loop: bulkhead bot@example.test",
        "X-Bulkhead-Hops: 3",
        "X-Bulkhead-Hops: many",
        "X-Bulkhead-Hops: 99999999999",
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b",
    ],
)
def test_what_a_machine_sent_is_not_answered(header: str) -> None:
    assert quiet(header)


@pytest.mark.parametrize(
    "header",
    ["Auto-Submitted: no", "Return-Path: <anna@example.test>", "X-Bulkhead-Hops: 1", "Precedence: first-class"],
)
def test_what_a_person_sent_may_be_answered(header: str) -> None:
    assert quiet(header) == ""


@pytest.mark.parametrize(
    "address",
    [
        *(OWN, "Mailer-Daemon@x.test", "postmaster@x.test", "no-reply@x.test", "noreply+12@x.test", "a-request@x.test"),
        *("owner-a@x.test", "bounces-12@x.test", "a@x.test, b@x.test"),
    ],
)
def test_some_authors_are_not_answered(address: str) -> None:
    assert quiet(sender=f"From: {address}\r\n".encode())


TRUST = {
    "": "",
    "mx.test; dmarc=fail header.from=example.test": "dmarc=fail",
    "mx.test; spf=fail smtp.mailfrom=example.test": "spf=fail",
    "mx.test; dkim=fail (bad signature) header.d=example.test": "dkim=fail",
    "mx.test; spf=fail; dmarc=pass (p=reject) header.from=example.test": "",
    "mx.test; spf=fail; dkim=pass header.d=example.test": "",
    "mx.test; spf=fail; dkim=pass header.d=other.test": "spf=fail",
    "mx.test; spf=fail; dkim=pass header.d=ample.test": "spf=fail",
    "mx.test; spf=softfail; dkim=none": "",
    "mx.test; none": "",
    "mx.test; spf=pass (dmarc=fail is only a comment)": "",
}


@pytest.mark.parametrize("results", TRUST)
def test_what_our_server_says_of_the_author_counts(results: str) -> None:
    head = f"Authentication-Results: {results}\r\n".encode() if results else b""
    assert distrust(parse(head + FROM + b"\r\nwords")) == TRUST[results]


def test_only_the_topmost_servers_results_count() -> None:
    ours = b"Authentication-Results: mx.test; dkim=fail header.d=example.test\r\n"
    forged = b"Authentication-Results: mx.elsewhere; dmarc=pass\r\n"
    assert distrust(parse(ours + forged + FROM + b"\r\nwords")) == "dkim=fail"
    two = b"Authentication-Results: mx.test; spf=pass\r\n" + ours
    assert distrust(parse(two + FROM + b"\r\nwords")) == "dkim=fail"


REPORT = b"""\
From: Mailer-Daemon@mx.test
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

It failed.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.test

Original-Recipient: rfc822; anna@x.test
Final-Recipient: rfc822; a@y.test
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 No such `user`

Final-Recipient: rfc822; ben@x.test
Action: delivered
Status: 2.0.0
--b
Content-Type: text/rfc822-headers

Message-ID: <ours@example.test>
Subject: x
--b--
"""


def test_a_report_says_which_mail_did_not_arrive_where_and_why() -> None:
    report = parse(REPORT).report
    assert report is not None
    assert report.message_ids == ("<ours@example.test>",)
    assert told(report) == "A mail to `anna@x.test` could not be delivered: `5.1.1 550 5.1.1 No such user`"


ANSWERS = {
    (421, "4.7.0 Try again later"): RateLimited,
    (450, "4.2.0 Greylisted"): NotReached,
    (451, "4.7.1 Greylisted"): NotReached,
    (452, "4.2.2 Mailbox full"): NotReached,
    (550, "5.1.1 No such user"): Refused,
    (552, "5.3.4 Message too big"): Refused,
    (554, "5.7.1 This message looks like spam"): Refused,
}


@pytest.mark.parametrize(("code", "said"), ANSWERS)
def test_an_answer_of_smtp_means_now_later_or_never(code: int, said: str) -> None:
    assert type(answer_trouble(code, said, "anna@x.test")) is ANSWERS[code, said]


TROUBLES = {
    (535, "5.7.8 Please log in with your web browser"): AccountState.CHALLENGED,
    (534, "5.7.9 Application-specific password required"): AccountState.CHALLENGED,
    (554, "5.7.1 Account blocked from sending due to abusive activity"): AccountState.SUSPENDED,
    (550, "5.7.1 Account suspended"): AccountState.SUSPENDED,
}


@pytest.mark.parametrize(("code", "said"), TROUBLES)
def test_an_answer_of_smtp_may_be_about_the_account(code: int, said: str) -> None:
    error = answer_trouble(code, said)
    assert isinstance(error, AccountTrouble)
    assert error.state is TROUBLES[code, said]


LOGINS = {
    "[AUTHENTICATIONFAILED] Authentication failed.": AccountState.REVOKED,
    "[ALERT] Please log in via your web browser": AccountState.CHALLENGED,
    "Application-specific password required": AccountState.CHALLENGED,
    "Account is suspended": AccountState.SUSPENDED,
}


@pytest.mark.parametrize("said", LOGINS)
def test_a_refused_login_needs_a_person(said: str) -> None:
    error = login_trouble(said)
    assert isinstance(error, AccountTrouble)
    assert error.state is LOGINS[said]
    assert not isinstance(login_trouble("[UNAVAILABLE] Temporary failure"), AccountTrouble)


def made(imap: str = "imap://127.0.0.1:1", smtp: str = "smtp://[::1]:2", **more: object) -> object:
    options = {"address": "Bot@Example.test", "password": SecretStr("x"), "is_direct": False, "ca_file": ""} | more
    return mail_settings(urls=(imap, smtp), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("imaps://imap.example.org", "is not this machine"),
        ("imap://127.0.0.1.evil.test", "is not this machine"),
        ("imap://2130706433", "is not this machine"),
        ("pop3://127.0.0.1", "is not like"),
        ("127.0.0.1:1143", "is not like"),
        ("imap://127.0.0.1:port", "is not like"),
        ("imap://bot:secret@127.0.0.1", "holds a password"),
        ("", "is not like"),
    ],
)
def test_a_server_that_is_not_here_or_not_one_is_refused_in_one_sentence(url: str, said: str) -> None:
    with pytest.raises(Misconfigured, match=said) as caught:
        made(imap=url)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_server_elsewhere_needs_the_owners_word() -> None:
    assert made(imap="imaps://imap.example.org", smtp="smtps://a:465", is_direct=True)


def test_an_address_or_a_file_that_is_none_is_refused() -> None:
    for more in ({"address": "Bot <a@b>"}, {"password": SecretStr("")}, {"ca_file": "/nowhere.pem"}):
        with pytest.raises(Misconfigured):
            made(**more)
