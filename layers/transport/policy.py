"""Pure: what a provider's rules say to one message. Takes a `Policy` and `Facts`, gives a `Decision`.

The agent names a conversation, a text and an urgency; everything below is the operator's. What is decided is a value:
go, wait until, or refuse with a reason.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta, tzinfo
from enum import StrEnum
from fnmatch import fnmatchcase
from statistics import NormalDist

from layers.types import Address, OutboundKind, Urgency

DAY_S = 86400.0
HOUR_S = 3600.0
JITTER_S = (0.5, 3.0)
"""How long a person types a short answer, as the 5th and the 95th percentile of a log-normal distribution."""


class Origin(StrEnum):
    """On whose account something is said."""

    REPLY = "reply"
    """A person wrote, or pressed, in this very conversation, and this is the answer."""
    AGENT = "agent"
    """A turn says it somewhere else, or on a schedule: nobody there has asked."""
    HOUSE = "house"
    """Bulkhead itself: pairing codes, what became of an account, digests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How one channel is used. The defaults allow everything: for a channel inside the database."""

    provider: str = ""
    """Whose published pace holds: `telegram`, `slack`, `mail`; empty for none."""
    pace_factor: float = 1.0
    """Multiplies the provider's pace, e.g. where Telegram sold a bot more."""
    allow: tuple[str, ...] = ()
    """Conversations that may be written to, `*` and `?` stand for anything; empty for all."""
    is_contact_needed: bool = False
    """Whether somebody who never wrote is written to only after a person approved it."""
    is_reply_only: bool = False
    """Whether nothing is said but answers."""
    shows_progress: bool = True
    has_jitter: bool = False
    """Whether replies come after the time a person would type them."""
    daily: int = 0
    """Messages of the account in 24 hours; 0 is no limit. So for the next ones."""
    daily_conversation: int = 0
    daily_domain: int = 0
    hourly_conversation: int = 0
    """Also what ends a loop of two machines that answer each other."""
    warm_from: int = 0
    """What a new account has on its first day, growing to `daily` over `warm_days`; 0 is no warm-up."""
    warm_days: float = 14.0
    quiet: tuple[time, time] | None = None
    """Local times between which nobody is disturbed by what can wait."""
    zone: tzinfo = UTC
    """Of the quiet hours."""
    same_text_s: float = 600.0
    """A text that nobody asked for is not said twice to one conversation within this; 0 is off."""
    lives_s: Mapping[str, float] = field(default_factory=dict)
    """Kind of row -> how long it is worth sending, where the default does not fit."""


DEFAULTS: Mapping[str, Policy] = {
    "telegram": Policy(provider="telegram", is_contact_needed=True),
    "slack": Policy(provider="slack", is_contact_needed=True),
    # A personal Gmail account sends 500 a day (developer.nylas.com on Gmail's quotas); 200 leaves its owner the rest.
    # 20 on the first day: what senders' guides name as a safe start for a new mailbox. 10 an hour to one correspondent
    # is more than two people write each other, and ends a loop that RFC 3834's headers did not.
    "mail": Policy(
        provider="mail",
        is_contact_needed=True,
        shows_progress=False,
        has_jitter=True,
        daily=200,
        daily_domain=100,
        daily_conversation=40,
        hourly_conversation=10,
        warm_from=20,
        same_text_s=DAY_S,
        lives_s={OutboundKind.MESSAGE: DAY_S, OutboundKind.ERROR: DAY_S},  # a mail of yesterday is no old mail
    ),
}
"""By channel. `[transport.<channel>]` in bulkhead.toml changes single values of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of one row that wants to go out."""

    address: Address
    kind: OutboundKind
    urgency: Urgency
    origin: Origin
    is_visible: bool
    """Whether it edits what people see already."""
    is_contact: bool
    """Whether the recipient wrote to us, or a person approved writing to them."""
    is_repeat: bool
    """Whether the same was said there within `same_text_s`."""
    is_first_try: bool
    row: int
    """The row's id: what its jitter is drawn from, so that it stays the same however often one asks."""


