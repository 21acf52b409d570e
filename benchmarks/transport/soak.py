"""Messages all the time, and kill -9 at random moments: what becomes of them at the providers."""

from __future__ import annotations

import random
import sys
import time
from collections import Counter

from benchmarks.figures import Figure
from benchmarks.transport.bench import Bench, Section
from benchmarks.transport.world import COMMAND, PROVIDERS, World, world
from tests.crash.surfaces import ROOMS
from tests.fakes.nursery import nursery

SEED = 20261122
LONGEST_LIFE_S = 1.6
"""Lives are random up to this: a start takes 0.5 s, so some end before the server has heard anything."""
STUCK_S = 60.0
"""After so long without a new answer the rest is lost."""


def sigkill_soak(bench: Bench) -> Section:
    """Seeded; the last start is left alone until nothing changes any more."""
    dice = random.Random(SEED)
    messages, kills = bench.scale.messages, bench.scale.kills
    with nursery() as opened, world(bench, "home", fast=PROVIDERS, nursery=opened) as there:
        said = 0
        for kill in range(kills):
            there.house.start(wait=False)
            ends_at, due = time.monotonic() + dice.uniform(0.0, LONGEST_LIFE_S), messages * (kill + 1) // kills
            for n in range(said, due):
                time.sleep(max(0.0, (ends_at - time.monotonic()) / (due - n)))
                speak(there, n, dice)
            said = due
            there.house.kill()
        there.house.start()
        answers = settle(there, messages)
    counts = [answers[n] for n in range(messages)]
    lost, doubled = counts.count(0), sum(max(0, count - 1) for count in counts)
    return Section(
        value={"lost": lost, "doubled": doubled, "kills": kills},
        figures=[
            Figure(
                key="soak_lost", title=f"{kills} kills over {messages} messages: lost", value=lost, unit="", at_most=0
            ),
            Figure(key="soak_doubled", title="the same: doubled", value=doubled, unit="", at_most=0),
        ],
    )


def speak(there: World, n: int, dice: random.Random) -> None:
    """The n-th message, to one of the providers in one of its rooms."""
    there.say(PROVIDERS[n % 2], dice.randrange(1, ROOMS + 1), COMMAND.format(n))


def settle(there: World, messages: int) -> Counter[int]:
    """How many answers each message has, once all have one or nothing new comes."""
    answers, since = Counter[int](), time.monotonic()
    while len(answers) < messages and time.monotonic() < since + STUCK_S:
        time.sleep(0.5)
        found = count(there)
        if len(found) > len(answers):
            since = time.monotonic()
        answers = found
        if sys.stderr.isatty():
            print(f"\rsoak: {len(answers)} of {messages} answered", end="", file=sys.stderr)
    time.sleep(3.0)  # a double may come after the first
    return count(there)


def count(there: World) -> Counter[int]:
    """Message -> messages of the server's that answer it."""
    prefix = COMMAND.partition("{")[0].split()[1]
    found = Counter[int]()
    for provider in PROVIDERS:
        surface = there.surface(provider)
        for room in range(1, ROOMS + 1):
            for seen in surface.seen(there.house, room):
                if prefix in seen.text:
                    found[int(seen.text.partition(prefix)[2][:6])] += 1
    return found
