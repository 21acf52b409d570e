"""Pure: codes, names, ids, and what is said to strangers and to those who decide about them."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Container, Sequence

from layers.transport.people.types import Choice, Pairing
from layers.types import Address, Button, ButtonStyle, Outbound, OutboundKind

ALPHABET = "ABCDEFGHJKMNPQRTUVWXY346789"
"""Without letters and digits that are taken for each other: I L O S Z 0 1 2 5."""
CODE_LENGTH = 8
"""27^8 are 38 bits: a code is compared by people, the buttons carry 128."""
LIFE_S = 3600.0
"""How long a request stays open."""
PER_HOUR = 10
"""Requests that one channel may bring in an hour: whoever opens accounts in a loop must not flood the owner."""
REFUSED_S = 86400.0
"""How long somebody who was refused gets no answer."""
SILENT = frozenset({"mail"})
"""Channels on which a stranger hears nothing: a sender's address is easily forged, and the answer would hit another."""
NAME_LENGTH = 40
PERSON_ID_LENGTH = 32
PAGE = "web:main"
"""Where whatever concerns the owner is told in any case."""


def hash_of(handle: str) -> str:
    """What is stored of a handle."""
    return hashlib.sha256(handle.encode()).hexdigest()


def spoken(code: str) -> str:
    """A code as people read it: `ABCD-EFGH`."""
    return f"{code[: CODE_LENGTH // 2]}-{code[CODE_LENGTH // 2 :]}"


def typed(code: str) -> str:
    """A code as somebody typed it, in the form that is stored."""
    return re.sub(r"[\s\-\u2010-\u2015]", "", code).upper()


def sane(display: str) -> str:
    """What somebody calls themselves, harmless to show: one short line of letters, digits, blanks and few signs.

    No control or direction characters, nothing that is markup somewhere, no look of an address or of an id.
    """
    text = unicodedata.normalize("NFKC", display)
    kept = [letter if unicodedata.category(letter)[0] in "LN" or letter in "-'. " else " " for letter in text]
    return " ".join("".join(kept).split())[:NAME_LENGTH].strip()


def channel_of(identity: str) -> str:
    """The channel that an identity belongs to."""
    return identity.partition(":")[0]


def coded(identity: str) -> str:
    """An identity as code in markdown: a mail address may have a backtick in it."""
    return "`" + identity.replace("`", "'") + "`"


def name_of(identity: str, display: str) -> str:
    """What cards call somebody who was let in: the id is in it, because anybody can take any name."""
    return f"{display} ({identity})" if display else identity


def person_id(identity: str, taken: Container[str]) -> str:
    """An id for a new person: `telegram-7`; shorter and with a digest where that would not fit or is taken."""
    plain = re.sub(r"[^a-z0-9]+", "-", identity.lower()).strip("-")
    if len(plain) <= PERSON_ID_LENGTH and plain not in taken:
        return plain
    digest = hashlib.sha256(identity.encode()).hexdigest()[:10]
    return f"{channel_of(plain.replace('-', ':', 1))[:20]}-{digest}"


def full_note() -> str:
    """To a stranger when too many ask at once."""
    return "I do not know you yet, and too many people are asking to be let in just now. Write again in an hour."


def asked_note(code: str) -> str:
    """To a stranger whose request was made. Names nobody, and repeats nothing of theirs."""
    return (
        f"I do not know you yet, so I did nothing with your message. The owner has been asked to let you in. "
        f"Your code is **{spoken(code)}**: tell it to them by another way, so that they know it is you. "
        "It is good for an hour; once you are let in, write again."
    )


def card(pairing: Pairing, place: str, handle: str) -> Outbound:
    """The question, in one of the places where it is put."""
    return message(pairing, place, f"{who(pairing)}\n\n{ADVICE}", buttons(handle))


ADVICE = (
    "Compare the code with the one they see. Nothing of their message was read. **This is me** gives this account your "
    "own rights, so press it only if you are looking at that code on your own screen."
)


def who(pairing: Pairing) -> str:
    """Who wants in: the id first, then what they call themselves, named as no more than that."""
    calls = f"They call themselves “{pairing.display}”." if pairing.display else "They give no name."
    return f"**Somebody new wants in:** {coded(pairing.identity)}\n\n{calls} Their code is **{spoken(pairing.code)}**."


def buttons(handle: str) -> tuple[Button, ...]:
    """What can be said to it."""
    return (
        Button(label="This is me", value=f"p:{Choice.ME.value}:{handle}"),
        Button(label="Let in", value=f"p:{Choice.IN.value}:{handle}", style=ButtonStyle.PRIMARY),
        Button(label="Let in as approver", value=f"p:{Choice.APPROVER.value}:{handle}"),
        Button(label="Refuse", value=f"p:{Choice.REFUSE.value}:{handle}", style=ButtonStyle.DANGER),
    )


def message(pairing: Pairing, place: str, text: str, pressable: tuple[Button, ...] = ()) -> Outbound:
    """The card in one place, in one of its states."""
    return Outbound(
        address=Address.parse(place), key=f"p{pairing.id}", text=text, kind=OutboundKind.CARD, buttons=pressable
    )


def verdict(choice: Choice, decider: str) -> str:
    """How a decision reads on the cards."""
    words = {
        Choice.ME: f"**{decider}** said: this is me.",
        Choice.IN: f"**{decider}** let them in.",
        Choice.APPROVER: f"**{decider}** let them in as an approver.",
        Choice.REFUSE: f"**{decider}** refused.",
    }
    return words[choice]


def welcome(choice: Choice) -> str:
    """What the stranger is told of a decision; nothing after a refusal, which would only tell them to try again."""
    match choice:
        case Choice.ME:
            return "This account is yours now: you are let in. Write to me as you would anywhere else, or send `/help`."
        case Choice.IN:
            return "You are let in. Write to me, or send `/help`."
        case Choice.APPROVER:
            return "You are let in, and may approve. Write to me, or send `/help`."
    return "You were not let in."


def wait_sentence(names: Sequence[str]) -> str:
    """Who can decide, for a refusal."""
    return " or ".join(names) or "nobody; name an approver under [people] in bulkhead.toml"
