"""Slack end to end: the real Bolt and SDK over real sockets, the real transport, a real database."""

from __future__ import annotations

import asyncio
import time

from layers.errors import AccountState, Unavailable
from layers.store import Store
from layers.types import Inbound, InboundKind
from tests.adapters.ports import NOTE
from tests.adapters.slack.bot import QUICK, running
from tests.adapters.slack.conftest import Until
from tests.fakes.slack_server import SlackServer


async def test_a_mention_that_slack_tells_of_twice_is_one_event(store: Store, slack: SlackServer, until: Until) -> None:
    async with running(store, slack.url) as bot:
        envelopes = slack.people.mention("C1", "U0OWNER", "hello")
        await until(lambda: all(envelope.acked.is_set() for envelope in envelopes))
        await until(lambda: slack.workspace.said("C1") == ["echo: hello"])
        assert [event.text for event in bot.events] == ["hello"]
        assert len(bot.accepted) == 2


async def test_nothing_is_acknowledged_before_it_is_committed(store: Store, slack: SlackServer, until: Until) -> None:
    async with running(store, slack.url) as bot:
        released = asyncio.Event()

        async def hold(inbound: Inbound) -> None:
            await released.wait()

        bot.before_commit = hold
        envelope = slack.people.direct("D1", "U0OWNER", "hello")
        await until(lambda: envelope.sent >= 1)
        await asyncio.sleep(0.2)
        assert not envelope.acked.is_set()
        released.set()
        await until(envelope.acked.is_set)
        assert (await store.fetch_one("transport.counts")) is not None
        await until(lambda: slack.workspace.said("D1") == ["echo: hello"])


async def test_what_could_not_be_committed_comes_again(store: Store, slack: SlackServer, until: Until) -> None:
    async with running(store, slack.url) as bot:
        failures = [Unavailable("the database is gone")]

        async def fail_once(inbound: Inbound) -> None:
            if failures:
                raise failures.pop()

        bot.before_commit = fail_once
        envelope = slack.people.direct("D1", "U0OWNER", "hello")
        await until(lambda: slack.workspace.said("D1") == ["echo: hello"])
        assert envelope.sent == 2


async def test_a_thread_is_a_conversation_of_its_own(lite: Store, slack: SlackServer, until: Until) -> None:
    async with running(lite, slack.url) as bot:
        slack.people.mention("C1", "U0OWNER", "hello", thread_ts="1700000000.000001")
        await until(lambda: slack.workspace.said("C1") == ["echo: hello"])
        assert bot.events[0].address.id == "slack:T0HOUSE/C1:1700000000.000001"
        assert slack.called("chat.postMessage")[0].arguments["thread_ts"] == "1700000000.000001"


async def test_a_slash_command_arrives_with_its_subcommand(lite: Store, slack: SlackServer, until: Until) -> None:
    async with running(lite, slack.url) as bot:
        envelope = slack.people.command("C1", "U0OWNER", "run host.uptime")
        await until(envelope.acked.is_set)
        assert envelope.answer == {}
        await until(lambda: bot.events)
        assert bot.events[0].text == "/bulkhead run host.uptime"


async def test_a_press_names_its_message_and_edits_it(store: Store, slack: SlackServer, until: Until) -> None:
    async with running(store, slack.url) as bot:
        slack.people.mention("C1", "U0OWNER", "buttons")
        await until(lambda: slack.workspace.said("C1") == ["echo: buttons"])
        envelope = slack.people.press("C1", "Approve", "U0OWNER")
        await until(lambda: slack.workspace.said("C1") == ["approval:approve:abc by Owner"])
        assert envelope.acked.is_set()
        pressed = bot.events[-1]
        assert (pressed.kind, pressed.address) == (InboundKind.PRESS, bot.events[0].address)
        assert pressed.press is not None
        assert pressed.press.key.startswith("t")
        assert all(block["type"] != "actions" for block in slack.workspace.channels["C1"][-1]["blocks"])


async def test_a_press_under_a_message_with_answers_stays_in_its_conversation(
    lite: Store, slack: SlackServer, until: Until
) -> None:
    async with running(lite, slack.url) as bot:
        slack.people.mention("C1", "U0OWNER", "buttons")
        await until(lambda: slack.workspace.said("C1") == ["echo: buttons"])
        root = slack.workspace.channels["C1"][-1]
        root["thread_ts"] = root["ts"]  # somebody answered under it
        slack.people.press("C1", "Deny", "U0OWNER")
        await until(lambda: len(bot.events) == 2)
        assert bot.events[1].address == bot.events[0].address


