"""What was shown is what runs: no parameter, program, file or word of the agent changes it afterwards."""

from __future__ import annotations

import dataclasses
import os
import shutil
from pathlib import Path

import pytest

from layers.control import Action, Catalog, Context, Outcome, Plan, Planner, Rules, State, card, plan, request
from layers.control import claim as take
from layers.control.executor_process import check
from layers.control.manifest import parse_manifest
from layers.control.programs import check_programs
from layers.errors import Misconfigured, Refused
from layers.store import Store, Tx
from tests.control.conftest import OWNER, action, press, rules_of
from tests.control.test_rules import approval
from tests.control.test_service import approved, write

MANIFEST = """
id = "test.drift"
title = "Drift"
description = "Has a dry run."
scope = "test"
risk = 1
argv = ["true"]
plan_argv = ["cat", "--", "{file}"]
stdin = "{file}"
plan_exit_codes = [0]
[parameters.file]
type = "path-in-workspace"
"""


class World:
    """A dry run that says what the world is; a real executor is in the tests of the executor."""

    def __init__(self) -> None:
        self.says = "version 1"
        self.plans: list[Plan] = []

    async def run(self, run_id: str, made: Plan) -> Outcome:
        """Note what would be run, and answer."""
        self.plans.append(made)
        return Outcome(state=State.SUCCEEDED, exit_code=0, output=self.says)


@pytest.fixture
def drifting(home: Path, workspace: Path) -> Catalog:
    (home / "capabilities" / "test.drift.toml").write_text(MANIFEST)
    return Catalog.load(home / "capabilities", workspace)


async def test_D1_parameters_changed_after_the_card_are_refused(
    store: Store, note: Plan, context: Context, rules: Rules
) -> None:
    asked = await store.run(request, note, context)
    other = dataclasses.replace(note, parameters={**note.parameters, "text": "ALL"})
    await store.run(write, "UPDATE approval SET plan = :plan", plan=other.canonical)
    assert (await store.run(press, asked.handle, "approve", OWNER, rules)).refused
    await store.run(
        write, "UPDATE approval SET plan = :plan, digest = :digest", plan=other.canonical, digest=other.digest
    )
    assert "changed in the database" in (await store.run(press, asked.handle, "approve", OWNER, rules)).refused


@pytest.mark.parametrize("argv", [("/bin/rm", "a "), ("/bin/rm", " a"), ("/bin/rm", "a", ""), ("/bin/rm a",)])
def test_D5_whitespace_in_an_argv_is_another_plan_and_can_be_seen(note: Plan, argv: tuple[str, ...]) -> None:
    plain, odd = dataclasses.replace(note, argv=("/bin/rm", "a")), dataclasses.replace(note, argv=argv)
    assert plain.digest != odd.digest
    assert all(f'"{item}"' in card(approval(odd)).text for item in argv)


@pytest.mark.parametrize(
    "text", ["$(id)", "`id`", "a; id", "a && id", "a | id", "*", "$HOME", "~root", "{text}", "a\nid"]
)
def test_D6_no_value_is_ever_read_by_a_shell(catalog: Catalog, text: str) -> None:
    made = plan(catalog, action("workspace.write-note", name="n", text=text))
    assert made.stdin == f"{text}\n"
    assert not [item for item in made.argv if text in item and item != text]
    assert Path(made.argv[0]).name == "install"


