"""An account in trouble: who is told, what is still called, and who may say that it goes on."""

from __future__ import annotations

import asyncio

import pytest

from layers.errors import AccountState
from layers.store import Store, open_store
from layers.transport import account, enrol, forget, put_account, recognise, resume, standings, synchronise
from tests.transport.test_people import FILE, OWNER, shown, wrote


@pytest.fixture
async def accounts(store: Store) -> Store:
    await store.run(synchronise, FILE)
    for channel in ("telegram", "slack"):
        await store.run(enrol, channel, "secret one")
        await store.run(put_account, channel, AccountState.HEALTHY, "")
    await store.run(recognise, wrote("telegram:42"))
    await store.run(recognise, wrote("slack:T1:U1", "T1/D1"))
    return store


async def state(store: Store, channel: str) -> AccountState:
    found = await store.run(account, channel)
    assert found is not None
    return found.state


@pytest.mark.parametrize("trouble", [AccountState.CHALLENGED, AccountState.SUSPENDED, AccountState.REVOKED])
async def test_the_owner_is_told_on_the_page_and_elsewhere_in_the_same_commit(
    accounts: Store, trouble: AccountState
) -> None:
    await accounts.run(put_account, "slack", trouble, "Slack says 'no'")
    for place in ("web:main", "telegram:42"):
        (card,) = await shown(accounts, place)
        assert f"slack is {trouble.value}" in str(card["text"])
        assert "Slack says 'no'." in str(card["text"])
        assert card["buttons"][0]["value"] == "h:resume:slack"  # type: ignore[index]
    assert await shown(accounts, "slack:T1/D1") == [], "nothing on the account itself"


async def test_the_same_trouble_is_told_once_and_a_worse_one_edits_the_message(accounts: Store) -> None:
    for _ in range(3):
        await accounts.run(put_account, "slack", AccountState.CHALLENGED, "sign in")
    assert len(await shown(accounts, "web:main")) == 1
    await accounts.run(put_account, "slack", AccountState.REVOKED, "token revoked")
    first, second = await shown(accounts, "web:main")
    assert first["key"] == second["key"]
    assert "revoked" in str(second["text"])


async def test_processes_that_see_it_at_once_tell_of_it_once(postgres_url: str) -> None:
    first, second = await open_store(postgres_url), await open_store(postgres_url)
    try:
        await first.run(synchronise, FILE)
        both = [store.run(put_account, "slack", AccountState.REVOKED, "gone") for store in (first, second) * 3]
        await asyncio.gather(*both)
        assert len(await shown(first, "web:main")) == 1
    finally:
        await first.close()
        await second.close()


async def test_only_a_person_takes_it_up_again_and_the_message_says_who(accounts: Store) -> None:
    before = await accounts.run(account, "slack")
    await accounts.run(put_account, "slack", AccountState.CHALLENGED, "sign in")
    for better in (AccountState.HEALTHY, AccountState.DEGRADED, AccountState.CONFLICT):
        await accounts.run(put_account, "slack", better, "")
        assert await state(accounts, "slack") is AccountState.CHALLENGED, better
    assert await accounts.run(resume, "slack", OWNER) == ""
    after = await accounts.run(account, "slack")
    assert before is not None
    assert after is not None
    assert not after.is_closed
    assert after.generation > before.generation, "whoever runs it starts it again"
    for place in ("web:main", "telegram:42"):
        card = (await shown(accounts, place))[-1]
        assert "Resumed by **Owner**" in str(card["text"])
        assert card["buttons"] == []
    assert "nothing to resume" in await accounts.run(resume, "slack", OWNER)
    assert "no account" in await accounts.run(resume, "pigeons", OWNER)


async def test_a_restart_does_not_resume_and_another_secret_does(accounts: Store) -> None:
    await accounts.run(put_account, "slack", AccountState.REVOKED, "token revoked")
    assert (await accounts.run(enrol, "slack", "secret one")).is_closed
    row = await accounts.run(enrol, "slack", "secret two")
    assert not row.is_closed
    assert row.fingerprint == "secret two"
    card = (await shown(accounts, "web:main"))[-1]
    assert "token was changed" in str(card["text"])


async def test_what_heals_by_itself_asks_for_nobody(accounts: Store) -> None:
    for passing in (AccountState.DEGRADED, AccountState.CONFLICT, AccountState.HEALTHY):
        await accounts.run(put_account, "slack", passing, "")
        assert await state(accounts, "slack") is passing
    assert await shown(accounts, "web:main") == []


async def test_an_account_without_a_token_is_forgotten_unless_it_is_closed(accounts: Store) -> None:
    await accounts.run(put_account, "slack", AccountState.SUSPENDED, "gone")
    await accounts.run(forget, frozenset[str]())
    assert [each.account.channel for each in await accounts.run(standings)] == ["slack"]
