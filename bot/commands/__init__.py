"""What a person typed after a slash. Takes the text of a message, gives a `Command` or None; pure.

The web page, Slack (`/bulkhead run ...`) and Telegram (`/run@name ...`) share this one parser. Quoting is the standard
library's shlex: the rules of a shell, and no shell. Phones replace quotes and dashes while one types; those are
understood where they can mean nothing else (around a value, in a name, in an arrow) and left alone inside values.
"""

from bot.commands.reading import LONGEST_ARGUMENTS
from bot.commands.table import COMMANDS, PATCH_EXAMPLE, Entry, help_text, parse
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

__all__ = [
    "COMMANDS",
    "LONGEST_ARGUMENTS",
    "PATCH_EXAMPLE",
    "AddRule",
    "AddSchedule",
    "Command",
    "DrawDiagram",
    "Entry",
    "ListSchedules",
    "Pair",
    "ProposePatch",
    "RemoveRule",
    "RemoveSchedule",
    "RevertCommit",
    "RunCapability",
    "ShowHelp",
    "ShowPending",
    "ShowPeople",
    "ShowRules",
    "ShowStatus",
    "ShowTransports",
    "ShowWhy",
    "StopAnswer",
    "help_text",
    "parse",
]