async def test_D7_a_program_swapped_after_the_card_is_not_run(
    home: Path, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin" / "tool"
    program.parent.mkdir()
    shutil.copy("/bin/true", program)
    monkeypatch.setattr("layers.control.catalog.PATH", f"{program.parent}:/usr/bin:/bin")
    (home / "capabilities" / "test.tool.toml").write_text(
        'id = "test.tool"\ntitle = "T"\ndescription = "T"\nscope = "test"\nrisk = 1\nargv = ["tool"]\n'
    )
    catalog = Catalog.load(home / "capabilities", workspace)
    planner = Planner(catalog, World().run)
    made = await planner.make(action("test.tool"))
    assert await planner.drift(made) == ""
    check_programs(made.programs)
    shutil.copy("/bin/false", tmp_path / "evil")
    os.replace(tmp_path / "evil", program)
    assert "a program that it runs changed" in await planner.drift(made)
    with pytest.raises(Refused, match="not the one that was approved"):
        check_programs(made.programs)
    program.unlink()
    program.symlink_to("/bin/false")
    with pytest.raises(Refused, match="not the one that was approved"):
        check_programs(made.programs)
    with pytest.raises(Refused, match="not the one that was approved"):
        check(dataclasses.replace(made, cwd=str(workspace)), str(workspace))


@pytest.mark.parametrize("name", ["LD_PRELOAD", "BASH_ENV", "GIT_EXTERNAL_DIFF", "PYTHONPATH"])
def test_D8_no_variable_comes_from_anywhere_but_the_executor(note: Plan, workspace: Path, name: str) -> None:
    with pytest.raises(Refused, match="environment that the sandbox does not give"):
        check(dataclasses.replace(note, environment=(*note.environment, name)), str(workspace))
    with pytest.raises(Misconfigured, match="environment"):
        parse_manifest(MANIFEST + '\n[environment]\nLD_PRELOAD = "x"\n', "test.drift.toml")


async def test_D9_a_world_that_moved_since_the_dry_run_invalidates(
    store: Store, drifting: Catalog, context: Context
) -> None:
    world, rules = World(), rules_of(drifting, OWNER)
    planner = Planner(drifting, world.run)
    made = await planner.make(action("test.drift", file="a"))
    assert made.evidence == "version 1"
    assert "version 1" in card(approval(made)).text
    assert (world.plans[0].risk, world.plans[0].network, world.plans[0].is_workspace_writable) == (0, "none", False)
    ready = await approved(store, made, dataclasses.replace(context, rules=rules))
    assert await planner.drift(ready.plan) == ""
    world.says = "version 2"
    drifted = await planner.drift(ready.plan)
    assert "what its dry run shows changed after this card was shown" in drifted
    assert (await store.run(take, ready.id, rules, drifted)).refused == drifted
    row = await store.fetch_one("control.approval", id=ready.id)
    assert row is not None
    assert row["state"] == "invalidated"


async def test_D9_only_what_lies_beyond_the_excerpt_changed_and_it_still_invalidates(drifting: Catalog) -> None:
    world = World()
    planner = Planner(drifting, world.run)
    world.says = "x" * 5000
    made = await planner.make(action("test.drift", file="a"))
    world.says += "!"
    assert "what its dry run shows" in await planner.drift(made)


async def test_D12_an_edited_request_is_a_new_request(store: Store, catalog: Catalog, context: Context) -> None:
    asked = [
        await store.run(request, plan(catalog, action("workspace.make", target=target)), context)
        for target in ("test", "deploy")
    ]
    assert len({one.approval.digest for one in asked}) == 2
    await store.run(press, asked[0].handle, "approve", OWNER, context.rules)
    row = await store.fetch_one("control.approval", id=asked[1].approval.id)
    assert row is not None
    assert row["state"] == "pending"


@pytest.mark.parametrize("claim", ["risk", "kind", "approved", "scope", "network"])
def test_D13_no_word_of_the_asker_decides_how_it_is_gated(catalog: Catalog, claim: str) -> None:
    with pytest.raises(Refused, match=f"no parameter '{claim}'"):
        plan(catalog, action("workspace.make", target="all", **{claim: "0"}))
    lie = Action(
        capability="workspace.make", parameters={"target": "all"}, requested_by=OWNER, reason="kind: read, risk 0"
    )
    assert plan(catalog, lie).risk == 1


def test_D16_a_secret_is_on_the_card_by_its_name_and_a_typed_one_is_not_repeated(home: Path, workspace: Path) -> None:
    (home / "capabilities" / "test.secret.toml").write_text(
        'id = "test.secret"\ntitle = "S"\ndescription = "S"\nscope = "test"\nrisk = 1\n'
        'argv = ["cat", "--", "{token}"]\n[parameters.token]\ntype = "secret"\n'
    )
    catalog = Catalog.load(home / "capabilities", workspace)
    made = plan(catalog, action("test.secret", token="DEPLOY_TOKEN"))
    assert '"DEPLOY_TOKEN"' in card(approval(made)).text
    with pytest.raises(Refused) as caught:
        plan(catalog, action("test.secret", token="xapp-1-secret-value"))
    assert "xapp" not in str(caught.value)


async def test_E7_a_manifest_changed_on_the_disk_invalidates_and_is_not_asked_for(
    home: Path, catalog: Catalog, note: Plan
) -> None:
    planner = Planner(catalog, World().run)
    assert await planner.drift(note) == ""
    file = home / "capabilities" / "workspace.write-note.toml"
    file.write_text(file.read_text() + "# changed\n")
    assert "its manifest changed" in await planner.drift(note)
    with pytest.raises(Refused, match="changed since the start; restart"):
        await planner.make(action("workspace.write-note", name="a", text="b"))
    file.unlink()
    assert "cannot be planned again" in await planner.drift(note)


async def test_E7_a_policy_changed_between_approval_and_run_is_asked_again(
    store: Store, note: Plan, context: Context, rules: Rules
) -> None:
    ready = await approved(store, note, context)
    away = tuple(dataclasses.replace(member, scopes=("deploy",)) for member in rules.people)
    refused = (await store.run(take, ready.id, dataclasses.replace(rules, people=away))).refused
    assert "no longer holds" in refused

    def states(tx: Tx) -> list[str]:
        return [row["state"] for row in tx.all("control.asked_since", since=0.0)]

    assert await store.run(states) == ["invalidated"]
