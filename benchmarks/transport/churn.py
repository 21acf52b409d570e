"""Slack asks the sockets to come again, a hundred times, while people talk."""

from __future__ import annotations

import threading
import time

from benchmarks.figures import Figure
from benchmarks.transport.bench import Bench, Section
from benchmarks.transport.world import COMMAND, World, wait, world

PER_S = 8.0
EVERY_S = 0.3
"""Between two refreshes."""
ROOMS = 40


def socket_churn(bench: Bench) -> Section:
    """Each socket in its turn; the server keeps two."""
    refreshes = bench.scale.refreshes
    with world(bench, "home", ["slack"], fast=["slack"]) as there:
        fake = there.slack.fake
        there.house.start()
        wait("Slack has no two sockets", lambda: len(fake.sockets.sockets) >= 2)
        before, is_over, said = fake.sockets.moments_without_socket, threading.Event(), list[tuple[int, str]]()
        talking = threading.Thread(target=talk, args=(there, is_over, said))
        talking.start()
        for _ in range(refreshes):
            fake.sockets.refresh()
            time.sleep(EVERY_S)
        is_over.set()
        talking.join()
        unserved = unanswered(there, said)
        no_socket = fake.sockets.moments_without_socket - before
        sockets = len({number for envelope in fake.sockets.envelopes for number in envelope.sockets})
    return Section(
        value={"unserved": unserved, "no_socket": no_socket},
        figures=[
            Figure(
                key="churn_unserved",
                title=f"{refreshes} refreshes over {len(said)} events: unserved",
                value=unserved,
                unit="",
                at_most=0,
                note=f"the events came over {sockets} sockets",
            ),
            Figure(key="churn_no_socket", title="moments with no open socket", value=no_socket, unit="", at_most=0),
        ],
    )


def talk(there: World, is_over: threading.Event, said: list[tuple[int, str]]) -> None:
    """Until it is over."""
    n = 0
    while not is_over.wait(1 / PER_S):
        room, text = n % ROOMS + 1, COMMAND.format(n)
        there.say("slack", room, text)
        said.append((room, text.split()[1]))
        n += 1


def unanswered(there: World, said: list[tuple[int, str]], seconds: float = 60.0) -> int:
    """How many have no acknowledgement or no answer in the end."""
    deadline = time.monotonic() + seconds
    left = said
    while left and time.monotonic() < deadline:
        left = [(room, tag) for room, tag in left if not there.shows("slack", room, tag)]
        time.sleep(0.2)
    return max(len(left), len(there.slack.fake.sockets.unserved()))
