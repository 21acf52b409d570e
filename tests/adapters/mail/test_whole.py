"""Mail in and out through a real Dovecot and a real Exim."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from bot.adapters.mail import sending
from layers.errors import AccountState
from layers.store import Store, open_store
from tests.adapters.mail.rig import KNOWN, TinyBot, running, settings, until
from tests.conftest import REPO
from tests.fakes.mail_servers import MailServers, text_of
from tests.fakes.tcp_proxy import proxied


async def is_reading(bot: TinyBot) -> None:
    await until(lambda: bot.account.state is AccountState.HEALTHY)


async def quiet(servers: MailServers, person: str, count: int, folder: str = "INBOX") -> None:
    """After a while there are still so many."""
    await asyncio.sleep(1.5)
    assert len(await asyncio.to_thread(servers.mails, person, folder)) == count


async def test_a_mail_is_answered_in_its_thread_by_one_mail(servers: MailServers, lite: Store) -> None:
    async with running(lite, settings(servers.imap, servers.smtp)) as bot:
        await is_reading(bot)
        first = await asyncio.to_thread(servers.say, "How are you?", subject="A question")
        (reply,) = await asyncio.to_thread(servers.wait_for, "anna")
        assert (reply["Subject"], reply["To"]) == ("Re: A question", "anna@example.test")
        assert reply["In-Reply-To"] == first
        assert reply["References"].split() == [first]
        assert reply["Auto-Submitted"] == "auto-replied"
        assert text_of(reply) == "echo: A question\n\nHow are you?\n"
        again = {"In_Reply_To": reply["Message-ID"], "References": f"{first} {reply['Message-ID']}"}
        text = "Fine.\n\nOn Monday 12:00 Bulkhead wrote:\n> echo"
        await asyncio.to_thread(servers.say, text, subject="Re: A question", **again)
        _, second = await asyncio.to_thread(servers.wait_for, "anna", 2)
        assert text_of(second) == "echo: Fine.\n"
        assert len({event.address.id for event in bot.events}) == 1
        assert [event.identity for event in bot.events] == ["mail:anna@example.test"] * 2
        assert [event.display for event in bot.events] == ["Anna"] * 2
        await asyncio.to_thread(servers.wait_for, "bot", 2, "Sent")  # our own copies went where sent mail belongs
        await until(lambda: len(servers.flags("bot")) == 2)
        assert all(b"\\Seen" in flags for flags in await asyncio.to_thread(servers.flags, "bot"))


async def test_what_came_while_nobody_listened_is_answered_and_what_was_there_before_is_not(
    servers: MailServers, lite: Store
) -> None:
    await asyncio.to_thread(servers.say, "long ago")
    await asyncio.to_thread(servers.wait_for, "bot")
    async with running(lite, settings(servers.imap, servers.smtp)) as bot:
        await is_reading(bot)
    for n in range(3):
        await asyncio.to_thread(servers.say, f"meanwhile {n}")
    await asyncio.to_thread(servers.wait_for, "bot", 4)
    async with running(lite, settings(servers.imap, servers.smtp)) as bot:
        await asyncio.to_thread(servers.wait_for, "anna", 3)
        assert sorted(event.text for event in bot.events) == [f"meanwhile {n}" for n in range(3)]


async def test_a_mailbox_with_new_uids_is_read_again_and_nothing_is_answered_twice(
    servers: MailServers, lite: Store
) -> None:
    where = settings(servers.imap, servers.smtp)
    async with running(lite, where) as bot:
        await is_reading(bot)
        await asyncio.to_thread(servers.say, "one")
        await asyncio.to_thread(servers.wait_for, "anna")
    box = await asyncio.to_thread(servers.login, "bot")
    box.select("INBOX", readonly=True)
    raw = box.fetch("1", "(BODY.PEEK[])")[1][0][1]  # type: ignore[index]
    box.logout()
    for path in (servers.root / "mail" / "bot").glob("dovecot-uid*"):
        path.unlink()
    await asyncio.to_thread(servers.say, "two")
    await asyncio.to_thread(servers.wait_for, "bot", 2)
    box = await asyncio.to_thread(servers.login, "bot")
    box.append("INBOX", "", "", raw)  # type: ignore[arg-type]
    box.logout()
    async with running(lite, where) as bot:
        await asyncio.to_thread(servers.wait_for, "anna", 2)
        await is_reading(bot)
        assert [event.text for event in bot.events] == ["two"]
        assert [inbound.text for inbound, _ in bot.accepted].count("one") == 2  # both were brought, and known
    await quiet(servers, "anna", 2)


async def test_two_bulkheads_that_write_to_each_other_stop(servers: MailServers, tmp_path: Path) -> None:
    stores = [await open_store(f"sqlite:///{tmp_path / name}") for name in ("one.db", "two.db")]
    try:
        async with (
            running(stores[0], settings(servers.imap, servers.smtp)) as one,
            running(stores[1], settings(servers.imap, servers.smtp, "bot2")) as two,
        ):
            await is_reading(one)
            await is_reading(two)
            await asyncio.to_thread(servers.say, "hello, other one", sender="bot2")
            await asyncio.to_thread(servers.wait_for, "bot2")
            await asyncio.sleep(2)
            assert len(one.events) == 1
            assert two.events == []
            await quiet(servers, "bot2", 1)
    finally:
        for store in stores:
            await store.close()


async def test_a_bounce_is_told_to_the_owner_and_not_answered(
    servers: MailServers, lite: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(KNOWN, "mail:vanished@example.test", KNOWN["mail:anna@example.test"])
    async with running(lite, settings(servers.imap, servers.smtp)) as bot:
        await is_reading(bot)
        await asyncio.to_thread(servers.say, "hello", sender="vanished")

        text = "A mail to `vanished@example.test` could not be delivered: `5.0.0`"
        await until(lambda: for_the_page(tmp_path) == [text])
        assert len(bot.events) == 1


def for_the_page(folder: Path) -> list[str]:
    """What the page was to be told."""
    with closing(sqlite3.connect(folder / "bulkhead.db")) as connection:
        rows = connection.execute("SELECT payload FROM outbox WHERE channel = 'web' ORDER BY id").fetchall()
    return [json.loads(row[0])["text"] for row in rows]


async def test_a_full_or_greylisting_server_gets_the_mail_later(
    servers: MailServers, lite: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(KNOWN, "mail:greylisted@example.test", KNOWN["mail:anna@example.test"])
    servers.greylist()
    async with running(lite, settings(servers.imap, servers.smtp)) as bot:
        await is_reading(bot)
        await asyncio.to_thread(servers.say, "hello", sender="greylisted")
        await until(lambda: len(bot.events) == 1)
        await asyncio.sleep(0.5)
        servers.greylist(False)
        (reply,) = await asyncio.to_thread(servers.wait_for, "greylisted")
        assert text_of(reply) == "echo: hello\n"
        assert bot.account.state is AccountState.HEALTHY


async def test_an_account_that_is_called_abusive_is_called_no_more(
    servers: MailServers, lite: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(KNOWN, "mail:abuse@example.test", KNOWN["mail:anna@example.test"])
    async with proxied(servers.smtp) as proxy, running(lite, settings(servers.imap, proxy.port)) as bot:
        await is_reading(bot)
        await asyncio.to_thread(servers.say, "hello", sender="abuse")
        await until(lambda: bot.account.state is AccountState.SUSPENDED)
        assert "abusive activity" in bot.account.reason
        calls = proxy.connections
        await asyncio.to_thread(servers.say, "hello")
        await asyncio.sleep(1.5)
        assert proxy.connections == calls


async def test_a_refused_login_is_not_tried_again_until_a_person_says_so(servers: MailServers, lite: Store) -> None:
    before = servers.logins("bot")
    async with running(lite, settings(servers.imap, servers.smtp, password="wrong")) as bot:
        await until(lambda: bot.account.state is AccountState.REVOKED)
        assert "Authentication failed" in bot.account.reason
        await asyncio.sleep(2.5)
        assert servers.logins("bot") == before + 1
        await bot.account.start()
        await until(lambda: servers.logins("bot") == before + 2)


async def test_a_connection_that_breaks_after_the_mail_was_taken_doubles_nothing(
    servers: MailServers, lite: Store
) -> None:
    async with proxied(servers.smtp) as proxy, running(lite, settings(servers.imap, proxy.port)) as bot:
        await is_reading(bot)
        proxy.drops = 1
        await asyncio.to_thread(servers.say, "hello")
        await asyncio.to_thread(servers.wait_for, "anna")
        assert proxy.dropped == 1
        await until(lambda: unsent(lite))
        await quiet(servers, "anna", 1)


async def test_a_connection_that_breaks_before_the_mail_was_taken_loses_nothing(
    servers: MailServers, lite: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "LOOKS_S", (0.0, 0.5, 1.0))
    async with proxied(servers.smtp) as proxy, running(lite, settings(servers.imap, proxy.port)) as bot:
        await is_reading(bot)
        proxy.cuts = 1
        await asyncio.to_thread(servers.say, "hello")
        (reply,) = await asyncio.to_thread(servers.wait_for, "anna", 1, "INBOX", 40)
        assert text_of(reply) == "echo: hello\n"
        await until(lambda: unsent(lite))
        await quiet(servers, "anna", 1)


async def unsent(store: Store) -> bool:
    """Whether nothing is left to be sent."""
    row = await store.fetch_one("transport.counts")
    return row is not None and row["unsent"] == 0


async def test_a_mailbox_connection_that_dies_is_made_again(servers: MailServers, lite: Store) -> None:
    async with proxied(servers.imap) as proxy, running(lite, settings(proxy.port, servers.smtp)) as bot:
        await is_reading(bot)
        proxy.break_all()
        await asyncio.to_thread(servers.say, "hello")
        await asyncio.to_thread(servers.wait_for, "anna")
        assert proxy.connections >= 2


async def test_kill_9_loses_no_mail_and_doubles_no_answer(servers: MailServers, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'killed.db'}"
    program = [sys.executable, "-m", "tests.adapters.mail.rig", url, str(servers.imap), str(servers.smtp)]

    def start() -> subprocess.Popen[str]:
        process = subprocess.Popen(program, stdout=subprocess.PIPE, text=True, cwd=REPO)
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        return process

    def end(process: subprocess.Popen[str]) -> None:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()

    process = await asyncio.to_thread(start)
    try:
        for n in range(4):
            await asyncio.to_thread(servers.say, f"mail {n}")
            await asyncio.sleep((0.05, 0.3, 0.5, 0.8)[n])
            os.kill(process.pid, signal.SIGKILL)
            end(process)
            process = await asyncio.to_thread(start)
        replies = await asyncio.to_thread(servers.wait_for, "anna", 4, "INBOX", 60)
        assert sorted(text_of(reply) for reply in replies) == [f"echo: mail {n}\n" for n in range(4)]
        await quiet(servers, "anna", 4)
    finally:
        end(process)
