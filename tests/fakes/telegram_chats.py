"""What a Bot API server knows of chats: the bot's messages with all their versions, and what the calls do to them."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.telegram_checks import Files, Params

ME = {"id": 123456, "is_bot": True, "first_name": "Bulkhead", "username": "bulkhead_bot", "can_join_groups": True}
PRESS_TTL_S = 150.0
"""How long the real server keeps a callback query (tdlib/telegram-bot-api, Client.cpp)."""


class Refusal(Exception):
    """An answer that is not `ok`."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code = code
        self.parameters = parameters


@dataclass(kw_only=True)
class Shown:
    """One message of the bot's."""

    chat: int
    id: int
    content: Params
    """`text` or `media` and `caption`, entities, `reply_markup`."""
    thread: int | None = None
    versions: list[Params] = field(default_factory=list)
    file: bytes = b""

    @property
    def text(self) -> str:
        """The text or the caption."""
        return str(self.content.get("text", self.content.get("caption", "")))

    @property
    def buttons(self) -> list[Any]:
        """All of them, row by row."""
        rows = (self.content.get("reply_markup") or {}).get("inline_keyboard", [])
        return [button for row in rows for button in row]


class Chats:
    """The messages, and `call` for every method that is about them."""

    def __init__(self) -> None:
        self.shown: dict[tuple[int, int], Shown] = {}
        self.deleted: list[Shown] = []
        self.commands: list[Params] = []
        self.presses: dict[str, float] = {}
        """Callback query -> when it came."""
        self.answered: list[str] = []
        self.ids = itertools.count(1)

    def call(self, method: str, chat: int, params: Params, files: Files) -> Any:
        """The result of a call, or a `Refusal`."""
        snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in method)
        return getattr(self, f"_{snake}")(chat, params, files)

    def frame(self, chat: int, user: int) -> Params:
        """What every message has."""
        kind = {"type": "private", "first_name": "P"} if chat > 0 else {"type": "supergroup", "title": "G"}
        return {
            "message_id": next(self.ids),
            "date": int(time.time()),
            "chat": {"id": chat, **kind},
            "from": person(user),
        }

    def _get_me(self, chat: int, params: Params, files: Files) -> Params:
        return ME

    def _delete_webhook(self, chat: int, params: Params, files: Files) -> bool:
        return True

    def _set_my_commands(self, chat: int, params: Params, files: Files) -> bool:
        self.commands = params["commands"]
        return True

    def _send_chat_action(self, chat: int, params: Params, files: Files) -> bool:
        return True

    def _answer_callback_query(self, chat: int, params: Params, files: Files) -> bool:
        at = self.presses.get(params["callback_query_id"])
        if at is None or time.monotonic() - at > PRESS_TTL_S:
            raise Refusal(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
        self.answered.append(params["callback_query_id"])
        return True

    def _send_message(self, chat: int, params: Params, files: Files) -> Params:
        shown = Shown(chat=chat, id=next(self.ids), content={}, thread=params.get("message_thread_id"))
        self.shown[chat, shown.id] = shown
        return self._put(shown, {name: params[name] for name in ("text", "entities", "reply_markup") if name in params})

    def _edit_message_text(self, chat: int, params: Params, files: Files) -> Params:
        shown = self._find(chat, params, "edit")
        if "media" in shown.content:
            raise Refusal(400, "Bad Request: there is no text in the message to edit")
        return self._put(shown, {name: params[name] for name in ("text", "entities", "reply_markup") if name in params})

    def _edit_message_caption(self, chat: int, params: Params, files: Files) -> Params:
        shown = self._find(chat, params, "edit")
        if "media" not in shown.content:
            raise Refusal(400, "Bad Request: there is no caption in the message to edit")
        new = {"media": shown.content["media"], "caption": params.get("caption", "")}
        return self._put(shown, new | {name: params[name] for name in ("reply_markup",) if name in params})

    def _edit_message_media(self, chat: int, params: Params, files: Files) -> Params:
        """Also adds media to a message of text."""
        shown = self._find(chat, params, "edit")
        media = params["media"]
        shown.file = files[media["media"].removeprefix("attach://")]
        new = {"media": media["type"], "caption": media.get("caption", "")}
        shown.content = {}  # the same picture, uploaded again, is another file
        return self._put(shown, new | {name: params[name] for name in ("reply_markup",) if name in params})

    def _delete_message(self, chat: int, params: Params, files: Files) -> bool:
        shown = self._find(chat, params, "delete")
        self.deleted.append(self.shown.pop((chat, shown.id)))
        return True

    def _find(self, chat: int, params: Params, verb: str) -> Shown:
        """The message a call is about."""
        shown = self.shown.get((chat, params["message_id"]))
        if shown is None:
            raise Refusal(400, f"Bad Request: message to {verb} not found")
        return shown

    def _put(self, shown: Shown, content: Params) -> Params:
        """Show another version of a message."""
        if content == shown.content:
            raise Refusal(
                400,
                "Bad Request: message is not modified: specified new message content and reply markup "
                "are exactly the same as a current content and reply markup of the message",
            )
        shown.content = content
        shown.versions.append(content)
        return self.as_message(shown)

    def as_message(self, shown: Shown) -> Params:
        """As the Bot API gives it."""
        message = {**self.frame(shown.chat, 42), "message_id": shown.id, "from": ME, "text": shown.text or "(media)"}
        if shown.thread:
            message |= {"message_thread_id": shown.thread, "is_topic_message": True}
        return message


def person(user: int) -> Params:
    """A user."""
    return {"id": user, "is_bot": user in (136817688, 1087968824), "first_name": f"U{user}"}
