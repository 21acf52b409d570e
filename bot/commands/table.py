"""The commands: their names, what `/help` says of each, and the reader that makes a value of what follows."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass

from bot.commands import governing, routing
from bot.commands.reading import CLOSING, HYPHENS, OPENING, action, plain_mermaid, short, unfenced
from bot.commands.values import (
    AddRule,
    AddSchedule,
    Command,
    DrawDiagram,
    ListSchedules,
    Pair,
    ProposePatch,
    RemoveRule,
    RemoveSchedule,
    RevertCommit,
    RunCapability,
    ShowHelp,
    ShowPending,
    ShowPeople,
    ShowRules,
    ShowStatus,
    ShowTransports,
    ShowWhy,
    StopAnswer,
)
from layers.errors import BadInput, Refused

_WORD = re.compile(r"/([^\s/@]*)(?:@\w+)?(?=\s|$)")
_LOOK = re.compile(r"\s*(dark|light|right[-\u2010-\u2015]angled)\s+", re.IGNORECASE)
_PATCH_OPTION = re.compile(r"\s*(base|in)=(\S*)(?=\s|$)[ \t]*(?:\r?\n|$)?")
_WORKSPACE = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_REVISION = re.compile(r"[0-9A-Za-z][\w./~^@{}-]*")
_DIFF_START = re.compile(r"^(?:diff --git |--- |@@ |\*\*\* Begin Patch|<{5,9} SEARCH)", re.MULTILINE)
_SCHEDULE = re.compile(
    rf"[\"'{OPENING}\u2018](?P<cron>[^\"'{OPENING}{CLOSING}\u2018\u2019]*)[\"'{CLOSING}\u2019]"
    r"\s+(?P<zone>\S+)\s+(?P<text>.+)",
    re.DOTALL,
)
_CODE = re.compile(r"[A-Za-z0-9]{4}[-\u2010-\u2015 ]?[A-Za-z0-9]{4}")
_CHOICES = {"": "in", "in": "in", "approver": "approver", "as approver": "approver", "me": "me", "refuse": "refuse"}


def parse(text: str) -> Command | None:
    """The command in `text`; None when it is not one: no slash, or a path such as `/etc/hosts`.

    Raises:
        Refused: there is no such command; the nearest ones are named.
        BadInput: the command is known and what follows it cannot be read.
    """
    found = _word(text.strip())
    if found is None:
        return None
    name, rest = found
    known = _BY_NAME.get(name)
    if known is None:
        near = difflib.get_close_matches(name[:40], _BY_NAME, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(f'`/{other}`' for other in near)}? " if near else ""
        raise Refused(f"There is no command {'/' + name[:40]!r}; {hint}`/help` lists them all.")
    return known.read(rest)


def _word(text: str) -> tuple[str, str] | None:
    """The command's name and what follows it."""
    found = _WORD.match(text)
    if found is None:
        return None
    name, rest = found[1].lower(), text[found.end() :]
    if name != "bulkhead":
        return name, rest
    # Slack registers this one command; the real one follows, with or without a slash of its own
    found = _WORD.match("/" + rest.strip().removeprefix("/"))
    return (found[1].lower() or "help", found.string[found.end() :]) if found else (rest.strip(), "")


def help_text(has_model: bool) -> str:
    """All commands as markdown; every code span that begins with a slash is a command to click."""
    lines = ["**What I understand**", ""]
    for entry in COMMANDS:
        lines.append(f"- **/{entry.name}** {entry.usage}".rstrip() + f": {entry.doc}")
        lines += [f"  - `{example}`" for example in entry.examples]
    lines += ["", "A patch that works at once:", "", "```", PATCH_EXAMPLE, "```", ""]
    if has_model:
        lines.append("Anything else that you write goes to the model.")
    else:
        lines.append(
            "Everything above works without a model. To have free text answered, connect one: `/status` tells how."
        )
    return "\n".join(lines)


def _nothing(name: str, command: Command) -> Callable[[str], Command]:
    """A reader for a command that takes no arguments."""

    def read(rest: str) -> Command:
        if rest.strip():
            raise BadInput(f"`/{name}` takes nothing after it, and got {short(rest)}; send `/{name}` alone.")
        return command

    return read


def _help(rest: str) -> Command:
    return ShowHelp()  # Telegram sends `/start <payload>` from a link; whatever follows asks for help all the same


