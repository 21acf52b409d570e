"""Commands about approvals: `/cancel`, `/freeze`, `/grant` and the like. Text after the slash in, values out; pure.

Nothing is approved by typing: a word in a chat names no card, and it can be made to look like another one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bot.commands.reading import action, short
from layers.errors import BadInput


@dataclass(frozen=True, slots=True)
class Typed:
    """`/approve` or `/deny`, which only a button can do."""

    verb: str
    request: str


@dataclass(frozen=True, slots=True)
class CancelRequest:
    """`/cancel`."""

    request: str


@dataclass(frozen=True, slots=True)
class PickParts:
    """`/pick`."""

    request: str
    numbers: tuple[int, ...] = ()
    """Of its parts, from 1; none asks which there are."""


@dataclass(frozen=True, slots=True)
class Freeze:
    """`/freeze` and `/unfreeze`."""

    on: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class GiveGrant:
    """`/grant`."""

    capability: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    uses: int = 1
    for_s: float = 3600.0


@dataclass(frozen=True, slots=True)
class ShowGrants:
    """`/grants`."""


@dataclass(frozen=True, slots=True)
class RevokeGrant:
    """`/revoke`."""

    grant: str


@dataclass(frozen=True, slots=True)
class Drill:
    """`/drill`."""


Governed = Typed | CancelRequest | PickParts | Freeze | GiveGrant | ShowGrants | RevokeGrant | Drill

UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
SPAN = re.compile(r"([0-9]{1,6})([smhd])")
ID = re.compile(r"[0-9a-f]{1,64}")


@dataclass(frozen=True, kw_only=True)
class Reader:
    """One command, as `bot.commands` lists it."""

    name: str
    usage: str = ""
    doc: str
    examples: tuple[str, ...]
    read: Callable[[str], Governed]


def one_id(rest: str, command: str, what: str) -> str:
    """The single id after a command.

    Raises:
        BadInput: there is none, or more.
    """
    word = rest.strip()
    if not ID.fullmatch(word):
        raise BadInput(f"`{command}` needs the id of {what}, and got {short(rest)}.", expected="an id")
    return word


def typed(verb: str) -> Callable[[str], Governed]:
    """A reader that takes anything, so that nothing of the kind ever reaches a model."""
    return lambda rest: Typed(verb, rest.strip()[:80])


def alone(name: str, command: Governed) -> Callable[[str], Governed]:
    """A reader for a command that takes nothing."""

    def read(rest: str) -> Governed:
        if rest.strip():
            raise BadInput(f"`/{name}` takes nothing after it, and got {short(rest)}; send `/{name}` alone.")
        return command

    return read


def pick(rest: str) -> Governed:
    """`/pick 3cbdea86cec78955 1 3 4`."""
    request, *words = rest.replace(",", " ").split() or [""]
    wrong = next((word for word in words if not (word.isascii() and word.isdecimal() and len(word) < 6)), None)
    if wrong is not None:
        raise BadInput(f"{short(wrong)} is no number of a part; `/pick <request>` lists them.", expected="a number")
    return PickParts(one_id(request, "/pick", "a request; `/pending` lists them"), tuple(map(int, words)))


def grant(rest: str) -> Governed:
    """`/grant workspace.make target=test uses=5 for=2h`."""
    capability, parameters = action(rest, "/grant", "workspace.make target=test uses=5 for=2h")
    uses, span = parameters.pop("uses", "1"), parameters.pop("for", "1h")
    found = SPAN.fullmatch(span)
    if not (uses.isascii() and uses.isdecimal() and len(uses) < 6):
        raise BadInput(f"uses={short(uses)} is not a number of uses; write for example uses=5.", expected="uses=N")
    if found is None:
        raise BadInput(f"for={short(span)} is not a time; write for example for=30m, for=2h or for=1d.")
    return GiveGrant(capability, parameters, int(uses), int(found[1]) * UNITS[found[2]])


ENTRIES = (
    Reader(
        name="cancel",
        usage="<request>",
        doc="take back what was asked for, or stop it",
        examples=("/cancel 3cbdea86cec78955",),
        read=lambda rest: CancelRequest(one_id(rest, "/cancel", "a request; `/pending` lists them")),
    ),
    Reader(
        name="pick",
        usage="<request> [numbers]",
        doc="list the parts of a patch, or ask for some of them in place of all",
        examples=("/pick 3cbdea86cec78955", "/pick 3cbdea86cec78955 1 3 4"),
        read=pick,
    ),
    Reader(
        name="freeze",
        usage="[why]",
        doc="stop everything that runs and let nothing be asked for, approved or begun",
        examples=("/freeze", "/freeze the agent deploys by itself"),
        read=lambda rest: Freeze(on=True, reason=" ".join(rest.split())),
    ),
    Reader(name="unfreeze", doc="end the freeze", examples=("/unfreeze",), read=alone("unfreeze", Freeze(on=False))),
    Reader(
        name="grant",
        usage="<capability> key=value ... uses=<number> for=<30m, 2h, 1d>",
        doc="approve exactly this beforehand, so often and for so long",
        examples=("/grant workspace.make target=test uses=5 for=2h",),
        read=grant,
    ),
    Reader(name="grants", doc="what is approved beforehand", examples=("/grants",), read=alone("grants", ShowGrants())),
    Reader(
        name="revoke",
        usage="<grant>",
        doc="end a grant now",
        examples=("/revoke 1f2e3d4c",),
        read=lambda rest: RevokeGrant(one_id(rest, "/revoke", "a grant; `/grants` lists them")),
    ),
    Reader(
        name="drill",
        doc="put a decoy before people that nobody should approve; `/schedule` can send this",
        examples=("/drill",),
        read=alone("drill", Drill()),
    ),
    Reader(
        name="approve",
        doc="says how to approve: with a button, never by typing",
        examples=("/approve",),
        read=typed("approve"),
    ),
    Reader(name="deny", doc="says how to deny", examples=("/deny",), read=typed("deny")),
)
"""Every one of them, in the order of `/help`."""
