"""What is shown of a proposal's parts where they are chosen: parts and a choice in, markdown and buttons out; pure.

A button says what shall be, not what shall change: pressed twice, or late, it does the same. What was chosen is in the
database and never in a button.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import groupby

from layers.coordination import Choice, Part, Proposal, code, parts_of, visible
from layers.errors import Refused, Unavailable
from layers.types import Button

NOUN = "k"
PER_PAGE = 8
LABEL_CHARS = 32
LEFT_OUT_NAMED = 8
"""Parts that a sentence names; the others it counts."""
ALL, SOME, NONE = "☑", "◪", "☐"

Parts = Sequence[Part]


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """One page of a keyboard."""

    text: str
    buttons: tuple[Button, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One line of it, and what can be pressed for it."""

    line: str
    buttons: tuple[Button, ...]


def files_of(parts: Parts) -> list[list[Part]]:
    """The parts, file by file."""
    return [list(group) for _, group in groupby(parts, key=lambda part: part.path)]


def button(label: str, verb: str, request: str, argument: object = "", *, begins_row: bool = False) -> Button:
    """A button of this noun. Its value has 40 bytes at most."""
    tail = f":{argument}" if argument != "" else ""
    return Button(label=label, value=f"{NOUN}:{verb}:{request}{tail}", begins_row=begins_row)


def screen(request: str, parts: Parts, choice: Choice) -> Screen:
    """What stands for `choice`."""
    files = files_of(parts)
    is_inside = 0 < choice.file <= len(files)
    items = hunks(request, parts, files[choice.file - 1], choice) if is_inside else listed(request, files, choice)
    pages = -(-len(items) // PER_PAGE)
    page = min(choice.page, pages - 1)
    shown = items[page * PER_PAGE : (page + 1) * PER_PAGE]
    count = sum(part.id not in choice.left_out for part in parts)
    head = f"**Parts of request {request}**: {count} of {len(parts)} chosen"
    where = [f"File {code(files[choice.file - 1][0].path)}"] if is_inside else []
    where += [f"page {page + 1} of {pages}"] if pages > 1 else []
    earlier = (button("Earlier", "page", request, page - 1, begins_row=True),) if page else ()
    later = (button("Later", "page", request, page + 1, begins_row=not page),) if page + 1 < pages else ()
    go = button("Propose chosen parts", "go", request, begins_row=True)
    back = button("Back", "files" if is_inside else "close", request)
    return Screen(
        text="\n".join((", ".join((head, *where)), "", *(f"- {item.line}" for item in shown))),
        buttons=(*(each for item in shown for each in item.buttons), *earlier, *later, go, back),
    )


def listed(request: str, files: Sequence[Parts], choice: Choice) -> list[Item]:
    """A line per file."""
    items = []
    for number, parts in enumerate(files, 1):
        chosen = sum(part.id not in choice.left_out for part in parts)
        sign = ALL if chosen == len(parts) else SOME if chosen else NONE
        verb = "off" if chosen == len(parts) else "on"
        toggle = button(f"{sign} {short(parts[0].path)}", verb, request, f"f{number}", begins_row=True)
        many = len(parts) > 1
        what = f"{chosen} of {len(parts)} hunks" if many else described(parts[0])
        more = (button("Hunks", "see", request, number),) if many else ()
        items.append(Item(line=f"{sign} {code(parts[0].path)}, {what}", buttons=(toggle, *more)))
    return items


def hunks(request: str, every: Parts, parts: Parts, choice: Choice) -> list[Item]:
    """A line per hunk of one file."""
    items = []
    first = every.index(parts[0]) + 1
    for number, part in enumerate(parts, first):
        sign, verb = (NONE, "on") if part.id in choice.left_out else (ALL, "off")
        toggle = button(f"{sign} {short(part.title, is_path=False)}", verb, request, f"p{number}", begins_row=True)
        items.append(Item(line=f"{sign} {described(part)}", buttons=(toggle,)))
    return items


def toggled(parts: Parts, choice: Choice, argument: str, *, is_on: bool) -> frozenset[str]:
    """What is left out once part `p3` or file `f2` is in, or is not.

    Raises:
        Refused: there is no such part.
    """
    kind, number = argument[:1], argument[1:]
    groups = {"p": [[part] for part in parts], "f": files_of(parts)}.get(kind, [])
    if not number.isdecimal() or not 0 < int(number) <= len(groups):
        raise Refused(f"this request has no part {argument!r}; open its parts again")
    ids = {part.id for part in groups[int(number) - 1]}
    return choice.left_out - ids if is_on else choice.left_out | ids


def numbered(request: str, parts: Parts) -> str:
    """All parts with their numbers, for who types."""
    lines = [f"{n}. {code(part.path)}, {described(part)}" for n, part in enumerate(parts, 1)]
    how = f"`/pick {request} 1 2` asks for those alone."
    return "\n".join((f"**Parts of request {request}**", "", *lines, "", how))


def described(part: Part) -> str:
    """`lines 10 to 16, +2 -1`."""
    counts = "" if part.added is None else f", +{part.added} -{part.removed}"
    return f"{code(part.title)}{counts}"


def told(parts: Parts, chosen: Collection[str]) -> str:
    """`2 of its 5 parts; left out: README.md (lines 1 to 7)`: plain words, cut where they would be many."""
    out = [part for part in parts if part.id not in chosen]
    names = [f"{visible(part.path)} ({part.title})" for part in out[:LEFT_OUT_NAMED]]
    more = f" and {len(out) - LEFT_OUT_NAMED} more" if len(out) > LEFT_OUT_NAMED else ""
    return f"{len(parts) - len(out)} of its {len(parts)} parts; left out: {', '.join(names)}{more}"


def chosen_of(parts: Parts, numbers: Sequence[int]) -> frozenset[str]:
    """Ids of the parts with these numbers, from 1.

    Raises:
        Refused: there is no such part.
    """
    wrong = next((number for number in numbers if not 0 < number <= len(parts)), None)
    if wrong is not None:
        raise Refused(f"there is no part {wrong}; this request has parts 1 to {len(parts)}")
    return frozenset(parts[number - 1].id for number in numbers)


def offered(request: str, proposal: Proposal, *, is_typed: bool) -> tuple[str, tuple[Button, ...]]:
    """What a card adds where there is something to choose: words where people type, and a button."""
    try:
        count = len(parts_of(proposal))
    except Unavailable:  # whoever asks for its parts is told so; the card is shown all the same
        return "", ()
    if count < 2:
        return "", ()
    words = f"\n\nIt has {count} parts: `/pick {request}` lists them, and asks for some." if is_typed else ""
    return words, (button("Choose parts", "open", request, begins_row=True),)


def short(text: str, *, is_path: bool = True) -> str:
    """For a button: of a path the end is kept."""
    text = visible(text)
    if len(text) <= LABEL_CHARS:
        return text
    return f"…{text[-LABEL_CHARS + 1 :]}" if is_path else f"{text[: LABEL_CHARS - 1]}…"
