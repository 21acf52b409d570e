"""Manifests: what is refused, by which sentence, and that one broken file takes out nobody else."""

from __future__ import annotations

from pathlib import Path

import pytest

from layers.control import Catalog, install_capabilities, plan, template
from layers.control.catalog import SHIPPED
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


def test_every_shipped_capability_is_available_or_says_what_is_missing(catalog: Catalog) -> None:
    assert {*catalog.capabilities, *catalog.unavailable} == {file.stem for file in SHIPPED.glob("*.toml")}
    assert {"host.uptime", "host.disk", "host.processes", "workspace.git-pull"} <= set(catalog.capabilities)
    for reason in catalog.unavailable.values():
        assert "is not in /usr/sbin" in reason or "which is not there" in reason


def test_what_a_manifest_needs_of_the_machine_is_looked_for(home: Path, workspace: Path) -> None:
    (home / "capabilities" / "test.echo.toml").write_text(GOOD + '[sandbox]\nsockets = ["/run/no-such.sock"]\n')
    catalog = Catalog.load(home / "capabilities", workspace)
    assert "it needs '/run/no-such.sock', which is not there" in catalog.unavailable["test.echo"]


def test_the_manifest_to_begin_with_is_good_as_it_stands(home: Path, workspace: Path) -> None:
    (home / "capabilities" / "deploy.web.toml").write_text(template("deploy.web"))
    catalog = Catalog.load(home / "capabilities", workspace)
    assert plan(catalog, action("deploy.web", word="hi")).argv == ("/usr/bin/echo", "--", "hi")


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
        ("risk = 1", 'risk = 1\nplan_argv = ["{word}"]', "plain name"),
        ("risk = 1", 'risk = 0\nplan_argv = ["true"]', "risk 0 runs without a person"),
        ("risk = 1", 'risk = 0\nsandbox = {network = "host"}', "risk 0 runs without a person"),
        ("risk = 1", 'risk = 1\nsandbox = {network = "all"}', "network"),
        ("risk = 1", 'risk = 1\nsandbox = {readable = ["/"]}', "readable"),
        ("risk = 1", 'risk = 1\nsandbox = {sockets = ["/run/../x"]}', "sockets"),
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
    broken = {name for name in catalog.unavailable if name.startswith("test.")}
    assert broken == {"test.broken", "test.echo", "test.binary"}
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
