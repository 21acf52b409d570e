"""The calls that show a message: place, fill, remove, answer a press, `typing`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable

from telegram import Bot, InputFile, InputMediaDocument, InputMediaPhoto, LinkPreviewOptions
from telegram.constants import ChatAction
from telegram.error import BadRequest, TelegramError

from bot.adapters.telegram.account import Account
from bot.adapters.telegram.layout import FILE_BYTES, Slot, is_photo, keyboard
from bot.adapters.telegram.troubles import GONE, NOT_MODIFIED, says
from layers.errors import BulkheadError, Refused
from layers.types import Address

log = logging.getLogger(__name__)

TYPING_S, TYPING_FOR_S = 4.5, 300.0
"""Telegram shows `typing` for 5 s; it is said again until the answer is there, or nothing came for this long."""
NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
"""A link in a model's text must not make Telegram fetch it."""


class Shower:
    """Each method is one message; raises the library's errors, which `Account.calling` translates."""

    def __init__(self, bot: Bot, account: Account, media: Callable[[str], AsyncIterator[bytes]]) -> None:
        self._bot = bot
        self._account = account
        self._media = media
        self._typing: dict[str, asyncio.Task[None]] = {}

    async def send(self, address: Address, slot: Slot, is_silent: bool = False) -> int:
        """A new message of text; its id."""
        self._account.check(address.conversation)
        message = await self._bot.send_message(
            chat_id=address.conversation,
            message_thread_id=int(address.thread) if address.thread else None,
            text=slot.text,
            entities=slot.entities or None,
            disable_notification=is_silent,
            link_preview_options=NO_PREVIEW,
        )
        return message.message_id

    async def fill(self, chat: str, message_id: int, slot: Slot) -> None:
        """Make a message what `slot` says; that it is so already is fine."""
        self._account.check(chat)
        markup = keyboard(slot.buttons)
        try:
            if not slot.is_media:
                await self._bot.edit_message_text(
                    chat_id=chat,
                    message_id=message_id,
                    text=slot.text,
                    entities=slot.entities or None,
                    link_preview_options=NO_PREVIEW,
                    reply_markup=markup,
                )
            elif slot.picture is None and slot.file is None:
                await self._bot.edit_message_caption(
                    chat_id=chat,
                    message_id=message_id,
                    caption=slot.text,
                    caption_entities=slot.entities or None,
                    reply_markup=markup,
                )
            else:
                media = await self._to_media(slot)
                await self._bot.edit_message_media(
                    chat_id=chat, message_id=message_id, media=media, reply_markup=markup
                )
        except BadRequest as error:
            if not says(error, *NOT_MODIFIED):
                raise

    async def _to_media(self, slot: Slot) -> InputMediaPhoto | InputMediaDocument:
        """The picture as a photo where Telegram takes it as one.

        Raises:
            Refused: it is too large for a bot.
        """
        if slot.file is not None:
            return InputMediaDocument(InputFile(slot.file.content, filename=slot.file.name, attach=True))
        assert slot.picture is not None
        content = b"".join([piece async for piece in self._media(slot.picture.digest)])
        if len(content) > FILE_BYTES:
            raise Refused(f"the picture has {len(content)} bytes, and a Telegram bot may send {FILE_BYTES}")
        file = InputFile(content, filename="picture.png", attach=True)
        kind = InputMediaPhoto if is_photo(slot.picture, len(content)) else InputMediaDocument
        return kind(file, caption=slot.text or None, caption_entities=slot.entities or None)

    async def remove(self, chat: str, message_id: int) -> None:
        """Delete a message; that it is gone already, or too old for that, is fine."""
        self._account.check(chat)
        try:
            await self._bot.delete_message(chat_id=chat, message_id=message_id)
        except BadRequest as error:
            if not says(error, *GONE):
                log.info("telegram.not_deleted", extra={"error": error.message})

    async def answer(self, query_id: str, text: str = "") -> None:
        """Stop the pressed button's spinning; one that Telegram forgot (after 150 s) is none any more."""
        if self._account.is_closed:
            return
        try:
            await self._bot.answer_callback_query(query_id, text=text[:200] or None, show_alert=bool(text))
        except TelegramError as error:
            log.info("telegram.press_unanswered", extra={"error": type(error).__name__})

    def type_on(self, address: Address, key: str) -> None:
        """Show `typing` until `type_off` of the same message."""
        name = f"{address.id}/{key}"
        self.type_off(address, key)
        task = asyncio.create_task(self._type(address))
        self._typing[name] = task
        task.add_done_callback(lambda done: self._typing.pop(name) if self._typing.get(name) is done else None)

    def type_off(self, address: Address, key: str) -> None:
        """Stop that."""
        task = self._typing.pop(f"{address.id}/{key}", None)
        if task is not None:
            task.cancel()

    async def close(self) -> None:
        """Stop all of it."""
        tasks = list(self._typing.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _type(self, address: Address) -> None:
        for _ in range(int(TYPING_FOR_S / TYPING_S)):
            try:
                with self._account.calling(address.conversation):
                    self._account.check(address.conversation)
                    await self._bot.send_chat_action(
                        chat_id=address.conversation,
                        action=ChatAction.TYPING,
                        message_thread_id=int(address.thread) if address.thread else None,
                    )
            except BulkheadError:
                return  # a courtesy only
            await asyncio.sleep(TYPING_S)
