"""Manifests: what is refused, by which sentence, and that one broken file takes out nobody else."""

from __future__ import annotations

from pathlib import Path

import pytest

from layers.control import Catalog, install_capabilities, plan
from layers.control.manifest import parse_manifest
from layers.errors import Misconfigured, Refused
from tests.control.conftest import action

GOOD = """
id = "test.echo"
title = "Say it"
description = "Says it."
scope = "test"
risk = 1
argv = ["echo", "{word}"]
[parameters.word]
type = "string"
"""


def test_every_shipped_capability_is_available_here(catalog: Catalog) -> None:
    assert set(catalog.capabilities) == {"host.uptime", "host.disk", "workspace.make", "workspace.write-note"}
    assert not catalog.unavailable


def test_installing_again_keeps_what_the_operator_changed(home: Path) -> None:
    own = home / "capabilities" / "host.disk.toml"
    own.write_text("# mine\n")
    assert install_capabilities(home / "capabilities") == []
    assert own.read_text() == "# mine\n"


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("risk = 1", "risk = 4", "risk"),
        ("risk = 1", "rsik = 1", "risk"),
        ('argv = ["echo", "{word}"]', 'argv = ["echo", "{wrod}"]', "wrod"),
        ('argv = ["echo", "{word}"]', 'argv = ["echo", "x"]', "neither argv nor stdin"),
        ('argv = ["echo", "{word}"]', 'argv = ["{word}"]', "plain name"),
        ('argv = ["echo", "{word}"]', 'argv = ["echo", "{word} ${HOME}"]', "brace"),
        ('argv = ["echo", "{word}"]', "argv = []", "argv"),
        ('type = "string"', 'type = "sting"', "parameters.word"),
        ('type = "string"', 'type = "string"\npattern = "("', "regular expression"),
        ('type = "string"', 'type = "string"\nmax_length = 3\ndefault = "long one"', "default"),
        ('id = "test.echo"', 'id = "test.other"', "name the file"),
        ('id = "test.echo"', "id = ", "not TOML"),
        ("risk = 1", "risk = 1\nshell = true", "shell"),
    ],
)
def test_a_broken_manifest_is_refused_with_file_and_field(old: str, new: str, place: str) -> None:
    with pytest.raises(Misconfigured, match=place) as caught:
        parse_manifest(GOOD.replace(old, new), "test.echo.toml")
    assert "test.echo.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_broken_manifest_and_a_missing_program_disable_only_themselves(home: Path, workspace: Path) -> None:
    folder = home / "capabilities"
    (folder / "test.broken.toml").write_text("risk = ")
    (folder / "test.echo.toml").write_text(GOOD.replace('"echo"', '"no-such-program"'))
    (folder / "test.binary.toml").write_bytes(b"\xff\xfe")
    catalog = Catalog.load(folder, workspace)
    assert "host.uptime" in catalog.capabilities
    assert set(catalog.unavailable) == {"test.broken", "test.echo", "test.binary"}
    with pytest.raises(Refused, match=r"test\.echo is unavailable: .*'no-such-program' is not in"):
        plan(catalog, action("test.echo", word="x"))


def test_observing_capabilities_cannot_ask_to_write() -> None:
    with pytest.raises(Misconfigured, match="risk 0 only observes"):
        parse_manifest(
            GOOD.replace("risk = 1", "risk = 0") + "[sandbox]\nwritable_workspace = true\n", "test.echo.toml"
        )


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="is not there"):
        Catalog.load(tmp_path / "nowhere", tmp_path)
