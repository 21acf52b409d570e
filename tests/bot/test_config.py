"""Settings from the environment and `.env`, people from bulkhead.toml, and the first start."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from datetime import time
from pathlib import Path

import pytest
from dotenv import dotenv_values
from pydantic import ValidationError

from bot.config import (
    PREFIX,
    TEMPLATE,
    BulkheadFile,
    Settings,
    env_example,
    first_start,
    is_somebody,
    load_file,
    load_settings,
    write_private,
)
from layers.errors import Misconfigured
from layers.transport import DEFAULTS
from layers.types import Person

REPO = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in, no BULKHEAD_ variables, and an environment that is put back afterwards."""
    before = dict(os.environ)
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(PREFIX):
            del os.environ[name]
    yield tmp_path
    os.environ.clear()
    os.environ.update(before)


def sentence(act: Callable[[], object]) -> str:
    """The one sentence that `act` is refused with."""
    with pytest.raises(Misconfigured) as caught:
        act()
    text = str(caught.value)
    assert "\n" not in text
    return text


# --- settings ------------------------------------------------------------------------------------------------------


def test_with_nothing_set_everything_has_a_default(clean: Path) -> None:
    settings = load_settings()
    assert settings.home == clean / ".bulkhead"
    assert settings.store_url == f"sqlite:///{clean}/.bulkhead/bulkhead.db"
    assert (settings.host, settings.port) == ("127.0.0.1", 8080)


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("BULKHEAD_PORT=1\nBULKHEAD_HOST=a\nBULKHEAD_LOG_LEVEL=debug\n")
    monkeypatch.setenv("BULKHEAD_PORT", "2")
    monkeypatch.setenv("BULKHEAD_HOST", "b")
    settings = load_settings(port=3)
    assert (settings.port, settings.host, settings.log_level) == (3, "b", "debug")


def test_keys_of_model_providers_in_the_file_reach_the_environment() -> None:
    os.environ.pop("EXAMPLE_API_KEY", None)
    Path(".env").write_text("EXAMPLE_API_KEY=k\n")
    load_settings()
    assert os.environ["EXAMPLE_API_KEY"] == "k"


def test_an_empty_variable_means_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BULKHEAD_PORT", "")
    assert load_settings().port == 8080


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        load_settings().port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("PORT", "99999", "BULKHEAD_PORT is '99999'; it should be less than or equal to 65535 (Port of the page"),
        ("PORT", "http", "BULKHEAD_PORT is 'http'; it should be a valid integer"),
        ("LOG_LEVEL", "loud", "BULKHEAD_LOG_LEVEL is 'loud'; it should be 'debug', 'info', 'warning' or 'error'"),
        ("DRAW_BUDGET_S", "0", "BULKHEAD_DRAW_BUDGET_S is '0'; it should be greater than 0"),
        ("DRAW_BUDGET_S", "nan", "BULKHEAD_DRAW_BUDGET_S is 'nan'; it should be"),
        ("DISCOVER_MODELS", "perhaps", "BULKHEAD_DISCOVER_MODELS is 'perhaps'; it should be a valid boolean"),
        ("PUBLIC_URL", "chat.example.org", "it must be empty or look like https://chat.example.org"),
        ("PUBLIC_URL", "https://example.org/chat", "without a path"),
        ("MAX_STEPS", "0", "BULKHEAD_MAX_STEPS is '0'"),
    ],
)
def test_a_value_that_is_not_allowed_is_told_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(PREFIX + name, value)
    assert told in sentence(load_settings)


def test_a_value_from_the_command_line_is_told_too() -> None:
    assert "BULKHEAD_PORT is 70000;" in sentence(lambda: load_settings(port=70000))


def test_a_password_is_never_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BULKHEAD_DATABASE_URL", "mysql://me:hunter2@host/db")
    told = sentence(load_settings)
    assert told.startswith("BULKHEAD_DATABASE_URL is not allowed; it must be empty or begin with sqlite:///")
    assert "hunter2" not in told
    monkeypatch.setenv("BULKHEAD_DATABASE_URL", "postgresql://me:hunter2@host/db")
    settings = load_settings()
    assert "hunter2" not in repr(settings) + str(settings) + settings.model_dump_json()
    assert settings.store_url == "postgresql://me:hunter2@host/db"


def test_a_misspelt_variable_is_refused_with_the_right_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BULKHEAD_PROT", "1")
    assert sentence(load_settings) == "BULKHEAD_PROT is not a setting; did you mean BULKHEAD_PORT?"


def test_a_variable_of_somebody_else_is_left_alone_in_the_environment_and_refused_in_our_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BULKHEAD_SHARED", "/somewhere")
    load_settings()
    Path(".env").write_text("BULKHEAD_COLOUR=red\n")
    assert sentence(load_settings).startswith("BULKHEAD_COLOUR is not a setting;")


