"""Reports on the delivery of another mail (RFC 3464, in the multipart/report of RFC 6522): what became of which one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import EmailMessage, Message

ID = re.compile(r"<[^<>\s\x00-\x20\x7f-\uffff]{1,250}>")
MAX_RECIPIENTS = 20
LONGEST = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One recipient."""

    recipient: str
    action: str
    """`failed`, `delayed`, `delivered`, `relayed` or `expanded`."""
    status: str
    """`5.1.1` (RFC 3463); empty where the report has none."""
    reason: str
    """The server's words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a server says about a mail."""

    message_ids: tuple[str, ...]
    """Those that the report is about: of the mail in it, and those it answers."""
    failures: tuple[Failure, ...]


def read_report(message: EmailMessage) -> Report | None:
    """The report in a mail; None where it is none."""
    try:
        return look(message)
    except Exception:  # noqa: BLE001  the library raises about anything for bad headers; such a report says nothing
        return None


def look(message: EmailMessage) -> Report | None:
    """As `read_report`, and raises what the library raises."""
    if message.get_content_type() != "multipart/report":
        return None
    failures: list[Failure] = []
    found: list[str] = []
    for n, part in enumerate(message.walk()):
        if n > 50:
            break
        kind = part.get_content_type()
        if kind in ("message/delivery-status", "message/global-delivery-status"):
            blocks = part.get_payload()
            inner = blocks[1 : 1 + MAX_RECIPIENTS] if isinstance(blocks, list) else []
            failures += [failure(each) for each in inner if isinstance(each, Message)]
        elif kind == "message/rfc822" and isinstance(part.get_payload(), list):
            found += ID.findall(str(part.get_payload(0)["message-id"]))  # type: ignore[index]
        elif kind in ("text/rfc822-headers", "message/rfc822-headers", "message/global-headers"):
            text = part.get_payload(decode=True)
            line = re.search(rb"^message-id:\s*(\S[^\n]*)", text if isinstance(text, bytes) else b"", re.I | re.M)
            found += ID.findall(line[1].decode("ascii", "replace")) if line else []
    for name in ("x-failed-message-id", "in-reply-to", "references"):
        found += ID.findall(str(message.get(name, ""))[:2000])
    return Report(message_ids=tuple(dict.fromkeys(found))[:10], failures=tuple(failures))


def failure(block: Message) -> Failure:
    """The block about one recipient."""
    recipient = field(block, "original-recipient") or field(block, "final-recipient")
    return Failure(
        recipient=recipient.rpartition(";")[2].strip(),
        action=field(block, "action").lower(),
        status=field(block, "status"),
        reason=field(block, "diagnostic-code").partition(";")[2].strip() or field(block, "diagnostic-code"),
    )


def field(block: Message, name: str) -> str:
    """One line of the block, as plain text."""
    text = " ".join(str(block.get(name, "")).split())
    return "".join(each for each in text if each.isprintable() and each != "`")[:LONGEST]


def told(report: Report) -> str:
    """The report in one markdown sentence for each recipient that got nothing, or not yet; empty where all got it."""
    lines = []
    for each in report.failures:
        if each.action in ("failed", "delayed"):
            what = "could not be delivered" if each.action == "failed" else "is delayed"
            why = " ".join(part for part in (each.status, each.reason) if part)
            lines.append(f"A mail to `{each.recipient}` {what}" + (f": `{why}`" if why else "."))
    return "\n".join(dict.fromkeys(lines))
