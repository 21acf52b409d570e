"""What the operator decides. Takes the environment, `.env` and `bulkhead.toml`, gives frozen values, read once.

`Settings` are about the machine and come from variables (BULKHEAD_...); `BulkheadFile` is about people and places and
lives in BULKHEAD_HOME. Whatever is wrong with either is one sentence: where, which value, what to do.
"""

from __future__ import annotations

import difflib
import os
import re
import tempfile
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from dotenv import dotenv_values, load_dotenv
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    field_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from layers.errors import Misconfigured
from layers.types import AGENT, CLOCK, Person

PREFIX = "BULKHEAD_"
ENV_FILE = Path(".env")
FILE_NAME = "bulkhead.toml"
DATABASES = ("sqlite:///", "postgresql://", "postgres://")


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()


def _public_url(url: str) -> str:
    """An origin: scheme and host, no path, so that the page's Host and Origin checks can compare it."""
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/")):
        raise ValueError("it must be empty or look like https://chat.example.org, without a path")
    return url.rstrip("/")


def _database_url(url: SecretStr) -> SecretStr:
    if url.get_secret_value() and not url.get_secret_value().startswith(DATABASES):
        raise ValueError("it must be empty or begin with sqlite:/// or postgresql://")
    return url


class Settings(BaseSettings):
    """Every setting. `.env.example` is written from these lines."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="forbid")

    home: Annotated[Path, AfterValidator(_absolute)] = Field(
        Path(".bulkhead"), description="Where state lives: database, workspace, keys, bulkhead.toml"
    )
    host: str = Field("127.0.0.1", min_length=1, description="Address that the page listens on")
    port: int = Field(8080, ge=0, le=65535, description="Port of the page; 0 takes a free one")
    public_url: Annotated[str, AfterValidator(_public_url)] = Field(
        "", description="Origin that people reach the page under, behind a proxy: https://chat.example.org"
    )
    database_url: Annotated[SecretStr, AfterValidator(_database_url)] = Field(
        SecretStr(""), description="postgresql://user:password@host/name for a fleet; empty is SQLite in the home"
    )
    telegram_token: SecretStr = Field(SecretStr(""), description="Token of a Telegram bot, from @BotFather")
    telegram_api_url: str = Field("", description="Another Bot API server; empty is Telegram's own")
    slack_bot_token: SecretStr = Field(SecretStr(""), description="xoxb-... of a Slack app; Socket Mode needs both")
    slack_app_token: SecretStr = Field(SecretStr(""), description="xapp-... of the same app")
    slack_api_url: str = Field("", description="Another Slack Web API; empty is Slack's own")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="debug, info, warning or error")
    log_format: Literal["text", "json"] = Field("text", description="text for people, json for collectors")
    concurrency: int = Field(64, ge=1, le=1000, description="Turns that one process works on at once")
    draw_budget_s: float = Field(10.0, gt=0, le=300, description="Seconds for one diagram before it is given up")
    approval_ttl_s: float = Field(86400.0, ge=0, description="Seconds that people have to decide; 0 is for ever")
    discover_models: bool = Field(True, description="Look for Ollama, LM Studio and llama.cpp on this machine")
    model_timeout_s: float = Field(120.0, gt=0, le=3600, description="Seconds for one call of a model")
    max_steps: int = Field(12, ge=1, le=200, description="Model calls that one turn may make")
    max_turn_cost_usd: float = Field(0.50, ge=0, description="US dollars that one turn may cost; 0 is no limit")

    @property
    def store_url(self) -> str:
        """What `open_store` takes. It may carry a password: never log it."""
        return self.database_url.get_secret_value() or f"sqlite:///{self.home / 'bulkhead.db'}"


def load_settings(**overrides: object) -> Settings:
    """The settings: `overrides` (from the command line), then the environment, then `.env`, then the defaults.

    `.env` is put into the environment first, because the keys of model providers may stand there too.

    Raises:
        Misconfigured: a value is not allowed, or a variable resembles a setting and is none.
    """
    in_file = [name for name in dotenv_values(ENV_FILE) if name.upper().startswith(PREFIX)]
    load_dotenv(ENV_FILE, override=False)
    _refuse_misspelt(in_file, is_ours=True)
    _refuse_misspelt((name for name in os.environ if name.upper().startswith(PREFIX)), is_ours=False)
    try:
        return Settings(**overrides)  # type: ignore[arg-type]  # pydantic checks what the command line gave
    except ValidationError as error:
        raise Misconfigured("; ".join(_setting_error(each, overrides) for each in error.errors()) + ".") from None


def env_example() -> str:
    """The text of `.env.example`: every setting with its default and what it is for, one line each."""
    head = (
        "# Copy to .env and change what you need. What stands here are the defaults; the environment wins over .env.\n"
        "# Keys of model providers (ANTHROPIC_API_KEY, OPENAI_API_KEY, ...) may stand in .env too.\n\n"
    )
    rows = [(f"# {PREFIX}{name.upper()}={_default(name)}", field) for name, field in Settings.model_fields.items()]
    width = max(len(text) for text, _ in rows)
    return head + "".join(f"{text:<{width}}  # {field.description}\n" for text, field in rows)


def _default(name: str) -> str:
    value = Settings.model_fields[name].default
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
    return text or '""'  # with nothing there, the comment that follows would be read as the value


def _refuse_misspelt(names: Iterable[str], *, is_ours: bool) -> None:
    """Refuse a variable that resembles a setting and is none; in our own file, any that is none."""
    known = [name.upper() for name in Settings.model_fields]
    for name in names:
        bare = name.upper().removeprefix(PREFIX)
        near = difflib.get_close_matches(bare, known, n=1, cutoff=0.75)
        if bare not in known and (near or is_ours):
            hint = f"did you mean {PREFIX}{near[0]}?" if near else ".env.example lists them all."
            raise Misconfigured(f"{name} is not a setting; {hint}")


def _setting_error(error: Mapping[str, Any], overrides: Mapping[str, object]) -> str:
    """One error of pydantic's, in our words: the variable, its value unless secret, what is allowed."""
    name = str(error["loc"][0])
    field = Settings.model_fields.get(name)
    if field is None:
        return f"{PREFIX}{name.upper()} is not a setting"
    value = overrides.get(name, os.environ.get(PREFIX + name.upper(), ""))
    is_secret = isinstance(field.default, SecretStr)
    what = "is not allowed" if is_secret else f"is {value!r}"
    return f"{PREFIX}{name.upper()} {what}; {_allowed(error)} ({field.description})"