def test_the_example_file_is_what_the_settings_say() -> None:
    assert (REPO / ".env.example").read_text() == env_example()


def test_the_example_file_uncommented_is_the_defaults() -> None:
    lines = env_example().splitlines()
    Path(".env").write_text("\n".join(line.removeprefix("# ") for line in lines if line.startswith(f"# {PREFIX}")))
    assert set(dotenv_values(".env")) == {PREFIX + name.upper() for name in Settings.model_fields}
    from_file = load_settings()
    for name in Settings.model_fields:
        os.environ.pop(PREFIX + name.upper(), None)
    Path(".env").unlink()
    assert from_file == load_settings()


# --- first start ---------------------------------------------------------------------------------------------------


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_first_start_makes_the_home_and_the_second_changes_nothing(clean: Path) -> None:
    home = clean / "a" / "home"
    assert first_start(home) == (home, home / "keys", home / "bulkhead.toml")
    assert (mode(home), mode(home / "keys"), mode(home / "bulkhead.toml")) == (0o700, 0o700, 0o600)
    assert sorted(path.name for path in home.iterdir()) == ["bulkhead.toml", "keys"]
    (home / "bulkhead.toml").write_text("[people.anna]\napprover = true\n")
    assert first_start(home) == ()
    assert load_file(home / "bulkhead.toml").approvers == {"anna"}


@pytest.mark.parametrize("home", ["file", "file/home"])
def test_a_home_that_is_a_file_is_refused(clean: Path, home: str) -> None:
    (clean / "file").touch()
    assert "is a file; name a folder." in sentence(lambda: first_start(clean / home))


