"""Sections about decisions: races of processes, buttons older than a restart, milliseconds to a durable decision, and
the attack cases by their names in the reference.
"""

from __future__ import annotations

import asyncio
import json
import re
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

from benchmarks.control.presser import OWNER, press_of, rules_of
from benchmarks.floors import commit_ms
from benchmarks.section import Measured, Section, missed
from layers.control import Action, Catalog, Context, State, by_id, decide, install_capabilities, plan, request
from layers.store import Store, Tx, open_store
from tests.fakes import postgres

REPO = Path(__file__).parents[2]
PROCESSES = 8
PER_CONVERSATION = 40
CASES = {"A": 11, "B": 16, "C": 9, "D": 16, "E": 15, "F": 6, "G": 14, "H": 8}
"""Group of the reference -> how many cases it has."""


def furnished(folder: Path) -> Path:
    """A home with the shipped capabilities."""
    home = folder / "home"
    (home / "workspace").mkdir(parents=True, exist_ok=True)
    install_capabilities(home / "capabilities")
    return home


async def ask_many(store: Store, home: Path, count: int) -> list[tuple[str, str, str]]:
    """So many different requests; id, handle and conversation of each card."""
    rules = rules_of(home)
    catalog = Catalog.load(home / "capabilities", home / "workspace")
    values = {"name": "todo", "text": "buy milk"}
    made = plan(catalog, Action(capability="workspace.write-note", parameters=values, requested_by=OWNER))

    def ask(tx: Tx, first: int) -> list[tuple[str, str, str]]:
        cards = []
        for number in range(first, min(first + PER_CONVERSATION, count)):
            context = Context(conversation_id=f"web:c{first}", turn_id=1, requested_by=OWNER, rules=rules)
            asked = request(tx, replace(made, title=f"Note {number}"), context)
            cards.append((asked.approval.id, asked.handle, context.conversation_id))
        return cards

    asked = [await store.run(ask, first) for first in range(0, count, PER_CONVERSATION)]
    return [card for cards in asked for card in cards]


# --- races -------------------------------------------------------------------------------------------------------


def race(folder: Path, is_quick: bool) -> Measured:
    """Processes press at random on both databases."""
    count = 400 if is_quick else 10_000
    with postgres.server() as server:
        urls = (f"sqlite:///{folder / 'race.db'}", postgres.create(server, "race"))
        found = [raced(folder / str(number), url, count) for number, url in enumerate(urls)]
    total = {name: sum(one[name] for one in found) for name in ("double_decisions", "double_effects")}
    claims = {
        "no decision is made twice": not total["double_decisions"],
        "nothing runs twice": not total["double_effects"],
    }
    return Measured(
        printed={"race": {**total, "requests": count, "processes": PROCESSES}},
        misses=missed(claims),
    )


