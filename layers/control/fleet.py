"""One key for one database: what a replica seals, every other one must be able to read.

A request is sealed where it is made and decided wherever its button is pressed. Two servers with two keys would refuse
each other's cards, so the first key is written down and another one is refused at the start, with what to do.
"""

from __future__ import annotations

from layers.errors import Misconfigured
from layers.store import Tx


def adopt_key(tx: Tx, public: bytes) -> None:
    """Write this home's key down as the database's, or find that it is.

    Raises:
        Misconfigured: the database has another one.
    """
    row = tx.one("control.key")
    if row is None:
        tx.run("control.put_key", public=public.hex(), now=tx.now)
        row = tx.one("control.key")
    if row is not None and row["public"] != public.hex():
        raise Misconfigured(
            "this database's requests are sealed with another key than keys/control.key of this home; copy "
            "keys/control.* from the fleet's first machine, or restore them from the backup that the database came "
            "from. Where the key is lost, stop every server and run `bulkhead control new-key`: requests that wait "
            "must then be made again"
        )


def replace_key(tx: Tx, public: bytes) -> None:
    """Make this home's key the database's: what other ones sealed can no longer be decided."""
    tx.run("control.drop_key")
    tx.run("control.put_key", public=public.hex(), now=tx.now)