async def test_a_picture_its_text_and_its_buttons_are_one_message(
    lite: Store, slack: SlackServer, until: Until
) -> None:
    slack.workspace.processing_s = 0.3
    async with running(lite, slack.url):
        slack.people.mention("C1", "U0OWNER", "picture")
        await until(lambda: slack.workspace.said("C1") == ["echo: picture"])
        message = slack.workspace.channels["C1"][-1]
        assert [block["type"] for block in message["blocks"]] == ["rich_text", "image", "actions"]
        assert slack.called("chat.update")[0].outcome == "ok"
        slack.people.press("C1", "Approve", "U0OWNER")
        await until(lambda: "by Owner" in slack.workspace.said("C1")[0])
        assert len(slack.called("files.completeUploadExternal")) == 1


async def test_an_image_that_slack_will_not_show_becomes_a_link(lite: Store, slack: SlackServer, until: Until) -> None:
    slack.fail(method="chat.update", error="invalid_blocks")
    async with running(lite, slack.url):
        slack.people.mention("C1", "U0OWNER", "picture")
        await until(lambda: slack.workspace.said("C1") == ["echo: picture"])
        blocks = slack.workspace.channels["C1"][-1]["blocks"]
        assert [block["type"] for block in blocks] == ["rich_text", "rich_text", "actions"]
        assert "https://house.slack.com/files/" in str(blocks[1])


async def test_a_long_answer_whose_posting_was_not_answered_is_not_doubled(
    lite: Store, slack: SlackServer, until: Until
) -> None:
    async with running(lite, slack.url):
        slack.people.mention("C1", "U0OWNER", "hello")
        await until(lambda: slack.workspace.said("C1") == ["echo: hello"])
        slack.fail(method="chat.postMessage", channel="C2", slow_s=0.01)  # the placeholder goes well
        slack.fail(method="chat.postMessage", channel="C2", is_drop=True)  # the second part does not
        slack.people.mention("C2", "U0OWNER", "long")
        await until(lambda: sum(text.count("long") for text in slack.workspace.said("C2")) == 1500)
        await asyncio.sleep(0.3)
        assert len(slack.workspace.said("C2")) == 3
        assert slack.called("conversations.history")


async def test_a_final_message_whose_connection_broke_is_not_doubled(
    store: Store, slack: SlackServer, until: Until
) -> None:
    slack.fail(method="chat.update", is_drop=True, times=2)
    async with running(store, slack.url):
        slack.people.mention("C1", "U0OWNER", "hello")
        await until(lambda: len(slack.called("chat.update")) == 3)
        assert slack.workspace.said("C1") == ["echo: hello"]


async def test_a_placeholder_whose_connection_broke_leaves_dots_and_no_double(
    lite: Store, slack: SlackServer, until: Until
) -> None:
    slack.fail(method="chat.postMessage", is_drop=True)
    async with running(lite, slack.url):
        slack.people.mention("C1", "U0OWNER", "hello")
        await until(lambda: "echo: hello" in slack.workspace.said("C1"))
        assert sorted(slack.workspace.said("C1")) == sorted(["…", "echo: hello"])


async def test_a_working_message_becomes_the_answer(lite: Store, slack: SlackServer, until: Until) -> None:
    async with running(lite, slack.url):
        slack.people.mention("C1", "U0OWNER", "slowly")
        await until(lambda: slack.workspace.said("C1") == ["echo: slowly"])
        assert slack.called("chat.postMessage")[0].arguments["text"] == "Working…"
        assert len(slack.called("chat.postMessage")) == 1


async def test_refreshed_sockets_lose_nothing_and_are_never_all_gone(
    lite: Store, slack: SlackServer, until: Until
) -> None:
    async with running(lite, slack.url):
        for n in range(12):
            slack.sockets.refresh("warning" if n % 4 == 3 else "refresh_requested", grace_s=0.1)
            slack.people.direct("D1", "U0OWNER", f"message {n}")
            await asyncio.sleep(0.05)
        await until(lambda: len(slack.workspace.said("D1")) == 12)
        await until(lambda: sorted(slack.workspace.said("D1")) == sorted(f"echo: message {n}" for n in range(12)))
        await until(lambda: slack.sockets.unserved() == [])
        assert slack.sockets.moments_without_socket == 0


