"""The calls that show a message: place, fill, remove, answer a press, `typing`."""

from __future__ import annotations

import asyncio
import logging

from telegram import Bot, InputFile, InputMediaPhoto, LinkPreviewOptions, ReplyParameters
from telegram.constants import ChatAction
from telegram.error import BadRequest

from bot.adapters.telegram.account import Account
from bot.adapters.telegram.layout import Slot, keyboard
from bot.adapters.telegram.troubles import GONE, NOT_MODIFIED, says
from bot.adapters.telegram.uploads import Media, as_media, blank
from layers.errors import BulkheadError, RateLimited
from layers.types import Address

log = logging.getLogger(__name__)

TYPING_S, TYPING_FOR_S = 4.5, 300.0
"""Telegram shows `typing` for 5 s; it is said again until the answer is there, or nothing came for this long."""
ANSWER_S = 10.0
"""How long the answer to a press waits for the end of a 429; what comes later nobody looks at any more."""
NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
"""A link in a model's text must not make Telegram fetch it."""


class Shower:
    """Each method is one message; raises the library's errors, which `Account.calling` translates."""

    def __init__(self, bot: Bot, account: Account, media: Media) -> None:
        self._bot = bot
        self._account = account
        self._media = media
        self._typing: dict[str, asyncio.Task[None]] = {}

    async def send(self, address: Address, slot: Slot, *, is_silent: bool = False, reply_to: int = 0) -> int:
        """A new message of text; its id. One it replies to may be gone: then it stands by itself."""
        self._account.check(address.conversation)
        message = await self._bot.send_message(
            chat_id=address.conversation,
            message_thread_id=int(address.thread) if address.thread else None,
            text=slot.text,
            entities=slot.entities or None,
            disable_notification=is_silent,
            link_preview_options=NO_PREVIEW,
            reply_markup=keyboard(slot.buttons),
            reply_parameters=ReplyParameters(reply_to, allow_sending_without_reply=True) if reply_to else None,
        )
        return message.message_id

    async def send_album(self, address: Address, count: int) -> list[int]:
        """An album of so many grey squares; their ids. Nothing can be added to an album later."""
        self._account.check(address.conversation)
        messages = await self._bot.send_media_group(
            chat_id=address.conversation,
            message_thread_id=int(address.thread) if address.thread else None,
            media=[InputMediaPhoto(InputFile(blank(), filename="wait.png", attach=True)) for _ in range(count)],
            disable_notification=True,
        )
        return [message.message_id for message in messages]

    async def fill(self, chat: str, message_id: int, slot: Slot) -> None:
        """Make a message what `slot` says; that it is so already is fine."""
        self._account.check(chat)
        try:
            if slot.is_media:
                await self._fill_media(chat, message_id, slot)
            else:
                await self._fill_text(chat, message_id, slot)
        except BadRequest as error:
            if not says(error, *NOT_MODIFIED):
                raise

    async def _fill_text(self, chat: str, message_id: int, slot: Slot) -> None:
        # the library knows Bot API 10.0: the rich message of 10.1 goes beside its own parameters
        rich = {"rich_message": {"html": slot.rich, "skip_entity_detection": True}} if slot.rich else None
        await self._bot.edit_message_text(
            chat_id=chat,
            message_id=message_id,
            text=slot.text if rich is None else None,  # type: ignore[arg-type]  # it leaves out what is None
            entities=slot.entities or None,
            link_preview_options=NO_PREVIEW if rich is None else None,
            reply_markup=keyboard(slot.buttons),
            api_kwargs=rich,
        )

    async def _fill_media(self, chat: str, message_id: int, slot: Slot) -> None:
        markup = keyboard(slot.buttons)
        if slot.picture is None and slot.file is None:
            await self._bot.edit_message_caption(
                chat_id=chat,
                message_id=message_id,
                caption=slot.text,
                caption_entities=slot.entities or None,
                reply_markup=markup,
            )
            return
        async with as_media(slot, self._media) as media:
            await self._bot.edit_message_media(chat_id=chat, message_id=message_id, media=media, reply_markup=markup)

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
        for wait_s in (ANSWER_S, 0.0):
            try:
                with self._account.calling():
                    self._account.check()
                    await self._bot.answer_callback_query(query_id, text=text[:200] or None, show_alert=bool(text))
            except RateLimited as error:
                if error.retry_after_s <= wait_s:
                    await asyncio.sleep(error.retry_after_s)
                    continue
                log.info("telegram.press_unanswered", extra={"error": "RateLimited"})
            except BulkheadError as error:
                log.info("telegram.press_unanswered", extra={"error": type(error).__name__})
            return

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
            except RateLimited as error:
                await asyncio.sleep(error.retry_after_s)
            except BulkheadError:
                return  # a courtesy only
            await asyncio.sleep(TYPING_S)
