"""Warrants: whatever somebody who can write to the database, or to the executor's socket, makes up, nothing runs."""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path

import pytest

from layers.control import Executor, Plan, SigningKey, State, sign_warrant, warrant_for
from layers.control.warrant import LASTS_S, canonical, check_warrant, read_warrant
from layers.errors import Misconfigured, Refused
from tests.control.conftest import Approved, script_plan, signed
from tests.control.test_executor import executor as executor
from tests.control.test_executor import home as home
from tests.control.test_executor import profile as profile

pytestmark = pytest.mark.asyncio(loop_scope="module")


def touch(workspace: Path, name: str, **changes: object) -> Plan:
    return script_plan(workspace, "/usr/bin/touch", name, **{"is_workspace_writable": True, **changes})


def forged(home: Path, made: Plan) -> dict[str, str]:
    """Everything that is not the warrant of the run `forged` of `made`."""
    good = warrant_for("forged", made, now=time.time(), decisions=("owner",))
    text = signed(home, "forged", made)
    raw = json.loads(text)
    other = SigningKey(b"x" * 32)
    edited = raw["warrant"].replace('"forged"', '"another"')
    key = SigningKey.open(home / "keys")
    bare = dataclasses.replace(good, nonce="")
    return {
        "none": "",
        "not JSON": "yes, please",
        "no object": "[]",
        "no signature": json.dumps({"warrant": raw["warrant"], "signature": ""}),
        "another key": sign_warrant(other, good),
        "edited": json.dumps({"warrant": edited, "signature": raw["signature"]}),
        "signed as another kind": json.dumps(
            {"warrant": canonical(good), "signature": key.sign("checkpoint", canonical(good))}
        ),
        "another run": signed(home, "another", made),
        "another plan": signed(home, "forged", dataclasses.replace(made, argv=("/bin/true",))),
        "another version": sign_warrant(key, dataclasses.replace(good, version=2)),
        "another scope": sign_warrant(key, dataclasses.replace(good, scope="deploy")),
        "another argv": sign_warrant(key, dataclasses.replace(good, argv_digest="0" * 64)),
        "nobody decided": signed(home, "forged", made, decisions=()),
        "expired": signed(home, "forged", made, now=time.time() - LASTS_S - 1),
        "no nonce": sign_warrant(key, bare),
        "nonce is a path": sign_warrant(key, dataclasses.replace(good, nonce="../claims/x")),
    }


async def test_no_forged_borrowed_or_old_warrant_starts_anything(executor: Approved, workspace: Path) -> None:
    made = touch(workspace, "forged")
    cases = forged(executor.home, made)
    assert len(cases) == 16
    for name, warrant in cases.items():
        with pytest.raises(Refused):
            await Executor.run(executor, "forged", made, warrant)
        assert not (workspace / "forged").exists(), name
        assert await executor.look_up("forged") is None, name


async def test_a_warrant_serves_once(executor: Approved, workspace: Path) -> None:
    made = script_plan(workspace, "/bin/sh", "-c", "echo x >> once", is_workspace_writable=True)
    warrant = signed(executor.home, "w-once", made)
    first = await Executor.run(executor, "w-once", made, warrant)
    assert await Executor.run(executor, "w-once", made, warrant) == first
    assert (workspace / "once").read_text() == "x\n"
    key = SigningKey.open(executor.home / "keys")
    nonce = read_warrant(warrant, key).nonce
    again = dataclasses.replace(warrant_for("w-twice", made, now=time.time(), decisions=("owner",)), nonce=nonce)
    with pytest.raises(Refused, match="used before, for another run"):
        await Executor.run(executor, "w-twice", made, sign_warrant(key, again))
    assert (workspace / "once").read_text() == "x\n"


async def test_what_only_observes_may_not_write(executor: Approved, workspace: Path) -> None:
    made = touch(workspace, "sneaky", risk=0)
    with pytest.raises(Refused, match="writes although its risk is 0"):
        await executor.run("sneaky", made)


async def test_the_executor_keeps_to_the_key_it_saw_first(tmp_path: Path) -> None:
    home = tmp_path / "pinned"
    (home / "workspace").mkdir(parents=True)
    made = touch(home / "workspace", "pinned")
    executor = Approved(home, home / "workspace")
    assert (await executor.run("first", made)).state is State.SUCCEEDED
    for file in ("control.key", "control.pub"):
        (home / "keys" / file).unlink()
    with pytest.raises(Refused, match="not signed by the key that this executor trusts"):
        await executor.run("second", made)
    await executor.close()


async def test_without_a_key_nothing_runs(tmp_path: Path) -> None:
    (tmp_path / "workspace").mkdir()
    made = touch(tmp_path / "workspace", "x")
    executor = Executor(tmp_path, tmp_path / "workspace")
    with pytest.raises(Refused, match="trusts no key"):
        await executor.run("x", made, sign_warrant(SigningKey(b"k" * 32), warrant_for("x", made, now=time.time())))
    await executor.close()


async def test_a_key_that_others_can_read_or_that_is_broken_is_refused(tmp_path: Path) -> None:
    SigningKey.open(tmp_path)
    assert (tmp_path / "control.key").stat().st_mode & 0o777 == 0o600
    (tmp_path / "control.key").chmod(0o640)
    with pytest.raises(Misconfigured, match="can be read by others"):
        SigningKey.open(tmp_path)
    (tmp_path / "control.key").chmod(0o600)
    (tmp_path / "control.key").write_text("00")
    with pytest.raises(Misconfigured, match="has 1 bytes"):
        SigningKey.open(tmp_path)


async def test_the_check_names_what_does_not_fit(workspace: Path) -> None:
    made = touch(workspace, "x")
    good = warrant_for("r", made, now=1000.0, decisions=("owner",))
    check_warrant(good, "r", made, 1000.0 + LASTS_S)
    with pytest.raises(Refused, match="has expired"):
        check_warrant(good, "r", made, 1001.0 + LASTS_S)
