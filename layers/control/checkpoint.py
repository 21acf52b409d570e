"""Checkpoints of the audit trail: a head in, a signed note out, which others keep.

Whoever owns the database can rewrite the whole chain; not the notes that were handed out before. A note is text in the
manner of C2SP's signed notes: origin, number of entries, hash, time, an empty line, the signature. Its fingerprint is
short enough for a chat, whose provider then is a witness that this machine cannot change.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from layers.control.types import Signer
from layers.errors import Refused

KIND = "checkpoint"
ORIGIN = "bulkhead audit"
NAME = "bulkhead"
EVERY_ENTRIES = 256
EVERY_S = 900.0
"""How old the oldest entry that no checkpoint covers may become."""
SHORT = 32
"""Hex digits of a fingerprint: 128 bits."""
NOTE = re.compile(rf"{ORIGIN}\n(\d+)\n([A-Za-z0-9+/]{{43}}=)\nat (\S+)\n\n— {NAME} (\S+)\n")
FINGERPRINT = re.compile(r"(\d+):([0-9a-f]{16,64})")


class Verifier(Protocol):
    """The public half of control's key."""

    raw: bytes

    def is_signed(self, kind: str, text: str, signature: str) -> bool:
        """Whether the private half signed `text`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What the trail was at one moment."""

    seq: int
    """How many entries it had."""
    hash: str
    """Of the last one, hex."""

    @property
    def fingerprint(self) -> str:
        """`512:9f86d081884c7d659a2feaa0c55ad015`."""
        return f"{self.seq}:{self.hash[:SHORT]}"


def is_due(last_seq: int, seq: int, uncovered_since: float, now: float) -> bool:
    """Whether the entries after `last_seq`, the first of which is as old as `uncovered_since`, need a checkpoint."""
    return seq > last_seq and (seq - last_seq >= EVERY_ENTRIES or now - uncovered_since >= EVERY_S)


def key_id(raw: bytes) -> bytes:
    """Which key signed, in four bytes, as signed notes have it."""
    return hashlib.sha256(NAME.encode() + b"\n\x01" + raw).digest()[:4]


def note(signer: Signer, raw: bytes, checkpoint: Checkpoint, now: float) -> str:
    """The signed note of a checkpoint. `raw` is the public key."""
    digest = base64.b64encode(bytes.fromhex(checkpoint.hash)).decode()
    at = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    body = f"{ORIGIN}\n{checkpoint.seq}\n{digest}\nat {at}\n"
    signature = base64.b64encode(key_id(raw) + bytes.fromhex(signer.sign(KIND, body))).decode()
    return f"{body}\n— {NAME} {signature}\n"


def read_notes(text: str, key: Verifier) -> Iterator[Checkpoint]:
    """Every checkpoint in `text`.

    Raises:
        Refused: something in it is no note, or not signed by this key.
    """
    end = 0
    for found in NOTE.finditer(text):
        if text[end : found.start()].strip():
            break
        seq, digest, _, signature = found.groups()
        body = found.group(0).partition("\n\n")[0] + "\n"
        try:
            signed = base64.b64decode(signature, validate=True)
        except ValueError:
            signed = b""
        is_plain = base64.b64encode(signed).decode() == signature  # its last letter has bits that decoding ignores
        if not is_plain or signed[:4] != key_id(key.raw) or not key.is_signed(KIND, body, signed[4:].hex()):
            raise Refused(f"the checkpoint of entry {seq} was not signed by this key")
        yield Checkpoint(seq=int(seq), hash=base64.b64decode(digest).hex())
        end = found.end()
    if text[end:].strip():
        raise Refused("the file holds something that is no checkpoint")


def read_fingerprint(text: str) -> Checkpoint | None:
    """The checkpoint that a chat message told of, its hash as short as it is there; None where it is none."""
    found = FINGERPRINT.fullmatch(text.strip())
    return Checkpoint(seq=int(found[1]), hash=found[2]) if found else None


class Notebook:
    """The file of all notes. It is only ever appended to; the operator may have the system see to that (chattr +a)."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def last(self) -> int:
        """The number of entries that the last note covers. 0 when there is none. Its signature is not looked at."""
        try:
            found = NOTE.findall(self.file.read_text("utf-8"))
        except FileNotFoundError:
            return 0
        return int(found[-1][0]) if found else 0

    def add(self, text: str, seq: int) -> bool:
        """Append a note, unless another process has covered as much by now; durable when this returns."""
        with open(os.open(self.file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600), "a", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if self.last() >= seq:
                return False
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        return True
