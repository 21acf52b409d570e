"""The passphrases of people who approve what they asked for themselves: text in, yes or no out.

Kept as scrypt hashes in a file beside control's keys, where neither the database nor a chat reaches. The first one that
somebody gives is theirs from then on; whoever forgot it deletes their line in the file.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import threading
import time
from pathlib import Path

from layers.errors import Refused

FILE = "passphrases.json"
SHORTEST = 12
LONGEST = 200
COST = {"n": 2**15, "r": 8, "p": 1, "maxmem": 64 * 1024 * 1024}
"""32 MiB and some 100 ms a try: OWASP's smallest for scrypt with r=8, p=1 is twice that n; a lock-out does the rest."""
TRIES = 5
LOCKED_S = 300.0


class Passphrases:
    """One file of a home. Slow by design: call it in a thread."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._lock = threading.Lock()
        self._wrong: dict[str, tuple[int, float]] = {}

    def has(self, person: str) -> bool:
        """Whether that person has set one."""
        return person in self._read()

    def prove(self, person: str, passphrase: str, again: str = "") -> None:
        """Accept the person's passphrase; their first one, given twice, is set.

        Raises:
            Refused: it is not theirs, too many were wrong lately, or it cannot be a first one.
        """
        with self._lock:
            count, since = self._wrong.get(person, (0, 0.0))
            if count >= TRIES and time.monotonic() - since < LOCKED_S:
                raise Refused(f"{TRIES} passphrases were wrong; wait {LOCKED_S / 60:.0f} minutes")
            known = self._read()
            if person not in known:
                self._set(known, person, passphrase, again)
                return
            salt, _, digest = known[person].partition("$")
            if not hmac.compare_digest(hashed(passphrase, salt), digest):
                self._wrong[person] = (count + 1 if count < TRIES else 1, time.monotonic())
                raise Refused("that is not your passphrase; nothing was approved")
            self._wrong.pop(person, None)

    def _set(self, known: dict[str, str], person: str, passphrase: str, again: str) -> None:
        if not SHORTEST <= len(passphrase) <= LONGEST:
            raise Refused(f"choose a passphrase of {SHORTEST} to {LONGEST} characters; it is the first you give here")
        if passphrase != again:
            raise Refused("you have no passphrase yet: enter a new one twice, the same both times")
        salt = secrets.token_hex(16)
        text = json.dumps({**known, person: f"{salt}${hashed(passphrase, salt)}"}, indent=1)
        draft = self._path.with_suffix(".new")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)

    def _read(self) -> dict[str, str]:
        try:
            known: dict[str, str] = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise Refused(f"the file of passphrases cannot be read ({error}); nothing was approved") from None
        return known


def hashed(passphrase: str, salt: str) -> str:
    """scrypt, hex."""
    return hashlib.scrypt(passphrase.encode()[: 4 * LONGEST], salt=bytes.fromhex(salt), dklen=32, **COST).hex()