class Verdict(StrEnum):
    """What becomes of a row now."""

    GO = "go"
    WAIT = "wait"
    REFUSE = "refuse"
    DROP = "drop"
    """As if it had been overtaken: nobody misses it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the rules say, and why."""

    verdict: Verdict
    until: float = 0.0
    """Epoch seconds, for WAIT."""
    reason: str = ""


GO = Decision(verdict=Verdict.GO)


def decide(policy: Policy, facts: Facts, now: float) -> Decision:
    """Whether a row may go out now, as far as rules are concerned that know no pace."""
    is_progress = facts.kind is OutboundKind.WORKING
    if is_progress and not policy.shows_progress:
        return Decision(verdict=Verdict.DROP, reason="progress is not shown on this channel")
    if reason := forbidden(policy, facts):
        return Decision(verdict=Verdict.REFUSE, reason=reason)
    if facts.is_repeat and (facts.origin is Origin.AGENT or is_progress):
        reason = f"the same text was said here less than {policy.same_text_s:g} s ago"
        return Decision(verdict=Verdict.DROP, reason=reason)
    if facts.is_visible:
        return GO
    if can_wait(facts) and (until := quiet_until(policy, now)) > now:
        return Decision(verdict=Verdict.WAIT, until=until, reason="quiet hours")
    if policy.has_jitter and facts.is_first_try and facts.kind is OutboundKind.MESSAGE and facts.origin in TYPED:
        return Decision(verdict=Verdict.WAIT, until=now + jitter_s(facts.row), reason="typing")
    return GO


TYPED = (Origin.REPLY, Origin.AGENT)


def forbidden(policy: Policy, facts: Facts) -> str:
    """Why this may not be said there at all; empty when it may."""
    conversation = facts.address.conversation
    if not is_allowed(policy, conversation):
        return f"{conversation!r} is not among those that [transport.{facts.address.channel}] allows"
    if facts.origin is not Origin.AGENT or facts.is_visible:
        return ""
    if policy.is_reply_only:
        return f"[transport.{facts.address.channel}] lets nothing be said but answers"
    if policy.is_contact_needed and not facts.is_contact:
        return f"{conversation!r} never wrote here and nobody approved writing to them"
    return ""


def is_allowed(policy: Policy, conversation: str) -> bool:
    """Whether the operator's list, if there is one, has the conversation. Letters' case does not matter in mail."""
    fold = str.lower if policy.provider == "mail" else str
    return not policy.allow or any(fnmatchcase(fold(conversation), fold(pattern)) for pattern in policy.allow)


def can_wait(facts: Facts) -> bool:
    """Whether it waits for the end of quiet hours: nobody asked for it, and nobody has to decide about it."""
    return facts.origin is Origin.AGENT and facts.urgency is not Urgency.HIGH and facts.kind is not OutboundKind.CARD


def quiet_until(policy: Policy, now: float) -> float:
    """When the quiet hours that hold now end; 0 outside of them."""
    if policy.quiet is None:
        return 0.0
    start, end = policy.quiet
    local = datetime.fromtimestamp(now, policy.zone)
    at = local.time()
    is_over_midnight = start > end
    is_quiet = (at >= start or at < end) if is_over_midnight else start <= at < end
    if not is_quiet:
        return 0.0
    day = local.date() + timedelta(days=1 if is_over_midnight and at >= start else 0)
    return datetime.combine(day, end, policy.zone).timestamp()


def jitter_s(row: int) -> float:
    """Seconds of typing for a row: log-normal, kept within 0.5 to 3."""
    low, high = (math.log(seconds) for seconds in JITTER_S)
    spread = NormalDist(mu=(low + high) / 2, sigma=(high - low) / (2 * NormalDist().inv_cdf(0.95)))
    golden = (row * 0.6180339887498949) % 1.0  # low discrepancy: neighbours differ
    return min(max(math.exp(spread.inv_cdf(min(max(golden, 0.001), 0.999))), JITTER_S[0]), JITTER_S[1])
