"""Who is answered and who is not; what goes along; what the owner's doctor finds."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.adapters.mail import mail_settings, mailbox, probe, reading
from bot.adapters.mail.submission import submit
from layers.errors import AccountState, AccountTrouble, Misconfigured, Unavailable
from layers.store import Store
from layers.transport import keep_media, put_media, send
from layers.types import Attachment, Outbound, OutboundKind, Picture, Turn
from tests.adapters.mail.rig import BUTTONS, running, settings, until
from tests.fakes.house import free_port
from tests.fakes.mail_servers import PASSWORD, MailServers, certify, text_of

PNG = b"\x89PNG\r\n\x1a\n" + b"p" * 64


def rows(folder: Path, table: str) -> int:
    with closing(sqlite3.connect(folder / "bulkhead.db")) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


async def test_a_stranger_is_shown_to_the_door_and_gets_no_mail(
    servers: MailServers, lite: Store, tmp_path: Path
) -> None:
    async with running(lite, settings(servers.imap, servers.smtp)) as bot:
        await until(lambda: bot.account.state is AccountState.HEALTHY)
        message = EmailMessage()
        message["From"] = "Owner <eve@example.test>"
        message.set_content("let me in " * 500)
        message.add_attachment(PNG, "image", "png", filename="a.png")
        await asyncio.to_thread(servers.send, message, "eve")
        await until(lambda: bot.accepted)
        ((inbound, _),) = bot.accepted
        assert (inbound.identity, inbound.display, inbound.is_direct) == ("mail:eve@example.test", "Owner", True)
        assert inbound.attachments == ()
        assert len(inbound.text) <= 500
        await asyncio.sleep(1)
        assert await asyncio.to_thread(servers.mails, "eve") == []
        assert [rows(tmp_path, table) for table in ("outbox", "letter", "media")] == [0, 0, 0]
        assert b"\\Seen" not in (await asyncio.to_thread(servers.flags, "bot"))[0]


async def test_machines_lists_and_forged_authors_are_left_alone(servers: MailServers, lite: Store) -> None:
    async with running(lite, settings(servers.imap, servers.smtp)) as bot:
        await until(lambda: bot.account.state is AccountState.HEALTHY)
        for header in (
            {"Auto_Submitted": "auto-replied"},
            {"List_Id": "<a.b>"},
            {"Authentication_Results": "mx.example.test; dmarc=fail header.from=example.test"},
        ):
            await asyncio.to_thread(servers.say, "hello", **header)
        empty = EmailMessage()
        empty["From"] = "anna@example.test"
        empty.set_content("from nobody")
        await asyncio.to_thread(servers.send, empty, "")
        await asyncio.to_thread(servers.say, "a person")
        await asyncio.to_thread(servers.wait_for, "anna")
        assert [event.text for event in bot.events] == ["a person"]


async def test_files_come_in_and_pictures_go_out(servers: MailServers, lite: Store) -> None:
    digest = await lite.run(put_media, "image/png", PNG)

    async def pieces():  # type: ignore[no-untyped-def]
        yield b"a file\n"

    kept = await keep_media(lite, pieces(), "text/plain", "note.txt")
    absent = Attachment(digest="", name="film.mp4", content_type="video/mp4", size_bytes=9, note="too large")

    def answer(turn: Turn) -> Outbound:
        picture = Picture(digest=digest, alt="A picture", width=2, height=1)
        return Outbound(
            address=turn.inbound.address,
            key=f"t{turn.id}",
            text="See below.",
            picture=picture,
            album=(picture,),
            files=(kept, absent),
        )

    async with running(lite, settings(servers.imap, servers.smtp)) as bot:
        bot.answer = answer
        await until(lambda: bot.account.state is AccountState.HEALTHY)
        message = EmailMessage()
        message["From"], message["To"] = "anna@example.test", "bot@example.test, ben@example.test"
        message["Cc"], message["Subject"] = "ben@example.test", "Look"
        message.set_content("here")
        message.add_attachment(PNG, "image", "png", filename="photo.png")
        await asyncio.to_thread(servers.send, message, "anna")
        (reply,) = await asyncio.to_thread(servers.wait_for, "anna")
        (event,) = bot.events
        assert [(each.name, each.digest) for each in event.attachments] == [("photo.png", digest)]
        assert "film.mp4: too large" in text_of(reply)
        assert [each.get_filename() for each in reply.iter_attachments()] == ["note.txt"]
        assert [part.get_content_type() for part in reply.walk()].count("image/png") == 2
        assert (reply["To"], reply["Cc"]) == ("anna@example.test", None)
        assert await asyncio.to_thread(servers.mails, "ben") == []


async def test_a_card_is_mailed_as_a_link_and_once_more_when_it_was_decided(servers: MailServers, lite: Store) -> None:
    def card(turn: Turn) -> Outbound:
        text = "**Approval needed**: host.x, risk 1"
        return Outbound(address=turn.inbound.address, key="a1", text=text, kind=OutboundKind.CARD, buttons=BUTTONS)

    async with running(lite, settings(servers.imap, servers.smtp)) as bot:
        bot.answer = card
        await until(lambda: bot.account.state is AccountState.HEALTHY)
        await asyncio.to_thread(servers.say, "/run host.x")
        (first,) = await asyncio.to_thread(servers.wait_for, "anna")
        assert "Approve, Deny: open http://127.0.0.1:8080" in text_of(first)
        decided = replace(card(Turn(id=1, epoch=1, inbound=bot.events[0])), buttons=())
        for n, text in enumerate(("**Running**: host.x", "**Done**: host.x", "**Done**: host.x, and more")):
            await lite.run(send, replace(decided, text=text), f"edit{n}")
        _, second = await asyncio.to_thread(servers.wait_for, "anna", 2)
        assert "Done: host.x" in text_of(second)
        assert second["References"].split()[0] == first["In-Reply-To"]
        await asyncio.sleep(1)
        assert len(await asyncio.to_thread(servers.mails, "anna")) == 2


async def test_what_was_sent_is_found_and_what_was_not_is_not(servers: MailServers, lite: Store) -> None:
    async with running(lite, settings(servers.imap, servers.smtp)) as bot:
        await until(lambda: bot.account.state is AccountState.HEALTHY)
        await asyncio.to_thread(servers.say, "hello")
        (reply,) = await asyncio.to_thread(servers.wait_for, "anna")
        said = Outbound(address=bot.events[0].address, key="t1", text="echo: hello")
        assert await bot.account.channel.find(said) == reply["Message-ID"]
        assert await bot.account.channel.place(said) == reply["Message-ID"]  # and sends nothing
        assert await bot.account.channel.find(replace(said, text="another")) is None
        assert await bot.account.channel.find(replace(said, kind=OutboundKind.WORKING)) is None
        await asyncio.sleep(1)
        assert len(await asyncio.to_thread(servers.mails, "anna")) == 1


async def test_the_doctor_is_told_what_the_servers_say(servers: MailServers, tmp_path: Path) -> None:
    found = await probe(settings(servers.imap, servers.smtp))
    assert "tells of new mail" in found
    assert "'Sent'" in found
    with pytest.raises(AccountTrouble, match="Authentication failed"):
        await probe(settings(servers.imap, servers.smtp, password="wrong"))
    with pytest.raises(Unavailable, match="refused"):
        await probe(settings(free_port(), servers.smtp))
    with pytest.raises(Unavailable, match="refused"):
        await probe(settings(servers.imap, free_port()))


async def test_a_pinned_certificate_is_the_only_one_taken(servers: MailServers, tmp_path: Path) -> None:
    own = str(servers.root / "cert.pem")
    assert await probe(settings(servers.imap, servers.smtp, ca_file=own))
    other = tmp_path / "other"
    other.mkdir()
    certify(other)
    with pytest.raises(Misconfigured, match="TLS failed"):
        await probe(settings(servers.imap, servers.smtp, ca_file=str(other / "cert.pem")))


async def test_a_submission_server_is_logged_in_at_by_tls_or_starttls(servers: MailServers, lite: Store) -> None:
    for scheme, port in (("smtp", servers.submission), ("smtps", servers.submissions)):
        urls = (f"imaps://bot@127.0.0.1:{servers.imaps}", f"{scheme}://bot@127.0.0.1:{port}")
        where = mail_settings("bot@example.test", SecretStr(PASSWORD), urls, is_direct=False)
        assert "with TLS" in await probe(where)
        async with running(lite, where) as bot:
            await until(lambda bot=bot: bot.account.state is AccountState.HEALTHY)
            await asyncio.to_thread(servers.say, scheme)
            await until(lambda scheme=scheme: f"echo: {scheme}\n" in servers.texts("anna"))


async def test_a_submission_server_that_refuses_the_login_is_left_alone(servers: MailServers) -> None:
    url = f"smtp://bot@127.0.0.1:{servers.submission}"
    where = mail_settings("bot@example.test", SecretStr("wrong"), (url.replace("smtp", "imap"), url), is_direct=False)
    with pytest.raises(AccountTrouble, match="535") as caught:
        await submit(where, "anna@example.test", b"Subject: x\r\n\r\nx", has_copy=False)
    assert caught.value.state is AccountState.CHALLENGED


async def test_nobody_is_let_in_by_mail(servers: MailServers, lite: Store) -> None:
    async with running(lite, settings(servers.imap, servers.smtp)) as bot:
        await until(lambda: bot.account.state is AccountState.HEALTHY)
        await asyncio.to_thread(servers.say, "/pair ABCD-EFGH me")
        await asyncio.to_thread(servers.say, '/schedule "* * * * *" UTC /pair ABCD-EFGH')
        replies = await asyncio.to_thread(servers.wait_for, "anna", 2)
        assert all("Nothing can be decided by mail" in text_of(reply) for reply in replies)
        assert bot.accepted == []


async def test_of_a_huge_mail_the_beginning_is_read(
    servers: MailServers, lite: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox, "WHOLE_BYTES", 500_000)
    async with running(lite, settings(servers.imap, servers.smtp)) as bot:
        await until(lambda: bot.account.state is AccountState.HEALTHY)
        message = EmailMessage()
        message["From"], message["To"] = "anna@example.test", "bot@example.test"
        message.set_content("here is my film")
        message.add_attachment(bytes(600_000), "video", "mp4", filename="film.mp4")
        await asyncio.to_thread(servers.send, message, "anna")
        await until(lambda: bot.events)
        assert bot.events[0].text.startswith("here is my film")
        assert "too large" in bot.events[0].text
        assert bot.events[0].attachments == ()


async def test_a_server_that_never_speaks_first_is_asked(
    servers: MailServers, lite: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox.Mailbox, "can_idle", property(lambda box: False))
    monkeypatch.setattr(reading, "POLL_S", 0.2)
    async with running(lite, settings(servers.imap, servers.smtp)) as bot:
        await until(lambda: bot.account.state is AccountState.HEALTHY)
        await asyncio.to_thread(servers.say, "hello")
        await asyncio.to_thread(servers.wait_for, "anna")