async def test_sockets_that_went_deaf_are_replaced_and_are_no_health(
    lite: Store, slack: SlackServer, until: Until
) -> None:
    timing = QUICK.__class__(deaf_after_s=1.5, check_every_s=0.1, ping_every_s=0.3, open_within_s=5)
    async with running(lite, slack.url, timing) as bot:
        await until(lambda: len(slack.sockets.sockets) == 2)
        assert bot.account.health.state is AccountState.HEALTHY
        slack.sockets.mute()
        await until(lambda: len(slack.called("apps.connections.open")) >= 4)
        envelope = slack.people.direct("D1", "U0OWNER", "hello")
        await until(envelope.acked.is_set)
        assert bot.account.health.state is AccountState.HEALTHY


async def test_what_was_said_during_a_silence_is_caught_up(lite: Store, slack: SlackServer, until: Until) -> None:
    timing = QUICK.__class__(deaf_after_s=1.0, check_every_s=0.1, ping_every_s=0.3, open_within_s=5)
    async with running(lite, slack.url, timing) as bot:
        slack.people.direct("D1", "U0OWNER", "before")
        await until(lambda: slack.workspace.said("D1") == ["echo: before"])
        await until(lambda: len(slack.sockets.sockets) == 2)
        slack.sockets.mute()
        slack.people.message("D1", "U0OWNER", "meanwhile")  # Slack gave up telling of it
        await until(lambda: slack.workspace.said("D1") == ["echo: before", "echo: meanwhile"])
        assert [event.text for event in bot.events] == ["before", "meanwhile"]


async def test_what_was_said_while_it_was_stopped_is_answered_after_the_start(
    lite: Store, slack: SlackServer, until: Until
) -> None:
    first = slack.people.message("D1", "U0OWNER", "before")
    slack.people.message("D1", "U0OWNER", "meanwhile")
    slack.fail(method="conversations.history", error="ratelimited", retry_after_s=0.2)
    async with running(lite, slack.url) as bot:
        await bot.account.stop()
        await bot.account.start(since={"D1": first["ts"]})
        await until(lambda: slack.workspace.said("D1") == ["echo: meanwhile"])


async def test_open_sockets_without_frames_are_not_called_healthy(
    lite: Store, slack: SlackServer, until: Until
) -> None:
    timing = QUICK.__class__(deaf_after_s=0.8, check_every_s=60, ping_every_s=0.3, open_within_s=5)
    async with running(lite, slack.url, timing) as bot:
        await until(lambda: len(slack.sockets.sockets) == 2)
        slack.sockets.mute()
        await until(lambda: bot.account.health.state is AccountState.DEGRADED)
        assert len(slack.sockets.sockets) == 2


async def test_a_429_of_one_channel_holds_up_no_other(store: Store, slack: SlackServer, until: Until) -> None:
    closed = slack.fail(channel="C0", error="ratelimited", retry_after_s=2.0)
    async with running(store, slack.url):
        for n in range(6):
            slack.people.mention(f"C{n}", "U0OWNER", "hello")
        started = time.monotonic()
        await until(lambda: all(slack.workspace.said(f"C{n}") == ["echo: hello"] for n in range(1, 6)))
        assert time.monotonic() - started < 1.5
        assert slack.workspace.said("C0") == []
        await until(lambda: slack.workspace.said("C0") == ["echo: hello"])
        early = [call for call in slack.calls if call.channel == "C0" and call.at < closed.until]
        assert len(early) == 1


async def test_a_revoked_token_stops_every_call(lite: Store, slack: SlackServer, until: Until) -> None:
    async with running(lite, slack.url) as bot:
        slack.dead_with = "token_revoked"
        slack.people.mention("C1", "U0OWNER", "one")
        await until(lambda: len(bot.told) > 1)
        await until(lambda: not slack.sockets.sockets)
        made = len(slack.calls)
        await asyncio.sleep(1.5)
        assert len(slack.calls) == made
        assert bot.account.health.state is AccountState.REVOKED
        assert bot.told[1:] == [(AccountState.REVOKED, bot.account.health.reason)]
        assert "token_revoked" in bot.told[1][1]


async def test_a_token_that_was_dead_from_the_start_is_tried_once(
    lite: Store, slack: SlackServer, until: Until
) -> None:
    slack.dead_with = "account_inactive"
    async with running(lite, slack.url) as bot:
        await asyncio.sleep(1.3)
        assert [call.method for call in slack.calls] == ["auth.test"]
        assert bot.account.health.state is AccountState.SUSPENDED


