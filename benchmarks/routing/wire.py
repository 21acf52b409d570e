"""Each scripted failure of a model over real HTTP: what people see, and which calls were made.

The failing model comes first, an echo second; LiteLLM's own router gets the same in the same run. `shown` is every
piece that people saw, joined; it must be the answer, without a word twice. A failure that is the caller's mistake must
cost one call and no more.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from benchmarks.routing.section import Measured, Section, missed
from layers.routing import Message, NoAnswer, Role, Router, Task, ToolSpec, parse_routes
from layers.routing.showing import GO_ON
from tests.fakes import model_server

QUESTION = "one two three four five six seven eight nine ten eleven twelve"
DRAW = ToolSpec(name="draw", description="Draw.", parameters={"type": "object", "properties": {}})
FAILURES: Mapping[str, str] = {
    "500": "err500",
    "401": "err401",
    "429": "err429",
    "429_retry_after": "wait-30s",
    "400": "err400",
    "slow": "slow-30s",
    "cut_stream": "midbreak",
    "ended_stream": "nodone",
    "error_event": "errevent",
    "bad_json": "badjson",
    "bad_tool_json": "badtool",
    "cut_tool_json": "cuttool",
    "context_overflow": "toolong",
    "empty": "empty",
}
"""What happens -> the fake's model that does it."""
ONE_CALL = {"400"}
PEER_S = 300.0


async def one(fake: model_server.ModelServer, model: str) -> dict[str, object]:
    """The question put to a router whose first model fails in that way."""
    fake.calls.clear()
    fake.lines[GO_ON] = QUESTION  # the second model begins anew: the worst it can do
    routes = f'[routes]\ncheap = ["openai/{model}", "openai/echo"]\n[servers]\nollama=""\nlmstudio=""\nllamacpp=""\n'
    router = Router(
        environ={"OPENAI_BASE_URL": fake.base_url, "OPENAI_API_KEY": "k"}, routes=parse_routes(routes)
    )  # fmt: skip
    pieces: list[str] = []
    task = Task(messages=(Message(role=Role.USER, content=QUESTION),), tools=(DRAW,), timeout_s=1.0)
    try:
        reply = await router.complete(task, pieces.append)
        answer, error = reply.text, reply.attempts[0].error
    except NoAnswer as failure:
        answer, error = None, str(failure)
    finally:
        await router.close()
    return {"answer": answer, "shown": "".join(pieces), "calls": fake.asked(), "error": error}


def peer(fake: model_server.ModelServer) -> dict[str, object]:
    """The same with LiteLLM's own router: how many are answered, what is lost, what comes through broken."""
    command = [sys.executable, "-m", "benchmarks.routing.litellm_router", fake.base_url, *FAILURES.values()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PEER_S, check=True)
    rows = dict(zip(FAILURES, json.loads(done.stdout.splitlines()[-1]), strict=True))
    return {
        "answered": sorted(name for name, row in rows.items() if row["shown"].strip() == QUESTION),
        "lost": sorted(name for name, row in rows.items() if row["shown"].strip() != QUESTION),
        "broken_tool_calls": sorted(name for name, row in rows.items() if row["broken_tool_call"]),
    }


def measure(folder: Path, is_quick: bool) -> Measured:
    """Every failure once."""
    with model_server.running() as fake:
        told = {name: asyncio.run(one(fake, model)) for name, model in FAILURES.items()}
        others = peer(fake)
    claims = {}
    for name, model in FAILURES.items():
        result = told[name]
        if name in ONE_CALL:
            claims[f"{name}: one call and an honest error"] = result["calls"] == [model] and result["answer"] is None
            continue
        claims[f"{name}: the second model answers after one call of the first"] = (
            result["calls"] == [model, "echo"] and result["answer"] == QUESTION
        )
        claims[f"{name}: what was shown is the answer"] = result["shown"].strip() == QUESTION  # type: ignore[attr-defined]
    return Measured(printed={"wire": {**told, "litellm_router": others}}, misses=missed(claims))


def table(value: Mapping[str, object]) -> str:
    """A line for each failure."""
    rows = [(name, row) for name, row in value.items() if isinstance(row, Mapping) and "calls" in row]
    return "wire\n" + "\n".join(
        f"  {name:<18} {'answered' if row['answer'] else 'refused':<9} after {' > '.join(row['calls'])}"
        for name, row in rows
    )


SECTIONS = {"wire": Section(keys=("wire",), run=measure, table=table)}
