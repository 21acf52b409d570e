"""Writers that are killed and paused at the worst moments, an editor that knows of nothing, and a count afterwards.

The workload is list-append: a patch appends one to eight words, each to one to three files. Whatever was acknowledged
must be in each of its files once; of any patch, all words are in all their files or none is in any.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import random
import signal
import sqlite3
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

import psycopg

from benchmarks.coordination import editor, policies
from benchmarks.coordination.ground import git, git_bytes, make_workspace
from benchmarks.coordination.writer import SHARED, Job, run
from benchmarks.databases import postgres_server
from benchmarks.section import Measured, missed
from layers import failpoint
from layers.coordination import Coordinator, leases
from layers.coordination.git import open_repository, workspace_id
from layers.coordination.line import open_landings
from layers.coordination.rules import overlap
from layers.store import open_store

KILLS = 5_000
KILLS_PER_PATCH = 0.14
POINTS = len(failpoint.Landing)
WRITERS = 8
POLICY_WORDS = 10_000
"""Of each policy: enough to see what it loses."""
EDITOR_LOG = "editor.log"
PAUSE_S = 1.5
"""Longer than the leases' time to live in the stress."""
PAUSE_EVERY_S, POLICY_PAUSE_EVERY_S = 20.0, 2.0
"""On average, of each process. A policy's patch takes a tenth of the time, so a patch is paused about as often."""
COUNTED = ("acked", "patches", "lost", "torn", "doubled", "editor_lost", "editor_saves", "kills", "pauses")
QUERY = "SELECT ticket, fence, paths FROM lease WHERE fence > 0 ORDER BY ticket"
FORK = multiprocessing.get_context("fork")
"""A process that only has to be copied is there in milliseconds; a fresh one would take most of the run."""
Work = Callable[[Job, int], None]
"""What a process of writers does, with a seed, until it is killed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Toll:
    """What the processes of writers suffer, counted over all of them."""

    kills: Synchronized[int]
    pauses: Synchronized[int]
    pause_every_s: float


@dataclass(slots=True, kw_only=True)
class Word:
    """What the logs tell of one."""

    patch: str
    files: Sequence[str]
    began: float
    acked: float | None = None


@dataclass(slots=True, kw_only=True)
class Found:
    """What is counted, over the databases."""

    counts: Counter[str] = field(default_factory=Counter)
    databases: list[str] = field(default_factory=list)


def stress(counts: tuple[int, int], folder: Path, is_quick: bool) -> Measured:
    """Both databases, half of the words each; then the models of what others do."""
    limit = counts[0] if is_quick else counts[1]
    found = Found()
    with postgres_server() as create:
        urls = [("sqlite", f"sqlite:///{folder / 'stress.db'}", 1)]
        if create is not None:
            urls.append(("postgresql", create("stress"), 3))
        with ProcessPoolExecutor(len(urls), mp_context=FORK) as pool:  # beside each other: both wait a lot
            each = [
                pool.submit(one_database, folder / name, url, processes, limit // len(urls))
                for name, url, processes in urls
            ]
            for (name, _, _), counted in zip(urls, each, strict=True):
                found.databases.append(name)
                found.counts += counted.result()
    told = {name: found.counts[name] for name in (*COUNTED, "stuck", "cycles")}
    others = {
        name: one_policy(folder / name, policy, 3, min(limit, POLICY_WORDS))
        for name, policy in policies.POLICIES.items()
    }
    printed = {**told, "databases": found.databases, "policies": others}
    zeros = ("lost", "torn", "doubled", "editor_lost", "stuck", "cycles")
    claims = {f"{name} is {told[name]}": not told[name] for name in zeros}
    claims |= {f"{told['acked']:,} of {limit:,} appends were acknowledged": told["acked"] >= limit - len(urls)}
    claims |= {f"{told['kills']} kills are at least {KILLS}": is_quick or told["kills"] >= KILLS}
    inversions = found.counts["inversions"]
    claims[f"{inversions} leases were given out of their order"] = not inversions
    notes = () if len(urls) == 2 else ("there is no PostgreSQL here",)
    return Measured(printed={"stress": printed, "queue_inversions": inversions}, misses=missed(claims), notes=notes)


def one_database(folder: Path, url: str, processes: int, limit: int) -> Counter[str]:
    """The protocol on a database: let them write until there is enough, then count."""
    asyncio.run(prepare(url))
    job = make_job(folder, url, limit, POINTS)
    told = contest(job, processes, run, PAUSE_EVERY_S)
    left = asyncio.run(finish(job, url))
    told += judged(job, committed(job))
    status = git(job.root, "status", "--porcelain", "--", *{name.partition("/")[0] for name in job.files})
    print(f"{folder.name}: {told['torn']} patches torn in the branch; git status: {status or 'clean'}", file=sys.stderr)
    return told + Counter({"stuck": left, "torn": int(bool(status)), "inversions": inversions(url)})


def one_policy(folder: Path, policy: policies.Policy, processes: int, limit: int) -> Mapping[str, int]:
    """The same with a model of what others do."""
    job = make_job(folder, "", limit, policies.POINTS)
    told = contest(job, processes, partial(policies.run, policy), POLICY_PAUSE_EVERY_S)
    told += judged(job, {name: (job.root / name).read_text().split() for name in job.files})
    return {name: told[name] for name in COUNTED}


def make_job(folder: Path, url: str, limit: int, points: int) -> Job:
    """A workspace, and what its writers are told."""
    root, logs = folder / "workspace", folder / "logs"
    root.mkdir(parents=True)
    logs.mkdir()
    rate = KILLS_PER_PATCH / points
    acked: Synchronized[int] = FORK.Value("q", 0)
    job = Job(root=root, url=url, logs=logs, writers=WRITERS, limit=limit, kill_rate=rate, acked=acked)
    make_workspace(root, dict.fromkeys((*job.files, SHARED), "start\n"))
    return job


def contest(job: Job, processes: int, work: Work, pause_every_s: float) -> Counter[str]:
    """Writers in so many processes, killed and paused, and an editor beside them; how often which."""
    counted: Synchronized[int] = FORK.Value("q", 0)
    paused: Synchronized[int] = FORK.Value("q", 0)
    stop = FORK.Event()
    person = FORK.Process(target=editor.edit, args=(job.root, job.logs / EDITOR_LOG, stop))
    person.start()
    share = [WRITERS // processes + (number < WRITERS % processes) for number in range(processes)]
    toll = Toll(kills=counted, pauses=paused, pause_every_s=pause_every_s)
    keepers = [
        FORK.Process(target=keep_going, args=(replace(job, writers=writers), work, number, toll))
        for number, writers in enumerate(share)
    ]
    for keeper in keepers:
        keeper.start()
    for keeper in keepers:
        keeper.join()
    stop.set()
    person.join()
    if person.exitcode or any(keeper.exitcode for keeper in keepers):
        raise RuntimeError("a writer or the editor failed by itself; see above")
    return Counter({"kills": counted.value, "pauses": paused.value})


async def prepare(url: str) -> None:
    """Migrate, so that nobody has to."""
    await (await open_store(url)).close()


def keep_going(job: Job, work: Work, number: int, toll: Toll) -> None:
    """A process of writers after the other, each until it is killed; some are stopped for a while in between."""
    rng = random.Random(number)
    seed = number * 1_000_000
    while not job.is_enough:
        seed += 1
        child = os.fork()
        if child == 0:
            code = 1
            try:
                work(job, seed)
                code = 0
            except BaseException:  # noqa: BLE001  told by the process that it happens in, which then ends
                traceback.print_exc()
            finally:
                os._exit(code)
        ended = attend(child, rng, toll)
        if os.WIFSIGNALED(ended) and os.WTERMSIG(ended) == signal.SIGKILL:
            with toll.kills.get_lock():
                toll.kills.value += 1
        elif ended:
            raise RuntimeError(f"a process of writers ended with {ended}")


def attend(child: int, rng: random.Random, toll: Toll) -> int:
    """Wait for a child to end; once in a while it stands still for longer than its leases live."""
    stop_at = time.monotonic() + rng.expovariate(1 / toll.pause_every_s)
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status
        if time.monotonic() > stop_at:
            os.kill(child, signal.SIGSTOP)
            time.sleep(PAUSE_S)
            os.kill(child, signal.SIGCONT)
            stop_at = time.monotonic() + rng.expovariate(1 / toll.pause_every_s)
            with toll.pauses.get_lock():
                toll.pauses.value += 1
        time.sleep(0.01)


# --- the count ---------------------------------------------------------------------------------------------------


async def finish(job: Job, url: str) -> int:
    """Finish what the last crash left; how many rows are still open after it."""
    store = await open_store(url)
    await Coordinator(store).materialise(job.root)
    space = workspace_id(await open_repository(job.root))
    left = len(await store.run(open_landings, space)) + len(await store.run(leases.live, space))
    await store.close()
    return left


def committed(job: Job) -> dict[str, list[str]]:
    """File -> words, as the branch has them."""
    contents = blobs(job.root, [f"HEAD:{name}" for name in job.files])
    return {name: content.split() for name, content in zip(job.files, contents, strict=True)}


def judged(job: Job, lists: dict[str, list[str]]) -> Counter[str]:
    """The files held against the logs."""
    told = judge(read_logs(job.logs), lists)
    log = job.logs / EDITOR_LOG
    told["editor_lost"] = editor.lost(log, (job.root / SHARED).read_text(), kept_versions(job.root))
    told["editor_saves"] = log.read_text().count("\n")
    return told


def read_logs(logs: Path) -> dict[str, Word]:
    """Every word that was tried."""
    words: dict[str, Word] = {}
    for log in sorted(logs.glob("words-*.log")):
        patches: dict[str, list[Word]] = {}
        for line in log.read_text().splitlines():
            entry = json.loads(line)
            if "patch" in entry:
                name, began = entry["patch"], entry["at"]
                made = {word: Word(patch=name, files=files, began=began) for word, files in entry["words"].items()}
                patches[name] = list(made.values())
                words |= made
            else:
                for word in patches[entry["acked"]]:
                    word.acked = entry["at"]
    return words


def judge(words: dict[str, Word], lists: dict[str, list[str]]) -> Counter[str]:
    """What became of the words."""
    told = Counter[str]()
    there = {name: Counter(lines) for name, lines in lists.items()}
    patches: dict[str, list[int]] = {}
    acked: set[str] = set()
    for word, one in words.items():
        times = [there[name][word] for name in one.files]
        patches.setdefault(one.patch, []).extend(times)
        told["acked"] += one.acked is not None
        told["lost"] += one.acked is not None and 0 in times
        told["doubled"] += max(times) > 1
        acked |= {one.patch} if one.acked is not None else set()
    told["torn"] = sum(0 in times and any(times) for times in patches.values())
    told["patches"] = len(acked)
    told["cycles"] = cycles(words, lists.values())
    return told


def cycles(words: dict[str, Word], lists: Iterable[Sequence[str]]) -> int:
    """Words that no order of all words puts where they stand, and pairs that stand against the clock."""
    after: dict[str, set[str]] = {word: set() for word in words}
    before = Counter[str]()
    wrong = 0
    for lines in lists:
        known = [word for word in lines if word in words]
        for first, second in pairwise(known):
            acked = words[second].acked
            wrong += acked is not None and acked < words[first].began
            if second not in after[first]:
                after[first].add(second)
                before[second] += 1
    ready = [word for word in words if not before[word]]
    placed = 0
    while ready:
        placed += 1
        for word in after[ready.pop()]:
            before[word] -= 1
            if not before[word]:
                ready.append(word)
    return wrong + len(words) - placed


def kept_versions(root: Path) -> set[str]:
    """Every content that the shared file ever had in a history, the line's and what it holds for people among them."""
    options = ("--all", "-m", "--raw", "--no-abbrev", "--no-renames", "--format=")
    listed = git(root, "log", *options, "--", SHARED).split("\n")
    oids = {line.split()[3] for line in listed if line.startswith(":")}
    contents = set(blobs(root, [oid for oid in oids if oid.strip("0")]))
    stage = root / ".git" / "bulkhead"
    return contents | {path.read_text() for path in stage.rglob("*") if path.is_file() and path.stat().st_size < 10_000}


def blobs(root: Path, names: Sequence[str]) -> list[str]:
    """What each name has; all in one git."""
    out = git_bytes(root, "cat-file", "--batch", feed="".join(f"{name}\n" for name in names).encode())
    found, at = [], 0
    for _ in names:
        end = out.index(b"\n", at)
        size = int(out[at:end].split()[2])
        found.append(out[end + 1 : end + 1 + size].decode())
        at = end + 1 + size + 1
    return found


def inversions(url: str) -> int:
    """Pairs of overlapping leases whose fences are not in the order of their tickets."""
    if url.startswith("sqlite:///"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as lite:
            rows = lite.execute(QUERY).fetchall()
    else:
        with psycopg.connect(url) as connection:
            rows = connection.execute(QUERY).fetchall()
    found = 0
    highest: dict[str, int] = {}
    for _, fence, paths in rows:
        names = json.loads(paths)
        found += any(fence < top for name, top in highest.items() if overlap([name], names))
        highest.update({name: max(fence, highest.get(name, 0)) for name in names})
    return found
