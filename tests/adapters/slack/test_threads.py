"""Threads, edits, several names of one event, and what was said while nobody listened."""

from __future__ import annotations

import asyncio

from layers.store import Store
from tests.adapters.slack.bot import QUICK, running
from tests.adapters.slack.conftest import Until
from tests.adapters.slack.telling import OWNER, edit, reply
from tests.fakes.slack_server import SlackServer


async def test_a_reply_is_heard_where_the_bot_takes_part_and_nowhere_else(
    lite: Store, slack: SlackServer, until: Until
) -> None:
    async with running(lite, slack.url) as bot:
        slack.people.mention("C1", OWNER, "one")
        await until(lambda: slack.workspace.said("C1") == ["echo: one"])
        root, answer = slack.workspace.channels["C1"]
        elsewhere = slack.people.message("C1", "U0OTHER", "lunch?")
        away = reply(slack, "C1", elsewhere["ts"], "not for the bot")
        reply(slack, "C1", root["ts"], "under the mention")
        reply(slack, "C1", answer["ts"], "under the answer")
        await until(lambda: len(bot.events) == 3)
        await until(away.acked.is_set)
        said = {event.text: event.address.thread for event in bot.events}
        assert said == {"one": "", "under the mention": root["ts"], "under the answer": answer["ts"]}
        reply(slack, "C1", root["ts"], "and again")
        slack.people.mention("C1", OWNER, "come here", elsewhere["ts"])
        await until(lambda: len(bot.events) == 5)
        reply(slack, "C1", elsewhere["ts"], "now for the bot")
        await until(lambda: [event.text for event in bot.events[5:]] == ["now for the bot"])


async def test_an_edit_in_time_is_heard_once_and_a_late_one_or_an_unfolded_link_is_not(
    lite: Store, slack: SlackServer, until: Until
) -> None:
    async with running(lite, slack.url) as bot:
        slack.people.direct("D1", OWNER, "helo")
        await until(lambda: len(bot.events) == 1)
        message = slack.workspace.channels["D1"][0]
        envelopes = [edit(slack, "D1", message, "hello"), edit(slack, "D1", message, "hello")]
        await until(lambda: len(bot.events) == 2)
        envelopes.append(edit(slack, "D1", message, "goodbye", after_s=901))
        gone = {"type": "message", "subtype": "message_deleted", "channel": "D1", "channel_type": "im", "ts": "1.1"}
        envelopes.append(slack.people.event({**gone, "deleted_ts": message["ts"], "previous_message": message}))
        await until(lambda: all(envelope.acked.is_set() for envelope in envelopes))
        assert [event.text for event in bot.events] == ["helo", "hello"]
        await until(lambda: "echo: hello" in slack.workspace.said("D1"))


async def test_a_shared_channel_told_of_by_two_workspaces_is_one_conversation(
    lite: Store, slack: SlackServer, until: Until
) -> None:
    async with running(lite, slack.url) as bot:
        envelopes = slack.people.mention("C1", OWNER, "hello")
        other = {**envelopes[0].payload, "team_id": "T0OTHER", "event_id": "Ev99999999"}
        envelopes.append(slack.sockets.deliver("events_api", other, retries=3))
        await until(lambda: all(envelope.acked.is_set() for envelope in envelopes))
        assert [event.address.id for event in bot.events] == ["slack:T0HOUSE/C1"]
        names = {alias for event, _ in bot.accepted for alias in event.aliases}
        assert len([name for name in names if name.startswith("event:")]) == 3
        assert len([name for name in names if name.startswith("client:U0OWNER:")]) == 1


async def test_threads_and_places_never_seen_are_caught_up_after_a_stop(
    lite: Store, slack: SlackServer, until: Until
) -> None:
    async with running(lite, slack.url):
        slack.people.mention("C1", OWNER, "one")
        await until(lambda: slack.workspace.said("C1") == ["echo: one"])
        slack.people.mention("C2", OWNER, "two", slack.people.message("C2", "U0OTHER", "lunch?")["ts"])
        await until(lambda: slack.workspace.said("C2") == ["echo: two"])
    root, answer = slack.workspace.channels["C1"]
    lunch = slack.workspace.channels["C2"][0]
    slack.people.message("C1", OWNER, "a", root["ts"])
    slack.people.message("C1", OWNER, "b", answer["ts"])
    slack.people.message("C2", OWNER, "c", lunch["ts"])
    slack.people.message("D7", OWNER, "d")
    slack.people.message("C1", "U0OTHER", "chatter")
    slack.workspace.page = 1
    async with running(lite, slack.url) as bot:
        await until(lambda: sorted(event.text for event in bot.events) == ["a", "b", "c", "d"], 30)
        await asyncio.sleep(0.2)
        assert len(bot.events) == 4


async def test_what_is_older_than_a_day_is_left_alone(lite: Store, slack: SlackServer, until: Until) -> None:
    async with running(lite, slack.url):
        slack.people.direct("D1", OWNER, "one")
        await until(lambda: slack.workspace.said("D1") == ["echo: one"])
    await lite.run(lambda tx: tx.run("transport.read_until", channel="slack", name="D1", value="1700000000.000001"))
    old = slack.people.message("D1", OWNER, "old")
    old["ts"] = "1700000001.000001"
    slack.people.message("D1", OWNER, "new")
    async with running(lite, slack.url) as bot:
        await until(lambda: [event.text for event in bot.events] == ["new"])


async def test_a_deaf_account_says_so_and_says_when_it_hears_again(
    lite: Store, slack: SlackServer, until: Until
) -> None:
    timing = QUICK.__class__(deaf_after_s=1.0, check_every_s=0.1, ping_every_s=0.3, open_within_s=5)
    async with running(lite, slack.url, timing) as bot:
        await until(lambda: len(slack.sockets.sockets) == 2)
        slack.sockets.mute()
        await until(lambda: [state.value for state, _ in bot.told] == ["healthy", "degraded", "healthy"])


async def test_a_person_whose_own_token_was_revoked_is_no_trouble_of_the_account(
    lite: Store, slack: SlackServer, until: Until
) -> None:
    async with running(lite, slack.url) as bot:
        envelope = slack.people.event({"type": "tokens_revoked", "tokens": {"oauth": ["U0OWNER"], "bot": []}})
        await until(envelope.acked.is_set)
        slack.people.direct("D1", OWNER, "hello")
        await until(lambda: slack.workspace.said("D1") == ["echo: hello"])
        assert [state.value for state, _ in bot.told] == ["healthy"]
