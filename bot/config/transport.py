"""`[transport.<channel>]`: what the operator lets a channel do, as changes to that provider's defaults."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import time
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from layers.transport import DEFAULTS, Policy
from layers.types import OutboundKind

Provider = Literal["telegram", "slack", "mail"]
HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


def _hours(text: str) -> str:
    if text and (not HOURS.fullmatch(text) or text[:5] == text[6:]):
        raise ValueError('it must look like "22:00-07:00", or be empty for none')
    return text


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        raise ValueError("it must be a time zone such as Europe/Berlin") from None
    return name


Count = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(gt=0)]


class TransportTable(BaseModel):
    """Every value that is not given stays what the provider's defaults say."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    allow: tuple[str, ...] | None = Field(None, strict=False)
    """The only conversations or addresses that may be written to; `*` and `?` stand for anything."""
    first_contact: Literal["approve", "free"] | None = None
    """Whether somebody who never wrote here is written to only after a person approved it."""
    reply_only: bool | None = None
    progress: bool | None = None
    """Whether "working on it" is shown."""
    jitter: bool | None = None
    """Whether answers take the time that typing takes."""
    daily: Count | None = None
    """Messages in any 24 hours; 0 is no limit. So for the next ones."""
    daily_conversation: Count | None = None
    daily_domain: Count | None = None
    hourly_conversation: Count | None = None
    warm_from: Count | None = None
    """What a new account may send on its first day; 0 is no warm-up."""
    warm_days: Annotated[float, Field(gt=0, le=365)] | None = None
    """After how many days it may send `daily`."""
    quiet_hours: Annotated[str, AfterValidator(_hours)] | None = None
    timezone: Annotated[str, AfterValidator(_zone)] | None = None
    same_text_s: Annotated[float, Field(ge=0)] | None = None
    """How long a text that nobody asked for is not repeated; 0 is off."""
    pace_factor: Annotated[float, Field(gt=0, le=1000)] | None = None
    """Multiplies the provider's published pace, where it granted another one."""
    reply_expires_s: Seconds | None = None
    progress_expires_s: Seconds | None = None
    card_expires_s: Seconds | None = None

    def policy(self, default: Policy) -> Policy:
        """`default` with what this table changes."""
        given = {
            "allow": self.allow,
            "is_contact_needed": None if self.first_contact is None else self.first_contact == "approve",
            "is_reply_only": self.reply_only,
            "shows_progress": self.progress,
            "has_jitter": self.jitter,
            "daily": self.daily,
            "daily_conversation": self.daily_conversation,
            "daily_domain": self.daily_domain,
            "hourly_conversation": self.hourly_conversation,
            "warm_from": self.warm_from,
            "warm_days": self.warm_days,
            "quiet": self._quiet(),
            "zone": ZoneInfo(self.timezone) if self.timezone else None,
            "same_text_s": self.same_text_s,
            "pace_factor": self.pace_factor,
            "lives_s": {**default.lives_s, **self._lives()},
        }
        changes = {name: value for name, value in given.items() if value is not None}
        return replace(default, **changes)  # type: ignore[arg-type]  # each is of its field's type

    def _quiet(self) -> tuple[time, time] | None:
        if not self.quiet_hours:
            return None
        start, end = self.quiet_hours.split("-")
        return time.fromisoformat(start), time.fromisoformat(end)

    def _lives(self) -> dict[str, float]:
        given = {
            OutboundKind.MESSAGE: self.reply_expires_s,
            OutboundKind.ERROR: self.reply_expires_s,
            OutboundKind.WORKING: self.progress_expires_s,
            OutboundKind.CARD: self.card_expires_s,
        }
        return {kind.value: seconds for kind, seconds in given.items() if seconds is not None}


def policies_of(tables: Mapping[Provider, TransportTable]) -> dict[str, Policy]:
    """The policy of every channel that has a provider."""
    policies = dict(DEFAULTS)
    for channel, table in tables.items():
        policies[channel] = table.policy(DEFAULTS[channel])
    return policies
