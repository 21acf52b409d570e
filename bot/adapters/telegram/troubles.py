"""Telegram's errors -> ours. No text of Telegram's library is passed on blindly: one of them holds the token."""

from __future__ import annotations

from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    RetryAfter,
    TelegramError,
)

from layers.errors import AccountState, AccountTrouble, BulkheadError, RateLimited, Refused, Unavailable

CLOSED = frozenset({AccountState.CHALLENGED, AccountState.SUSPENDED, AccountState.REVOKED})
"""A person must act before Telegram is called again."""
BOT = "telegram"
"""The bucket of the whole bot."""


def bucket_of(chat: str) -> str:
    """The bucket of one chat."""
    return f"{BOT}:chat:{chat}"


def ours(error: TelegramError, chat: str, bucket: str = "") -> BulkheadError:
    """What `error` means, said of a call about `chat`; `bucket` is what a 429 closed."""
    trouble = account_trouble(error)
    if trouble is not None:
        return trouble
    if isinstance(error, RetryAfter):
        what = "to this chat again" if bucket != BOT else "anything again"
        text = f"Telegram asks to wait before writing {what}"
        return RateLimited(text, retry_after_s=seconds(error), bucket=bucket or bucket_of(chat))
    if isinstance(error, ChatMigrated):
        return Unavailable(f"the group {chat} became {error.new_chat_id}; it is tried there")
    if isinstance(error, Forbidden):
        return Refused(f"Telegram does not let the bot write to {whom(chat)}: {error.message}")
    if isinstance(error, BadRequest):  # before NetworkError: it is one of them
        return Refused(f"Telegram refused the message for {whom(chat)}: {error.message}")
    return Unavailable(f"Telegram could not be reached ({type(error).__name__})")


def whom(chat: str) -> str:
    """A chat in words. Telegram's ids of groups and channels are negative."""
    return f"the group {chat}" if chat.startswith("-") else f"the person {BOT}:{chat}"


def account_trouble(error: TelegramError) -> AccountTrouble | None:
    """What is wrong with the account itself, if anything."""
    if isinstance(error, InvalidToken):
        return AccountTrouble(
            "Telegram rejects BULKHEAD_TELEGRAM_TOKEN; ask @BotFather for the bot's token, set it and start again",
            state=AccountState.REVOKED,
        )
    if isinstance(error, Conflict):
        webhook = "somebody set a webhook with this bot's token, and Telegram sends its messages there; a restart of "
        poller = "somebody else reads this bot's messages with the same token; stop the other one, "
        return AccountTrouble(
            webhook + "Bulkhead takes the bot back; if you know of none, ask @BotFather for a new token"
            if "webhook" in error.message.lower()
            else poller + "or ask @BotFather for a new token if you know of none",
            state=AccountState.CONFLICT,
        )
    if "FROZEN" in error.message.upper():
        return AccountTrouble(
            "Telegram froze the bot's account; its owner must settle that with Telegram", state=AccountState.SUSPENDED
        )
    return None


def seconds(error: RetryAfter) -> float:
    """How long to wait; the library gives a number or a timedelta, as PTB_TIMEDELTA says."""
    wait = error.retry_after
    return float(wait if isinstance(wait, int | float) else wait.total_seconds())


def says(error: BadRequest, *words: str) -> bool:
    """Whether the refusal is one of those. Telegram has no codes for them, only these sentences."""
    text = error.message.lower()
    return any(word in text for word in words)


NOT_MODIFIED = ("message is not modified",)
NO_TEXT = ("there is no text in the message to edit",)
GONE = ("message to edit not found", "message_id_invalid", "message to delete not found")
TOO_BIG = ("file is too big",)
NOT_RICH = ("message text is empty", "text must be non-empty")
"""What a Bot API server older than 10.1 says of an edit that has a rich message instead of a text."""
