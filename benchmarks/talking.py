"""What a person at the page waits for: a command, a picture, a model."""

from __future__ import annotations

import json
import time
from contextlib import AbstractContextManager
from pathlib import Path

from pygraphviz import AGraph

from benchmarks.figures import CHATS, Figure, Scale, median, p95
from benchmarks.floors import commit_ms, echo_ms
from benchmarks.page import Person, served
from tests.fakes import model_server
from tests.fakes.house import House

PAUSE_S = 0.02
"""Between two messages of a person: the page allows 50 a second."""
WARM_UP = 5
SLOW_S = 2
MODELS = {"obedience": "echo", "depth": "echo", "cheap": "echo", "code": f"slow-{SLOW_S}s"}
QUESTION = "What does `def f(n): return n + {}` do?"
DIAGRAM = """/diagram flowchart LR
  push[Push] --> build[Build] --> unit[Unit tests] --> image[Image]
  build --> lint[Lint] --> image
  image --> stage[Staging] --> smoke{Smoke test} -->|passes| live[Live]
  smoke -->|fails| back[Roll back]
  live --> watch[Watch]
"""


def replies(folder: Path, scale: Scale) -> list[Figure]:
    """From the post of a small command to its answer on the stream."""
    with served(folder / "home") as house:
        person = Person(house)
        taken = sorted(time_many(person, "/help", scale.replies))
        person.close()
    echoes, commits = echo_ms(scale.replies), commit_ms(folder, scale.replies)
    of = "bare HTTP echo + bare SQLite commit (FULL)"
    return [
        Figure(
            key="reply_p50_ms",
            title="reply to /help on the page, p50",
            value=median(taken),
            unit="ms",
            at_most=15,
            floor=median(echoes) + median(commits),
            floor_of=of,
        ),
        Figure(
            key="reply_p95_ms",
            title="reply to /help on the page, p95",
            value=p95(taken),
            unit="ms",
            at_most=40,
            floor=p95(echoes) + p95(commits),
            floor_of=of,
        ),
    ]


def time_many(person: Person, text: str, times: int) -> list[float]:
    """Milliseconds of each, the first few left out."""
    taken = []
    for _ in range(WARM_UP + times):
        taken.append(person.time_ms(text)[0])
        time.sleep(PAUSE_S)
    return taken[WARM_UP:]


def diagrams(folder: Path, scale: Scale) -> list[Figure]:
    """From the post of a flowchart of 10 nodes to its picture, with a warm drawing worker."""
    with served(folder / "home") as house:
        person = Person(house)
        first_ms, event = person.time_ms(DIAGRAM)
        if "picture" not in event:
            raise RuntimeError(f"no picture came: {event['html']}")
        taken = time_many(person, DIAGRAM, scale.diagrams)
        person.close()
    return [
        Figure(
            key="diagram_p50_ms",
            title="/diagram of 10 nodes, warm, p50",
            value=median(taken),
            unit="ms",
            at_most=400,
            floor=median(dot_ms(scale.diagrams)),
            floor_of="bare dot layout through pygraphviz",
            note=f"p95 {p95(taken):.0f} ms; the first one, which starts the worker, {first_ms:.0f} ms",
        )
    ]


def dot_ms(times: int) -> list[float]:
    """Milliseconds of a bare layout of the same graph."""
    edges = ((0, 1), (1, 2), (2, 3), (1, 4), (4, 3), (3, 5), (5, 6), (6, 7), (6, 8), (7, 9))
    source = "digraph { rankdir=LR " + " ".join(f"n{tail} -> n{head}" for tail, head in edges) + " }"
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        graph = AGraph(string=source)
        graph.draw(format="json0", prog="dot")
        graph.close()
        taken.append((time.perf_counter() - started) * 1e3)
    return taken


def models(folder: Path, scale: Scale) -> list[Figure]:
    """Thirty chats at once on a slow model; what a short question costs the provider."""
    with model_server.running() as fake:
        with routed(folder / "home", fake.base_url) as house:
            person = Person(house)
            person.time_ms("hello")  # loads the client, as the first question of a day does
            last_s = last_reply_s(house)
            fake.calls.clear()
            person.time_ms("ping")
            person.close()
        calls = list(fake.calls)
    bare = json.dumps({"model": "echo", "messages": [{"role": "user", "content": "ping"}]}).encode()
    return [
        Figure(
            key="chats_30_last_reply_s",
            title=f"{CHATS} chats at once on a model of {SLOW_S} s, last reply",
            value=last_s,
            unit="s",
            at_most=4,
            floor=float(SLOW_S),
            floor_of="the model itself",
        ),
        Figure(
            key="ping_prompt_kb",
            title='what the agent sends for "ping"',
            value=max(call.bytes for call in calls) / 1024,
            unit="KB",
            at_most=8,
            floor=len(bare) / 1024,
            floor_of="the same question bare",
        ),
        Figure(
            key="ping_provider_calls",
            title="provider calls for a short reply",
            value=len(calls),
            unit="",
            at_most=2,
            floor=1,
            floor_of="one question",
        ),
    ]


def routed(home: Path, base_url: str) -> AbstractContextManager[House]:
    """A server that asks a slow model about code, and a quick one about everything else."""
    home.mkdir()
    routes = "\n".join(f'{shape} = ["fake/{model}"]' for shape, model in MODELS.items())
    (home / "routes.toml").write_text(f'[routes]\n{routes}\n[servers]\nfake = "{base_url}"\n')
    return served(home)


def last_reply_s(house: House) -> float:
    """Thirty people in as many conversations ask at once; seconds until the last has an answer."""
    people = [Person(house, f"chat-{n}") for n in range(CHATS)]
    started = time.perf_counter()
    asked = [(person, person.say(QUESTION.format(n))) for n, person in enumerate(people)]
    for person, key in asked:
        event = person.reply(key)
        if event["kind"] == "error":
            raise RuntimeError(f"no answer came: {event['html']}")
    taken = time.perf_counter() - started
    for person in people:
        person.close()
    return taken
