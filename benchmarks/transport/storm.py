"""One chat of fifty is closed by 429: what that costs the others, and who still calls into it."""

from __future__ import annotations

import threading
import time

from benchmarks.figures import Figure, median, p95
from benchmarks.transport.bench import Bench, Section
from benchmarks.transport.world import Talk, World, world

CHATS = 50
PER_S = 6.0
"""Messages; each is two calls, and a bot may make 30 a second."""


def head_of_line(bench: Bench) -> Section:
    """The same talk twice, undisturbed and with a storm."""
    seconds = bench.scale.storm_s
    count = max(10, int(seconds * PER_S))
    with world(bench, "home", ["telegram"]) as there:
        there.house.start()
        there.connected("telegram")
        talk = Talk(there, "telegram", rooms=range(1, CHATS))
        talk.run(bench.scale.warm_up, PER_S)
        quiet = [reply.final_ms for reply in talk.run(count, PER_S, first=1000)]
        stormy_room = threading.Thread(target=complain, args=(there, seconds))
        there.telegram.fake.limit(1000 + CHATS, seconds)
        began, ended = time.monotonic(), time.monotonic() + seconds
        stormy_room.start()
        stormy = [reply.final_ms for reply in talk.run(count, PER_S, first=100_000)]
        stormy_room.join()
        into = calls_into(there, began, ended)
    added = p95(stormy) - p95(quiet)
    told = " -> ".join(f"p50 {median(each):.0f} ms, p95 {p95(each):.0f} ms" for each in (quiet, stormy))
    return Section(
        value={"added_p95_ms": round(added, 1), "calls_into_closed": into},
        figures=[
            Figure(
                key="storm_added_p95_ms",
                title=f"1 of {CHATS} chats closed for {seconds:g} s: the others' added p95",
                value=added,
                unit="ms",
                at_most=100,
                note=told,
            ),
            Figure(
                key="storm_calls",
                title="calls into the closed chat, after the one that learnt it",
                value=into,
                unit="",
                at_most=0,
            ),
        ],
    )


def complain(there: World, seconds: float) -> None:
    """Whoever is in the closed chat writes all the while."""
    for n in range(5):
        there.say("telegram", CHATS, f"/run no.such-{900_000 + n:06}")
        time.sleep(seconds / 6)


def calls_into(there: World, began: float, ended: float) -> int:
    """Calls into the closed chat while it was closed, the first left out: nobody can know before it."""
    into = [
        call
        for call in list(there.telegram.fake.calls)
        if call.params.get("chat_id") == 1000 + CHATS and began <= call.at < ended - 0.05
    ]
    return max(0, len(into) - 1)
