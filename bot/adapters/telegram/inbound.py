"""What Telegram sent -> what was heard: pure, an `Update` in, a `Heard` out, or None for what is not for us.

- A group is heard only where the bot is mentioned (`@bot ...`, `/run@bot ...`) or replied to; a bare `/run` there may
  be meant for another bot, and Telegram's own menu always adds the name.
- Bots, anonymous administrators, channels and Telegram itself are never people. What was forwarded or sent by way of
  another bot was not written by who sent it: a forward becomes a quote, so no command in it runs.
- An event's id is made of Telegram's ids only, but for one thing: an edit is an event of its own when the text differs.
  Telegram "may at times" report an edit that changed nothing visible (Bot API, Update.edited_message); the digest of
  the text in the id makes such a report the event that is there already. An edit later than `EDIT_S` is history.
- The parts of an album are messages of their own, and in a group one of them alone has the caption with the mention:
  all of them are heard, each says whether it was addressed.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from telegram import CallbackQuery, Message, MessageEntity, Update, User
from telegram.constants import ChatType, MessageEntityType

from bot.adapters.telegram.files import Sent, sent_with
from layers.types import Address, Press

CHANNEL = "telegram"
NEVER_PEOPLE = frozenset({777000, 136817688, 1087968824})
"""Telegram's own account, a channel that writes in a group, an anonymous administrator."""
NAMED = re.compile(r"(/\w+)@(\w+)", re.ASCII)
WHOLE = re.compile(r"-?\d{1,19}", re.ASCII)
ID = 64
"""Characters of an id that is no number; a query's has 20, an album's 18."""
EDIT_S = 900.0
"""Seconds after which an edited message is no longer heard again."""
QUOTE = 1000
"""Characters of a quoted message that are passed on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One event that is meant for us; whether its person is known is not said yet."""

    address: Address
    event_id: str
    user_id: int
    is_private: bool
    text: str = ""
    """Markdown, without the mention. Empty for a press, and for a message that has nothing to read."""
    press: Press | None = None
    message_id: int = 0
    """Of what was written, or of the message that carries the pressed button."""
    files: tuple[Sent, ...] = ()
    album: str = ""
    """What its parts have in common; empty where it is no album."""
    is_addressed: bool = True
    is_edit: bool = False
    query_id: str = ""
    """What a press must be answered by."""
    display: str = ""
    """What they call themselves."""

    @property
    def identity(self) -> str:
        """As it stands in bulkhead.toml."""
        return f"{CHANNEL}:{self.user_id}"


def is_sound(heard: Heard) -> bool:
    """Whether its ids are such as Telegram gives: the library takes anything for one, the database does not."""
    numbers = (heard.user_id, heard.message_id)
    texts = (heard.query_id, heard.album)
    return (
        all(type(each) is int and abs(each) < 1 << 63 for each in numbers)
        and all(isinstance(each, str) and len(each) <= ID for each in texts)
        and WHOLE.fullmatch(heard.address.conversation) is not None
        and WHOLE.fullmatch(heard.address.thread or "0") is not None
    )


def hear(update: Update, me: User) -> Heard | None:
    """What `update` means for the bot `me`."""
    if update.callback_query is not None:
        return hear_press(update.callback_query)
    message = update.message or update.edited_message
    if message is None or not is_human(message.from_user) or message.sender_chat is not None or message.via_bot:
        return None
    if message.edit_date is not None and (message.edit_date - message.date).total_seconds() > EDIT_S:
        return None
    is_private = message.chat.type == ChatType.PRIVATE
    command = command_for(message)
    if command.lower() not in ("", str(me.username).lower()):
        return None  # for another bot
    album = (message.media_group_id or "") if message.edit_date is None else ""
    is_for_us = is_private or bool(command) or is_addressed(message, me)
    if not is_for_us and not album:
        return None
    text, files = read(message, me), sent_with(message)
    if not text and message.effective_attachment is None:
        return None  # somebody joined, a title changed ...
    version = text + "".join(file.unique_id for file in files)
    return Heard(
        address=address_of(message),
        event_id=f"{message.chat.id}/{message.message_id}/{digest(version)}",
        user_id=message.from_user.id if message.from_user else 0,
        is_private=is_private,
        text=text,
        message_id=message.message_id,
        files=files,
        album=album,
        is_addressed=is_for_us,
        is_edit=message.edit_date is not None,
        display=message.from_user.full_name if message.from_user else "",
    )


def hear_press(query: CallbackQuery) -> Heard | None:
    """A button of ours was pressed."""
    message, data = query.message, query.data
    if message is None or not is_human(query.from_user) or data is None or not is_ours(data):
        return None
    if isinstance(message, Message):
        address = address_of(message)
    else:  # too old for Telegram to tell its thread
        address = Address(channel=CHANNEL, conversation=str(message.chat.id))
    return Heard(
        address=address,
        event_id=f"press/{query.id}",
        user_id=query.from_user.id,
        is_private=message.chat.type == ChatType.PRIVATE,
        press=Press(value=data, reference=str(message.message_id)),
        message_id=message.message_id,
        query_id=query.id,
        display=query.from_user.full_name,
    )


