"""A provider wants to see a human being: who calls it after that, and how soon its owner hears of it elsewhere."""

from __future__ import annotations

import time
from dataclasses import dataclass

from benchmarks.figures import Figure
from benchmarks.transport.bench import Bench, NotMeasured, Section
from benchmarks.transport.world import COMMAND, PROVIDERS, World, wait, world

PAGE = "main"
IN_FLIGHT_S = 0.05
"""A call that was on its way when the refusal was written is none that came after it."""
PATIENCE_S = 20.0


@dataclass(frozen=True, kw_only=True)
class Found:
    """What one challenge led to."""

    calls: int
    told_s: float
    """Until the last of the other transport and the page showed it."""


def quarantine(bench: Bench) -> Section:
    """Slack and Telegram in turn, each told of over the other and on the page."""
    found = {provider: challenge(bench, provider) for provider in PROVIDERS}
    calls, told = sum(each.calls for each in found.values()), max(each.told_s for each in found.values())
    return Section(
        value={"calls": calls, "owner_told_s": round(told, 3)},
        figures=[
            Figure(
                key="quarantine_calls",
                title=f"calls in {bench.scale.quiet_s:g} s after a challenge",
                value=calls,
                unit="",
                at_most=0,
                note=", ".join(f"{provider}: {each.calls}" for provider, each in found.items()),
            ),
            Figure(
                key="quarantine_told_s",
                title="until the owner sees it elsewhere and on the page",
                value=told,
                unit="s",
                at_most=2,
                note=", ".join(f"{provider}: {each.told_s:.2f} s" for provider, each in found.items()),
            ),
        ],
    )


def challenge(bench: Bench, provider: str) -> Found:
    """One provider refuses, and says that a person must act."""
    other = next(name for name in PROVIDERS if name != provider)
    with world(bench, provider) as there:
        there.house.start()
        there.house.sign_in()
        there.connected(*PROVIDERS)
        for name in PROVIDERS:  # both know where their owner is
            there.say(name, 1, COMMAND.format(1))
            wait(f"no answer on {name}", lambda name=name: there.shows(name, 1, "no.such-000001"))  # type: ignore[misc]
        time.sleep(1.0)
        refuse(there, provider)
        there.say(provider, 1, COMMAND.format(2))
        wait(f"{provider} was not called", lambda: refused_at(there, provider))
        at = refused_at(there, provider)
        shown_at = {"page": 0.0, other: 0.0}
        while not all(shown_at.values()) and time.monotonic() < at + PATIENCE_S:
            time.sleep(0.01)
            for place, when in shown_at.items():
                if not when and tells(there, place, provider):
                    shown_at[place] = time.monotonic()
        time.sleep(max(0.0, at + bench.scale.quiet_s - time.monotonic()))
        calls = calls_since(there, provider, at + IN_FLIGHT_S)
    if silent := [place for place, when in shown_at.items() if not when]:
        raise NotMeasured(
            f"{provider} was challenged and {' and '.join(silent)} said nothing of it in {PATIENCE_S:g} s "
            f"(calls to {provider} meanwhile: {calls})"
        )
    return Found(calls=calls, told_s=max(shown_at.values()) - at)


def refuse(there: World, provider: str) -> None:
    """The provider wants a human being from now on."""
    if provider == "slack":
        there.slack.fake.dead_with = "two_factor_setup_required"
    else:
        there.telegram.fake.fail("sendMessage", 400, "Bad Request: FROZEN_METHOD_INVALID")


def refused_at(there: World, provider: str) -> float:
    """When the first call was refused so; 0 before that."""
    if provider == "slack":
        refused = [call.at for call in list(there.slack.fake.calls) if call.outcome == "two_factor_setup_required"]
        return refused[0] if refused else 0.0
    sends = there.telegram.fake.called("sendMessage")
    return sends[1].at if len(sends) > 1 else 0.0


def calls_since(there: World, provider: str, at: float) -> int:
    """Calls that came later."""
    if provider == "slack":
        return len([call for call in there.slack.fake.calls if call.at > at])
    return len([call for call in there.telegram.fake.calls if call.at > at])


def tells(there: World, place: str, provider: str) -> bool:
    """Whether the owner is told there of that provider's account."""
    if place == "page":
        return any(provider in str(event.get("html", "")).lower() for event in there.house.history(PAGE))
    return any(provider in seen.text.lower() for seen in there.surface(place).seen(there.house, 1))