def _diagram(rest: str) -> Command:
    look = set()
    while (found := _LOOK.match(rest)) is not None:
        look.add(found[1].lower().translate(HYPHENS))
        rest = rest[found.end() :]
    source = plain_mermaid(unfenced(rest, "/diagram"))
    if not source.strip():
        raise BadInput(
            "`/diagram` needs Mermaid text after it, for example `/diagram flowchart LR; A --> B`.", expected="Mermaid"
        )
    return DrawDiagram(source, frozenset(look))


def _run(rest: str) -> Command:
    return RunCapability(*action(rest, "/run", "host.uptime"))


def _patch(rest: str) -> Command:
    given: dict[str, str] = {}
    while (found := _PATCH_OPTION.match(rest)) is not None and found[1] not in given:
        given[found[1]], rest = found[2], rest[found.end() :]
    base, workspace = given.get("base", ""), given.get("in", "")
    if "base" in given and not _REVISION.fullmatch(base):
        raise BadInput(f"base={short(base)} is not a revision; use a commit id or a name such as HEAD~1.", line=1)
    if "in" in given and not _WORKSPACE.fullmatch(workspace):
        raise BadInput(f"in={short(workspace)} is no workspace's name; `/status` lists them.", line=1)
    diff = unfenced(rest, "/patch").strip("\r\n")
    if not _DIFF_START.search(diff):
        raise BadInput(
            "`/patch` needs a unified diff after it (lines that begin with `---`, `+++` and `@@`), search/replace "
            "blocks or a V4A patch, as it stands or in a code block; what came was "
            + (f"{short(diff)}." if diff.strip() else "empty."),
            expected="a unified diff",
        )
    return ProposePatch(diff + "\n", base, workspace)


def _revert(rest: str) -> Command:
    words = rest.split()
    named = [word.removeprefix("in=") for word in words if word.startswith("in=")]
    commits = [word for word in words if not word.startswith("in=")]
    if len(commits) != 1 or len(named) > 1 or not _REVISION.fullmatch(commits[0]):
        raise BadInput(f"`/revert` needs one commit, for example `/revert 1a2b3c4d5e`, and got {short(rest)}.")
    if named and not _WORKSPACE.fullmatch(named[0]):
        raise BadInput(f"in={short(named[0])} is no workspace's name; `/status` lists them.")
    return RevertCommit(commits[0], "".join(named))


def _pending(rest: str) -> Command:
    given = rest.strip()
    return ShowPending(governing.one_id(given, "/pending", "a request, or nothing") if given else "")


def _schedule(rest: str) -> Command:
    rest = rest.strip()
    if rest.lower() in ("", "list"):
        return ListSchedules()
    verb, _, argument = rest.partition(" ")
    if verb.lower() in ("remove", "delete"):
        return RemoveSchedule(_number(argument, "/schedule"))
    found = _SCHEDULE.fullmatch(rest)
    if found is None:
        raise BadInput(
            "`/schedule` needs a time in quotes, a time zone and a text, for example "
            f'`/schedule "0 9 * * mon" Europe/Berlin /run host.disk`, and got {short(rest)}.',
            expected='"<minute hour day month weekday>" <time zone> <text or command>',
        )
    inner = _word(found["text"])
    if inner is not None and inner[0] == "schedule":
        raise BadInput("A schedule cannot send `/schedule`: it would breed. Schedule a text or another command.")
    if inner is not None and inner[0] == "pair":
        raise BadInput("A schedule cannot send `/pair`: a person decides, when they see the code. Send it yourself.")
    parse(found["text"])  # a command that will be refused on Monday is refused now
    cron = " ".join(found["cron"].translate(HYPHENS).split())
    return AddSchedule(cron, found["zone"].translate(HYPHENS), found["text"])


def _number(argument: str, command: str) -> int:
    """The number after `remove`.

    Raises:
        BadInput: it is none.
    """
    number = argument.strip().removeprefix("#")
    if not (number.isascii() and number.isdecimal() and len(number) <= 18):
        raise BadInput(
            f"`{command} remove` needs the number that `{command}` shows, and got {short(argument)}.",
            expected="a number",
        )
    return int(number)


def _rules(rest: str) -> Command:
    verb, _, argument = rest.strip().partition(" ")
    match verb.lower():
        case "" | "list" if not argument.strip():
            return ShowRules()
        case "add" if argument.strip():
            return AddRule(argument.strip())
        case "remove" | "delete":
            return RemoveRule(_number(argument, "/rules"))
    raise BadInput(
        f"`/rules` lists; `/rules add <what every answer must hold to>` and `/rules remove <number>` change; it got "
        f"{short(rest)}.",
        expected="add <text> or remove <number>",
    )


