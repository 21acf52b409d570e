"""Which of README's levels of trust an install has: who the executor is, seen from the server's user."""

from __future__ import annotations

import os
import pwd
import socket
import struct
from pathlib import Path

from layers.control.executor import Place
from layers.control.vault import Vault
from layers.errors import Misconfigured, Unavailable


def trust(home: Path, place: Place) -> str:
    """The level and what it rests on, in one line. Blocking, and short.

    Raises:
        Unavailable: the executor of its own cannot be reached.
        Misconfigured: it is another user's, and secrets lie in the server's home nevertheless.
    """
    ours = os.geteuid()
    if not place.address:
        return f"level 0: the executor is the server's child; whatever runs as {name(ours)} reads keys and secrets"
    theirs = peer(place.address)
    if theirs == ours:
        return f"level 0: the executor runs by itself, yet also as {name(ours)}, who reads keys and secrets"
    if ours == 0:
        return f"level 0: the executor is {name(theirs)}, but this is root, who reads everything"
    if kept := Vault(home).names():
        raise Misconfigured(
            f"the executor is {name(theirs)}, but {len(kept)} secrets lie in {str(home / 'keys' / 'secrets')!r}, which "
            f"{name(ours)} reads; set them in the executor's home and remove them here"
        )
    return f"level 1: the executor is {name(theirs)}, this is {name(ours)}, who holds no secret of it"


def peer(address: str) -> int:
    """The uid of whoever listens there.

    Raises:
        Unavailable: nobody does.
    """
    try:
        with socket.socket(socket.AF_UNIX) as asker:
            asker.connect(address)
            credentials = asker.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    except OSError as error:
        raise Unavailable(f"the executor cannot be reached at {address!r} ({error.strerror}); start it") from None
    return int(struct.unpack("3i", credentials)[1])


def name(uid: int) -> str:
    """A user for a sentence: `bulkhead (uid 997)`."""
    try:
        return f"{pwd.getpwuid(uid).pw_name} (uid {uid})"
    except KeyError:
        return f"uid {uid}"
