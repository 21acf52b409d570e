"""The doctor on real folders, ports and repositories."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bot import doctor
from bot.doctor import Check, Probes, Severity, as_json, as_text, examine
from layers.coordination import Coordinator, git_version
from layers.errors import Misconfigured


@dataclass(frozen=True)
class Place:
    home: Path
    host: str = "127.0.0.1"
    port: int = 0


async def held() -> str:
    return "bwrap"


async def models() -> Sequence[str]:
    return ("one", "two", "three", "four")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    return Place(home)


@pytest.fixture
def probes(tmp_path: Path) -> Probes:
    coordinator = Coordinator()

    async def workspace() -> str:
        await coordinator.create_workspace(tmp_path / "ws")
        return await coordinator.where(tmp_path / "ws")

    return Probes(
        git=git_version,
        workspace=workspace,
        sandbox=held,
        trust=held,
        database=held,
        drawing=held,
        models=models,
    )


async def look(place: Place, probes: Probes, name: str) -> Check:
    return next(check for check in await examine(place, probes) if check.name == name)


async def test_on_a_sound_machine_everything_works(place: Place, probes: Probes) -> None:
    checks = await examine(place, probes)
    assert [check.name for check in checks if not check.ok] == []
    found = {check.name: check.text for check in checks}
    assert found["workspace"].startswith("main at ")
    assert found["models"] == "one, two, three and 1 more"
    text = as_text(checks)
    assert text.endswith("\n\nEverything works.")
    assert text.count("✓") == len(checks) == len(doctor.TABLE)
    assert json.loads(json.dumps(as_json(checks)))["ok"] is True


async def test_a_used_port_is_told_with_what_to_do(place: Place, probes: Probes) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        check = await look(replace(place, port=port), probes, "port")
    assert (check.ok, check.severity) == (False, Severity.WARNING)
    assert f"127.0.0.1:{port} is in use" in check.text
    assert "BULKHEAD_PORT" in check.remedy


async def test_a_port_of_a_foreign_address_is_told(place: Place, probes: Probes) -> None:
    check = await look(replace(place, host="192.0.2.1"), probes, "port")
    assert "cannot be listened on" in check.text


async def test_a_home_that_others_can_read_is_an_error(place: Place, probes: Probes) -> None:
    place.home.chmod(0o755)
    check = await look(place, probes, "home")
    assert not check.ok
    assert "0755" in check.text


async def test_a_home_that_is_a_file_or_below_one_is_an_error_and_one_to_be_made_is_fine(
    place: Place, probes: Probes
) -> None:
    file = place.home / "file"
    file.touch()
    assert not (await look(replace(place, home=file), probes, "home")).ok
    assert not (await look(replace(place, home=file / "below"), probes, "home")).ok
    assert (await look(replace(place, home=place.home / "new" / "er"), probes, "home")).ok
    assert not (place.home / "new").exists()


async def test_a_home_that_cannot_be_written_is_an_error(place: Place, probes: Probes) -> None:
    check = await look(replace(place, home=Path("/proc/self")), probes, "home")
    assert not check.ok
    assert "cannot be written" in check.text


async def test_a_nearly_full_disk_is_an_error(place: Place, probes: Probes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LOW_DISK_BYTES", 1 << 60)
    assert "is the least" in (await look(place, probes, "disk")).text
    monkeypatch.setattr(doctor, "FULL_DISK_BYTES", 1 << 60)
    assert "stop soon" in (await look(place, probes, "disk")).text


async def test_what_a_layer_says_is_shown_and_the_others_go_on(place: Place, probes: Probes) -> None:
    async def refuse() -> str:
        raise Misconfigured("no sandbox holds here;\n install bubblewrap")

    async def burst() -> str:
        raise ValueError("odd")

    async def nothing() -> Sequence[str]:
        return ()

    checks = await examine(place, replace(probes, sandbox=refuse, database=burst, models=nothing))
    text = as_text(checks)
    assert "✗ sandbox    no sandbox holds here; install bubblewrap\n" in text
    assert "could not be tried: ValueError: odd" in text
    assert "! models     no model found" in text
    assert text.endswith("2 errors, 1 warning")
    assert as_json(checks)["ok"] is False
    assert [check.name for check in checks if not check.ok] == ["database", "sandbox", "models"]


async def test_a_probe_that_hangs_is_given_up(place: Place, probes: Probes, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang() -> str:
        await asyncio.sleep(60)
        return ""

    monkeypatch.setattr(doctor, "PATIENCE_S", 0.2)
    check = await look(place, replace(probes, drawing=hang), "drawing")
    assert "gave no answer" in check.text


async def test_a_workspace_that_is_no_repository_is_told(place: Place, probes: Probes) -> None:
    async def elsewhere() -> str:
        return await Coordinator().where(place.home)

    check = await look(place, replace(probes, workspace=elsewhere), "workspace")
    assert "is not the top of a git work tree" in check.text


async def test_a_provider_says_in_its_own_words_what_is_wrong_with_its_account(place: Place, probes: Probes) -> None:
    async def refused() -> str:
        raise Misconfigured("Slack says 'missing_scope': the app lacks 'files:write'; paste the manifest again")

    async def unset() -> str:
        return ""

    async def well() -> str:
        return "@bulkhead_bot, by long polling"

    asked = replace(probes, accounts={"slack": refused, "mail": unset, "telegram": well})
    checks = (await examine(place, asked))[-3:]
    assert [(check.name, check.ok) for check in checks] == [("slack", False), ("mail", True), ("telegram", True)]
    assert "files:write" in checks[0].text
    assert "README has Slack" in checks[0].remedy
    assert [check.text for check in checks[1:]] == ["not set up", "@bulkhead_bot, by long polling"]
