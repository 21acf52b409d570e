"""Pure: from what buckets a call to a provider draws, and whether they have enough (GCRA).

A bucket lets `burst` through at once and then one every `interval_s`; over any window of t seconds never more than
burst + t / interval_s. Its whole state is one time, the theoretical arrival time (TAT) of the next call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from layers.transport.policy import DAY_S, HOUR_S, Policy
from layers.types import Address, Outbound, OutboundKind

EPSILON_S = 1e-6
"""Epoch seconds are doubles: they are exact to a quarter of this."""


class Deed(StrEnum):
    """What a row wants of its provider."""

    PLACE = "place"
    """A placeholder, and the edit that follows it at once."""
    EDIT = "edit"
    """A change of what is visible."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """What may be drawn at which pace. `burst` 0 is no pace at all: such a bucket can only be closed, by a 429."""

    name: str
    """The channel's own name for what all of its calls draw from; anything narrower begins with it and a colon."""
    interval_s: float = 0.0
    burst: int = 0
    is_wide: bool = False
    """Whether every call of the channel draws from it: once it is empty, nothing else of the channel is looked at."""
    budget: int = 0
    """For a budget per day: what it is in full."""
    warm_from: int = 0
    """What the first day has; it grows to the full budget over `warm_days`."""
    warm_days: float = 0.0


def admit(tat: float, now: float, bucket: Bucket) -> tuple[bool, float]:
    """Draw once: (True, the new TAT), or (False, when to come again)."""
    after = max(tat, now) + bucket.interval_s
    excess = after - now - bucket.burst * bucket.interval_s
    return (True, after) if excess <= EPSILON_S else (False, now + excess)


def budget_of(name: str, budget: int, period_s: float = DAY_S) -> Bucket:
    """A bucket that gives at most `budget` in any period: half of it at once, the other half spread over the period."""
    burst = (budget + 1) // 2
    return Bucket(name=name, interval_s=period_s / max(budget - burst, 0.5), burst=burst, budget=budget)


def warmed(bucket: Bucket, age_s: float) -> Bucket:
    """A budget per day as it is at an account's age: from `warm_from`, by the same factor each day, to `budget`."""
    if not 0 < bucket.warm_from < bucket.budget or age_s >= bucket.warm_days * DAY_S:
        return bucket
    growth = (bucket.budget / bucket.warm_from) ** (age_s // DAY_S / bucket.warm_days)
    now = budget_of(bucket.name, int(bucket.warm_from * growth))
    return replace(bucket, interval_s=now.interval_s, burst=now.burst)


def buckets_of(policy: Policy, outbound: Outbound, deed: Deed) -> tuple[Bucket, ...]:
    """Every bucket that a row draws from, each once. Closing any of them by its name stops the row."""
    address = outbound.address
    paced = PROVIDERS.get(policy.provider, nothing)(outbound, deed)
    scaled = tuple(replace(bucket, interval_s=bucket.interval_s / policy.pace_factor) for bucket in paced)
    return (*scaled, *budgets(policy, address, deed), *closable(address.channel, outbound))


def budgets(policy: Policy, address: Address, deed: Deed) -> tuple[Bucket, ...]:
    """What an account, a conversation, a domain and a correspondent may get. An edit in place costs nothing of it."""
    channel, conversation = address.channel, address.conversation
    if deed is Deed.EDIT and policy.provider != "mail":
        return ()
    found = []
    if policy.daily:
        day = budget_of(f"{channel}:day", policy.daily)
        found.append(replace(day, is_wide=True, warm_from=policy.warm_from, warm_days=policy.warm_days))
    if policy.daily_conversation:
        found.append(budget_of(f"{channel}:day:{conversation}", policy.daily_conversation))
    if policy.daily_domain and "@" in conversation:
        found.append(budget_of(f"{channel}:domain:{domain(conversation)}", policy.daily_domain))
    if policy.hourly_conversation:
        found.append(budget_of(f"{channel}:hour:{conversation}", policy.hourly_conversation, HOUR_S))
    return tuple(found)


def domain(recipient: str) -> str:
    """The part after the last @, as the DNS compares it."""
    return recipient.rpartition("@")[2].strip("> ").lower()


def closable(channel: str, outbound: Outbound) -> tuple[Bucket, ...]:
    """Buckets without a pace: the whole channel, and the names by which adapters tell what answered 429."""
    team, _, place = outbound.address.conversation.rpartition("/")
    methods = ["chat.postMessage", "chat.update"] if channel == "slack" else []
    if methods and (outbound.picture or outbound.album or outbound.files):
        methods += ["files.getUploadURLExternal", "files.completeUploadExternal"]
    names = [channel, *methods_closed(channel, methods, team, place)]
    return tuple(Bucket(name=name) for name in names)


def methods_closed(channel: str, methods: list[str], team: str, place: str) -> list[str]:
    """A method as such, in one workspace, in one of Slack's channels."""
    return [
        ":".join(part for part in (channel, *scope) if part)
        for method in methods
        for scope in ((method,), (team, method), (method, place))
    ]


def nothing(outbound: Outbound, deed: Deed) -> tuple[Bucket, ...]:
    """A provider without a pace of its own."""
    return ()


def telegram(outbound: Outbound, deed: Deed) -> tuple[Bucket, ...]:
    """core.telegram.org/bots/faq: about 30 messages a second in all, 1 a second to a chat where a short burst is
    tolerated, 20 a minute to a group. The edit that follows a placeholder is no message; one that stands alone counts,
    because nobody has documented that it does not. 10 at once and one every 6 s is never more than 20 in a minute.
    """
    channel, chat = outbound.address.channel, outbound.address.conversation
    is_group = chat.startswith("-")
    narrow = Bucket(name=f"{channel}:chat:{chat}", interval_s=6.0 if is_group else 1.0, burst=10 if is_group else 3)
    return narrow, Bucket(name=f"{channel}:bot", interval_s=1 / 30, burst=30, is_wide=True)


def slack(outbound: Outbound, deed: Deed) -> tuple[Bucket, ...]:
    """docs.slack.dev/apis/web-api/rate-limits: chat.postMessage 1 a second to a channel and several hundred a minute to
    a workspace; chat.update is tier 3, 50 a minute for a workspace. A placeholder is posted only where its edit will
    be let through too: dots that nothing follows help nobody.
    """
    channel, (team, _, place) = outbound.address.channel, outbound.address.conversation.rpartition("/")
    update = Bucket(name=f"{channel}:{team}:chat.update", interval_s=60 / 50, burst=20)
    if deed is Deed.EDIT:
        return (update,)
    post = (
        Bucket(name=f"{channel}:chat.postMessage:{place}", interval_s=1.0, burst=3),
        Bucket(name=f"{channel}:{team}:chat.postMessage", interval_s=60 / 240, burst=40),
    )
    return post if outbound.kind is OutboundKind.WORKING else (*post, update)


PROVIDERS: dict[str, Callable[[Outbound, Deed], tuple[Bucket, ...]]] = {"telegram": telegram, "slack": slack}
"""A provider's published pace. Mail has none of its own: its budgets are `Policy`'s."""
