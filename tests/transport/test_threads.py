"""Which conversation a mail belongs to, on both databases."""

from __future__ import annotations

from dataclasses import replace

from layers.store import Store
from layers.transport import Letter, conversation_of, forget_letter, letter_to_answer, put_letter, sent_letter
from layers.transport.threads import ANCESTORS_KEPT, shortened

ANNA = Letter(
    correspondent="anna@x.test",
    message_id="<1@anna>",
    conversation="mail:anna@x.test:abc",
    subject="A question",
    ancestors=("<root@anna>",),
    hops=1,
)
OURS = replace(ANNA, message_id="<1@bot>", key="t1", ancestors=("<root@anna>", "<1@anna>"))


async def test_a_mail_is_written_down_once_and_found_by_what_it_is_answered_with(store: Store) -> None:
    assert await store.run(put_letter, ANNA)
    assert await store.run(put_letter, OURS)
    assert not await store.run(put_letter, replace(ANNA, conversation="mail:anna@x.test:other"))
    assert await conversation_of(store, "anna@x.test", ["<unknown@x>", "<1@bot>"]) == ANNA.conversation
    found = await letter_to_answer(store, ANNA.conversation)
    assert found is not None
    assert (found.message_id, found.subject, found.ancestors, found.hops) == (
        "<1@anna>",
        "A question",
        ("<root@anna>",),
        1,
    )


async def test_nobody_gets_into_a_thread_of_somebody_elses_by_its_id(store: Store) -> None:
    await store.run(put_letter, ANNA)
    assert await conversation_of(store, "eve@x.test", ["<1@anna>"]) == ""
    assert await store.run(put_letter, replace(ANNA, correspondent="eve@x.test"))


async def test_only_a_mail_of_ours_can_bounce(store: Store) -> None:
    await store.run(put_letter, ANNA)
    await store.run(put_letter, OURS)
    assert await sent_letter(store, "<1@anna>") is None
    found = await sent_letter(store, "<1@bot>")
    assert found is not None
    assert (found.correspondent, found.key) == ("anna@x.test", "t1")


async def test_a_conversation_that_we_began_is_answered_below_our_own_mail(store: Store) -> None:
    await store.run(put_letter, OURS)
    found = await letter_to_answer(store, OURS.conversation)
    assert found is not None
    assert found.message_id == "<1@bot>"
    await store.run(forget_letter, OURS.correspondent, OURS.message_id)
    assert await letter_to_answer(store, OURS.conversation) is None


def test_of_many_ancestors_the_first_and_the_last_are_kept() -> None:
    ids = tuple(f"<{n}@x>" for n in range(100))
    kept = shortened(ids)
    assert len(kept) == ANCESTORS_KEPT
    assert (kept[0], kept[-1], kept[1]) == (ids[0], ids[-1], ids[-ANCESTORS_KEPT + 1])
