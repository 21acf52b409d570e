"""The crash matrix: an approved run, kill -9 at a named step, a restart, and what must be true then.

`python -m tests.control.crashing FOLDER URL KIND STEP` plays the server: it asks, approves, claims, runs and concludes
what `FOLDER` says is to be done, and goes on where an earlier one was killed. With a STEP it, or its executor, kills
itself there. The effect appends a line to a file, which is counted from outside.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from layers import failpoint
from layers.control import (
    APPROVER,
    Approval,
    Context,
    Member,
    Outcome,
    Plan,
    Rules,
    SigningKey,
    State,
    by_id,
    claim,
    conclude,
    request,
    started,
    verify_store,
    with_buttons,
)
from layers.control.executor import Executor
from layers.control.executor_process import main as executor_main
from layers.errors import Refused, Unavailable
from layers.failpoint import Step
from layers.store import Store, open_store
from layers.types import Person
from tests.control.conftest import POLICY, press

REPO = Path(__file__).parents[2]
KINDS = ("idempotent", "probe", "neither")
OWNER = Person(id="owner", name="Owner")
ARMED = "armed"
"""The file that names the step; whoever takes it away kills, so that a restart is not killed again."""
STEPS = (*Step, "request.committed", "decision.committed", "claim.committed", "run.returned", "conclusion.committed")
"""Those inside, and those between the transactions."""
OVERALL_S = 90


def plan_of(workspace: Path, kind: str) -> Plan:
    """Appends a line; with a probe one can tell whether it is there."""
    return Plan(
        capability="test.append", version=1, title="Append", parameters={}, cwd=str(workspace), scope="test", risk=1,
        argv=("/bin/sh", "-c", "echo x >> effects; sleep 0.1"), timeout_s=20, output_cap_bytes=4096,
        is_workspace_writable=True, environment=("HOME", "LANG", "PATH", "TMPDIR"), manifest_digest="",
        probe=("/usr/bin/test", "-s", "effects") if kind == "probe" else (), is_idempotent=kind == "idempotent",
    )  # fmt: skip


def arm(folder: Path) -> None:
    """Have this process kill itself at the step that the file names, the first time anybody gets there."""

    def hook(point: str) -> None:
        file = folder / ARMED
        try:
            if file.read_text() == point:
                file.unlink()
                os.kill(os.getpid(), signal.SIGKILL)
        except FileNotFoundError:
            return

    failpoint.hook = hook


class Killable(Executor):
    """An executor whose process has the hook too."""

    module = "tests.control.crashing"


@dataclass(frozen=True, kw_only=True)
class World:
    """What the server of the play works with."""

    store: Store
    rules: Rules
    executor: Executor
    folder: Path

    def note(self, **values: object) -> None:
        """What a person or a provider would remember: the handle of the button, and that it was pressed."""
        file = self.folder / "person"
        known = json.loads(file.read_text()) if file.exists() else {}
        file.write_text(json.dumps({**known, **values}))

    def noted(self) -> dict[str, str]:
        """The same, read."""
        file = self.folder / "person"
        return json.loads(file.read_text()) if file.exists() else {}


async def play(folder: Path, url: str, kind: str) -> None:
    """From wherever it stands to an end."""
    workspace = folder / "workspace"
    workspace.mkdir(exist_ok=True)
    signer = SigningKey.open(folder / "keys")
    store = await open_store(url)
    people = (Member(person=OWNER, roles=(APPROVER,)),)
    rules = Rules(
        approvers=(OWNER,), manifests={"test.append": ""}, risks={"test.append": 1}, people=people, policy=POLICY,
        signer=signer,
    )  # fmt: skip
    world = World(store=store, rules=rules, executor=Killable(folder, workspace, "bwrap"), folder=folder)
    try:
        await act(world, plan_of(workspace, kind))
    finally:
        await world.executor.close()
        await store.close()


async def act(world: World, plan: Plan) -> None:
    """Ask, press, claim, run, conclude: each only where it has not been done."""
    store, rules = world.store, world.rules
    context = Context(conversation_id="web:main", turn_id=1, requested_by=OWNER, rules=rules)
    if "handle" not in world.noted():
        asked = await store.run(request, plan, context)
        if not asked.is_new:  # asked again after a crash: the first card was never shown, so it is made again
            asked = await store.run(with_buttons, asked.approval, rules)
        failpoint.reach("request.committed")  # type: ignore[arg-type]
        world.note(handle=asked.handle, id=asked.approval.id)
    noted = world.noted()
    await store.run(press, noted["handle"], "approve", OWNER, rules)  # a provider delivers it until it is taken
    failpoint.reach("decision.committed")  # type: ignore[arg-type]
    await store.run(claim, noted["id"], rules)
    failpoint.reach("claim.committed")  # type: ignore[arg-type]
    approval = await store.run(by_id, noted["id"])
    if approval.state in (State.CLAIMED, State.RUNNING):
        outcome = await run(world, approval)
        failpoint.reach("run.returned")  # type: ignore[arg-type]
        await store.run(conclude, approval.run_id, outcome)
        failpoint.reach("conclusion.committed")  # type: ignore[arg-type]


async def run(world: World, approval: Approval) -> Outcome:
    """As the dispatcher does it."""

    async def told() -> None:
        await world.store.run(started, approval.run_id)

    try:
        return await world.executor.run(approval.run_id, approval.plan, approval.warrant, told)
    except (Refused, Unavailable) as error:  # each says that nothing was run
        return Outcome(state=State.FAILED, reason=str(error))


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What became of one cell of the matrix."""

    step: str
    kind: str
    is_killed: bool
    effects: int
    state: str
    restart_s: float
    is_chain_whole: bool

    @property
    def is_duplicate(self) -> bool:
        """It was asked for once, and happened more than once."""
        return self.effects > 1

    @property
    def is_lost(self) -> bool:
        """What is said of it is not what is."""
        said = {"succeeded": self.effects == 1, "failed": self.effects == 0, "unknown": True}
        return not said.get(self.state, False)


