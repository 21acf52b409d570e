"""Files both ways: kept from Slack's own hosts only, uploaded without being shared, shown in one message."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from bot.adapters.slack.api import SlackApi
from bot.adapters.slack.channel import SlackChannel
from bot.adapters.slack.writing import Reference
from layers.errors import RateLimited, Refused
from layers.store import Store
from layers.transport import put_media, read_media
from layers.types import Address, Attachment, Outbound, Picture
from tests.adapters.slack.bot import PNG, running
from tests.adapters.slack.conftest import Until
from tests.adapters.slack.telling import shared, with_files
from tests.fakes.slack_server import SlackServer, load_spec
from tests.fakes.slack_server import running as running_slack

ADDRESS = Address(channel="slack", conversation="T1/C1")


@pytest.fixture
async def api(slack: SlackServer) -> AsyncIterator[SlackApi]:
    opened = SlackApi(SecretStr("xoxb-secret"), slack.url)
    opened.open()
    yield opened
    await opened.close()


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def media(asked: str) -> AsyncIterator[bytes]:
    yield PNG
    yield asked.encode()


async def test_several_files_come_with_their_message(lite: Store, slack: SlackServer, until: Until) -> None:
    large = bytes(range(256)) * 8192
    async with running(lite, slack.url) as bot:
        files = [shared(slack, "a.txt", b"alpha"), shared(slack, "b.bin", large)]
        with_files(slack, "D1", "look", *files)
        await until(lambda: bot.events)
        first, second = bot.events[0].attachments
        assert (bot.events[0].text, first.name, first.size_bytes) == ("look", "a.txt", 5)
        assert (second.digest, second.size_bytes) == (digest(large), len(large))
        kept = b"".join([piece async for piece in read_media(lite, second.digest)])
        assert kept == large
        with_files(slack, "D1", "", shared(slack, "c.txt", b"gamma"))
        await until(lambda: len(bot.events) == 2)
        assert (bot.events[1].text, len(bot.events[1].attachments)) == ("", 1)


async def test_the_token_goes_to_nobody_but_slack(lite: Store, slack: SlackServer, until: Until) -> None:
    with running_slack() as evil:
        evil.folder.files["a.txt"] = b"alpha"
        theirs = f"{evil.url.removesuffix('api/')}files/a.txt"
        slack.folder.elsewhere["moved.txt"] = theirs
        urls = [
            theirs,
            f"{slack.url.removesuffix('/api/')}@127.0.0.1:{evil.port}/files/a.txt",
            f"https://files.slack.com@127.0.0.1:{evil.port}/files/a.txt",
            f"https://files.slack.com.127.0.0.1:{evil.port}/files/a.txt",
            f"\thttp://127.0.0.1:{evil.port}/files/a.txt",
            f"http://127.0.0.1:{slack.port}/files/moved.txt",
            "file:///etc/passwd",
            "",
        ]
        async with running(lite, slack.url) as bot:
            with_files(slack, "D1", "look", *(shared(slack, "a", b"x", url_private_download=url) for url in urls))
            await until(lambda: bot.events)
            assert evil.folder.asked == []
            assert [attached.digest for attached in bot.events[0].attachments] == [""] * len(urls)
            assert all(attached.note for attached in bot.events[0].attachments)


async def test_what_cannot_be_taken_is_said_with_the_reason(lite: Store, slack: SlackServer, until: Until) -> None:
    async with running(lite, slack.url) as bot:
        gone = shared(slack, "gone.txt", b"x")
        del slack.folder.files["gone.txt"]
        files = [shared(slack, "huge.bin", b"x", size=30 << 20), gone, {"id": "F1", "mode": "tombstone"}, {"id": 7}]
        with_files(slack, "D1", "look", *files)
        await until(lambda: bot.events)
        notes = [attached.note for attached in bot.events[0].attachments]
        assert "larger than 20 MiB" in notes[0]
        assert "files:read" in notes[1]
        assert len(notes) == 3
        assert slack.folder.asked == [("gone.txt", "xoxb-secret-bot")]


async def test_a_file_larger_than_it_says_is_not_taken(lite: Store, slack: SlackServer, until: Until) -> None:
    async with running(lite, slack.url) as bot:
        with_files(slack, "D1", "look", shared(slack, "liar.bin", b"x" * (21 << 20), size=1))
        await until(lambda: bot.events)
        assert "larger than 20 MiB" in bot.events[0].attachments[0].note


async def test_files_of_strangers_are_not_fetched(lite: Store, slack: SlackServer, until: Until) -> None:
    async with running(lite, slack.url):
        message = slack.people.message("D9", "U0OTHER", "hi")
        message |= {"files": [shared(slack, "a.txt", b"alpha")], "subtype": "file_share"}
        place = {"type": "message", "channel": "D9", "channel_type": "im"}
        envelope = slack.people.event({**message, **place})
        await until(envelope.acked.is_set)
        assert slack.folder.asked == []


async def test_an_event_that_comes_again_while_its_file_is_fetched_fetches_nothing_twice(
    lite: Store, slack: SlackServer, until: Until
) -> None:
    slack.folder.slow_s = 1.0
    async with running(lite, slack.url) as bot:
        envelope = with_files(slack, "D1", "look", shared(slack, "a.txt", b"alpha"))
        await until(envelope.acked.is_set)
        assert envelope.sent > 1
        assert len(slack.folder.asked) == len(bot.events) == 1


async def test_pictures_files_and_text_are_one_message(api: SlackApi, slack: SlackServer, lite: Store) -> None:
    attached = await lite.run(put_media, "text/csv", b"a,b\n1,2\n")

    def kept(asked: str) -> AsyncIterator[bytes]:
        return read_media(lite, asked) if asked == attached else media(asked)

    channel = SlackChannel(api, kept)
    pictures = [Picture(digest=each * 64, alt=each, width=2, height=1) for each in "abc"]
    file = Attachment(digest=attached, name="figures.csv", content_type="text/csv", size_bytes=8)
    outbound = Outbound(
        address=ADDRESS, key="t1", text="see", picture=pictures[0], album=tuple(pictures[1:]), files=(file,)
    )
    reference = await channel.edit(await channel.place(outbound), outbound)
    (message,) = slack.workspace.channels["C1"]
    assert [block["type"] for block in message["blocks"]] == ["rich_text", "rich_text", "image", "image", "image"]
    assert "figures.csv" in str(message["blocks"][1])
    assert [each["bytes"] for each in slack.workspace.files.values()] == [
        b"a,b\n1,2\n",
        *(PNG + picture.digest.encode() for picture in pictures),
    ]
    assert set(Reference.load(reference).uploads) == {attached, *(picture.digest for picture in pictures)}
    assert await SlackChannel(api, kept).edit(reference, outbound) == reference
    assert len(slack.called("files.completeUploadExternal")) == 4


async def test_an_upload_that_broke_is_repeated_and_shown_once(api: SlackApi, slack: SlackServer) -> None:
    channel = SlackChannel(api, media)
    outbound = Outbound(
        address=ADDRESS, key="t1", text="see", picture=Picture(digest="a" * 64, alt="a", width=1, height=1)
    )
    reference = await channel.place(outbound)
    slack.fail(method="files.completeUploadExternal", error="ratelimited", retry_after_s=0.1)
    with pytest.raises(RateLimited) as caught:
        await channel.edit(reference, outbound)
    assert caught.value.bucket == "slack:files.completeUploadExternal"
    await asyncio.sleep(0.12)
    await channel.edit(reference, outbound)
    (message,) = slack.workspace.channels["C1"]
    assert [block["type"] for block in message["blocks"]] == ["rich_text", "image"]


async def test_a_download_elsewhere_is_refused_before_any_call(api: SlackApi) -> None:
    with pytest.raises(Refused, match="does not lie with Slack"):
        await anext(api.download("https://example.org/a", "text/plain"))


def test_the_specification_knows_the_upload_calls(shared: object) -> None:
    spec = load_spec(shared)  # type: ignore[arg-type]
    assert {"files.getUploadURLExternal", "files.completeUploadExternal", "views.publish"} <= set(spec)