def _allowed(error: Mapping[str, Any]) -> str:
    """What would have been right, from pydantic's sentence."""
    text = str(error["msg"]).removeprefix("Value error, ").replace("Input should", "it should")
    return text[:1].lower() + text[1:]


# --- bulkhead.toml -----------------------------------------------------------------------------------------------

Identity = Annotated[str, StringConstraints(pattern=r"^(telegram:[1-9]\d*|slack:[TE][A-Z0-9]+:[UW][A-Z0-9]+)$")]
NOBODY = ("telegram:777000", "telegram:1087968824", "telegram:136817688")
"""Telegram's own service account, anonymous group admins and channels: many people, or none."""
PersonId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]

TEMPLATE = """\
# Who may do what with this Bulkhead. Read at start; `bulkhead doctor` checks it.

# One table for each person. The name after `people.` is their id: it stands in the audit trail, so do not reuse it.
# Only an approver's press on Approve counts. Without any approver nothing that changes something can run.
[people.owner]
name = "Owner"
approver = true

# [people.anna]
# name = "Anna"
# approver = false
# identities = ["telegram:123456789", "slack:T012AB3CD:U045EF6GH"]   # their accounts: ids, never names

# The git work tree that `/patch` changes and `workspace.*` capabilities work in; relative to this file's folder.
# It is made at first start if it does not exist.
[workspace]
path = "workspace"
"""


class PersonTable(BaseModel):
    """`[people.<id>]`."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str = Field("", max_length=80)
    """What cards call them; empty means their id."""
    approver: bool = False
    identities: tuple[Identity, ...] = Field((), strict=False)
    """Their accounts elsewhere. A name is none: names are given up and taken by others."""


class WorkspaceTable(BaseModel):
    """`[workspace]`."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    path: str = Field("workspace", min_length=1)
    """Relative to the home, or absolute."""