def server(folder: Path, url: str, kind: str) -> tuple[int, float]:
    """One life of the server: exit code, seconds."""
    began = time.monotonic()
    argv = [sys.executable, "-m", __name__, str(folder), url, kind]
    done = subprocess.run(argv, env={**os.environ, "PYTHONPATH": str(REPO)}, timeout=OVERALL_S, check=False)
    return done.returncode, time.monotonic() - began


def cell(folder: Path, url: str, kind: str, step: str) -> Verdict:
    """Kill at `step`, start again until it is through, look."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ARMED).write_text(step)
    code, seconds = server(folder, url, kind)
    while code != 0:
        code, seconds = server(folder, url, kind)
    effects = folder / "workspace" / "effects"
    state, is_whole = asyncio.run(look(url, json.loads((folder / "person").read_text())["id"]))
    return Verdict(
        step=step, kind=kind, is_killed=not (folder / ARMED).exists(), state=state, restart_s=seconds,
        effects=len(effects.read_text().split()) if effects.exists() else 0, is_chain_whole=is_whole,
    )  # fmt: skip


async def look(url: str, id: str) -> tuple[str, bool]:
    """What the database says of it, and whether its audit trail holds."""
    store = await open_store(url)
    try:
        return (await store.run(by_id, id)).state.value, (await verify_store(store)).ok
    finally:
        await store.close()


def main(arguments: list[str]) -> int:
    """The server, or (with one argument, as the executor is started) its executor."""
    if len(arguments) == 1:
        arm(Path(json.loads(arguments[0])["home"]))
        return executor_main(arguments)
    folder = Path(arguments[0])
    arm(folder)
    asyncio.run(play(folder, arguments[1], arguments[2]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
