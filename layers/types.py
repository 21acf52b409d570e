"""The nouns that cross floors. Frozen values, standard library only; ids and storage live elsewhere.

An adapter makes an `Inbound` of what a provider sent; the dispatcher makes a `Turn` of it; whatever a person sees
leaves as an `Outbound`. The nouns of one layer only (Action, Patch, Diagram, Task ...) live in that layer's `types`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a conversation takes place."""

    channel: str
    """The adapter: `web`, `console`, later `slack`, `telegram`, `mail`."""
    conversation: str
    """The provider's own id of the chat, e.g. `main`, `T1/C2`."""
    thread: str = ""
    """The provider's id of the thread; empty where the channel has none."""

    @property
    def id(self) -> str:
        """The conversation's key in the store: `channel:conversation[:thread]`."""
        return ":".join(part for part in (self.channel, self.conversation, self.thread) if part)

    @classmethod
    def parse(cls, key: str) -> Address:
        """The address whose `id` is `key`."""
        channel, _, rest = key.partition(":")
        conversation, _, thread = rest.partition(":")
        return cls(channel=channel, conversation=conversation, thread=thread)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A human being, however many accounts they have."""

    id: str
    """The key under `[people]` in bulkhead.toml, e.g. `owner`."""
    name: str
    """What cards call them."""


AGENT = Person(id="agent", name="the agent")
"""The model behind the front end. Never an approver."""
CLOCK = Person(id="clock", name="the clock")
"""Who sends what nobody sends: schedules, expiries, recoveries."""
STRANGER = Person(id="stranger", name="somebody unknown")
"""Whom no identity names yet. An adapter says this of everybody; the door looks up who it is."""


class InboundKind(StrEnum):
    """What happened to a conversation. Each is one row of the inbox."""

    MESSAGE = "message"
    PRESS = "press"
    SCHEDULE = "schedule"
    EXPIRY = "expiry"
    """An approval ran out."""
    RUN = "run"
    """A standing grant approved what is to be run."""
    EDITED = "edited"
    """Somebody saved a file that a patch would change which waits for a decision, or took that back."""
    UNDELIVERED = "undelivered"
    """The card of an approval could not be shown where it was to be decided."""
    PATCH = "patch"
    """Another actor, an IDE's assistant or a script, hands in a change to files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """A button press."""

    value: str
    """The pressed button's `Button.value`."""
    key: str = ""
    """The `Outbound.key` of the message that carried the button, where the channel tells it."""
    reference: str = ""
    """The provider's own id of that message, or of the part of it that carries the button, where the channel tells."""
    proofs: tuple[str, ...] = ()
    """What came along and was checked at the door: `page` (a session of the page), `passphrase`. No chat sets any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that came with a message, or goes with one; its bytes are in the media table."""

    digest: str
    """sha256 of the bytes, hex; empty when the file was not taken, and then `note` says why."""
    name: str
    """A base name to show; never a path to write to."""
    content_type: str
    size_bytes: int
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentFile:
    """A text file sent whole by somebody who read it whole."""

    path: str
    expects: str
    """Blob id of the version that was read, or `absent`."""
    content: str | None
    """None deletes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changeset:
    """A change to files that another actor hands in: for people to decide, as any patch."""

    workspace: str
    """Its folder."""
    base: str
    """The commit it was made on; empty only where whole files name what they expect."""
    diff: str = ""
    """Any format of a patch; bytes that are no UTF-8 are surrogate escapes."""
    whole: tuple[SentFile, ...] = ()
    """Files in place of a diff."""
    summary: str = ""
    """Why, in the actor's words."""
    assistant: str = ""
    """The assistant that acts for the person, `claude-code`; empty when it is the person's own."""
    revert: str = ""
    """In place of a diff and of files: the commit that is to be taken back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """One event from outside."""

    address: Address
    event_id: str
    """The provider's id of this event; (channel, event_id) is what deduplicates."""
    person: Person
    kind: InboundKind = InboundKind.MESSAGE
    text: str = ""
    """What was said, in markdown. Empty for a press or an expiry."""
    press: Press | None = None
    subject: str = ""
    """For an expiry, a run or what was not delivered: the approval's id. For a schedule: the schedule's id."""
    aliases: tuple[str, ...] = ()
    """Further ids under which the provider may bring the same event again."""
    attachments: tuple[Attachment, ...] = ()
    identity: str = ""
    """Who did it as the provider knows them: `telegram:<number>`, `slack:<team>:<user>`, `mail:<address>`."""
    display: str = ""
    """What the provider says they are called. Anybody can call themselves anything: shown, never believed."""
    is_direct: bool = False
    """Whether nobody but this person and the bot is in the conversation."""
    is_edit: bool = False
    """Something that was said before, with other words."""
    changeset: Changeset | None = None
    """What is handed in, for a patch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One inbound event being worked on: the journal's and the agent's unit."""

    id: int
    """Equal to the inbox row's id."""
    epoch: int
    """The fencing token: every write of the turn is refused once the conversation's epoch is higher."""
    inbound: Inbound
    attempt: int = 1
    """1 the first time; more after a crash."""
    received_at: float = 0.0
    """When the event was accepted, in epoch seconds: what was said later may have been heeded before this turn."""
    stopped_by: Person | None = None
    """Who wants no more of it; whoever takes it up has only that to say."""


class ButtonStyle(StrEnum):
    """How a button looks. `primary` approves, `danger` destroys."""

    PLAIN = "plain"
    PRIMARY = "primary"
    DANGER = "danger"


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """Something to press under a message."""

    label: str
    value: str
    """`<noun>:<verb>:<handle>`, at most 64 bytes of ASCII: Telegram's callback_data is the narrowest place."""
    style: ButtonStyle = ButtonStyle.PLAIN
    begins_row: bool = False
    """Whether it stands first in a row, where the surface has rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """An image kept in the media table."""

    digest: str
    """sha256 of the bytes, hex: the key of the media table."""
    alt: str
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    dark: str = ""
    """The digest of the same picture for who prefers dark, where there is one and the surface can tell."""


class Urgency(StrEnum):
    """How soon something wants to be read. All that an agent may say about delivery; the provider's rules decide."""

    LOW = "low"
    """Waits for the end of quiet hours, and for everything else."""
    NORMAL = "normal"
    HIGH = "high"
    """Does not wait for the end of quiet hours."""


class OutboundKind(StrEnum):
    """What a visible message is, so that a surface can show it rightly."""

    MESSAGE = "message"
    WORKING = "working"
    """The placeholder. An `Outbound` of another kind with the same key replaces it."""
    CARD = "card"
    ERROR = "error"
    """A refusal or a failure, in one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbound:
    """One visible message: sent at first, edited when another one carries the same key."""

    address: Address
    key: str
    """Names the visible message within its conversation, e.g. `t12`, `a7c..`."""
    text: str
    """Markdown."""
    kind: OutboundKind = OutboundKind.MESSAGE
    picture: Picture | None = None
    buttons: tuple[Button, ...] = ()
    album: tuple[Picture, ...] = ()
    """Further pictures, shown together with `picture` where the surface has albums."""
    files: tuple[Attachment, ...] = ()
    """Documents that go along."""
    urgency: Urgency = Urgency.NORMAL
    answers: str = ""
    """`Inbound.event_id` of the event that it answers, where it answers one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What transport says of an `Outbound` it took."""

    outbox_id: int
    is_new: bool
    """False when the same row had been taken before (a turn that was resumed)."""
