"""Wiring: every concrete class is named here and nowhere else. Takes `Settings`, gives a running `House`.

What one layer needs of another is passed as a function: presentation gets `look` from routing, the page gets `accept`
from the dispatcher, schedules become inbox rows through it.
"""

from bot.app.checks import examine_house
from bot.app.desk import open_desk
from bot.app.house import House, open_house
from bot.app.making import VERSION, executor_command, make_presenter, make_router, prepare_home, workspaces_of
from bot.app.page import open_page
from bot.app.rulebook import make_rules, members_of, read_catalog, read_members, read_rulebook
from bot.app.witness import FILE as CHECKPOINTS

__all__ = [
    "CHECKPOINTS",
    "VERSION",
    "House",
    "examine_house",
    "executor_command",
    "make_presenter",
    "make_router",
    "make_rules",
    "members_of",
    "open_desk",
    "open_house",
    "open_page",
    "prepare_home",
    "read_catalog",
    "read_members",
    "read_rulebook",
    "workspaces_of",
]
