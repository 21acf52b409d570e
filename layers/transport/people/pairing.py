"""How somebody unknown is let in: they write, get a code, and an approver decides on any channel. The first one counts.

Functions draw fresh random codes and handles, so running one twice (as the store may) leaves only the last one's.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import replace

from layers.store import Row, Tx
from layers.transport.outbox import send
from layers.transport.people import rules
from layers.transport.people.register import PAIRED, approvers, may_decide, places, put_identity
from layers.transport.people.rules import LIFE_S, PER_HOUR, REFUSED_S, hash_of
from layers.transport.people.types import Asked, Choice, Decided, Pairing, PairingState
from layers.types import Address, Inbound, Outbound, Person

DRAWS = 5
"""Codes tried before giving up: two open requests never have the same one."""


def ask(tx: Tx, inbound: Inbound) -> Asked:
    """Take a stranger's message as the wish to be let in: one open request each, few in an hour, silence once refused.

    The stranger is told once, in the same conversation; whoever can decide is asked on the page and wherever they are.
    """
    channel, identity = inbound.address.channel, inbound.identity
    is_silent = channel in rules.SILENT
    expire_pairings(tx)
    # counted before it is looked for: what another process commits in between is found, and not only counted
    lately = tx.one("people.lately", channel=channel, after=tx.now - 3600.0)
    if seen := tx.one("people.open_of", identity=identity):
        return Asked(code=seen["code"], note="" if is_silent else rules.asked_note(seen["code"]))
    if tx.one("people.refused_lately", identity=identity, after=tx.now - REFUSED_S):
        return Asked()
    if lately and lately["requests"] >= PER_HOUR:
        note = "" if is_silent else rules.full_note()
        tell(tx, inbound, note, f"full:{identity}:{tx.now // 3600:.0f}")
        return Asked(note=note)
    code = put_request(tx, inbound)
    note = "" if is_silent or not code else rules.asked_note(code)
    tell(tx, inbound, note, f"asked:{identity}:{code}")
    return Asked(code=code, note=note)


def tell(tx: Tx, inbound: Inbound, note: str, dedupe: str) -> None:
    """Say something to a stranger, once; nothing where there is nothing to say."""
    if note:
        send(
            tx,
            Outbound(address=inbound.address, key=f"stranger-{secrets.token_hex(4)}", text=note),
            f"pairing:{dedupe}",
        )


def put_request(tx: Tx, inbound: Inbound) -> str:
    """Write the request down and ask whoever can decide; its code."""
    handle, asked = secrets.token_urlsafe(16), places(tx)
    pairing = Pairing(
        id=secrets.token_hex(8),
        code="",
        identity=inbound.identity,
        display=rules.sane(inbound.display),
        conversation_id=inbound.address.id,
        places=tuple(asked),
        state=PairingState.OPEN,
        expires_at=tx.now + LIFE_S,
    )
    for _ in range(DRAWS):
        code = "".join(secrets.choice(rules.ALPHABET) for _ in range(rules.CODE_LENGTH))
        added = tx.run(
            "people.add_pairing",
            id=pairing.id,
            handle_hash=hash_of(handle),
            code=code,
            identity=pairing.identity,
            channel=inbound.address.channel,
            display=pairing.display,
            conversation_id=pairing.conversation_id,
            places=json.dumps(asked),
            now=tx.now,
            expires_at=pairing.expires_at,
        )
        if added:
            pairing = by_handle(tx, handle) or pairing
            for place in asked:
                send(tx, rules.card(pairing, place, handle), f"pairing:{pairing.id}:{place}")
            return code
        if seen := tx.one("people.open_of", identity=inbound.identity):
            return str(seen["code"])  # another process was faster
    return ""


def by_handle(tx: Tx, handle: str) -> Pairing | None:
    """The request whose buttons carry `handle`."""
    row = tx.one("people.pairing_by_handle", handle_hash=hash_of(handle))
    return as_pairing(row) if row else None


def as_pairing(row: Row) -> Pairing:
    """The row as a noun."""
    return Pairing(
        id=row["id"],
        code=row["code"],
        identity=row["identity"],
        display=row["display"],
        conversation_id=row["conversation_id"],
        places=tuple(json.loads(row["places"])),
        state=PairingState(row["state"]),
        expires_at=row["expires_at"],
    )


def decide(tx: Tx, handle: str, choice: Choice, person: Person) -> Decided:
    """Take a press on a card. One conditional UPDATE decides; all cards then say who did."""
    row = tx.one("people.pairing_by_handle", handle_hash=hash_of(handle))
    if row is None:
        return Decided(refused="this button belongs to no request here")
    return settle(tx, row, choice, person)


def by_code(tx: Tx, code: str, choice: Choice, person: Person) -> Decided:
    """Take a decision by the code that the stranger was told."""
    row = tx.one("people.pairing_by_code", code=rules.typed(code))
    if row is None:
        return Decided(refused=f"no open request has the code {code[:20]!r}; a code is good for an hour")
    return settle(tx, row, choice, person)


def settle(tx: Tx, row: Row, choice: Choice, person: Person) -> Decided:
    """Decide, if the person may and nobody was faster."""
    pairing = as_pairing(row)
    if not may_decide(tx, person):
        who = rules.wait_sentence([each.name for each in approvers(tx)])
        return Decided(identity=pairing.identity, refused=f"{person.name} may not decide who is let in; {who} can")
    after = PairingState.REFUSED if choice is Choice.REFUSE else PairingState.ACCEPTED
    won = tx.run(
        "people.end_pairing",
        id=pairing.id,
        state=after.value,
        choice=choice.value,
        decided_by=person.id,
        now=tx.now,
    )
    if not won:
        expire_pairings(tx)
        return Decided(identity=pairing.identity, refused=settled_sentence(tx, row["id"], pairing))
    owner = "" if choice is Choice.REFUSE else let_in(tx, pairing, choice, person)
    edit_cards(tx, pairing, rules.verdict(choice, person.name))
    if choice is not Choice.REFUSE or rules.channel_of(pairing.identity) not in rules.SILENT:
        tell_stranger(tx, pairing, rules.welcome(choice))
    text = f"{rules.coded(pairing.identity)}: {rules.verdict(choice, person.name)}"
    return Decided(identity=pairing.identity, person=owner, text=text)


def settled_sentence(tx: Tx, id: str, pairing: Pairing) -> str:
    """Why a press came too late."""
    row = tx.one("people.pairing_by_id", id=id)
    if row is not None and row["decided_by"]:
        return f"{row['decided_by']} has decided about {pairing.identity} already"
    return f"the request of {pairing.identity} is too old; they can write again for a new one"


def let_in(tx: Tx, pairing: Pairing, choice: Choice, decider: Person) -> str:
    """Make the identity somebody's; the id of that person."""
    if choice is Choice.ME:
        owner = decider.id
    else:
        owner = rules.person_id(pairing.identity, {row["id"] for row in tx.all("people.person_ids")})
        tx.run(
            "people.put_person",
            id=owner,
            name=rules.name_of(pairing.identity, pairing.display),
            approver=int(choice is Choice.APPROVER),
            source=PAIRED,
            now=tx.now,
        )
    put_identity(tx, pairing.identity, owner, paired_by=decider.id)
    direct = replace(Address.parse(pairing.conversation_id), thread="").id
    tx.run("people.put_direct", identity=pairing.identity, direct=direct)
    return owner


def edit_cards(tx: Tx, pairing: Pairing, verdict: str) -> None:
    """Every card says what became of it, and has nothing left to press."""
    for place in pairing.places:
        send(
            tx, rules.message(pairing, place, f"{rules.who(pairing)}\n\n{verdict}"), f"pairing:{pairing.id}:{place}:end"
        )


def tell_stranger(tx: Tx, pairing: Pairing, text: str) -> None:
    """A message of its own: an edit notifies nobody."""
    address = Address.parse(pairing.conversation_id)
    outbound = Outbound(address=address, key=f"p{pairing.id}.told", text=text)
    send(tx, outbound, f"pairing:{pairing.id}:told")


def expire_pairings(tx: Tx) -> int:
    """End requests that nobody decided in time, and say so on their cards; how many."""
    ended = 0
    for row in tx.all("people.due", now=tx.now):
        if tx.run("people.expire", id=row["id"], now=tx.now):
            edit_cards(tx, as_pairing(row), "Nobody decided within an hour. They can write again.")
            ended += 1
    return ended
