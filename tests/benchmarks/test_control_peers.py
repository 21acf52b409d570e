"""The table of peers has its shape, tells what it could not measure, and poses every attack where the peers are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.control.__main__ import SECTIONS
from benchmarks.control.peers import section
from benchmarks.control.peers.cases import POSED, TOTAL
from benchmarks.section import as_text


def test_the_table_has_a_line_for_each_case_and_tells_how_it_got_through() -> None:
    one = section.told("1.0", {"A6": (True, "an error"), "C3": (False, "ran twice")}, broken=1)
    assert (one["refused"], one["not_refused"], one["not_applicable"]) == (["A6"], ["C3"], TOTAL - 3)
    text = as_text({"peers": {"gate": one, "absent": None}}, SECTIONS)
    lines = text.splitlines()
    assert [line.split()[0] for line in lines[1 : len(POSED) + 1]] == list(POSED)
    assert [line.split()[1] for line in lines if line.startswith(("A6", "C3", "H6"))] == ["refused", "NO", "-"]
    assert lines[-1] == "gate C3: ran twice"
    assert "1 of 2" in text
    assert "absent" not in text


def test_a_peer_that_is_not_installed_is_null_and_no_miss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(section, "PYTHON", tmp_path / "none")
    monkeypatch.setattr(section, "tested", lambda _folder, only: dict.fromkeys(only, True))
    found = section.peers(tmp_path, True)
    assert found.misses == ()
    assert [note.split(" ")[0] for note in found.notes] == list(section.PEERS)
    printed = json.loads(json.dumps(found.printed["peers"]))
    assert [printed[name] for name in section.PEERS] == [None, None, None]
    assert printed["bulkhead"]["refused"] == list(POSED)


def test_a_peer_whose_honest_way_is_not_sound_is_null_with_the_last_line_of_its_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(section, "PYTHON", Path("/bin/false"))
    assert section.posed("benchmarks.control.peers.on_langgraph", tmp_path) == (None, ["ended with 1"])


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.skipif(not section.PYTHON.exists(), reason="`make bench-peers` installs the peers")
@pytest.mark.parametrize("name", list(section.PEERS))
def test_every_attack_on_a_peer_that_is_installed_comes_to_an_outcome(name: str, tmp_path: Path) -> None:
    one, complaints = section.posed(section.PEERS[name], tmp_path)
    assert complaints == []
    assert one is not None
    refused, passed = one["refused"], one["not_refused"]
    assert isinstance(refused, list)
    assert isinstance(passed, list)
    assert one["not_applicable"] == TOTAL - len(refused) - len(passed)
    assert set(refused) >= {"A6", "C1", "E2", "G3"}  # what each of them promises
    assert set(refused + passed) <= set(POSED)
