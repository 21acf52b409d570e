"""Who is who, and how somebody unknown is let in: the tables, on both databases."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

import pytest

from layers.errors import AccountState
from layers.store import Store, Tx, open_store
from layers.transport import (
    Choice,
    FilePerson,
    approvers,
    ask,
    by_code,
    decide,
    enrol,
    everybody,
    expire_pairings,
    may_decide,
    offer_removal,
    put_account,
    recognise,
    remove,
    synchronise,
)
from layers.transport.people.rules import ALPHABET, person_id, sane, typed
from layers.types import STRANGER, Address, Inbound, Person

OWNER, ANNA = Person(id="owner", name="Owner"), Person(id="anna", name="Anna")
FILE = (
    FilePerson(person=OWNER, is_approver=True, identities=("telegram:42", "slack:T1:U1")),
    FilePerson(person=ANNA, is_approver=False, identities=("telegram:43",)),
)


def wrote(identity: str, conversation: str = "", display: str = "", thread: str = "") -> Inbound:
    channel, _, rest = identity.partition(":")
    return Inbound(
        address=Address(channel=channel, conversation=conversation or rest.replace(":", "/"), thread=thread),
        event_id=f"m:{identity}",
        person=STRANGER,
        text="let me in",
        identity=identity,
        display=display,
        is_direct=True,
    )


@pytest.fixture
async def register(store: Store) -> Store:
    await store.run(synchronise, FILE)
    for channel in ("telegram", "slack", "mail"):
        await store.run(enrol, channel, "f")
    return store


async def shown(store: Store, conversation: str) -> list[dict[str, object]]:
    """What is to be said in a conversation, newest last."""

    def read(tx: Tx) -> list[dict[str, object]]:
        rows = tx.all("transport.due_deliveries", now=tx.now + 1, limit=1000, elsewhere="")
        found = []
        while rows:
            for row in rows:
                payload = json.loads(row["payload"])
                found.append({"conversation": row["conversation_id"], "id": row["id"], **payload})
                tx.run("transport.mark_sent", id=row["id"], provider_ref="x")
            rows = tx.all("transport.due_deliveries", now=tx.now + 1, limit=1000, elsewhere="")
        return sorted(found, key=lambda each: int(str(each["id"])))

    said = await store.run(read)
    SAID.setdefault(id(store), []).extend(said)
    return [each for each in SAID[id(store)] if each["conversation"] == conversation]


SAID: dict[int, list[dict[str, object]]] = {}


def handle_of(outbound: dict[str, object]) -> str:
    return str(outbound["buttons"][0]["value"]).split(":")[2]  # type: ignore[index]


async def let_write(store: Store, *inbounds: Inbound) -> None:
    for inbound in inbounds:
        await store.run(recognise, inbound)


async def names(store: Store) -> list[str]:
    return [person.id for person in await store.run(approvers)]


async def test_the_file_wins_and_what_it_dropped_is_gone(register: Store) -> None:
    assert (await register.run(recognise, wrote("telegram:42"))) == OWNER
    moved = FilePerson(person=ANNA, is_approver=True, identities=("telegram:42",))
    await register.run(synchronise, (moved,))
    assert (await register.run(recognise, wrote("telegram:42"))) == ANNA
    assert (await register.run(recognise, wrote("slack:T1:U1"))) is None
    assert (await register.run(recognise, wrote("telegram:43"))) is None
    assert await names(register) == ["anna"]


async def test_who_was_let_in_stays_over_a_restart_and_goes_with_the_person(register: Store) -> None:
    asked = await register.run(ask, wrote("telegram:7"))
    mine = await register.run(ask, wrote("telegram:8"))
    await register.run(by_code, asked.code, Choice.APPROVER, OWNER)
    await register.run(by_code, mine.code, Choice.ME, OWNER)
    await register.run(synchronise, FILE)
    assert await names(register) == ["owner", "telegram-7"]
    assert (await register.run(recognise, wrote("telegram:8"))) == OWNER
    await register.run(synchronise, FILE[1:])
    assert (await register.run(recognise, wrote("telegram:8"))) is None, "the owner is gone, and so is what was theirs"
    assert await names(register) == ["telegram-7"]


async def test_a_stranger_is_asked_about_once_on_the_page_and_wherever_an_approver_is(register: Store) -> None:
    await let_write(register, wrote("telegram:42"), wrote("slack:T1:U1", "T1/D1", thread="17.0"), wrote("telegram:43"))
    asked = await register.run(ask, wrote("telegram:7", display="Bob *<b>*"))
    again = await register.run(ask, wrote("telegram:7"))
    assert again.code == asked.code
    assert set(asked.code) <= set(ALPHABET)
    (card,) = await shown(register, "web:main")
    assert str(card["text"]).index("telegram:7") < str(card["text"]).index("Bob")
    assert "They call themselves “Bob b”" in str(card["text"])
    assert [button["label"] for button in card["buttons"]] == [  # type: ignore[attr-defined]
        "This is me",
        "Let in",
        "Let in as approver",
        "Refuse",
    ]
    assert all(len(button["value"]) <= 64 for button in card["buttons"])  # type: ignore[attr-defined]
    for place in ("telegram:42", "slack:T1/D1"):
        assert len(await shown(register, place)) == 1, place
    assert await shown(register, "telegram:43") == [], "Anna decides nothing"
    (note,) = await shown(register, "telegram:7")
    assert f"{asked.code[:4]}-{asked.code[4:]}" in str(note["text"])


async def test_the_first_decision_wins_and_every_card_says_whose_it_was(register: Store) -> None:
    await let_write(register, wrote("telegram:42"), wrote("slack:T1:U1", "T1/D1"))
    await register.run(ask, wrote("telegram:7", display="Bob"))
    handle = handle_of((await shown(register, "web:main"))[0])
    refused = await register.run(decide, handle, Choice.IN, ANNA)
    assert "may not decide" in refused.refused
    first = await register.run(decide, handle, Choice.IN, OWNER)
    late = await register.run(decide, handle, Choice.APPROVER, OWNER)
    assert (first.refused, first.person) == ("", "telegram-7")
    assert "already" in late.refused
    assert await names(register) == ["owner"]
    for place in ("web:main", "telegram:42", "slack:T1/D1"):
        card = (await shown(register, place))[-1]
        assert "Owner" in str(card["text"])
        assert "let them in" in str(card["text"])
        assert card["buttons"] == []
    assert "You are let in" in str((await shown(register, "telegram:7"))[-1]["text"])
    known = await register.run(recognise, wrote("telegram:7"))
    assert known == Person(id="telegram-7", name="Bob (telegram:7)")


async def test_two_processes_that_decide_at_once_let_in_once(postgres_url: str) -> None:
    first, second = await open_store(postgres_url), await open_store(postgres_url)
    try:
        await first.run(synchronise, FILE)
        for n in range(100, 110):
            asks = [store.run(ask, wrote(f"telegram:{n}")) for store in (first, second, first)]
            codes = {asked.code for asked in await asyncio.gather(*asks)}
            assert len(codes) == 1, codes
            code = codes.pop()
            choices = [Choice.IN, Choice.REFUSE, Choice.APPROVER, Choice.ME]
            stores = [first, second, first, second]
            presses = [store.run(by_code, code, each, OWNER) for store, each in zip(stores, choices, strict=True)]
            assert sum(not decided.refused for decided in await asyncio.gather(*presses)) == 1
    finally:
        await first.close()
        await second.close()


async def test_a_refused_one_hears_nothing_more_for_a_day(register: Store) -> None:
    asked = await register.run(ask, wrote("telegram:7"))
    await register.run(by_code, asked.code, Choice.REFUSE, OWNER)
    told = len(await shown(register, "telegram:7"))
    assert (await register.run(ask, wrote("telegram:7"))).code == ""
    assert len(await shown(register, "telegram:7")) == told
    assert len(await shown(register, "web:main")) == 2


async def test_strangers_cannot_flood_the_owner(register: Store) -> None:
    for n in range(100, 140):
        await register.run(ask, wrote(f"telegram:{n}"))
    assert len(await shown(register, "web:main")) == 10
    told = [each for n in range(100, 140) for each in await shown(register, f"telegram:{n}")]
    assert len(told) == 40, "each is told once"
    await register.run(ask, wrote("slack:T1:U9"))
    assert len(await shown(register, "web:main")) == 11, "another channel has room of its own"


async def test_a_mail_of_somebody_unknown_is_not_answered(register: Store) -> None:
    asked = await register.run(ask, wrote("mail:eve@example.org"))
    assert asked.note == ""
    await register.run(by_code, asked.code, Choice.REFUSE, OWNER)
    assert await shown(register, "mail:eve@example.org") == []
    assert len(await shown(register, "web:main")) == 2


async def test_a_request_runs_out_and_its_code_with_it(register: Store) -> None:
    asked = await register.run(ask, wrote("telegram:7"))
    await register.run(age)
    assert "no open request" in (await register.run(by_code, "ABCD-EFGH", Choice.IN, OWNER)).refused
    assert "too old" in (await register.run(by_code, asked.code.lower(), Choice.IN, OWNER)).refused
    assert await register.run(expire_pairings) == 0, "whoever came too late ended it"
    cards = await shown(register, "web:main")
    assert "Nobody decided" in str(cards[-1]["text"])
    assert (await register.run(ask, wrote("telegram:7"))).code != asked.code


def age(tx: Tx) -> None:
    """Two hours go by."""
    for row in tx.all("people.due", now=tx.now + 7200):
        assert row["state"] == "open"
    connection = tx._connection  # type: ignore[attr-defined]
    connection.execute("UPDATE pairing SET expires_at = expires_at - 7200, created_at = created_at - 7200")


async def test_who_was_let_in_can_be_removed_and_counts_no_more(register: Store) -> None:
    asked = await register.run(ask, wrote("telegram:7"))
    await register.run(by_code, asked.code, Choice.APPROVER, OWNER)
    assert await register.run(may_decide, Person(id="telegram-7", name="x"))
    (offered,) = await register.run(offer, 1)
    (newer,) = await register.run(offer, 1)
    assert "too old" in (await register.run(remove, offered.handle, OWNER)).refused
    assert "may not" in (await register.run(remove, newer.handle, ANNA)).refused
    assert (await register.run(remove, newer.handle, OWNER)).refused == ""
    assert await names(register) == ["owner"]
    assert (await register.run(recognise, wrote("telegram:7"))) is None
    assert {each.person.id for each in await register.run(everybody)} == {"owner", "anna"}


def offer(tx: Tx, count: int) -> Sequence[object]:
    found = offer_removal(tx, everybody(tx))
    assert len(found) == count
    return found


async def test_nothing_is_said_on_a_channel_that_must_not_be_called(register: Store) -> None:
    await let_write(register, wrote("telegram:42"), wrote("slack:T1:U1", "T1/D1"))
    await register.run(put_account, "slack", AccountState.CHALLENGED, "sign in")
    await register.run(ask, wrote("telegram:7"))
    assert len(await shown(register, "telegram:42")) == 2, "of the account, and of the stranger"
    assert await shown(register, "slack:T1/D1") == []


@pytest.mark.parametrize(
    ("display", "shown"),
    [
        ("Bob", "Bob"),
        ("<!channel> @everyone", "channel everyone"),
        ("Owner\u202e(telegram:42)", "Owner telegram 42"),
        ("[click](https://evil.example)", "click https evil.example"),
        ("a\n\n# Approved by **Owner**", "a Approved by Owner"),
        ("\U0001f600", ""),
        ("ſｕｐｅｒ", "super"),
        ("x" * 300, "x" * 40),
    ],
)
def test_a_name_that_somebody_gives_themselves_is_harmless(display: str, shown: str) -> None:
    assert sane(display) == shown


def test_ids_of_new_persons_are_short_plain_and_free() -> None:
    assert person_id("telegram:7", set()) == "telegram-7"
    assert person_id("slack:T0:U1", set()) == "slack-t0-u1"
    taken = person_id("telegram:7", {"telegram-7"})
    long = person_id("mail:" + "a" * 60 + "@example.org", set())
    for each in (taken, long):
        assert len(each) <= 32
        assert each not in ("telegram-7", "")
    assert typed(" abcd–ef gh ") == "ABCDEFGH"
