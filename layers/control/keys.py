"""Control's Ed25519 key: made once, kept in the home's folder `keys`, readable by its user alone.

The private half signs warrants and checkpoints and never leaves the server's process; the executor and whoever checks
the audit trail need the public half only.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from layers.errors import Misconfigured

PRIVATE, PUBLIC = "control.key", "control.pub"


class VerifyingKey:
    """The public half."""

    def __init__(self, raw: bytes) -> None:
        """`raw` has 32 bytes."""
        self.raw = raw
        self._key = Ed25519PublicKey.from_public_bytes(raw)

    @classmethod
    def load(cls, file: Path) -> VerifyingKey:
        """The key in a file of 64 hex digits.

        Raises:
            Misconfigured: it is not there or no key.
        """
        return cls(read_key(file))

    def is_signed(self, kind: str, text: str, signature: str) -> bool:
        """Whether the other half signed `text` as that `kind`."""
        try:
            self._key.verify(bytes.fromhex(signature), framed(kind, text))
        except (InvalidSignature, ValueError):
            return False
        return True


class SigningKey(VerifyingKey):
    """Both halves. See `layers.control.types.Signer`."""

    def __init__(self, raw: bytes) -> None:
        """`raw` has 32 bytes."""
        self._private = Ed25519PrivateKey.from_private_bytes(raw)
        super().__init__(self._private.public_key().public_bytes_raw())

    @classmethod
    def open(cls, folder: Path) -> SigningKey:
        """The key of a home's folder `keys`, made at the first start; its public half is written beside it.

        Raises:
            Misconfigured: it cannot be read or written, or is readable for others.
        """
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            place(folder / PRIVATE, os.urandom(32).hex(), 0o600)
            if (folder / PRIVATE).stat().st_mode & 0o077:
                raise Misconfigured(
                    f"{str(folder / PRIVATE)!r} can be read by others; chmod 600, and think of a new key"
                )
            key = cls(read_key(folder / PRIVATE))
            place(folder / PUBLIC, key.raw.hex(), 0o644)
            if read_key(folder / PUBLIC) != key.raw:
                raise Misconfigured(f"{str(folder / PUBLIC)!r} does not belong to {PRIVATE}; restore one of the two")
        except OSError as error:
            raise Misconfigured(f"the key in {str(folder)!r} cannot be made or read ({error.strerror})") from None
        return key

    def sign(self, kind: str, text: str) -> str:
        """The signature over `text`, hex."""
        return self._private.sign(framed(kind, text)).hex()


def framed(kind: str, text: str) -> bytes:
    """What is signed: a warrant can never pass for a checkpoint."""
    return f"bulkhead {kind} 1\n{text}".encode()


def read_key(file: Path) -> bytes:
    """32 bytes from 64 hex digits.

    Raises:
        Misconfigured: they are not there.
    """
    try:
        raw = bytes.fromhex(file.read_text("ascii"))
    except (OSError, ValueError) as error:
        raise Misconfigured(f"the key {str(file)!r} cannot be read ({error}); restore it from a backup") from None
    if len(raw) != 32:
        raise Misconfigured(f"the key {str(file)!r} has {len(raw)} bytes, not 32; restore it from a backup")
    return raw


def place(file: Path, text: str, mode: int) -> bool:
    """Write a file whole, unless it is there already; whether it was written."""
    handle, draft = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "w", encoding="ascii") as opened:
            opened.write(text + "\n")
            os.fchmod(opened.fileno(), mode)
            opened.flush()
            os.fsync(opened.fileno())
        os.link(draft, file)
    except FileExistsError:
        return False
    finally:
        os.unlink(draft)
    return True
