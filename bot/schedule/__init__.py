"""What comes back by itself: what people schedule (`entries`, by `cron`), and the housekeeping (`clock`, `roles`)."""

from bot.schedule.clock import Clock, Job
from bot.schedule.cron import next_fire
from bot.schedule.entries import (
    MOST_MISSED,
    MOST_PER_CONVERSATION,
    Fired,
    Scheduled,
    add,
    fire_due,
    line,
    listing,
    note,
    remove,
)
from bot.schedule.roles import hold_role, release_role

__all__ = [
    "MOST_MISSED",
    "MOST_PER_CONVERSATION",
    "Clock",
    "Fired",
    "Job",
    "Scheduled",
    "add",
    "fire_due",
    "hold_role",
    "line",
    "listing",
    "next_fire",
    "note",
    "release_role",
    "remove",
]
