"""From a person's message at the provider to the first thing that they see, and beside it what stock bots need."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from benchmarks.figures import Figure, median, p95
from benchmarks.floors import commit_ms
from benchmarks.transport.bench import Bench, Section
from benchmarks.transport.world import COMMAND, PROVIDERS, Reply, Talk, World, quiet_folder, wait, world
from tests.crash.surfaces import ROOMS
from tests.fakes.environment import REPO

PER_S = 5.0
"""Messages: well below every limit, so that only the work is measured."""
ACK_PER_S = 50.0
COMMITS = 100
"""Of the floor."""


def latency_ms(bench: Bench) -> Section:
    """Bulkhead on both providers, its acknowledgements under load, the stock bots."""
    replies: dict[str, list[Reply]] = {}
    with world(bench, "home", fast=["slack"]) as there:
        there.house.start()
        there.connected(*PROVIDERS)
        for provider in PROVIDERS:
            talk = Talk(there, provider)
            talk.run(bench.scale.warm_up, PER_S)
            replies[provider] = talk.run(bench.scale.replies, PER_S, first=1000)
    with world(bench, "acks", ["slack"], fast=["slack"]) as there:
        there.house.start()
        there.connected("slack")
        acks = acknowledgements(there, bench.scale.acks)
    stock = {provider: stock_replies(bench, provider) for provider in PROVIDERS}
    commits = commit_ms(quiet_folder(bench, "commits"), COMMITS)
    found = section(replies, acks, stock)
    return replace(found, figures=[*found.figures, floor(commits)])


def floor(commits: list[float]) -> Figure:
    """What the disk asks for each commit; three of them lie before the first thing that people see."""
    note = f"p95 {p95(commits):.1f} ms"
    return Figure(
        key="commit_p50_ms", title="a bare commit on this disk, p50", value=median(commits), unit="ms", note=note
    )


def acknowledgements(there: World, count: int) -> list[float]:
    """Milliseconds until Slack was told that an event is kept, at 50 events a second."""
    fake = there.slack.fake
    start = time.monotonic()
    for n in range(count):
        time.sleep(max(0.0, start + n / ACK_PER_S - time.monotonic()))
        there.say("slack", n % ROOMS + 1, COMMAND.format(n))
    wait("Slack has no acknowledgement of each event", lambda: not fake.sockets.unserved())
    return [(envelope.acked_at - envelope.sent_at[0]) * 1e3 for envelope in fake.sockets.envelopes]


def stock_replies(bench: Bench, provider: str) -> list[float]:
    """The stock bot's, in a world of its own: its calls are not Bulkhead's."""
    aside = Bench(folder=bench.folder / f"stock-{provider}", shared=bench.shared, scale=bench.scale)
    aside.folder.mkdir()
    with world(aside, "home") as there, stock_bot(there, provider):
        there.connected(provider)
        talk = Talk(there, provider)
        time.sleep(0.5)
        talk.run(bench.scale.warm_up, PER_S)
        return [reply.first_ms for reply in talk.run(bench.scale.replies, PER_S, first=1000)]


@contextmanager
def stock_bot(there: World, provider: str) -> Iterator[None]:
    """In a process of its own."""
    tokens = [value for name, value in there.surface(provider).env.items() if name.endswith("TOKEN")]
    url = there.telegram.fake.url if provider == "telegram" else there.slack.fake.url
    command = [sys.executable, "-m", "benchmarks.transport.stock", provider, url, *tokens]
    with open(there.house.log, "ab") as log:
        process = subprocess.Popen(command, cwd=REPO, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def p99(values: Sequence[float]) -> float:
    """What 99 of 100 stay below."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(0.99 * len(ordered)))]


def section(replies: dict[str, list[Reply]], acks: list[float], stock: dict[str, list[float]]) -> Section:
    """The slower provider counts."""
    firsts = {provider: [each.first_ms for each in found] for provider, found in replies.items()}
    finals = {provider: [each.final_ms for each in found] for provider, found in replies.items()}
    worst_p50, worst_p95 = max(map(median, firsts.values())), max(map(p95, firsts.values()))
    told = "; ".join(
        f"{name}: first {median(firsts[name]):.1f} / {p95(firsts[name]):.1f} ms, answer {median(finals[name]):.1f} / "
        f"{p95(finals[name]):.1f} ms"
        for name in replies
    )
    floors = {name: median(found) for name, found in stock.items()}
    slowest = max(floors.values())
    return Section(
        value={
            "p50": round(worst_p50, 1),
            "p95": round(worst_p95, 1),
            "slack_ack_p99": round(p99(acks), 1),
            "stock_ptb_p50": round(floors["telegram"], 1),
            "stock_bolt_p50": round(floors["slack"], 1),
        },
        figures=[
            Figure(
                key="first_p50_ms",
                title="message to first visible reply, p50, slower provider",
                value=worst_p50,
                unit="ms",
                at_most=25,
                floor=slowest,
                floor_of="stock echo bot, slower one",
                note=f"p50 / p95 of {told}",
            ),
            Figure(
                key="first_p95_ms",
                title="the same, p95",
                value=worst_p95,
                unit="ms",
                at_most=60,
                floor=max(map(p95, stock.values())),
                floor_of="stock echo bot, slower one",
            ),
            Figure(
                key="slack_ack_p99_ms",
                title=f"Slack's acknowledgement after the commit, p99 at {ACK_PER_S:g} events/s",
                value=p99(acks),
                unit="ms",
                at_most=250,
                note=f"p50 {median(acks):.1f} ms",
            ),
            *(
                Figure(key=f"stock_{name}_p50_ms", title=f"stock bot on {name}, p50", value=value, unit="ms")
                for name, value in floors.items()
            ),
        ],
    )
