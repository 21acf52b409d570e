"""An `Outbound` -> the bytes of a mail. Pure but for the clock in its Date.

The Message-ID is made of the conversation, the message's key and what it says: the same message sent twice has the
same one, by which it is found in the sent mail, and which mail programs show once.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate

from bot.adapters.mail.guards import HOPS, LOOP
from bot.adapters.text import mail_body, plain
from bot.adapters.text.html import to_html
from layers.transport import Letter
from layers.types import Outbound, OutboundKind

POLICY = SMTP.clone(cte_type="7bit")
NAME = "Bulkhead"
OURS = re.compile(r"<bulkhead\.[0-9a-f]{32}@[^<>\s]+>")
REPLY_MARK = re.compile(r"^\s*((re|aw|sv|vs|antw|odp|ref|rif|res|bls)(\[\d+\])?\s*:\s*)+", re.IGNORECASE)
SUBJECT_CHARS = 78
FOLLOW_UP_CHARS = 4_000
BUTTON = re.compile(r"</?button[^>]*>")
MARKUP = re.compile(r"<(?!/?(p|br)\b)[a-z]", re.IGNORECASE)
INTERIM = re.compile(r"^\*\*(Approved, about to run|About to run|Running)\*\*", re.MULTILINE)
"""Of a card that was approved: its outcome comes soon, and is what is mailed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """A picture or a file that goes along."""

    name: str
    content_type: str
    content: bytes
    alt: str = ""
    """Of a picture that is shown in the text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class From:
    """Who writes, and where the page is."""

    address: str
    page: str
    """Its URL."""


def message_id(outbound: Outbound, domain: str) -> str:
    """Of the mail that says this."""
    digests = [picture.digest for picture in (outbound.picture, *outbound.album) if picture is not None]
    digests += [file.digest for file in outbound.files]
    said = [outbound.address.id, outbound.key, outbound.kind.value, outbound.text, *digests]
    digest = hashlib.sha256(json.dumps(said).encode()).hexdigest()
    return f"<bulkhead.{digest[:32]}@{domain}>"


def is_worth_a_mail(outbound: Outbound, sent: int) -> bool:
    """Whether a new form of a message, of which `sent` mails went out already, is mailed as well.

    A card that was decided is, once, with its outcome; a failure is. Anything else was said, and an edit of it would
    fill mailboxes.
    """
    if outbound.kind is OutboundKind.CARD:
        return sent < 2 and not outbound.buttons and not INTERIM.search(outbound.text)
    return outbound.kind is OutboundKind.ERROR and sent < 2


def subject(outbound: Outbound, before: Letter | None) -> str:
    """`Re:` what they wrote, or the first line of what is said."""
    if before is not None and before.subject:
        return "Re: " + one_line(REPLY_MARK.sub("", before.subject))[:200]
    first = next((line for line in plain(outbound.text).split("\n") if line.strip(" -=`")), "Message")
    return one_line(first)[:SUBJECT_CHARS]


def one_line(text: str) -> str:
    """Nothing in it can end a header."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def ancestors(before: Letter | None) -> tuple[str, ...]:
    """What a mail that goes out answers, oldest first."""
    return () if before is None else (*before.ancestors, before.message_id)


def compose(id: str, outbound: Outbound, before: Letter | None, sender: From, enclosures: Sequence[Enclosure]) -> bytes:
    """The whole mail.

    Args:
        id: Its Message-ID.
        before: The mail that it answers.
        enclosures: Pictures and files, read already.
    """
    markdown = with_link(outbound, sender.page)
    text, files = mail_body(markdown)
    mail = EmailMessage(policy=POLICY)
    mail["From"] = f"{NAME} <{sender.address}>"
    mail["To"] = outbound.address.conversation
    mail["Subject"] = subject(outbound, before)
    mail["Date"] = formatdate(localtime=True)
    mail["Message-ID"] = id
    if before is not None:
        mail["In-Reply-To"] = before.message_id
        mail["References"] = " ".join(ancestors(before))
    mail["Auto-Submitted"] = "auto-replied" if before is not None else "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail[LOOP] = f"bulkhead {sender.address}"
    mail[HOPS] = str((before.hops if before is not None else 0) + 1)
    mail.set_content(encodable(text) + "\n", charset="utf-8")
    shown = [each for each in enclosures if each.alt]
    add_html(mail, "" if files else markdown, shown)
    attached = [each for each in enclosures if each not in shown]
    attached += [Enclosure(name=file.name, content_type="text/plain", content=file.content) for file in files]
    for each in attached:
        add_file(mail, each)
    return mail.as_bytes()


def with_link(outbound: Outbound, page: str) -> str:
    """The text, and where its buttons are."""
    if not outbound.buttons:
        return outbound.text
    labels = ", ".join(button.label for button in outbound.buttons)
    return f"{outbound.text}\n\n{labels}: open {page} to press them. Nothing can be decided by mail."


def add_html(mail: EmailMessage, markdown: str, pictures: Sequence[Enclosure]) -> None:
    """A second form of the text where it shows more than the first: looks, and pictures in their place."""
    html = MARKUP.search(body := BUTTON.sub("", to_html(encodable(markdown)))) is not None if markdown else False
    if not html and not pictures:
        return
    cids = [f"{hashlib.sha256(each.content).hexdigest()[:24]}.{n}@bulkhead" for n, each in enumerate(pictures)]
    figures = "".join(
        f'<p><img src="cid:{cid}" alt="{attribute(each.alt)}" style="max-width:100%"></p>'
        for cid, each in zip(cids, pictures, strict=True)
    )
    mail.add_alternative(
        f"<html><body>{body if markdown else ''}{figures}</body></html>", subtype="html", charset="utf-8"
    )
    page = mail.get_payload()[-1]  # type: ignore[index]
    for cid, each in zip(cids, pictures, strict=True):
        kind, _, subtype = each.content_type.partition("/")
        page.add_related(  # type: ignore[union-attr]
            each.content, kind, subtype or "png", cid=f"<{cid}>", filename=each.name, disposition="inline"
        )


def add_file(mail: EmailMessage, file: Enclosure) -> None:
    """A file, under a name that is a base name."""
    kind, _, subtype = file.content_type.partition("/")
    if not re.fullmatch(r"[a-z0-9.+-]{1,60}", subtype) or kind in ("multipart", "message"):
        kind, subtype = "application", "octet-stream"
    name = one_line(file.name).replace("/", "_") or "file"
    mail.add_attachment(file.content, maintype=kind, subtype=subtype, filename=name)


def attribute(text: str) -> str:
    """For an attribute of HTML."""
    return encodable(text).replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")


def encodable(text: str) -> str:
    """Without halves of surrogate pairs."""
    return text.encode("utf-8", "replace").decode("utf-8")
