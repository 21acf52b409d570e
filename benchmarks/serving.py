"""Warm start and idle memory of the real server, beside a bare Starlette server."""

from __future__ import annotations

import re
import time
from pathlib import Path

from benchmarks.figures import Figure, Scale, median
from benchmarks.floors import answered, echo_server
from benchmarks.page import Person, served
from tests.fakes.house import House

HEAVY = ("litellm", "matplotlib", "pygraphviz", "telegram", "slack_bolt", "slack_sdk", "psycopg", "alembic", "mcp")
"""What an idle server should do without."""


def warm_start(folder: Path, scale: Scale) -> list[Figure]:
    """From exec to the first answers; the home, the schema and the bytecode are there."""
    healthy, replied = [], []
    house = House(folder / "home")
    try:
        house.start()
        house.sign_in()
        for _ in range(scale.starts):
            house.stop()
            started = time.perf_counter()
            house.start(wait=False)
            healthy.append(answered(house.port, "/healthz") - started)
            person = Person(house, f"c{len(healthy)}")
            person.time_ms("/help")
            replied.append(time.perf_counter() - started)
            person.close()
    finally:
        house.close()
    with echo_server():
        pass  # compiles
    floors = []
    for _ in range(scale.starts):
        with echo_server() as (_, _, seconds):
            floors.append(seconds)
    floor, of = median(floors), "bare Starlette, exec to first answer"
    return [
        Figure(
            key="start_healthz_s",
            title="warm start to /healthz",
            value=median(healthy),
            unit="s",
            at_most=1.5,
            floor=floor,
            floor_of=of,
        ),
        Figure(
            key="start_reply_s",
            title="warm start to the first reply (/help)",
            value=median(replied),
            unit="s",
            at_most=1.5,
            floor=floor,
            floor_of=of,
        ),
    ]


def idle_memory(folder: Path, scale: Scale) -> list[Figure]:
    """Of a server that was left alone, without a model: the process, and everything it started."""
    home = folder / "home"
    with served(home):
        pass  # the first start migrates
    with served(home) as house:
        assert house.process is not None
        time.sleep(scale.idle_s)
        processes = tree(house.process.pid)
        own, all_of_it = rss_mb(house.process.pid), sum(map(rss_mb, processes))
    with echo_server() as (process, _, _):
        time.sleep(min(1.0, scale.idle_s))
        floor, of = rss_mb(process.pid), "bare Starlette"
    loaded = ", ".join(heavy_modules(home, scale)) or "none"
    return [
        Figure(
            key="idle_rss_mb",
            title="idle memory of the server",
            value=own,
            unit="MB",
            at_most=90,
            floor=floor,
            floor_of=of,
            note=f"of {', '.join(HEAVY)} it has imported: {loaded}",
        ),
        Figure(
            key="idle_tree_rss_mb",
            title="idle memory with child processes",
            value=all_of_it,
            unit="MB",
            at_most=90,
            floor=floor,
            floor_of=of,
            note=f"{len(processes)} process(es)",
        ),
    ]


def heavy_modules(home: Path, scale: Scale) -> list[str]:
    """Which of `HEAVY` a server imports from its start until it was idle, as the interpreter itself tells."""
    with served(home, env={"PYTHONPROFILEIMPORTTIME": "1"}) as house:
        time.sleep(scale.idle_s)
        told = house.log.read_text("utf-8")
    imported = set(re.findall(r"^import time:.*\|\s+([\w.]+)$", told, re.MULTILINE))
    return [name for name in HEAVY if name in imported]


def tree(pid: int) -> list[int]:
    """A process and everything below it."""
    children = [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]
    return [pid, *(process for child in children for process in tree(child))]


def rss_mb(pid: int) -> float:
    """Resident memory of one process."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0
