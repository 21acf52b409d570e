"""Which mails are never answered (RFC 3834), and which do not come from whom they say. Pure.

An answer to a machine comes back, and is answered again; to a list it goes to everybody; to a forged sender it goes to
somebody who never asked.
"""

from __future__ import annotations

import re

from bot.adapters.mail.parsing import Mail

HOPS = "x-bulkhead-hops"
LOOP = "x-loop"
MAX_HOPS = 3
"""Automatic answers in a row, where somebody on the way takes out Auto-Submitted, which alone would end it at one."""
MACHINES = re.compile(
    r"(mailer-daemon|postmaster|mail-daemon|no-?reply|do-?not-?reply|bounces?|listserv|majordomo|nobody|root|daemon)"
    r"([+_-].*)?|owner-.+|.+-(request|owner|bounces?|relay)",
    re.IGNORECASE,
)
FORMS = re.compile(r"multipart/report|message/(delivery-status|disposition-notification)|text/calendar")
RESULT = re.compile(r"\b(dmarc|dkim|spf)\s*=\s*([a-z]+)", re.IGNORECASE)
SIGNED_BY = re.compile(r"\bheader\.(?:d|i)\s*=\s*@?([a-z0-9._-]+)", re.IGNORECASE)


def silence(mail: Mail, own: str) -> str:
    """Why this mail gets no answer and is not taken; empty where it may be. `own` is our address."""
    if not mail.sender:
        return "it does not have one author whom one could answer"
    if mail.sender == own or own in mail.header(LOOP).lower():
        return "it comes from ourselves"
    if MACHINES.fullmatch(mail.sender.partition("@")[0]):
        return "a machine wrote it"
    if "return-path" in mail.headers and not mail.header("return-path").strip("<> "):
        return "its sender wants no answer: the envelope is empty"
    submitted = re.split(r"[;\s(]", mail.header("auto-submitted").lower())[0]
    if submitted not in ("", "no") or mail.header("x-autoreply") or mail.header("x-autorespond"):
        return "it was sent automatically"
    if re.search(r"\b(all|autoreply|oof)\b", mail.header("x-auto-response-suppress").lower()):
        return "its sender wants no automatic answer"
    if mail.header("precedence").lower() in ("bulk", "list", "junk", "auto_reply"):
        return "it is bulk mail"
    if any(name.startswith("list-") for name in mail.headers) or "mailing-list" in mail.headers:
        return "it came by a mailing list"
    if FORMS.match(mail.content_type):
        return "it is a report"
    if hops(mail) >= MAX_HOPS:
        return "it has been answered automatically too often"
    return ""


def hops(mail: Mail) -> int:
    """Automatic answers that led to it."""
    found = re.fullmatch(r"\d{1,4}", mail.header(HOPS))
    return int(found[0]) if found else MAX_HOPS if mail.header(HOPS) else 0


def distrust(mail: Mail) -> str:
    """Why our own server says that this is not from its From (RFC 8601); empty where it says no such thing.

    Only the results of the server that stands topmost count; it takes out what others put in under its name. Without
    any results nothing is said, and mail stays what it is: a weak proof, by which nothing is ever approved.
    """
    results = mail.headers.get("authentication-results", ())
    server = re.split(r"[;\s]", results[0].strip())[0].lower() if results else ""
    ours = [text for text in results if re.split(r"[;\s]", text.strip())[0].lower() == server]
    found: dict[str, set[str]] = {"dmarc": set(), "dkim": set(), "spf": set()}
    domain = mail.sender.partition("@")[2]
    is_signed = False
    for part in (part for text in ours for part in re.sub(r"\([^()]*\)", " ", text).split(";")[1:]):
        result = RESULT.search(part)
        if result is None:
            continue
        found[result[1].lower()].add(result[2].lower())
        signer = SIGNED_BY.search(part)
        if result[1].lower() == "dkim" and result[2].lower() == "pass" and signer:
            is_signed = is_signed or f".{domain}".endswith("." + signer[1].lower().strip("."))
    if "fail" in found["dmarc"]:
        return "dmarc=fail"
    if "pass" in found["dmarc"] or is_signed:
        return ""
    return next((f"{name}=fail" for name in ("dkim", "spf") if "fail" in found[name]), "")
