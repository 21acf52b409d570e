"""Memory of a server that is connected to everything and has nothing to do."""

from __future__ import annotations

import time

from benchmarks.figures import Figure
from benchmarks.serving import rss_mb as rss_of
from benchmarks.serving import tree
from benchmarks.transport.bench import Bench, NotMeasured, Section
from benchmarks.transport.world import world


def rss_mb(bench: Bench) -> Section:
    """Of the server's own process; with its children beside it."""
    with world(bench, "home") as there:
        there.house.start()
        there.connected("telegram", "slack")
        there.house.stop()  # the first start migrates
        there.house.start()
        there.connected("telegram", "slack")
        time.sleep(bench.scale.idle_s)
        if there.house.process is None or not there.house.is_alive:
            raise NotMeasured("the server ended")
        own = rss_of(there.house.process.pid)
        processes = tree(there.house.process.pid)
        together = sum(map(rss_of, processes))
    return Section(
        value=round(own, 1),
        figures=[
            Figure(
                key="idle_rss_mb",
                title="idle memory with every adapter connected",
                value=own,
                unit="MB",
                at_most=140,
                note=f"with its {len(processes) - 1} child processes {together:.0f} MB",
            )
        ],
    )
