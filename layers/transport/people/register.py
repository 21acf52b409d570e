"""The register: persons and their identities, read and written in the caller's transaction."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import replace

from layers.store import ReadStore, Row, Tx
from layers.transport.people.rules import PAGE, channel_of, coded, hash_of
from layers.transport.people.types import Decided, FilePerson, Known, KnownIdentity
from layers.types import Address, Inbound, Person

FILE, PAIRED = "file", "paired"
REMOVABLE = 20
"""Identities that one list offers to remove: Slack takes 25 buttons in a row of them."""


def synchronise(tx: Tx, people: Sequence[FilePerson]) -> None:
    """Write what bulkhead.toml says into the tables: the file wins, what it dropped is gone, who was paired stays.

    Whatever belonged to a person that the file dropped goes with them, also what was paired to them.
    """
    for each in people:
        person = each.person
        tx.run(
            "people.put_person",
            id=person.id,
            name=person.name,
            approver=int(each.is_approver),
            source=FILE,
            now=tx.now,
        )
        for identity in each.identities:
            put_identity(tx, identity, person.id)
    identities = [identity for each in people for identity in each.identities]
    tx.run("people.drop_identities_of_file", kept=json.dumps(identities))
    tx.run("people.drop_persons_of_file", kept=json.dumps([each.person.id for each in people]))
    tx.run("people.drop_orphans")
    for row in tx.all("people.persons"):
        tx.run("people.drop_person_without_identity", id=row["id"])


def put_identity(tx: Tx, identity: str, person: str, paired_by: str = "") -> None:
    """From now on `identity` is that person."""
    tx.run(
        "people.put_identity",
        identity=identity,
        channel=channel_of(identity),
        person=person,
        source=PAIRED if paired_by else FILE,
        paired_by=paired_by,
        now=tx.now,
    )


def recognise(tx: Tx, inbound: Inbound) -> Person | None:
    """Who did it; None for a stranger. One indexed read; where they write to the bot alone is noted when it changed."""
    row = tx.one("people.recognise", identity=inbound.identity) if inbound.identity else None
    if row is None:
        return None
    if inbound.is_direct:
        direct = replace(inbound.address, thread="").id
        if direct != row["direct"]:
            tx.run("people.put_direct", identity=inbound.identity, direct=direct)
    return Person(id=row["id"], name=row["name"])


def person_by_id(tx: Tx, id: str) -> Person | None:
    """The person of that id, while they are one here."""
    row = tx.one("people.person", id=id)
    return Person(id=row["id"], name=row["name"]) if row else None


def approvers(tx: Tx) -> tuple[Person, ...]:
    """Who may decide, at this moment and in every process."""
    return tuple(Person(id=row["id"], name=row["name"]) for row in tx.all("people.approvers"))


def may_decide(tx: Tx, person: Person) -> bool:
    """Whether the person is an approver at this moment."""
    row = tx.one("people.person", id=person.id)
    return bool(row and row["approver"])


def places(tx: Tx, but: str = "") -> list[str]:
    """Conversations in which the owner is told something: the page, and the approvers' own ones elsewhere.

    Nothing of the channel `but`, and nothing of one that must not be called.
    """
    elsewhere = dict.fromkeys(row["direct"] for row in tx.all("people.places"))
    return [PAGE, *(place for place in elsewhere if Address.parse(place).channel != but)]


def directs(tx: Tx) -> dict[str, list[str]]:
    """Approver -> the conversations that each of their accounts has with the bot alone, where it may be called."""
    found: dict[str, list[str]] = {}
    for row in tx.all("people.places"):
        found.setdefault(row["person"], []).append(row["direct"])
    return found


def everybody(tx: Tx) -> list[Known]:
    """All persons with their identities, those of the file first."""
    return known_of(tx.all("people.persons"), tx.all("people.identities"))


async def look_everybody(store: ReadStore) -> list[Known]:
    """The same, without a transaction of one's own."""
    return known_of(await store.fetch_all("people.persons"), await store.fetch_all("people.identities"))


def known_of(persons: Sequence[Row], identities: Sequence[Row]) -> list[Known]:
    """Rows as nouns."""
    accounts: dict[str, list[KnownIdentity]] = {}
    for row in identities:
        found = KnownIdentity(identity=row["identity"], is_of_file=row["source"] == FILE)
        accounts.setdefault(row["person"], []).append(found)
    return [
        Known(
            person=Person(id=row["id"], name=row["name"]),
            is_approver=bool(row["approver"]),
            is_of_file=row["source"] == FILE,
            identities=tuple(accounts.get(row["id"], ())),
        )
        for row in persons
    ]


def offer_removal(tx: Tx, known: Sequence[Known]) -> list[KnownIdentity]:
    """The identities that were paired, each with a fresh handle for its button; those of an older list are void."""
    paired = [each for one in known for each in one.identities if not each.is_of_file][:REMOVABLE]
    offered = [replace(each, handle=secrets.token_urlsafe(16)) for each in paired]
    for each in offered:
        tx.run("people.put_handle", identity=each.identity, handle_hash=hash_of(each.handle))
    return offered


def remove(tx: Tx, handle: str, person: Person) -> Decided:
    """Take an identity away from its person; a paired person without any is forgotten."""
    row = tx.one("people.identity_by_handle", handle_hash=hash_of(handle))
    if row is None:
        return Decided(refused="this button is too old; `/people` shows who is here now")
    identity = str(row["identity"])
    if not may_decide(tx, person):
        return Decided(identity=identity, refused=f"{person.name} may not remove anybody; an approver can")
    if row["source"] == FILE:
        where = f"[people.{row['person']}] in bulkhead.toml"
        return Decided(identity=identity, refused=f"{identity} stands in {where}; take it out there, and restart")
    tx.run("people.drop_identity", identity=identity)
    tx.run("people.drop_person_without_identity", id=row["person"])
    return Decided(
        identity=identity, person=row["person"], text=f"{coded(identity)} is removed, and a stranger from now on."
    )