def raced(folder: Path, url: str, count: int) -> dict[str, int]:
    """One database; what was decided or run more than once, or run although it was denied."""
    home = furnished(folder)
    asyncio.run(prepare(home, url, count))
    command = [sys.executable, "-m", "benchmarks.control.presser", str(home), url]
    running = [
        subprocess.Popen([*command, str(seed), str(count // 3)], cwd=REPO, stdout=subprocess.PIPE, text=True)
        for seed in range(PROCESSES)
    ]
    said = [process.communicate()[0] for process in running]
    if any(process.returncode for process in running):
        raise RuntimeError("a process that pressed has failed")
    ran = Counter(id for text in said for id in json.loads(text))
    words, claimed = asyncio.run(told(url))
    twice = sum(times > 1 for times in words.values())
    wrong = sum(times > 1 for times in ran.values()) + sum(claimed[id] != times for id, times in ran.items())
    return {"double_decisions": twice, "double_effects": wrong}


async def prepare(home: Path, url: str, count: int) -> None:
    """The requests, and their cards for the processes."""
    store = await open_store(url)
    (home / "cards.json").write_text(json.dumps(await ask_many(store, home, count)))
    await store.close()


async def told(url: str) -> tuple[Counter[tuple[str, str]], Counter[str]]:
    """By the audit trail: how often each word was said of each request, and how often each was claimed."""
    store = await open_store(url)
    rows = await store.fetch_all("control.audit_page", after=0, last=10**9, limit=10**9)
    await store.close()
    bodies = [json.loads(row["body"]) for row in rows]
    words = Counter((body["ref"], body["action"]) for body in bodies if body["action"] in ("approve", "deny", "claim"))
    denied = {ref for ref, action in words if action == "deny"}
    claimed = Counter({ref: times for (ref, action), times in words.items() if action == "claim"})
    for ref in denied & set(claimed):
        words[ref, "both"] = 2
    return words, claimed


# --- restarts and milliseconds -----------------------------------------------------------------------------------


def restart(folder: Path, is_quick: bool) -> Measured:
    """Buttons made before the store was closed, pressed after it was opened again."""
    count = 100 if is_quick else 1000
    right = asyncio.run(restarted(furnished(folder), f"sqlite:///{folder / 'b.db'}", count))
    claims = {f"{count} of {count} old buttons decide rightly": right == count}
    return Measured(printed={"restart": {"right": right, "total": count}}, misses=missed(claims))


async def restarted(home: Path, url: str, count: int) -> int:
    """How many decided as they should."""
    store = await open_store(url)
    cards = await ask_many(store, home, count)
    await store.close()
    store, rules, right = await open_store(url), rules_of(home), 0
    for number, card in enumerate(cards):
        verb, after = (("approve", State.APPROVED), ("deny", State.DENIED))[number % 2]
        refused = (await store.run(decide, press_of(card, verb), OWNER, rules)).refused
        right += not refused and (await store.run(by_id, card[0])).state is after
    await store.close()
    return right


def press_to_durable(folder: Path, is_quick: bool) -> Measured:
    """From the press to the commit, on SQLite as the server has it; beside it the least that a commit takes there."""
    took = asyncio.run(timed(furnished(folder), f"sqlite:///{folder / 'b.db'}", 50 if is_quick else 500))
    p50, p99 = statistics.median(took), statistics.quantiles(took, n=100)[98]
    floor = statistics.median(commit_ms(folder, 50 if is_quick else 500))
    figures = {"p50": round(p50, 2), "p99": round(p99, 2), "commit_floor_p50": round(floor, 2)}
    printed = {"press_to_durable_ms": figures}
    return Measured(printed=printed, misses=missed({f"p50 {p50:.2f} ms is at most 5 ms": p50 <= 5}))


async def timed(home: Path, url: str, count: int) -> list[float]:
    """Milliseconds of each."""
    store, rules, took = await open_store(url), rules_of(home), []
    for card in await ask_many(store, home, count):
        began = time.perf_counter()
        decision = await store.run(decide, press_of(card, "approve"), OWNER, rules)
        took.append((time.perf_counter() - began) * 1e3)
        if decision.refused:
            raise RuntimeError(decision.refused)
    await store.close()
    return took


# --- attack cases ------------------------------------------------------------------------------------------------

NAMED = re.compile(r"test_((?:[A-H]\d{1,2}_)+)")


def attack_cases(folder: Path, _is_quick: bool) -> Measured:
    """Every test that names a case of the reference. A case without a test has not passed."""
    seen = tested(folder, ())
    every = [f"{group}{number}" for group, many in CASES.items() for number in range(1, many + 1)]
    failed = [case for case in every if not seen.get(case)]
    bypasses = sum(not held for held in seen.values())
    cases = {"passed": len(every) - len(failed), "total": len(every), "failed": failed}
    claims = {f"{len(every)} of {len(every)} cases are refused": not failed, "nothing gets past": not bypasses}
    return Measured(printed={"attack_cases": cases, "bypasses": bypasses}, misses=missed(claims))


def tested(folder: Path, only: Collection[str]) -> Mapping[str, bool]:
    """Case -> whether each of its tests held, of all tests that name a case, or where `only` names some, of those."""
    report = folder / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "2", f"--junitxml={report}"]
    chosen = sorted({str(path) for path in (REPO / "tests").rglob("test_*.py") if names_in(path.read_text())})
    narrowed = ["-k", " or ".join(f"_{case}_" for case in only)] if only else []
    subprocess.run([*command, *narrowed, *chosen], cwd=REPO, stdout=subprocess.DEVNULL, check=False)
    return outcomes(report)


def names_in(text: str) -> set[str]:
    """The cases that names of tests in a text name."""
    return {case for found in NAMED.findall(text) for case in found.strip("_").split("_")}


def outcomes(report: Path) -> Mapping[str, bool]:
    """Case -> whether each of its tests held. A skipped test is none."""
    seen: dict[str, bool] = {}
    for test in ElementTree.parse(report).iter("testcase"):
        if test.find("skipped") is not None:
            continue
        held = test.find("failure") is None and test.find("error") is None
        for case in names_in(test.get("name", "")):
            seen[case] = seen.get(case, True) and held
    return seen


SECTIONS: Mapping[str, Section] = {
    "attack_cases": Section(keys=("attack_cases", "bypasses"), run=attack_cases),
    "race": Section(keys=("race",), run=race),
    "restart": Section(keys=("restart",), run=restart),
    "press_to_durable_ms": Section(keys=("press_to_durable_ms",), run=press_to_durable),
}
