"""Checkpoints of the audit trail, made by the clock: signed, appended to a file of the home, told to a conversation."""

from __future__ import annotations

import time
from pathlib import Path

from layers import control
from layers.store import Store
from layers.transport import send
from layers.types import Address, Outbound

FILE = "audit.checkpoints"


class Witness:
    """One process's part in it: whoever comes first appends, and only the one that appended tells."""

    def __init__(self, store: Store, home: Path, signer: control.SigningKey, conversation: str) -> None:
        """`conversation` is a key such as `web:main`, or `slack:T1/C2`."""
        self._store = store
        self._notebook = control.Notebook(home / FILE)
        self._signer = signer
        self._conversation = conversation

    async def look(self) -> bool:
        """Make a checkpoint if one is due; whether one was made."""
        last = self._notebook.last()
        found = await control.audit.uncovered(self._store, last)
        if found is None or not control.is_due(last, found[0].seq, found[1], time.time()):
            return False
        checkpoint = found[0]
        text = control.note(self._signer, self._signer.raw, checkpoint, time.time())
        if not self._notebook.add(text, checkpoint.seq):
            return False
        told = Outbound(
            address=Address.parse(self._conversation),
            key=f"checkpoint-{checkpoint.seq}",
            text=f"Audit checkpoint `{checkpoint.fingerprint}`. Keep it: it proves what the trail was.",
        )
        await self._store.run(send, told, f"checkpoint-{checkpoint.seq}")
        return True
