"""The executor's side: crashes, the way from a decision to a process, sandboxes, revocations, audit, secrets."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import random
import secrets
import statistics
import string
import time
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.databases import postgres_server
from benchmarks.section import Measured, Section, missed
from bot.dispatcher.answers import observation
from layers.control import (
    APPROVER,
    Approval,
    Checkpoint,
    Context,
    Executor,
    Member,
    Outcome,
    Plan,
    Rules,
    SigningKey,
    Vault,
    audit,
    by_id,
    card,
    claim,
    conclude,
    request,
    verify_export,
)
from layers.control.audit import GENESIS, link
from layers.control.masking import forms
from layers.store import Store, open_store
from tests.control.conftest import OWNER, POLICY, press, script_plan, signed
from tests.control.crashing import KINDS, STEPS, Verdict, cell
from tests.control.probes import PROBES, attempt, rig
from tests.control.test_secrets import hidden

PROFILES = ("bwrap", "landlock")
ENTRIES = 200_000
TIMES = 100
AT_ONCE = 2
"""Cells of the crash matrix at once."""


class World:
    """A home, a store and an executor; everything as the server has it, without the chat."""

    def __init__(self, folder: Path, store: Store, executor: Executor) -> None:
        self.folder, self.store, self.executor = folder, store, executor
        self.rules = Rules(
            approvers=(OWNER,),
            manifests={"test.probe": ""},
            risks={"test.probe": 1},
            people=(Member(person=OWNER, roles=(APPROVER,)),),
            policy=POLICY,
            signer=SigningKey.open(executor.home / "keys"),
        )

    async def decided(self, plan: Plan) -> Approval:
        """Asked for and approved."""
        context = Context(conversation_id="web:main", turn_id=1, requested_by=OWNER, rules=self.rules)
        asked = await self.store.run(request, plan, context)
        decision = await self.store.run(press, asked.handle, "approve", OWNER, self.rules)
        if decision.approval is None or decision.refused:
            raise RuntimeError(decision.refused)
        return decision.approval

    async def carried_out(self, approval: Approval) -> Outcome:
        """Claimed, run, concluded."""
        await self.store.run(claim, approval.id, self.rules)
        outcome = await self.executor.run(approval.run_id, approval.plan, approval.warrant)
        await self.store.run(conclude, approval.run_id, outcome)
        return outcome


@asynccontextmanager
async def world(folder: Path, profile: str) -> AsyncIterator[World]:
    """One that is running."""
    home = folder / f"home-{profile}"
    (home / "workspace").mkdir(parents=True)
    store = await open_store(f"sqlite:///{home / 'b.db'}")
    executor = Executor(home, home / "workspace", profile)
    try:
        made = World(folder, store, executor)
        await executor.start()
        yield made
    finally:
        await executor.close()
        await store.close()


def run(work: Coroutine[object, object, Measured]) -> Measured:
    """To its end, on a loop of its own."""
    return asyncio.run(work)


# --- crashes -----------------------------------------------------------------------------------------------------


def crash_matrix(folder: Path, is_quick: bool) -> Measured:
    """Every step, every kind, both databases."""
    cells = [(step, kind) for step in STEPS for kind in KINDS]
    if is_quick:
        cells = random.Random(4).sample(cells, 6)
    with postgres_server() as fresh, ThreadPoolExecutor(AT_ONCE) as pool:
        if fresh is None:
            raise RuntimeError("there is no PostgreSQL: install Debian's package postgresql")
        waiting = []
        for number, (step, kind) in enumerate(cells):
            urls = (f"sqlite:///{folder / f's{number}.db'}", fresh(f"crash{number}"))
            for url in urls:
                home = folder / f"{number}-{url.partition(':')[0]}"
                waiting.append(pool.submit(cell, home, url, kind, step))
        verdicts = [one.result() for one in waiting]
    return crash_figures(verdicts)


def crash_figures(verdicts: list[Verdict]) -> Measured:
    """What the matrix adds up to."""
    duplicates = sum(verdict.is_duplicate for verdict in verdicts)
    losses = sum(verdict.is_lost or not verdict.is_chain_whole for verdict in verdicts)
    killed = sum(verdict.is_killed for verdict in verdicts)
    longest = max((verdict.restart_s for verdict in verdicts if verdict.state == "unknown"), default=0.0)
    states = {
        state: sum(verdict.state == state for verdict in verdicts) for state in ("succeeded", "failed", "unknown")
    }
    printed = {
        "duplicates": duplicates,
        "silent_losses": losses,
        "unknown_max_s": round(longest, 2),
        "cells": len(verdicts),
        "killed": killed,
        "states": states,
    }
    bad = [f"{one.step}/{one.kind}: {one}" for one in verdicts if one.is_duplicate or one.is_lost or not one.is_killed]
    claims = {
        f"duplicates are {duplicates}, not 0": duplicates == 0,
        f"silent losses are {losses}, not 0": losses == 0,
        f"an unknown outcome took {longest:.1f} s, not 10": longest <= 10,
        f"{killed} of {len(verdicts)} cells were killed": killed == len(verdicts),
    }
    return Measured(printed={"crash_matrix": printed}, misses=(*missed(claims), *bad))


# --- from the decision to the process ------------------------------------------------------------------------------


async def to_process(folder: Path, is_quick: bool) -> Measured:
    """From before the press is decided to the program's own first word, under bubblewrap."""
    took = []
    async with world(folder, "bwrap") as made:
        plan = script_plan(made.executor.workspace, "/bin/date", "+%s.%N")
        await made.carried_out(await made.decided(plan))
        for _ in range(20 if is_quick else 100):
            context = Context(conversation_id="web:main", turn_id=1, requested_by=OWNER, rules=made.rules)
            asked = await made.store.run(request, plan, context)
            began = time.time()
            await made.store.run(press, asked.handle, "approve", OWNER, made.rules)
            outcome = await made.carried_out(await made.store.run(by_id, asked.approval.id))
            took.append(1000 * (float(outcome.output) - began))
    printed = {"p50": round(statistics.median(took), 1), "p99": round(sorted(took)[-1 - len(took) // 100], 1)}
    claims = {f"the median is {printed['p50']} ms, not 60": printed["p50"] <= 60}
    return Measured(printed={"decision_to_process_ms": printed}, misses=missed(claims))


# --- sandboxes ---------------------------------------------------------------------------------------------------


async def probes(folder: Path, _is_quick: bool) -> Measured:
    """Every probe in each profile."""
    printed, got_out = {}, []
    for profile in PROFILES:
        async with world(folder, profile) as made:
            outside = folder / f"outside-{profile}"
            outside.mkdir()
            ours = [probe for probe in PROBES if profile in probe.profiles]
            with rig(outside, made.executor.workspace) as aim:
                out = [probe.name for probe in ours if (await attempt(made.executor, probe, aim))[0]]
        printed[profile] = {"successes": len(out), "total": len(ours)}
        got_out += [f"{profile}: {name} got out" for name in out]
    return Measured(printed={"sandbox_probes": printed}, misses=tuple(got_out))


async def revocations(folder: Path, is_quick: bool) -> Measured:
    """A run and its revocation at the same moment: what has not begun by the time `stop` returns never does."""
    total, spawns, slowest = 60 if is_quick else 1000, 0, 0.0
    generator = random.Random(9)
    async with world(folder, "bwrap") as made:
        workspace = made.executor.workspace

        async def race(number: int) -> bool:
            nonlocal slowest
            script = f"echo > begun-{number}; sleep 0.4; echo > late-{number}; sleep 60"
            plan = script_plan(workspace, "/bin/sh", "-c", script, is_workspace_writable=True, timeout_s=90)
            run_id = f"race-{number}"
            running = asyncio.create_task(made.executor.run(run_id, plan, signed(made.executor.home, run_id, plan)))
            await asyncio.sleep(generator.random() * 0.08)
            asked = time.monotonic()
            await made.executor.stop(run_id)
            slowest = max(slowest, time.monotonic() - asked)
            there = {path.name for path in workspace.glob(f"*-{number}")}  # it may get on while it is being stopped
            await running
            await asyncio.sleep(0.5)  # longer than the program would take to its second file
            return {path.name for path in workspace.glob(f"*-{number}")} != there

        for first in range(0, total, 4):
            spawns += sum(await asyncio.gather(*(race(number) for number in range(first, min(first + 4, total)))))
    printed = {"total": total, "spawns": spawns, "gone_max_s": round(slowest, 2)}
    claims = {
        f"{spawns} began after their revocation": spawns == 0,
        f"the slowest was gone after {slowest:.1f} s, not 2": slowest <= 2,
    }
    return Measured(printed={"revocation_races": printed}, misses=missed(claims))


# --- audit ---------------------------------------------------------------------------------------------------------


def entries(count: int) -> list[dict[str, object]]:
    """A trail as control writes it."""
    rows: list[dict[str, object]] = []
    previous = GENESIS
    for seq in range(1, count + 1):
        details = {"plan": secrets.token_hex(32), "run": f"{secrets.token_hex(8)}-1"}
        body = json.dumps({"action": "claim", "actor": "executor", "at": 1.8e9, "details": details, "ref": "r"})
        entry = link(previous, seq, body)
        rows.append({"seq": seq, "previous": previous, "hash": entry, "body": body})
        previous = entry
    return rows


def tampered(kind: str, rows: list[dict[str, object]], at: int) -> list[dict[str, object]]:
    """The five ways."""
    forged = [dict(row) for row in rows]
    if kind == "edited":
        forged[at]["body"] = str(forged[at]["body"]).replace("claim", "admin")
    elif kind == "deleted":
        del forged[at]
    elif kind == "reordered":
        other = (at + 1) % len(forged)
        forged[at], forged[other] = forged[other], forged[at]
    elif kind == "truncated":
        del forged[at:]
    else:
        previous = GENESIS
        for row in forged:
            row["body"] = str(row["body"]).replace("claim", "admin") if row["seq"] == at + 1 else row["body"]
            row["previous"], row["hash"] = previous, link(previous, int(str(row["seq"])), str(row["body"]))
            previous = str(row["hash"])
    return forged


def trail(_folder: Path, is_quick: bool) -> Measured:
    """How fast an export is verified, and what is found with one checkpoint of the last entry."""
    lines = [json.dumps(row, separators=(",", ":")) for row in entries(ENTRIES // 10 if is_quick else ENTRIES)]
    speeds = []
    for _ in range(3):
        began = time.perf_counter()
        if not verify_export(lines).ok:
            raise RuntimeError("a whole trail was called broken")
        speeds.append(len(lines) / (time.perf_counter() - began))
    rows, generator, found = entries(300), random.Random(5), 0
    seen = Checkpoint(seq=300, hash=str(rows[-1]["hash"]))
    kinds = ("edited", "deleted", "reordered", "truncated", "rewritten")
    for kind in kinds:
        for _ in range(TIMES):
            forged = tampered(kind, rows, generator.randrange(300))
            found += not verify_export([json.dumps(row) for row in forged], [seen]).ok
    total, speed = TIMES * len(kinds), round(max(speeds))
    printed = {"entries_per_s": speed, "found": found, "total": total}
    claims = {f"{speed} entries/s, not 100,000": speed >= 100_000, f"{total - found} were not found": found == total}
    return Measured(printed={"audit": printed}, misses=missed(claims))


# --- secrets -------------------------------------------------------------------------------------------------------


async def leaks(folder: Path, is_quick: bool) -> Measured:
    """Programs print what they were given, in every form; then every sink is searched."""
    generator, total, batch = random.Random(11), 50 if is_quick else 500, 10
    alphabet = string.ascii_letters + string.digits + "-_+/=.!%&"
    logged = io.StringIO()
    handler = logging.StreamHandler(logged)
    logging.getLogger().addHandler(handler)
    sinks: list[str] = []
    values: dict[str, str] = {}
    try:
        async with world(folder, "bwrap") as made:
            vault = Vault(made.executor.home)
            for first in range(0, total, batch):
                names = [f"S{number}" for number in range(first, first + batch)]
                known = {name: "".join(generator.choices(alphabet, k=generator.randrange(12, 50))) for name in names}
                for name, value in known.items():
                    vault.keep(name, value)
                values |= known
                sinks += await shown(made, known, generator)
            sinks += [str(dict(row)) for row in await made.store.fetch_all("control.pending")]
            sinks += [line async for line in audit.export(made.store)]
            for file in [*made.executor.home.glob("executor/**/*"), *made.executor.home.glob("b.db*")]:
                sinks += [file.read_bytes().decode("latin-1")] if file.is_file() else []
    finally:
        logging.getLogger().removeHandler(handler)
    text = "\n".join([*sinks, logged.getvalue()])
    leaked = sum(any(form in text for form in (value, *forms(value))) for value in values.values())
    claims = {f"{leaked} of {total} leaked": leaked == 0}
    return Measured(printed={"secrets_leaked": leaked}, misses=missed(claims))


async def shown(made: World, known: dict[str, str], generator: random.Random) -> list[str]:
    """What people and the model are shown of a run that prints its secrets and all their forms."""
    workspace = made.executor.workspace
    printed = "\n".join(form for value in known.values() for form in hidden(value, generator))
    (workspace / "forms").write_text(printed)  # as a program would compute them; no sink
    files = [f"/run/secrets/{name}" for name in known]
    plan = script_plan(workspace, "/bin/cat", "forms", *files, secrets=tuple(known))
    approval = await made.decided(plan)
    outcome = await made.carried_out(approval)
    ended = await made.store.run(by_id, approval.id)
    return [outcome.json, card(ended).text, observation(plan, outcome)]


SECTIONS: dict[str, Section] = {
    "crash_matrix": Section(keys=("crash_matrix",), run=crash_matrix),
    "decision_to_process_ms": Section(
        keys=("decision_to_process_ms",), run=lambda folder, is_quick: run(to_process(folder, is_quick))
    ),
    "sandbox_probes": Section(keys=("sandbox_probes",), run=lambda folder, is_quick: run(probes(folder, is_quick))),
    "revocation_races": Section(
        keys=("revocation_races",), run=lambda folder, is_quick: run(revocations(folder, is_quick))
    ),
    "audit": Section(keys=("audit",), run=trail),
    "secrets_leaked": Section(keys=("secrets_leaked",), run=lambda folder, is_quick: run(leaks(folder, is_quick))),
}
