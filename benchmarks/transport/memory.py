"""Memory of a server that is connected to everything and has nothing to do."""

from __future__ import annotations

import time

from benchmarks.figures import Figure
from benchmarks.serving import rss_mb as rss_of
from benchmarks.serving import tree
from benchmarks.transport.bench import Bench, NotMeasured, Section
from benchmarks.transport.world import PROVIDERS, World, wait, world
from tests.crash.mail import READING, open_mail
from tests.fakes import model_server

LOADED_S = 60.0
"""The library that asks models is imported after the start, for 8 s of CPU."""


def rss_mb(bench: Bench) -> Section:
    """Of the server's own process, with Telegram, Slack and mail; a model costs its library beside."""
    own, together, processes = idle(bench, "home")
    with model_server.running() as model:
        with_model, *_ = idle(bench, "with-model", model.base_url)
    return Section(
        value=round(own, 1),
        figures=[
            Figure(
                key="idle_rss_mb",
                title="idle memory with all three adapters connected",
                value=own,
                unit="MB",
                at_most=140,
                note=f"with its {processes - 1} child processes {together:.0f} MB",
            ),
            Figure(
                key="idle_rss_with_model_mb",
                title="the same, where a model is configured",
                value=with_model,
                unit="MB",
                note="litellm is a process of its own, and only where a model needs it",
            ),
        ],
    )


def idle(bench: Bench, name: str, model_url: str = "") -> tuple[float, float, int]:
    """MB of the server's process, MB with its children, and how many they are together.

    Raises:
        NotMeasured: it is not connected, or it ended.
        OSError: the mail servers are not installed.
    """
    with open_mail() as mail, world(bench, name, model_url=model_url) as there:
        there.house.env |= mail.env
        start(there)
        there.house.stop()  # the first start migrates
        before = there.house.log.stat().st_size
        start(there, before)
        time.sleep(bench.scale.idle_s)
        process = there.house.process
        if process is None or not there.house.is_alive:
            raise NotMeasured("the server ended")
        if model_url:
            settle(process.pid)
        processes = tree(process.pid)
        return rss_of(process.pid), sum(map(rss_of, processes)), len(processes)


def start(there: World, since: int = 0) -> None:
    """Start, until every provider is connected."""
    there.house.start()
    there.connected(*PROVIDERS)
    wait("no mailbox is read", lambda: READING in there.house.log.read_text()[since:])


def settle(pid: int) -> None:
    """Until what is loaded in the background is there."""
    deadline, before = time.monotonic() + LOADED_S, 0.0
    while time.monotonic() < deadline and abs((now := rss_of(pid)) - before) > 1.0:
        before = now
        time.sleep(3.0)