async def test_an_event_that_revokes_the_tokens_stops_every_call(lite: Store, slack: SlackServer, until: Until) -> None:
    async with running(lite, slack.url) as bot:
        slack.people.event({"type": "tokens_revoked", "tokens": {"oauth": [], "bot": ["U0BOT"]}})
        await until(lambda: not slack.sockets.sockets)
        assert bot.account.health.state is AccountState.REVOKED


async def test_slack_that_cannot_be_reached_is_tried_again(lite: Store, slack: SlackServer, until: Until) -> None:
    slack.fail(method="auth.test", is_drop=True)
    async with running(lite, slack.url) as bot:
        assert bot.account.health.state is AccountState.DEGRADED
        await until(lambda: bot.account.health.state is AccountState.HEALTHY)
        slack.people.mention("C1", "U0OWNER", "hello")
        await until(lambda: slack.workspace.said("C1") == ["echo: hello"])


async def test_a_stranger_is_told_once_in_private_and_never_in_a_group(
    lite: Store, slack: SlackServer, until: Until
) -> None:
    async with running(lite, slack.url) as bot:
        envelopes = [slack.people.direct("D9", "U0STRANGER", text) for text in ("hi", "hello?")]
        envelopes += slack.people.mention("C1", "U0STRANGER", "hi")
        envelopes.append(slack.people.command("C1", "U0STRANGER", "help"))
        await until(lambda: all(envelope.acked.is_set() for envelope in envelopes))
        await until(lambda: slack.workspace.said("D9") not in ([], ["…"]))
        assert len(slack.workspace.said("D9")) == 1
        assert "slack:T0HOUSE:U0STRANGER" in slack.workspace.said("D9")[0]
        assert NOTE in envelopes[-1].answer["text"]
        assert slack.workspace.said("C1") == []
        assert bot.accepted == []


async def test_bots_and_the_bot_itself_are_acknowledged_and_ignored(
    lite: Store, slack: SlackServer, until: Until
) -> None:
    async with running(lite, slack.url) as bot:
        said = {"type": "message", "channel": "D1", "channel_type": "im", "text": "hi"}
        envelopes = [
            slack.people.event({**said, "ts": "1.1", "user": "U0BOT", "bot_id": "B0BOT"}),
            slack.people.event({**said, "ts": "1.2", "user": "U0OTHER", "bot_id": "B0OTHER"}),
            slack.people.event({**said, "ts": "1.3", "subtype": "bot_message", "bot_id": "B0OTHER"}),
            slack.people.event({**said, "ts": "1.4", "user": "U0OWNER", "channel_type": "channel"}),
            slack.people.event({"type": "team_join", "user": {"id": "U0NEW"}}),
        ]
        await until(lambda: all(envelope.acked.is_set() for envelope in envelopes))
        assert bot.accepted == []


async def test_mentions_in_an_answer_are_dead_text(lite: Store, slack: SlackServer, until: Until) -> None:
    async with running(lite, slack.url):
        slack.people.mention("C1", "U0OWNER", "say &lt;!channel&gt; and &lt;@U0OWNER&gt; and @here")
        await until(lambda: any("echo: say" in text for text in slack.workspace.said("C1")))
        message = slack.workspace.channels["C1"][-1]
        assert "<" not in message["text"]
        kinds = {element["type"] for block in message["blocks"] for element in block["elements"][0]["elements"]}
        assert kinds == {"text"}


async def test_code_that_is_too_long_for_a_message_is_linked_as_a_file(
    lite: Store, slack: SlackServer, until: Until
) -> None:
    async with running(lite, slack.url):
        slack.people.mention("C1", "U0OWNER", "code")
        await until(lambda: any("code-1.py" in text for text in slack.workspace.said("C1")))
        assert "https://house.slack.com/files/" in str(slack.workspace.channels["C1"][-1]["blocks"])
        (file,) = slack.workspace.files.values()
        assert file["bytes"] == b"x = 1\n" * 5000


async def test_tokens_travel_in_headers_and_nowhere_else(lite: Store, slack: SlackServer, until: Until) -> None:
    async with running(lite, slack.url):
        slack.people.mention("C1", "U0OWNER", "picture")
        await until(lambda: slack.workspace.said("C1") == ["echo: picture"])
    assert {call.token for call in slack.calls} == {"xoxb-secret-bot", "xapp-secret-app"}
    assert not any("secret" in str(call.arguments) for call in slack.calls)
