"""What servers answer -> our errors. Pure."""

from __future__ import annotations

import re

from layers.errors import (
    AccountState,
    AccountTrouble,
    BulkheadError,
    Misconfigured,
    NotReached,
    RateLimited,
    Refused,
    Unavailable,
)

CLOSED = (AccountState.CHALLENGED, AccountState.SUSPENDED, AccountState.REVOKED)
"""A person must act: no login until then. Repeated logins are what gets an account locked."""
LATER = re.compile(r"\[(UNAVAILABLE|LIMIT|INUSE|SERVERBUG)\]|temporar|try again|timed? ?out|too many", re.IGNORECASE)
HUMAN = re.compile(
    r"\[(ALERT|CONTACTADMIN|WEBALERT|PRIVACYREQUIRED)\]|browser|verif|captcha|unusual|suspicious|app(lication)?[- ]"
    r"(specific )?password|two.factor|2fa|consent",
    re.IGNORECASE,
)
ABUSE = re.compile(
    r"abus|suspend|blocked|blacklist|spam|disabled|deactivat|frozen|compromis|unusual (rate|activity)|policy violation",
    re.IGNORECASE,
)
WAIT_S = 60.0
"""How long a server that answered 421 is left alone."""


class Uncertain(Unavailable):
    """The connection was lost when the mail was on its way: it may have been taken. Look before sending it again."""


def plain(text: object) -> str:
    """A server's words, in one line for people."""
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    return " ".join("".join(each if each.isprintable() else " " for each in said).split())[:300]


def login_trouble(said: str) -> BulkheadError:
    """Why IMAP did not let us in."""
    if LATER.search(said) and not HUMAN.search(said):
        return Unavailable(f"the mailbox cannot be opened now: {said}")
    state = AccountState.SUSPENDED if ABUSE.search(said) else AccountState.REVOKED
    if HUMAN.search(said):
        state = AccountState.CHALLENGED
    what = "wants a person to look at it" if state is AccountState.CHALLENGED else "did not let Bulkhead in"
    return AccountTrouble(f"the mailbox {what}: {said}", state=state)


def answer_trouble(code: int, said: str, recipient: str = "") -> BulkheadError:
    """What an SMTP answer means, at any step."""
    words = f"{code} {said}"
    if code in (530, 534, 535, 538):
        return AccountTrouble(f"the mail server wants a person to look at the account: {words}", state=CLOSED[0])
    if code in (550, 554, 571) and ABUSE.search(said) and is_about_us(said):
        return AccountTrouble(f"the mail server refuses the account: {words}", state=AccountState.SUSPENDED)
    if code == 421:
        return RateLimited(f"the mail server asks to wait: {words}", retry_after_s=WAIT_S, bucket="mail")
    if 400 <= code < 500:
        return NotReached(f"the mail server does not take it now: {words}")
    to = f" to {recipient}" if recipient else ""
    return Refused(f"the mail{to} was refused: {words}")


def is_about_us(said: str) -> bool:
    """Whether it is our account that is refused, and not this one text or this recipient."""
    return not re.search(
        r"message content|this message|user unknown|no such user|recipient|mailbox", said, re.IGNORECASE
    )


def refused_settings(problem: str) -> Misconfigured:
    """What no later try mends."""
    return Misconfigured(f"{problem}; see BULKHEAD_MAIL_IMAP_URL and BULKHEAD_MAIL_SMTP_URL")
