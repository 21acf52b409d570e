"""Hostile texts as a model's answers, through the real server to both providers: what of them would notify people."""

from __future__ import annotations

import sys
import time
from collections import Counter

from benchmarks.figures import Figure
from benchmarks.transport.bench import Bench, NotMeasured, Section
from benchmarks.transport.hostile import hostile
from benchmarks.transport.live import live_in_slack, live_on_telegram
from benchmarks.transport.world import PROVIDERS, World, world
from tests.crash.surfaces import ROOMS
from tests.fakes import model_server

AT_ONCE = 40
"""Questions that wait for their answers."""
STUCK_S = 60.0


def mention_leaks(bench: Bench) -> Section:
    """Each text once to each provider; a text counts once for each provider on which anything of it is live."""
    texts = hostile(bench.scale.hostile)
    with model_server.running() as model, world(bench, "home", fast=PROVIDERS, model_url=model.base_url) as there:
        model.lines = {question(n): text for n, text in enumerate(texts)}
        there.house.start()
        there.connected(*PROVIDERS)
        answered = ask(there, len(texts))
        leaks = found(there)
    missing = len(texts) * len(PROVIDERS) - answered
    if answered == 0:
        raise NotMeasured("no hostile text came through")
    examples = [f"{name}: {live!r}" for name, live in list(leaks.items())[:5]]
    return Section(
        value=len(leaks),
        figures=[
            Figure(
                key="mention_leaks",
                title=f"live mentions in {len(texts)} hostile texts on each provider",
                value=len(leaks),
                unit="",
                at_most=0,
                note="; ".join(examples),
            ),
            Figure(key="mention_unseen", title="hostile texts that never came", value=missing, unit="", at_most=0),
        ],
    )


def question(n: int) -> str:
    """What the model is asked for the n-th text."""
    return f"Tell me number {n:06}, please."


def ask(there: World, count: int) -> int:
    """Ask for each on each provider, some at a time; how many answers came."""
    asked: dict[tuple[str, int], int] = {}
    answered = 0
    todo = [(provider, n) for n in range(count) for provider in PROVIDERS]
    since = time.monotonic()
    while (todo or asked) and time.monotonic() < since + STUCK_S:
        while todo and len(asked) < AT_ONCE:
            provider, n = todo.pop(0)
            asked[provider, n] = n % ROOMS + 1
            there.say(provider, asked[provider, n], question(n))
        done = [each for each, room in asked.items() if there.shows(each[0], room, f"{each[1]:06}")]
        for each in done:
            del asked[each]
        answered, since = answered + len(done), time.monotonic() if done else since
        if sys.stderr.isatty():
            print(f"\rmentions: {answered} answered", end="", file=sys.stderr)
        time.sleep(0.05)
    return answered


def found(there: World) -> dict[str, list[str]]:
    """Every call in which something is live: provider, method and the text's number -> what."""
    leaks: dict[str, list[str]] = {}
    times = Counter[str]()
    for call in list(there.telegram.fake.calls):
        if call.method.startswith(("send", "edit")) and (live := live_on_telegram(call.params)):
            leaks[f"telegram {number(str(call.params), times)}"] = live
    for answered in list(there.slack.fake.calls):
        if answered.method.startswith(("chat.", "files.")) and (live := live_in_slack(answered.arguments)):
            leaks[f"slack {number(str(answered.arguments), times)}"] = live
    return leaks


def number(text: str, times: Counter[str]) -> str:
    """The number that a text is marked by, or one of its own."""
    mark = text.partition("Note ")[2][:6]
    if mark.isdigit():
        return mark
    times["unmarked"] += 1
    return f"unmarked {times['unmarked']}"