def _pair(rest: str) -> Command:
    found = _CODE.match(rest.strip())
    choice = _CHOICES.get(" ".join(rest.strip()[found.end() :].lower().split())) if found else None
    if found is None or choice is None:
        raise BadInput(
            "`/pair` needs the code that the other person was told, and nothing or one of `approver`, `me`, `refuse` "
            f"after it, for example `/pair ABCD-EFGH`; it got {short(rest)}.",
            expected="a code",
        )
    return Pair(found[0], choice)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One command: what `/help` says of it and how it is read."""

    name: str
    usage: str = ""
    doc: str
    """One line, no full stop needed before the examples."""
    examples: tuple[str, ...]
    """Messages that `parse` accepts as they stand; a test sends every one."""
    read: Callable[[str], Command]


PATCH_EXAMPLE = "/patch\n--- /dev/null\n+++ b/hello.txt\n@@ -0,0 +1 @@\n+Hello from a patch."

COMMANDS = (
    Entry(name="help", doc="this list", examples=("/help",), read=_help),
    Entry(
        name="diagram",
        usage="[dark | light] [right-angled] <Mermaid diagram, bare or in a code block>",
        doc="draw it, look at the picture, show both",
        examples=(
            "/diagram flowchart LR; you --> bulkhead --> world",
            "/diagram dark right-angled flowchart LR; you --> bulkhead --> world",
        ),
        read=_diagram,
    ),
    Entry(
        name="run",
        usage='<capability> key=value key="two words" ...',
        doc="run a capability: at once if it only observes, else after somebody approved it",
        examples=("/run host.uptime", '/run workspace.write-note name=hello text="Hello, world"'),
        read=_run,
    ),
    Entry(
        name="patch",
        usage="[in=<workspace>] [base=<revision>] and on the next line a unified diff, search/replace blocks or V4A",
        doc="propose a change to the workspace, or to one of several",
        examples=(),
        read=_patch,
    ),
    Entry(
        name="revert",
        usage="<commit> [in=<workspace>]",
        doc="propose to take a commit back, and keep what came after it",
        examples=("/revert HEAD",),
        read=_revert,
    ),
    Entry(
        name="pending",
        usage="[<request>]",
        doc="what waits for a decision; the card of one of them, for who may decide it",
        examples=("/pending",),
        read=_pending,
    ),
    Entry(
        name="schedule",
        usage='["minute hour day month weekday" <time zone> <text or command> | remove <number>]',
        doc="list, add or remove what comes back by itself",
        examples=("/schedule", '/schedule "0 9 * * mon" Europe/Berlin /run host.disk', "/schedule remove 1"),
        read=_schedule,
    ),
    Entry(
        name="rules",
        usage="[add <what every answer here must hold to> | remove <number>]",
        doc="list, add or remove the standing rules of this conversation",
        examples=("/rules", "/rules add at most 100 words, and no emojis", "/rules remove 1"),
        read=_rules,
    ),
    Entry(
        name="stop",
        doc="end the answer that a model is giving; what was shown of it stays",
        examples=("/stop",),
        read=_nothing("stop", StopAnswer()),
    ),
    Entry(
        name="why",
        doc="which model answered last, for which kind of task, at what cost",
        examples=("/why",),
        read=_nothing("why", ShowWhy()),
    ),
    Entry(
        name="status",
        doc="what works here and what does not",
        examples=("/status",),
        read=_nothing("status", ShowStatus()),
    ),
    Entry(
        name="transports",
        doc="how each provider's account is, what waits there, and Resume where a person must say so",
        examples=("/transports",),
        read=_nothing("transports", ShowTransports()),
    ),
    Entry(
        name="people",
        doc="who is who here, and Remove for whoever was let in",
        examples=("/people",),
        read=_nothing("people", ShowPeople()),
    ),
    Entry(
        name="pair",
        usage="<code> [approver | me | refuse]",
        doc="let in somebody who was told that code; its card does the same",
        examples=("/pair ABCD-EFGH",),
        read=_pair,
    ),
    *(Entry(**vars(each)) for each in routing.ENTRIES),
    *(Entry(**vars(each)) for each in governing.ENTRIES),
)
"""Every command, in the order of `/help`."""

_BY_NAME = {entry.name: entry for entry in COMMANDS} | {"start": COMMANDS[0]}  # Telegram opens every chat with /start
