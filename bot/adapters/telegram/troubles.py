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


def ours(error: TelegramError, chat: str) -> BulkheadError:
    """What `error` means, said of a call about `chat`."""
    trouble = account_trouble(error)
    if trouble is not None:
        return trouble
    if isinstance(error, RetryAfter):
        return RateLimited(
            "Telegram asks to wait before writing to this chat again",
            retry_after_s=seconds(error),
            bucket=f"telegram:chat:{chat}",
        )
    if isinstance(error, ChatMigrated):
        return Refused(f"the group {chat} became {error.new_chat_id}; say something there and it is answered there")
    if isinstance(error, Forbidden):
        return Refused(
            f"Telegram does not let the bot write to {chat} ({error.message}); it was blocked or removed there"
        )
    if isinstance(error, BadRequest):  # before NetworkError: it is one of them
        return Refused(f"Telegram refused the message for {chat}: {error.message}")
    return Unavailable(f"Telegram could not be reached ({type(error).__name__})")


def account_trouble(error: TelegramError) -> AccountTrouble | None:
    """What is wrong with the account itself, if anything."""
    if isinstance(error, InvalidToken):
        return AccountTrouble(
            "Telegram rejects BULKHEAD_TELEGRAM_TOKEN; ask @BotFather for the bot's token, set it and start again",
            state=AccountState.REVOKED,
        )
    if isinstance(error, Conflict):
        return AccountTrouble(
            "somebody else reads this bot's messages with the same token (or a webhook is set); stop the other one, "
            "or ask @BotFather for a new token if you know of none",
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
TOO_OLD = ("query is too old", "query id is invalid")
