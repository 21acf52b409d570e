"""Bytes of a mail -> a `Mail`. Pure; whatever the bytes are, it gives one and takes no more than the caps.

The standard library's parser is asked only after a look at what it would cost: a multipart of 400 levels took it 1 s,
and its time for a header with many parameters grows with the square of its length. What would cost too much, or breaks
it, is read as text below its headers.
"""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, TypeVar, cast

from bot.adapters.mail.bounces import Report, read_report
from bot.adapters.mail.words import html_to_text, unflowed, what_was_written

T = TypeVar("T")

MAX_MULTIPARTS = 25
MAX_WORK = 2_000_000
"""Lines times multiparts: every line is compared with every open boundary."""
MAX_SEPARATORS = 1_000
"""Lines that could begin a part: each of 3,000 parts took it 0.3 ms."""
MAX_PARTS = 200
MAX_HEADER_BYTES = 100_000
MAX_FIELD_BYTES = 2_000
MAX_FIELDS = 500
MAX_TEXT_CHARS = 100_000
MAX_ATTACHMENTS = 20
MAX_ATTACHMENT_BYTES = 10 << 20
MAX_IDS = 50
MESSAGE_ID = re.compile(r"<[^<>\s\x00-\x20\x7f-\uffff]{1,250}>")
ADDRESS = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@(?=.{1,190}$)([a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}")
"""What a conversation can be called: no colon, no space, no quotes. Others cannot be answered."""
COSTLY = re.compile(rb"boundary\s*\*?[0-9*]*\s*=|\bmessage/[a-z]", re.IGNORECASE)
LONG_FIELD = re.compile(rb"^content-[a-z-]{2,30}[ \t]*:[^\n]*(?:\n[ \t][^\n]*)*", re.IGNORECASE | re.MULTILINE)
CHARSETS = re.compile(
    r"(utf|iso|latin|cp\d|windows|koi8|gb|big5|hz|shift|euc|johab|mac|tis|ascii|l\d|kz|ptcp|646|us)[\w-]*",
    re.IGNORECASE,
)
"""Python has codecs that are no charsets, and some of them (punycode) take very long."""
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
IN_FINGERPRINT = ("from", "to", "cc", "date", "subject", "message-id", "in-reply-to")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A file in a mail."""

    name: str
    content_type: str
    message: EmailMessage

    def read(self) -> bytes:
        """Its bytes, decoded."""
        if self.content_type == "message/rfc822":
            return bytes(self.message.get_payload(0))  # type: ignore[arg-type]
        content = self.message.get_payload(decode=True)
        return content if isinstance(content, bytes) else b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail as far as anybody needs to know it."""

    message_id: str = ""
    """With its angle brackets; empty where it has none that can be written down."""
    fingerprint: str
    """sha256 of what names it and of its body: the same for the same mail in another mailbox."""
    sender: str = ""
    """The one address of its one From, in lower case; empty where it is not that."""
    display: str = ""
    subject: str = ""
    sent_at: float | None = None
    ancestors: tuple[str, ...] = ()
    """Message-IDs that it answers, oldest first."""
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Lower-case name -> raw values, the topmost first."""
    content_type: str = "text/plain"
    text: str = ""
    """What the person wrote."""
    parts: tuple[Part, ...] = ()
    notes: tuple[str, ...] = ()
    """What was not read, and why: one sentence each."""
    report: Report | None = None
    """Where it is one on another mail's delivery."""

    def header(self, name: str) -> str:
        """The topmost one, in one line; empty where there is none."""
        return " ".join(self.headers.get(name, ("",))[0].split())


def parse(raw: bytes, *, is_cut: bool = False) -> Mail:
    """Read a mail.

    Args:
        is_cut: Whether these are only the first bytes of it; its files are then left alone.
    """
    head, body = halves(raw)
    is_plain = costs_too_much(raw, head)
    message = None if is_plain else parsed(raw)
    top = message if message is not None else parsed(LONG_FIELD.sub(shortened, head) + b"\n\n")
    headers = fields(top)
    notes = ["it is too large, so only its beginning was read"] if is_cut else []
    parts: tuple[Part, ...] = ()
    if message is None:
        text = decoded(body[: 4 * MAX_TEXT_CHARS], "utf-8")
        notes.append("it is built in an unusual way, so it was read as plain text")
    else:
        text, parts, more = read_parts(message)
        notes += more
    if is_cut:
        parts = ()
    text = clean(text)
    if len(text) > MAX_TEXT_CHARS:
        text = text[:MAX_TEXT_CHARS]
        notes.append(f"only its first {MAX_TEXT_CHARS:,} characters were read")
    sender, display = author(top, headers)
    return Mail(
        message_id=next(iter(ids(headers, "message-id")), ""),
        fingerprint=fingerprint(headers, body),
        sender=sender,
        display=display,
        subject=clean(value(top, headers, "subject"))[:300],
        sent_at=written_at(headers),
        ancestors=answered(headers),
        headers=headers,
        content_type=guarded(top.get_content_type, "text/plain") if top is not None else "text/plain",
        text=what_was_written(text),
        parts=parts,
        notes=tuple(notes),
        report=read_report(message) if message is not None else None,
    )


# --- before parsing --------------------------------------------------------------------------------------------------


def halves(raw: bytes) -> tuple[bytes, bytes]:
    """The header and the body; of the header no more than its cap."""
    found = re.search(rb"\r?\n\r?\n", raw)
    if found is None:
        return raw[:MAX_HEADER_BYTES], raw[MAX_HEADER_BYTES:]
    return raw[: min(found.start(), MAX_HEADER_BYTES)], raw[found.end() :]


def costs_too_much(raw: bytes, head: bytes) -> bool:
    """Whether the library would take too long for it."""
    nesting = sum(1 for _ in COSTLY.finditer(raw))
    return (
        nesting > MAX_MULTIPARTS
        or raw.count(b"\n--") > MAX_SEPARATORS
        or nesting * (raw.count(b"\n") + raw.count(b"\r")) > MAX_WORK
        or len(head) >= MAX_HEADER_BYTES
        or head.count(b"\n") > 4 * MAX_FIELDS
        or any(found.end() - found.start() > MAX_FIELD_BYTES for found in LONG_FIELD.finditer(raw))
    )


def shortened(found: re.Match[bytes]) -> bytes:
    """A header, or nothing of one that is too long."""
    return found[0] if len(found[0]) <= MAX_FIELD_BYTES else b"X-Long: 1"


def parsed(raw: bytes) -> EmailMessage | None:
    """The library's view; None where it breaks."""
    try:
        return message_from_bytes(raw, policy=policy.default)
    except Exception:  # noqa: BLE001  the library raises about anything for bad headers; such a mail is read as text
        return None


def guarded(read: Callable[[], Any], default: T) -> T:
    """What `read` returns, or `default` where the library breaks on what it reads."""
    try:
        return cast(T, read())
    except Exception:  # noqa: BLE001  see `parsed`
        return default


# --- headers ---------------------------------------------------------------------------------------------------------


def fields(message: EmailMessage | None) -> dict[str, tuple[str, ...]]:
    """The raw header, short enough to be looked at."""
    found: dict[str, list[str]] = {}
    items = list(message.raw_items())[:MAX_FIELDS] if message is not None else []
    for name, text in items:
        found.setdefault(str(name).lower(), []).append(clean(str(text))[: 4 * MAX_FIELD_BYTES])
    return {name: tuple(texts) for name, texts in found.items()}


def value(message: EmailMessage | None, headers: Mapping[str, tuple[str, ...]], name: str) -> str:
    """A header, decoded, in one line."""
    raw = headers.get(name, ("",))[0]
    if message is None or not raw or len(raw) > MAX_FIELD_BYTES:
        return " ".join(raw.split())
    return " ".join(str(guarded(partial(message.get, name, raw), raw)).split())


def author(message: EmailMessage | None, headers: Mapping[str, tuple[str, ...]]) -> tuple[str, str]:
    """Address and name of who says they wrote it. Two authors, or two From, are none: programs disagree on them."""
    raw = headers.get("from", ())
    if message is None or len(raw) != 1 or len(raw[0]) > MAX_FIELD_BYTES // 2:
        return "", ""
    addresses = guarded(lambda: message["from"].addresses, ())
    if len(addresses) != 1:
        return "", ""
    address = str(guarded(lambda: addresses[0].addr_spec, "")).lower()
    display = clean(str(guarded(lambda: addresses[0].display_name, "")))
    if not ADDRESS.fullmatch(address):
        return "", ""
    return address, "".join(each for each in display if each.isprintable())[:80].strip()


def ids(headers: Mapping[str, tuple[str, ...]], name: str) -> list[str]:
    """The Message-IDs in a header."""
    found = MESSAGE_ID.findall(" ".join(headers.get(name, ())))
    return list(dict.fromkeys(found))


def answered(headers: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """What it answers, oldest first."""
    known = ids(headers, "references")
    known = [known[0], *known[1 - MAX_IDS :]] if len(known) > MAX_IDS else known
    direct = [each for each in ids(headers, "in-reply-to")[:1] if each not in known]
    return (*known, *direct)


def written_at(headers: Mapping[str, tuple[str, ...]]) -> float | None:
    """Epoch seconds of its Date."""
    raw = headers.get("date", ("",))[0][:100]
    return guarded(lambda: parsedate_to_datetime(raw).timestamp(), None)


def fingerprint(headers: Mapping[str, tuple[str, ...]], body: bytes) -> str:
    """Another Message-ID is another mail: equal words are no reason to drop one."""
    named = "\n".join(f"{name}:{' '.join(headers.get(name, ('',))[0].split())}" for name in IN_FINGERPRINT)
    digest = hashlib.sha256(named.encode("utf-8", "replace"))
    digest.update(body.replace(b"\r\n", b"\n").rstrip())
    return digest.hexdigest()


# --- body ------------------------------------------------------------------------------------------------------------


def read_parts(message: EmailMessage) -> tuple[str, tuple[Part, ...], list[str]]:
    """The text, the files, and what was left out."""
    texts: list[str] = []
    parts: list[Part] = []
    notes: list[str] = []
    for n, leaf in enumerate(leaves(message, 0)):
        if n >= MAX_PARTS:
            notes.append(f"it has more than {MAX_PARTS} parts; the others were not read")
            break
        if is_text(leaf):
            if sum(map(len, texts)) <= MAX_TEXT_CHARS:
                texts.append(words(leaf))
        elif len(parts) < MAX_ATTACHMENTS:
            parts.append(attached(leaf, len(parts) + 1))
        elif len(parts) == MAX_ATTACHMENTS:
            notes.append(f"it has more than {MAX_ATTACHMENTS} files; the others were not taken")
            parts.append(attached(leaf, len(parts) + 1))
    text = "\n\n".join(each for each in texts if each.strip())
    return text, tuple(parts[:MAX_ATTACHMENTS]), notes


def leaves(message: EmailMessage, level: int) -> Iterator[EmailMessage]:
    """The parts that hold something. Of alternatives the plainest that says anything."""
    kind = guarded(message.get_content_type, "text/plain")
    inner = message.get_payload()
    if not kind.startswith("multipart/") or not isinstance(inner, list) or level > MAX_MULTIPARTS:
        yield message
        return
    children = [child for child in inner if isinstance(child, EmailMessage)]
    chosen = best(children) if kind == "multipart/alternative" and children else None
    for child in children:
        inside = leaves(child, level + 1)
        if chosen is None or child is chosen:
            yield from inside
        else:  # the pictures of the HTML that the plain text stands for
            yield from (leaf for leaf in inside if not guarded(leaf.get_content_type, "text/").startswith("text/"))


def best(choices: list[EmailMessage]) -> EmailMessage:
    """text/plain where it says anything, else what is richer and not a calendar entry."""
    kinds = [guarded(choice.get_content_type, "") for choice in choices]
    for choice, kind in zip(choices, kinds, strict=True):
        if kind == "text/plain" and words(choice).strip():
            return choice
    rich = [n for n, kind in enumerate(kinds) if kind == "text/html" or kind.startswith("multipart/")]
    return choices[rich[-1] if rich else 0]


def is_text(part: EmailMessage) -> bool:
    """Whether it is to be read, not kept as a file."""
    kind = guarded(part.get_content_type, "text/plain")
    if kind.startswith("multipart/"):
        return True  # one without a boundary: it is what stands there
    disposition = guarded(part.get_content_disposition, None)
    return kind in ("text/plain", "text/html") and disposition != "attachment" and not named(part)


def words(part: EmailMessage) -> str:
    """The text of a part; HTML as text."""
    content = guarded(partial(part.get_payload, decode=True), b"")
    content = content if isinstance(content, bytes) else b""
    charset = str(guarded(partial(part.get_content_charset, "utf-8"), "utf-8"))
    text = decoded(content[: 8 * MAX_TEXT_CHARS], charset).replace("\r\n", "\n").replace("\r", "\n")
    if guarded(part.get_content_type, "text/plain") == "text/html":
        return guarded(lambda: html_to_text(text), text)
    if str(guarded(lambda: part.get_param("format"), "")).lower() == "flowed":
        return unflowed(text, deletes_space=str(guarded(lambda: part.get_param("delsp"), "")).lower() == "yes")
    return text


def decoded(content: bytes, charset: str) -> str:
    """Text, whatever the charset is said to be."""
    try:
        name = codecs.lookup(charset).name if CHARSETS.fullmatch(charset) else "utf-8"
        if name not in ("utf-8", "ascii", "utf-7"):
            return content.decode(name, "replace")
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252" if name == "ascii" else "utf-8", "replace")
    except (LookupError, ValueError):
        return content.decode("utf-8", "replace")


def clean(text: str) -> str:
    """Without what databases refuse and nobody sees."""
    return CONTROLS.sub("", text)


def named(part: EmailMessage) -> str:
    """A file's own name, as a base name."""
    name = clean(str(guarded(part.get_filename, "") or ""))
    return re.split(r"[\\/]", "".join(each for each in name if each.isprintable()))[-1].strip(" .")[-120:]


def attached(part: EmailMessage, n: int) -> Part:
    """A part as a file."""
    kind = guarded(part.get_content_type, "application/octet-stream")
    return Part(
        name=named(part) or f"file-{n}{'.eml' if kind == 'message/rfc822' else ''}", content_type=kind, message=part
    )