class BulkheadFile(BaseModel):
    """`bulkhead.toml`."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    people: dict[PersonId, PersonTable] = Field(default_factory=dict)
    workspace: WorkspaceTable = WorkspaceTable()

    @field_validator("people")
    @classmethod
    def _keep_reserved_ids(cls, people: dict[str, PersonTable]) -> dict[str, PersonTable]:
        for id in people:
            if id in (AGENT.id, CLOCK.id):
                raise ValueError(f"the id {id!r} belongs to Bulkhead itself; take another")
        return people

    @field_validator("people")
    @classmethod
    def _keep_identities_apart(cls, people: dict[str, PersonTable]) -> dict[str, PersonTable]:
        seen: dict[str, str] = {}
        for id, table in people.items():
            for identity in table.identities:
                if identity in NOBODY:
                    raise ValueError(f"{identity!r} is no one person's account; take it out")
                if identity in seen:
                    raise ValueError(f"{identity!r} belongs to both {seen[identity]!r} and {id!r}; keep one")
                seen[identity] = id
        return people

    def person_of(self, identity: str) -> Person | None:
        """Whose account that is, e.g. `telegram:123456789`."""
        owner = next((id for id, table in self.people.items() if identity in table.identities), None)
        return None if owner is None else self.persons[owner]

    @property
    def persons(self) -> dict[str, Person]:
        """Everybody, by id."""
        return {id: Person(id=id, name=table.name or id) for id, table in self.people.items()}

    @property
    def approvers(self) -> frozenset[str]:
        """Ids of those whose press on Approve counts. Empty means that nothing can be approved."""
        return frozenset(id for id, table in self.people.items() if table.approver)


def load_file(path: Path) -> BulkheadFile:
    """Read `bulkhead.toml`.

    Raises:
        Misconfigured: missing, not readable, not TOML, or a value that is not allowed: file, line, value, what to do.
    """
    try:
        text = path.read_text("utf-8")
        return BulkheadFile.model_validate(tomllib.loads(text))
    except FileNotFoundError:
        raise Misconfigured(f"{str(path)!r} is missing; `bulkhead serve` writes one at its first start.") from None
    except OSError as error:
        raise Misconfigured(
            f"{str(path)!r} cannot be read ({error.strerror}); make it readable for this user."
        ) from None
    except UnicodeDecodeError as error:
        raise Misconfigured(f"{str(path)!r} is not UTF-8 at byte {error.start}; save it as UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        found = _TOML_PLACE.search(str(error))
        what, where = (str(error)[: found.start()], found[1]) if found else (str(error), "")
        raise Misconfigured(f"{str(path)!r}{where and ', ' + where}: not TOML ({what.strip()}); correct it.") from None
    except ValidationError as error:
        raise Misconfigured(_file_error(path, text, error.errors()[0])) from None


def first_start(home: Path) -> tuple[Path, ...]:
    """Make the home what it must be (folder 0700, `keys` 0700, bulkhead.toml 0600); what had to be created.

    Raises:
        Misconfigured: the home is a file, or this user cannot write there.
    """
    created = []
    try:
        for folder in (home, home / "keys"):
            if not folder.is_dir():
                folder.mkdir(mode=0o700, parents=True)
                created.append(folder)
        if not os.access(home, os.R_OK | os.W_OK | os.X_OK):
            raise PermissionError(13, "it is read-only for this user")
        if write_private(home / FILE_NAME, TEMPLATE.encode()):
            created.append(home / FILE_NAME)
    except (FileExistsError, NotADirectoryError):
        raise Misconfigured(
            f"BULKHEAD_HOME is {str(home)!r} and that, or a part of it, is a file; name a folder."
        ) from None
    except OSError as error:
        raise Misconfigured(
            f"BULKHEAD_HOME is {str(home)!r} and cannot be written to ({error.strerror}); "
            "make it writable for this user or name another folder."
        ) from None
    return tuple(created)


def write_private(path: Path, content: bytes) -> bool:
    """Create a file that only this user reads (0600); False, and nothing written, where there is one already.

    The content is complete before the name exists: a crash leaves no empty key behind.
    """
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mkstemp makes it 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        os.unlink(draft)
    return True


_TOML_PLACE = re.compile(r"\s*\(at (line \d+, column \d+|end of document)\)$")
_TOML_NAME = re.compile(r"\s*(?:\[\[?(?P<table>[^\]]+)\]|(?P<key>[\w.\-\"' ]+?)\s*=)")
_TABLES: Mapping[str, type[BaseModel]] = {"people": PersonTable, "workspace": WorkspaceTable}


def _file_error(path: Path, text: str, error: Mapping[str, Any]) -> str:
    """One error of pydantic's as file, line, field, value and what to do."""
    keys = tuple(str(part) for part in error["loc"] if part != "[key]")
    line, name = _line_of(text, keys), ".".join(keys)
    place = f"{str(path)!r}{f', line {line}' if line else ''}: {name}"
    if error["type"] == "extra_forbidden":
        table = BulkheadFile if len(keys) == 1 else _TABLES[keys[0]]
        near = difflib.get_close_matches(keys[-1], table.model_fields, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(table.model_fields)}."
        return f"{place} is not known; {hint}"
    if error["loc"][-1] == "[key]":
        return f"{place} is no id; use small letters, digits, - and _, at most 32, a letter first."
    return f"{place} is {error['input']!r}; {_allowed(error)}."


def _line_of(text: str, keys: tuple[str, ...]) -> int:
    """The line where `keys` stands, or the nearest table around it; 0 where neither is found.

    tomllib gives values without their places; reading the names again is enough for an error message.
    """
    table: tuple[str, ...] = ()
    depth = line = 0
    for number, row in enumerate(text.splitlines(), start=1):
        found = _TOML_NAME.match(row)
        if found is None:
            continue
        names = tuple(part.strip(" \"'") for part in (found["table"] or found["key"]).split("."))
        table = names if found["table"] else table
        whole = names if found["table"] else table + names
        common = min(len(whole), len(keys))
        if common > depth and whole[:common] == keys[:common]:
            depth, line = common, number
    return line