def as_nobody(act: Callable[[], object]) -> str:
    """What `act` is refused with when it runs in a child process without root's rights."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            act()
            told = "nothing was refused"
        except BaseException as error:  # noqa: BLE001  # the child must not return into pytest
            told = f"{type(error).__name__}: {error}"
        os.write(writing, told.encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading) as answers:
        return answers.read()


@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")
def test_a_home_that_cannot_be_written_to_is_refused(clean: Path) -> None:
    home = Path(os.path.realpath("/tmp")) / f"bulkhead-readonly-{os.getpid()}"
    home.mkdir(mode=0o555)
    try:
        for name in (home, home / "inner"):
            told = as_nobody(lambda name=name: first_start(name))
            assert told.startswith(f"Misconfigured: BULKHEAD_HOME is {str(name)!r} and cannot be written to (")
            assert told.endswith("make it writable for this user or name another folder.")
    finally:
        home.rmdir()


def test_a_private_file_is_written_once_and_leaves_no_draft(clean: Path) -> None:
    assert write_private(clean / "key", b"secret")
    assert not write_private(clean / "key", b"other")
    assert ((clean / "key").read_bytes(), mode(clean / "key")) == (b"secret", 0o600)
    assert [path.name for path in clean.iterdir()] == ["key"]


# --- bulkhead.toml -------------------------------------------------------------------------------------------------


def written(text: str) -> Path:
    path = Path("bulkhead.toml")
    path.write_text(text)
    return path


def test_the_template_is_valid_and_names_one_approver() -> None:
    file = load_file(written(TEMPLATE))
    assert file.persons == {"owner": Person(id="owner", name="Owner")}
    assert file.approvers == {"owner"}
    assert (file.workspace.path, file.workspace.foreign) == ("workspace", "park")


def test_an_empty_file_has_nobody_who_approves() -> None:
    assert load_file(written("")) == BulkheadFile()
    assert BulkheadFile().approvers == frozenset()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[people.owner\n", "'bulkhead.toml', line 1, column 14: not TOML (Expected"),
        ("a = \n", "'bulkhead.toml', line 1, column 5: not TOML (Invalid value)"),
        (
            "# x\n\n[people.anna]\napprover = 'yes'\n",
            "line 4: people.anna.approver is 'yes'; it should be a valid boolean.",
        ),
        ("[people.anna]\n\naprover = true\n", "line 3: people.anna.aprover is not known; did you mean 'approver'?"),
        ("[people.anna]\nzzz = true\n", "line 2: people.anna.zzz is not known; known are name, approver, roles,"),
        ("\n[peple.anna]\n", "line 2: peple is not known; did you mean 'people'?"),
        ("[people.Anna]\n", "line 1: people.Anna is no id; use small letters"),
        ("[people.agent]\n", "the id 'agent' belongs to Bulkhead itself; take another."),
        ("[people]\nanna = 1\n", "line 2: people.anna is 1; it should be"),
        ("people = 1\n", "line 1: people is 1; it should be a valid dictionary."),
        ("[workspace]\npath = ''\n", "line 2: workspace.path is ''; string should have at least 1 character."),
        ("[workspace]\npath = 3\n", "line 2: workspace.path is 3; it should be a valid string."),
        ("[workspaces.site]\npath = 'x'\npth = 1\n", "line 3: workspaces.site.pth is not known; did you mean 'path'?"),
        ("[workspaces.site]\n", "workspaces.site.path"),
        ("[workspaces.site]\npath = 'x'\nforeign = 'merge'\n", "workspaces.site.foreign"),
        ("[workspaces.workspace]\npath = 'x'\n", "the name 'workspace' is that of the table"),
        ("people.anna.approver = 1\n", "line 1: people.anna.approver is 1; it should be a valid boolean."),
        ("[transport.mail]\ndayly = 5\n", "line 2: transport.mail.dayly is not known; did you mean 'daily'?"),
        ('[transport.mail]\nquiet_hours = "late"\n', "line 2: transport.mail.quiet_hours is 'late'; it must look like"),
        ('[transport.mail]\ntimezone = "Mars/Base"\n', "line 2: transport.mail.timezone is 'Mars/Base'; it must be a"),
        ("workspace = {pth = 'x'}\n", "line 1: workspace.pth is not known; did you mean 'path'?"),
    ],
)
def test_a_broken_file_is_told_with_line_value_and_what_to_do(text: str, told: str) -> None:
    assert told in sentence(lambda: load_file(written(text)))


def test_a_file_that_is_missing_a_folder_or_not_text_is_told(clean: Path) -> None:
    assert "is missing; `bulkhead serve` writes one" in sentence(lambda: load_file(clean / "no.toml"))
    assert "cannot be read (Is a directory)" in sentence(lambda: load_file(clean))
    (clean / "latin.toml").write_bytes(b"[people.anna]\nname = '\xfc'\n")
    assert "is not UTF-8 at byte 22" in sentence(lambda: load_file(clean / "latin.toml"))


def test_an_account_elsewhere_is_one_persons_and_known_by_its_number(tmp_path: Path) -> None:
    file = tmp_path / "bulkhead.toml"
    file.write_text('[people.ann]\nidentities = ["telegram:123", "slack:T1:U2"]\n[people.bob]\n')
    read = load_file(file)
    assert read.people["ann"].identities == ("telegram:123", "slack:T1:U2")


@pytest.mark.parametrize(
    ("identity", "is_one"),
    [
        ("telegram:7", True),
        ("slack:T1:U2", True),
        ("mail:ann@example.org", True),
        ("telegram:1087968824", False),  # an anonymous administrator
        ("telegram:777000", False),
        ("telegram:-1001", False),  # a channel
        ("slack:T1:USLACKBOT", False),
        ("slack:T1:B2", False),  # a bot
        ("", False),
        ("telegram:7\n", False),
    ],
)
def test_only_one_persons_account_can_be_let_in(identity: str, is_one: bool) -> None:
    assert is_somebody(identity) is is_one


@pytest.mark.parametrize(
    ("identities", "says"),
    [
        ('["telegram:@ann"]', "telegram:@ann"),
        ('["telegram:1087968824"]', "no one person's account"),
        ('["telegram:5"]\n[people.bob]\nidentities = ["telegram:5"]', "both 'ann' and 'bob'"),
    ],
)
def test_an_identity_that_could_be_anybody_is_refused(tmp_path: Path, identities: str, says: str) -> None:
    file = tmp_path / "bulkhead.toml"
    file.write_text(f"[people.ann]\nidentities = {identities}\n")
    with pytest.raises(Misconfigured, match=re.escape(says)):
        load_file(file)


def test_a_transport_table_changes_what_it_names_and_leaves_the_providers_defaults(clean: Path) -> None:
    path = clean / "bulkhead.toml"
    path.write_text(
        '[transport.mail]\ndaily = 50\nallow = ["*@example.org"]\nquiet_hours = "22:00-07:00"\n'
        'timezone = "Europe/Berlin"\nreply_expires_s = 60\nfirst_contact = "free"\n'
    )
    policies = load_file(path).policies
    mail = policies["mail"]
    assert (mail.daily, mail.allow, mail.is_contact_needed) == (50, ("*@example.org",), False)
    assert (mail.quiet, str(mail.zone)) == ((time(22), time(7)), "Europe/Berlin")
    assert mail.lives_s["message"] == 60
    assert mail.hourly_conversation == DEFAULTS["mail"].hourly_conversation
    assert policies["telegram"] == DEFAULTS["telegram"]


def test_a_channel_without_a_provider_has_no_transport_table(clean: Path) -> None:
    path = clean / "bulkhead.toml"
    path.write_text("[transport.web]\ndaily = 5\n")
    with pytest.raises(Misconfigured, match=r"transport\.web"):
        load_file(path)
