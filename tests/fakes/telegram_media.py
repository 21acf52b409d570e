"""What a Bot API server does beyond texts: files to fetch, albums, rich messages, webhooks; and their limits.

`Deliverer` is Telegram's end of a webhook: it brings the updates that wait, those of one chat in order and one by one,
and brings again what is not answered by 200.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from tests.fakes.telegram_chats import Chats, Refusal, Shown
from tests.fakes.telegram_checks import Files, Params, of_file, of_text

if TYPE_CHECKING:
    from tests.fakes.telegram_server import TelegramServer

DOWNLOAD_BYTES = 20_000_000
RICH_CHARS = 32_768
RICH_TAGS = {
    "a", "b", "i", "s", "code", "br", "p", "pre", "hr", "ul", "ol", "li", "input", "blockquote", "table", "tr", "th",
    "td", "details", "summary", *(f"h{n}" for n in range(1, 7)),
}  # fmt: skip
"""Those that we use, of the ones that Bot API 10.1 lists."""
ALBUMS = {"photo", "video", "document", "audio"}


class MediaChats(Chats):
    """`Chats`, with the other methods."""

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, bytes] = {}
        """File id -> what it holds."""
        self.webhook: Params = {}
        """What setWebhook was called with; empty while there is none."""
        self.last_error: tuple[int, str] = (0, "")
        """When Telegram did not get through, and why."""
        self.knows_rich = True
        self.albums: dict[int, int] = {}
        """Message id -> the number of its album."""
        self._album = itertools.count(1)

    def keep(self, content: bytes, **about: Any) -> Params:
        """A file that somebody sends, as a message has it."""
        file_id = f"file{next(self.ids)}"
        self.files[file_id] = content
        return {"file_id": file_id, "file_unique_id": f"u-{file_id}", "file_size": len(content), **about}

    def _get_file(self, chat: int, params: Params, files: Files) -> Params:
        content = self.files.get(params["file_id"])
        if content is None:
            raise Refusal(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
        if len(content) > DOWNLOAD_BYTES:
            raise Refusal(400, "Bad Request: file is too big")
        about = {"file_id": params["file_id"], "file_unique_id": "u", "file_size": len(content)}
        return {**about, "file_path": f"documents/{params['file_id']}"}

    def _send_media_group(self, chat: int, params: Params, files: Files) -> list[Params]:
        number, sent = next(self._album), []
        for media in params["media"]:
            shown = Shown(chat=chat, id=next(self.ids), content={}, thread=params.get("message_thread_id"))
            self.shown[chat, shown.id] = shown
            self.albums[shown.id] = number
            shown.file = files[media["media"].removeprefix("attach://")]
            sent.append(self._put(shown, {"media": media["type"], "caption": media.get("caption", "")}))
        return sent

    def _edit_message_media(self, chat: int, params: Params, files: Files) -> Params:
        number = self.albums.get(params["message_id"])
        if number is not None and (params["media"]["type"] != "photo" or "reply_markup" in params):
            raise Refusal(400, "Bad Request: a message of an album can become another photo only")
        return super()._edit_message_media(chat, params, files)

    def _edit_message_text(self, chat: int, params: Params, files: Files) -> Params:
        rich = params.get("rich_message")
        if rich is None:
            return super()._edit_message_text(chat, params, files)
        if not self.knows_rich:
            raise Refusal(400, "Bad Request: message text is empty")
        shown = self._find(chat, params, "edit")
        if "media" in shown.content:
            raise Refusal(400, "Bad Request: there is no text in the message to edit")
        return self._put(shown, {name: params[name] for name in ("rich_message", "reply_markup") if name in params})

    def _set_webhook(self, chat: int, params: Params, files: Files) -> bool:
        self.webhook = params
        return True

    def _delete_webhook(self, chat: int, params: Params, files: Files) -> bool:
        self.webhook = {}
        return True

    def _get_webhook_info(self, chat: int, params: Params, files: Files) -> Params:
        at, why = self.last_error
        error = {"last_error_date": at, "last_error_message": why} if at else {}
        url = self.webhook.get("url", "")
        return {"url": url, "has_custom_certificate": False, "pending_update_count": 1 if error else 0, **error}


def media_limits(method: str, params: Params, files: Files) -> Iterator[str]:
    """What would be refused of those methods."""
    match method:
        case "sendMediaGroup":
            if not 2 <= len(params["media"]) <= 10:
                yield f"an album of {len(params['media'])}"
            for media in params["media"]:
                if media["type"] not in ALBUMS:
                    yield f"no part of an album: {media['type']}"
                yield from of_text("caption", media.get("caption", ""), 0, 1024, media.get("caption_entities", []))
                yield from of_file(media["type"] == "photo", files.get(str(media["media"]).removeprefix("attach://")))
        case "setWebhook":
            parts = urlsplit(params["url"])
            if parts.scheme != "https" or (parts.port or 443) not in (443, 80, 88, 8443):
                yield f"bad webhook: {params['url']}"
            if not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", params.get("secret_token", "x")):
                yield "secret_token contains unallowed characters"
            if not 1 <= params.get("max_connections", 40) <= 100:
                yield "max_connections is not 1 to 100"
        case "editMessageText":
            rich = params.get("rich_message")
            if rich is None and "text" not in params:
                yield "message text is empty"
            if rich is not None:
                yield from of_rich(rich, "text" in params)


def of_rich(rich: Params, has_text: bool) -> Iterator[str]:
    """A rich message."""
    html = rich.get("html", "")
    if has_text or ("html" in rich) == ("markdown" in rich):
        yield "not exactly one of text, html and markdown"
    if not 1 <= len(html) <= RICH_CHARS:
        yield f"a rich message of {len(html)} characters"
    if unknown := {tag.lower() for tag in re.findall(r"</?([A-Za-z0-9-]+)", html)} - RICH_TAGS:
        yield f"unsupported tags: {sorted(unknown)}"
    if re.search(r"&(?!(lt|gt|amp|quot|apos|#\d+|#x[0-9a-f]+);)", html):
        yield "a bare &"


class Deliverer:
    """Brings updates to a webhook that is served at `base` in place of its public address."""

    def __init__(self, fake: TelegramServer, *bases: str) -> None:
        self._fake = fake
        self._bases = itertools.cycle(bases)
        self.answers: list[int] = []

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Deliverer]:
        """While the context lasts."""
        task = asyncio.create_task(self._run())
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        async with httpx.AsyncClient() as client:
            while True:
                waiting = self._fake.people.waiting() if self._fake.chats.webhook else []
                for update in waiting[:1]:
                    await self._bring(client, update)
                await asyncio.sleep(0.01 if waiting else 0.03)

    async def _bring(self, client: httpx.AsyncClient, update: Params) -> None:
        hook = self._fake.chats.webhook
        headers = {"X-Telegram-Bot-Api-Secret-Token": hook["secret_token"], "Content-Type": "application/json"}
        url = next(self._bases) + urlsplit(hook["url"]).path
        try:
            # pure ASCII, as the real server writes it: half a surrogate pair travels, too
            answer = await client.post(url, content=json.dumps(update), headers=headers)
        except httpx.HTTPError:
            self.answers.append(0)
            return
        self.answers.append(answer.status_code)
        if answer.status_code == 200:
            self._fake.people.waiting(update["update_id"] + 1)
