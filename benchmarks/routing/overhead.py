"""What routing costs: a decision, the CPU of a call beside raw HTTP, and litellm's modules after a start without keys.

The fake server is a process of its own, so that its share is in no figure. CPU and not wall time: a busy machine does
not move it much.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp

from benchmarks.page import served
from benchmarks.routing.section import Measured, Section, missed
from layers.routing import Message, Role, Router, Task, parse_routes, shape_of
from layers.routing.checking import contract_for
from layers.routing.failover import Wires
from layers.routing.showing import Pane
from layers.routing.types import Model

CALLS, QUICK_CALLS = 300, 40
DECISIONS, QUICK_DECISIONS = 3000, 300
IDLE_S = 3.0
QUESTION = "Summarise the last release notes in three sentences and do not use any commas."
SERVERS = '[servers]\nollama=""\nlmstudio=""\nllamacpp=""\n'


@contextmanager
def fake_server() -> Iterator[str]:
    """The fake's base URL; it runs in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.fakes.model_server"], stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
    finally:
        process.terminate()
        process.wait()


def cpu_s(pid: int) -> float:
    """What a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def cpu_ms(count: int, call: Callable[[], Awaitable[object]], child: int = 0) -> float:
    """CPU of one call in ms, that of the process `child` included."""
    for _ in range(5):
        await call()
    before, theirs = time.process_time(), cpu_s(child) if child else 0.0
    for _ in range(count):
        await call()
    return (time.process_time() - before + (cpu_s(child) - theirs if child else 0.0)) / count * 1e3


async def calls(url: str, count: int) -> dict[str, float]:
    """CPU ms of a call: raw, straight through the router, and through litellm's process."""
    environ = {"OPENAI_BASE_URL": url, "OPENAI_API_KEY": "k"}
    task = Task(messages=(Message(role=Role.USER, content="ping"),))
    body = json.dumps({"model": "echo", "messages": [{"role": "user", "content": "ping"}], "stream": True})

    async with aiohttp.ClientSession() as session:

        async def raw() -> None:
            headers = {"content-type": "application/json"}
            async with session.post(f"{url}/chat/completions", data=body, headers=headers) as response:
                await response.read()

        raw_ms = await cpu_ms(count, raw)
    router = Router(environ=environ, routes=parse_routes(f'[routes]\ncheap = "openai/echo"\n{SERVERS}'))
    straight_ms = await cpu_ms(count, lambda: router.complete(task))
    await router.close()
    wires = Wires(environ)
    model = Model(name="openai/echo", wire="openai/echo", key_env="OPENAI_API_KEY")
    worker = wires.worker
    await worker.ready()
    assert worker.pid is not None
    worker_ms = await cpu_ms(count, lambda: wires.ask(model, task, Pane(None)), worker.pid)
    await wires.close()
    return {"raw_http": raw_ms, "straight": straight_ms, "through_litellm": worker_ms}


def each_us(count: int, work: Callable[[], object]) -> tuple[float, float]:
    """Median and 99th percentile in microseconds."""
    took = []
    for _ in range(count):
        began = time.perf_counter()
        work()
        took.append((time.perf_counter() - began) * 1e6)
    return statistics.median(took), statistics.quantiles(took, n=100)[98]


def overhead(folder: Path, is_quick: bool) -> Measured:
    """Decisions and calls."""
    task = Task(messages=(Message(role=Role.USER, content=QUESTION),))
    count = QUICK_DECISIONS if is_quick else DECISIONS
    decision, decision_p99 = each_us(count, lambda: shape_of(task.messages))
    contract, _ = each_us(count, lambda: contract_for(task))
    with fake_server() as url:
        ms = asyncio.run(calls(url, QUICK_CALLS if is_quick else CALLS))
    told = {
        "decision_us": round(decision, 1),
        "decision_p99_us": round(decision_p99, 1),
        "contract_us": round(contract, 1),
        "cpu_ms_per_call": {name: round(value, 2) for name, value in ms.items()},
        "cpu_ms_over_raw_http": round(ms["straight"] - ms["raw_http"], 2),
    }
    claims = {
        "a decision takes at most 100 us": decision <= 100,
        "a straight call takes at most 2 ms of CPU more than raw HTTP": ms["straight"] - ms["raw_http"] <= 2.0,
    }
    return Measured(printed={"overhead": told}, misses=missed(claims))


def litellm_modules(folder: Path, url: str = "") -> int:
    """How many modules of litellm a server imports until it is idle, as the interpreter itself tells."""
    env = {"PYTHONPROFILEIMPORTTIME": "1"}
    if url:
        env |= {"OPENAI_BASE_URL": url, "OPENAI_API_KEY": "k"}
    with served(folder / ("keyed" if url else "keyless"), env=env) as house:
        time.sleep(IDLE_S)
        told = house.log.read_text("utf-8")
    return len(set(re.findall(r"^import time:.*\|\s+(litellm(?:\.[\w.]+)?)$", told, re.MULTILINE)))


def modules(folder: Path, is_quick: bool) -> Measured:
    """Without a key, and with a server that speaks OpenAI's protocol."""
    keyless = litellm_modules(folder)
    with fake_server() as url:
        keyed = litellm_modules(folder, url)
    claims = {"a start without keys loads nothing of litellm": keyless == 0, "nor does one with": keyed == 0}
    return Measured(
        printed={"modules_at_keyless_start": keyless},
        misses=missed(claims),
        notes=(f"with a model configured the server itself has {keyed} modules of litellm",),
    )


SECTIONS = {
    "overhead": Section(keys=("overhead",), run=overhead),
    "modules_at_keyless_start": Section(keys=("modules_at_keyless_start",), run=modules),
}
