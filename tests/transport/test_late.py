"""What comes too late is told of once; what failed, or nobody knows, can be sent again by a button, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import time

import pytest

from layers.errors import NotReached, Refused, Unavailable
from layers.store import Store, Tx
from layers.transport import Policy, add_contact, kept_back, marks, outcome, resend, send, show_late
from layers.transport.policy import DEFAULTS
from layers.transport.rules import load_outbound
from layers.types import Outbound, OutboundKind
from tests.transport.provider import DOTS, Provider, message, rules, settle, state_of

BRIEF = Policy(lives_s={"message": 0.001, "working": 0.001, "card": 0.001})
"""Whatever waits is late."""
NOTES = "notes:main"


def handle_of(outbound: Outbound) -> str:
    return outbound.buttons[0].value.split(":")[2]


class Shelf:
    """A local channel that keeps what it was told."""

    def __init__(self) -> None:
        self.told: list[Outbound] = []

    def render(self, outbound: Outbound) -> str:
        return outbound.text

    def write(self, tx: Tx, outbound: Outbound, body: str, dedupe: str) -> str:
        self.told.append(outbound)
        return dedupe


async def digests(store: Store, conversation: str = "remote:c") -> list[Outbound]:
    rows = await store.run(lambda tx: tx.all("transport.said", conversation_id=conversation, after=0))
    told = [load_outbound(row["payload"]) for row in rows]
    return [each for each in told if each.buttons and each.buttons[0].value.startswith("o:show:")]


async def test_three_late_replies_become_one_digest_and_show_sends_each_of_them_once(store: Store) -> None:
    provider = Provider()
    ids = [(await store.run(send, message(f"reply {n}"), f"d{n}")).outbox_id for n in range(3)]
    working = replace(message("working"), kind=OutboundKind.WORKING)
    await store.run(send, working, "w")
    await settle(store, {"remote": provider}, rules(remote=BRIEF))
    assert len(provider.texts) == 1
    assert provider.texts[0].startswith("3 messages came too late and were not sent:")
    assert "`reply 0`" in provider.texts[0]
    assert "working" not in provider.texts[0]
    assert [await state_of(store, id) for id in ids] == ["expired"] * 3
    (digest,) = await digests(store)
    handle = handle_of(digest)
    assert [kept.conversation_id for kept in await store.run(kept_back, handle)] == ["remote:c"] * 3
    assert await store.run(show_late, handle) == 3
    assert await store.run(show_late, handle) == 0
    await settle(store, {"remote": provider})
    assert provider.order[1:] == ["reply 0", "reply 1", "reply 2"]


async def test_what_becomes_late_before_the_digest_was_seen_joins_it(store: Store) -> None:
    provider = Provider()

    def before(deed: str, outbound: Outbound) -> None:
        raise NotReached("away")

    provider.before = before
    await store.run(send, message("first"), "d1")
    await settle(store, {"remote": provider}, rules(remote=BRIEF), until_s=0.3)
    for n in range(8):
        await store.run(send, message(f"more {n}"), f"m{n}")
    provider.before = lambda deed, outbound: None
    await settle(store, {"remote": provider}, rules(remote=BRIEF))
    said = [text for text in provider.texts if "too late" in text]
    assert sum(int(text.split()[0]) for text in said) == 9
    assert len(said) <= 2  # the second one only where the first one was seen already


async def test_what_is_visible_is_completed_however_late_it_is(store: Store) -> None:
    provider, errors = Provider(), [Unavailable("lost")]

    def before(deed: str, outbound: Outbound) -> None:
        if deed == "edit" and errors:
            raise errors.pop()

    provider.before = before
    await store.run(send, message("answer"), "d")
    await settle(store, {"remote": provider}, until_s=0.2)
    assert list(provider.seen.values()) == [DOTS]
    await settle(store, {"remote": provider}, rules(remote=BRIEF))
    assert provider.texts == ["answer"]


async def test_a_late_message_of_another_conversation_is_told_of_there(store: Store) -> None:
    provider = Provider()
    for conversation in ("a", "b"):
        await store.run(send, message(f"for {conversation}", conversation), conversation)
    await settle(store, {"remote": provider}, rules(remote=BRIEF))
    assert len(await digests(store, "remote:a")) == len(await digests(store, "remote:b")) == 1
    assert await digests(store, "remote:c") == []


async def test_an_unknown_message_is_told_of_at_both_places_and_sent_again_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marks, "MAX_ATTEMPTS", 1)
    provider, shelf, errors = Provider(), Shelf(), [Unavailable("the answer was lost")]

    def after(deed: str, outbound: Outbound) -> None:
        if errors:
            raise errors.pop()

    provider.after = after
    receipt = await store.run(send, message("precious"), "d")
    await settle(store, {"remote": provider, "notes": shelf}, rules(NOTES))
    assert await state_of(store, receipt.outbox_id) == "unknown"
    (note,) = shelf.told
    assert note.buttons[0].value == f"o:resend:{receipt.outbox_id}"
    assert "Nobody can tell" in note.text
    assert "precious" in note.text
    assert any("Nobody can tell" in text for text in provider.texts)
    kept = await store.run(outcome, receipt.outbox_id)
    assert kept is not None
    assert kept.conversation_id == "remote:c"
    assert [await store.run(resend, receipt.outbox_id) for _ in range(3)] == [True, False, False]
    await settle(store, {"remote": provider, "notes": shelf}, rules(NOTES))
    assert provider.order.count("precious") == 1
    assert not await store.run(resend, receipt.outbox_id)


async def test_a_place_that_refuses_the_first_message_gets_no_second_one(store: Store) -> None:
    provider, shelf = Provider(), Shelf()

    def before(deed: str, outbound: Outbound) -> None:
        raise Refused("the bot was blocked")

    provider.before = before
    await store.run(send, message("hello"), "d")
    await settle(store, {"remote": provider, "notes": shelf}, rules(NOTES))
    assert len(provider.calls) == 1
    assert "the bot was blocked" in shelf.told[0].text


async def test_a_message_whose_newer_form_is_there_is_not_sent_again(store: Store) -> None:
    provider, errors = Provider(), [Refused("no buttons today")]

    def before(deed: str, outbound: Outbound) -> None:
        if deed == "edit" and errors:
            raise errors.pop()

    provider.before = before
    old = await store.run(send, message("card"), "d1")
    await store.run(send, replace(message("decided"), key="card"), "d2")
    await settle(store, {"remote": provider})
    assert await state_of(store, old.outbox_id) == "failed"
    assert not await store.run(resend, old.outbox_id)
    assert provider.texts == ["decided"]


async def test_a_note_that_fails_itself_is_told_of_nowhere(store: Store) -> None:
    class Sour(Shelf):
        def render(self, outbound: Outbound) -> str:
            raise ValueError("nothing can be shown")

    provider = Provider()

    def before(deed: str, outbound: Outbound) -> None:
        raise Refused("no")

    provider.before = before
    await store.run(send, message("x"), "d")
    await settle(store, {"remote": provider, "notes": Sour()}, rules(NOTES))
    counts = await store.fetch_one("transport.counts")
    assert counts is not None
    assert (counts["failed"], counts["unsent"]) == (2, 0)


async def test_nobody_is_written_to_who_never_wrote_unless_a_person_approved_it(store: Store) -> None:
    provider, shelf = Provider(), Shelf()
    policy = replace(DEFAULTS["mail"], has_jitter=False)
    own = message("unasked", "Bob@Example.org", "mail")
    await store.run(send, own, "d1", turn_id=1)
    await settle(store, {"mail": provider, "notes": shelf}, rules(NOTES, mail=policy))
    assert provider.calls == []
    assert "never wrote here" in shelf.told[0].text
    assert await store.run(add_contact, "mail", "bob@example.org", "approved")
    await store.run(send, replace(own, text="approved", key="k2"), "d2", turn_id=1)
    await settle(store, {"mail": provider, "notes": shelf}, rules(NOTES, mail=policy))
    assert provider.texts == ["approved"]


async def test_the_same_text_that_nobody_asked_for_goes_out_once(store: Store) -> None:
    provider = Provider()
    ids = [
        (await store.run(send, replace(message("ping"), key=f"k{n}"), f"d{n}", turn_id=1)).outbox_id for n in range(3)
    ]
    await settle(store, {"remote": provider})
    assert provider.texts == ["ping"]
    assert [await state_of(store, id) for id in ids] == ["sent", "merged", "merged"]


async def test_progress_is_never_mailed(store: Store) -> None:
    provider = Provider()
    working = replace(message("working", "a@b.c", "mail"), kind=OutboundKind.WORKING)
    await store.run(send, working, "w")
    await settle(store, {"mail": provider}, rules(mail=DEFAULTS["mail"]))
    assert provider.calls == []


async def test_a_correspondent_gets_at_most_so_many_mails_an_hour(store: Store) -> None:
    provider = Provider()
    for n in range(30):
        await store.run(send, message(str(n), "loop@example.org", "mail"), str(n))
    await settle(store, {"mail": provider}, rules(mail=DEFAULTS["mail"]), until_s=1)
    assert len(provider.texts) == 5  # and then one every twelve minutes: at most ten in any hour


async def test_no_answer_waits_behind_what_is_held_back_until_the_morning(store: Store) -> None:
    provider = Provider()
    hours = (time(0, 0), time(23, 59, 59))
    policy = Policy(quiet=hours)
    held = await store.run(send, message("unasked"), "d1", turn_id=1)
    await store.run(send, message("answer"), "d2")
    await settle(store, {"remote": provider}, rules(remote=policy), until_s=0.5)
    assert provider.texts == ["answer"]
    row = await store.run(lambda tx: tx.one("transport.outbox_by_id", id=held.outbox_id))
    assert row is not None
    assert row["expires_at"] > await store.run(lambda tx: tx.now) + 3600 - 60  # what we hold back is not late for it
