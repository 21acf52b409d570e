"""Slack's errors become ours, and a call that Slack would not understand is caught by the fake."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from bot.adapters.slack.api import SlackApi
from bot.adapters.slack.channel import SlackChannel, rendered_of
from bot.adapters.slack.writing import Reference
from layers.errors import (
    AccountState,
    AccountTrouble,
    BulkheadError,
    Misconfigured,
    RateLimited,
    Refused,
    Unavailable,
)
from layers.types import Address, Outbound
from tests.adapters.slack.bot import media
from tests.fakes.slack_server import SlackServer

OUTBOUND = Outbound(address=Address(channel="slack", conversation="T1/C1"), key="t1", text="hello")


@pytest.fixture
async def api(slack: SlackServer) -> AsyncIterator[SlackApi]:
    opened = SlackApi(SecretStr("xoxb-secret"), slack.url)
    opened.open()
    yield opened
    await opened.close()


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("invalid_auth", AccountTrouble),
        ("account_inactive", AccountTrouble),
        ("token_revoked", AccountTrouble),
        ("two_factor_setup_required", AccountTrouble),
        ("missing_scope", Misconfigured),
        ("channel_not_found", Refused),
        ("not_in_channel", Refused),
        ("restricted_action", Refused),
        ("internal_error", Unavailable),
        ("something_new", Refused),
    ],
)
async def test_every_error_of_slack_is_one_of_ours(
    api: SlackApi, slack: SlackServer, code: str, kind: type[BulkheadError]
) -> None:
    slack.fail(error=code)
    with pytest.raises(kind) as caught:
        await api.call("chat.postMessage", "C1", channel="C1", text="hello")
    assert type(caught.value) is kind
    assert "secret" not in str(caught.value)


async def test_a_429_names_its_bucket_and_how_long_it_is_closed(api: SlackApi, slack: SlackServer) -> None:
    slack.fail(error="ratelimited", retry_after_s=7.0)
    with pytest.raises(RateLimited) as caught:
        await api.call("chat.postMessage", "C1", channel="C1", text="hello")
    assert caught.value.bucket == "slack:chat.postMessage:C1"
    assert 6 < caught.value.retry_after_s <= 7


async def test_a_broken_connection_is_no_reason_to_call_twice(api: SlackApi, slack: SlackServer) -> None:
    slack.fail(is_drop=True)
    with pytest.raises(Unavailable):
        await api.call("chat.postMessage", "C1", channel="C1", text="hello")
    assert slack.workspace.said("C1") == ["hello"]


async def test_a_suspended_account_is_called_no_more(api: SlackApi, slack: SlackServer) -> None:
    slack.fail(error="account_inactive")
    for _ in range(3):
        with pytest.raises(AccountTrouble) as caught:
            await api.call("auth.test")
        assert caught.value.state is AccountState.SUSPENDED
    assert len(slack.calls) == 1


async def test_editing_twice_is_editing_once(api: SlackApi, slack: SlackServer) -> None:
    channel = SlackChannel(api, media)
    reference = await channel.place(OUTBOUND)
    assert slack.workspace.said("C1") == ["…"]
    once = await channel.edit(reference, OUTBOUND)
    assert await channel.edit(reference, OUTBOUND) == await channel.edit(once, OUTBOUND) == once
    assert slack.workspace.said("C1") == ["hello"]


async def test_an_answer_that_became_shorter_leaves_no_rest(api: SlackApi, slack: SlackServer) -> None:
    channel = SlackChannel(api, media)
    text = "many words\n" * 700
    long = Outbound(address=OUTBOUND.address, key="t1", text=text)
    reference = await channel.edit(await channel.place(long), long)
    assert len(Reference.load(reference).stamps) == len(slack.workspace.said("C1")) > 1
    await channel.edit(reference, OUTBOUND)
    assert slack.workspace.said("C1") == ["hello"]


async def test_a_message_that_slack_says_it_has_is_posted_all_the_same(api: SlackApi, slack: SlackServer) -> None:
    slack.fail(method="chat.postMessage", error="duplicate_message_not_found")
    await SlackChannel(api, media).place(OUTBOUND)
    assert slack.workspace.said("C1") == ["…"]


async def test_a_429_closes_the_method_and_only_postings_by_channel(api: SlackApi, slack: SlackServer) -> None:
    slack.fail(method="chat.update", error="ratelimited", retry_after_s=7.0)
    with pytest.raises(RateLimited) as caught:
        await api.call("chat.update", "C1", channel="C1", ts="1.1", text="hello")
    assert caught.value.bucket == "slack:chat.update"


@pytest.mark.parametrize("thread", ["", "17.1"])
async def test_a_placeholder_whose_place_was_lost_is_found_in_one_call(
    api: SlackApi, slack: SlackServer, thread: str
) -> None:
    channel = SlackChannel(api, media)
    channel.house = "one"
    outbound = Outbound(address=Address(channel="slack", conversation="T1/C1", thread=thread), key="t1", text="hello")
    assert await channel.find(outbound) is None
    reference = await channel.place(outbound)
    made = len(slack.calls)
    assert await channel.find(outbound) == reference
    assert len(slack.calls) == made + 1
    channel.house = "two"  # another installation in the same workspace, whose keys count from 1 as well
    assert await channel.find(outbound) is None


async def test_a_long_message_is_found_with_all_of_its_parts(api: SlackApi, slack: SlackServer) -> None:
    channel = SlackChannel(api, media)
    long = Outbound(address=OUTBOUND.address, key="t1", text="many words\n" * 700)
    reference = await channel.edit(await channel.place(long), long)
    assert await channel.find(long) == reference


async def test_a_huge_text_keeps_nobody_else_waiting(api: SlackApi, slack: SlackServer) -> None:
    channel = SlackChannel(api, media)
    huge = Outbound(address=OUTBOUND.address, key="t1", text="- a\n" * 5_000)
    reference = await channel.place(huge)
    turns = 0

    async def tick() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    ticking = asyncio.create_task(tick())
    rendered = await rendered_of(huge)
    assert turns > 10
    ticking.cancel()
    assert rendered
    await channel.edit(reference, huge)


@pytest.mark.parametrize(
    "arguments",
    [
        {"text": "x" * 40_001},
        {"text": "x", "blocks": [{"type": "divider"}] * 51},
        {"text": "x", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}]},
        {"text": "x", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": ""}}]},
        {"text": "x", "blocks": [{"type": "divider", "block_id": "a"}, {"type": "divider", "block_id": "a"}]},
        {"text": "x", "blocks": [{"type": "actions", "elements": []}]},
        {"text": "x", "blocks": [{"type": "marquee"}]},
    ],
)
async def test_the_fake_finds_what_breaks_a_limit(
    api: SlackApi, slack: SlackServer, arguments: dict[str, object]
) -> None:
    with pytest.raises(Refused):
        await api.call("chat.postMessage", "C1", channel="C1", **arguments)
    assert slack.violations
    slack.violations.clear()


async def test_the_fake_finds_what_the_specification_does_not_know(api: SlackApi, slack: SlackServer) -> None:
    if not slack.spec:
        pytest.skip("no slack-methods.json beside the repository")
    for arguments in ({"channel": "C1", "text": "x", "txt": "x"}, {"channel": "C1", "text": "x", "link_names": 5}):
        with pytest.raises(Refused):
            await api.call("chat.update", "C1", ts="1.1", **arguments)
    assert [problem.split(" ")[0] for problem in slack.violations] == ["chat.update", "chat.update.link_names"]
    slack.violations.clear()