def is_ours(data: str) -> bool:
    """Whether one of our buttons can carry that; a client can be made to send anything."""
    return 0 < len(data) <= 64 and data.isascii() and data.isprintable()


def is_human(user: User | None) -> bool:
    """Whether that account can be a person's."""
    return user is not None and not user.is_bot and user.id not in NEVER_PEOPLE


def address_of(message: Message) -> Address:
    """The chat, and the topic where the chat has topics."""
    thread = str(message.message_thread_id) if message.is_topic_message and message.message_thread_id else ""
    return Address(channel=CHANNEL, conversation=str(message.chat.id), thread=thread)


def digest(text: str) -> str:
    """Enough of a hash to tell one version of a message from the next."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def entities_of(message: Message) -> tuple[MessageEntity, ...]:
    """The entities of the text or of the caption."""
    return message.entities or message.caption_entities


def cut(text: str, offset: int, length: int) -> str:
    """A piece of `text` by Telegram's offsets, which count UTF-16 units. Half a surrogate pair becomes a `?`."""
    units = text.encode("utf-16-le", "surrogatepass")
    return units[2 * offset : 2 * (offset + length)].decode("utf-16-le", "replace")


def raw(message: Message) -> str:
    """The text or the caption."""
    return message.text or message.caption or ""


def command_for(message: Message) -> str:
    """The bot's name in `/command@name` at the beginning; empty where there is none."""
    for entity in entities_of(message):
        if entity.type == MessageEntityType.BOT_COMMAND and entity.offset == 0:
            return cut(raw(message), 0, entity.length).partition("@")[2]
    return ""


def is_mention(entity: MessageEntity, piece: str, me: User) -> bool:
    """Whether it names the bot."""
    if entity.type == MessageEntityType.TEXT_MENTION:
        return entity.user is not None and entity.user.id == me.id
    return entity.type == MessageEntityType.MENTION and piece.lower() == f"@{me.username}".lower()


def is_addressed(message: Message, me: User) -> bool:
    """Whether a message in a group is for the bot."""
    reply = message.reply_to_message
    if reply is not None and reply.from_user is not None and reply.from_user.id == me.id:
        # in a topic every message replies to the note that opened it, whoever opened it
        return reply.forum_topic_created is None
    text = raw(message)
    return any(is_mention(e, cut(text, e.offset, e.length), me) for e in entities_of(message))


def read(message: Message, me: User) -> str:
    """What the person wrote, as markdown: code and links as such, no mention of the bot, what it answers quoted."""
    text = raw(message)
    units = len(text.encode("utf-16-le", "surrogatepass")) // 2
    pieces, plain, at = [], [], 0
    for entity in sorted(entities_of(message), key=lambda e: (e.offset, -e.length)):
        if entity.offset < at:
            continue  # inside one that was read already
        between, piece = cut(text, at, entity.offset - at), cut(text, entity.offset, entity.length)
        at = entity.offset + entity.length
        marked = mark(entity, piece, me)
        pieces += [between, marked]
        plain += [between, "" if marked == "" else piece]
    rest = cut(text, at, units - at)
    bare = clean("".join([*plain, rest]))
    if bare.startswith("/") and message.forward_origin is None:
        return without_name(bare, me)  # the parser of commands wants it as it was typed
    said = clean("".join([*pieces, rest]))
    if message.forward_origin is not None:
        said = quoted(said, len(said))
    return quote_of(message) + said if said else ""


def clean(text: str) -> str:
    """Without what a database does not take: NUL, and half a surrogate pair."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode().strip()


def mark(entity: MessageEntity, piece: str, me: User) -> str:
    """One entity as markdown; empty for a mention of the bot."""
    if is_mention(entity, piece, me):
        return ""
    if entity.type == MessageEntityType.PRE:
        return f"\n```{entity.language or ''}\n{piece.strip(chr(10))}\n```\n"
    if entity.type == MessageEntityType.CODE:
        return f"`{piece}`"
    if entity.type == MessageEntityType.TEXT_LINK:
        return f"[{piece}]({entity.url})"
    return piece


def without_name(command: str, me: User) -> str:
    """`/run@bot x` -> `/run x`."""
    found = NAMED.match(command)
    is_mine = found is not None and found[2].lower() == str(me.username).lower()
    return found[1] + command[found.end() :] if found is not None and is_mine else command


def quote_of(message: Message) -> str:
    """What the message replies to, if it can be read."""
    if message.quote is not None:
        return quoted(message.quote.text, QUOTE) + "\n\n"
    reply = message.reply_to_message
    return quoted(raw(reply), QUOTE) + "\n\n" if reply is not None and raw(reply) else ""


def quoted(text: str, limit: int) -> str:
    """As a markdown quotation."""
    short = text if len(text) <= limit else text[: limit - 1] + "…"
    return "\n".join(f"> {line}" for line in clean(short).splitlines())
