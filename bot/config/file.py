"""bulkhead.toml: about people, places and providers, into one frozen value. An error names file, line and value."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from bot.config.settings import allowed
from bot.config.transport import Provider, TransportTable, policies_of
from layers.coordination import ForeignPolicy
from layers.errors import Misconfigured
from layers.transport import Policy
from layers.types import AGENT, CLOCK, STRANGER, Person

IDENTITY = (
    r"^(telegram:[1-9]\d*|slack:[TE][A-Z0-9]+:[UW][A-Z0-9]+"
    r"|mail:[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[a-z0-9._-]{1,255})$"
)
Identity = Annotated[str, StringConstraints(pattern=IDENTITY)]
NOBODY = ("telegram:777000", "telegram:1087968824", "telegram:136817688")
"""Telegram's own service account, anonymous group admins and channels: many people, or none."""
Role = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
Scope = Annotated[str, StringConstraints(pattern=r"^(\*|[a-z0-9_-]+(\.[a-z0-9_-]+)*)$")]
SLACKBOT = ":USLACKBOT"
FIRST_WORKSPACE = "workspace"
"""What the workspace of the table `[workspace]` is called."""
TableId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]


def is_somebody(identity: str) -> bool:
    """Whether that is one person's account, as far as its id tells."""
    return (
        bool(re.fullmatch(IDENTITY, identity))
        and not identity.endswith("\n")
        and identity not in NOBODY
        and not identity.endswith(SLACKBOT)
    )


class PersonTable(BaseModel):
    """`[people.<id>]`."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str = Field("", max_length=80)
    """What cards call them; empty means their id."""
    approver: bool = False
    roles: tuple[Role, ...] = Field((), strict=False)
    """What policy.cedar calls them besides `approver`, which `approver = true` says."""
    scopes: tuple[Scope, ...] = Field(("*",), strict=False)
    """Where policy.cedar lets them approve: `deploy.web`, or `*` for everywhere."""
    identities: tuple[Identity, ...] = Field((), strict=False)
    """Their accounts elsewhere. A name is none: names are given up and taken by others."""

    @field_validator("roles")
    @classmethod
    def _keep_the_approvers_role(cls, roles: tuple[str, ...]) -> tuple[str, ...]:
        if "approver" in roles:
            raise ValueError("it must not name approver; write approver = true instead")
        return roles


class WorkspaceTable(BaseModel):
    """`[workspace]`."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    path: str = Field("workspace", min_length=1)
    """Relative to the home, or absolute."""
    foreign: ForeignPolicy = Field(ForeignPolicy.PARK, strict=False)
    """What becomes of edits that people saved in a patched file and did not commit."""
    local_only: bool = False
    """Whether nothing of it is told to a model on another machine. The agent works in it: every question stays."""


class NamedWorkspaceTable(BaseModel):
    """`[workspaces.NAME]`."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    path: str = Field(min_length=1)
    """Relative to the home, or absolute: the root of a git work tree, or a bare repository. It must be there."""
    local_only: bool = False
    """As of the first one. A question concerns this one when it, or what was said before, names it or its folder."""
    foreign: ForeignPolicy = Field(ForeignPolicy.PARK, strict=False)
    """As of `[workspace]`."""


class AuditTable(BaseModel):
    """`[audit]`."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    conversation: str = Field("web:main", pattern=r"^[a-z]+:\S+$")
    """Where checkpoints of the audit trail are told: `slack:T012AB3CD/C045EF6GH` is a witness, the page is none."""


class BulkheadFile(BaseModel):
    """`bulkhead.toml`."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    people: dict[TableId, PersonTable] = Field(default_factory=dict)
    workspace: WorkspaceTable = WorkspaceTable()
    workspaces: dict[TableId, NamedWorkspaceTable] = Field(default_factory=dict)
    audit: AuditTable = AuditTable()
    transport: dict[Provider, TransportTable] = Field(default_factory=dict)

    @field_validator("people")
    @classmethod
    def _keep_reserved_ids(cls, people: dict[str, PersonTable]) -> dict[str, PersonTable]:
        for id in people:
            if id in (AGENT.id, CLOCK.id, STRANGER.id):
                raise ValueError(f"the id {id!r} belongs to Bulkhead itself; take another")
        return people

    @field_validator("workspaces")
    @classmethod
    def _keep_the_first_workspace(cls, workspaces: dict[str, NamedWorkspaceTable]) -> dict[str, NamedWorkspaceTable]:
        if FIRST_WORKSPACE in workspaces:
            raise ValueError(f"the name {FIRST_WORKSPACE!r} is that of the table [{FIRST_WORKSPACE}]; take another")
        return workspaces

    @field_validator("people")
    @classmethod
    def _keep_identities_apart(cls, people: dict[str, PersonTable]) -> dict[str, PersonTable]:
        seen: dict[str, str] = {}
        for id, table in people.items():
            for identity in table.identities:
                if not is_somebody(identity):
                    raise ValueError(f"{identity!r} is no one person's account; take it out")
                if identity in seen:
                    raise ValueError(f"{identity!r} belongs to both {seen[identity]!r} and {id!r}; keep one")
                seen[identity] = id
        return people

    @property
    def persons(self) -> dict[str, Person]:
        """Everybody, by id."""
        return {id: Person(id=id, name=table.name or id) for id, table in self.people.items()}

    @property
    def policies(self) -> dict[str, Policy]:
        """What each provider's channel may do, by its name."""
        return policies_of(self.transport)

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


_TOML_PLACE = re.compile(r"\s*\(at (line \d+, column \d+|end of document)\)$")
_TOML_NAME = re.compile(r"\s*(?:\[\[?(?P<table>[^\]]+)\]|(?P<key>[\w.\-\"' ]+?)\s*=)")
_TABLES: Mapping[str, type[BaseModel]] = {
    "people": PersonTable,
    "workspace": WorkspaceTable,
    "workspaces": NamedWorkspaceTable,
    "transport": TransportTable,
    "audit": AuditTable,
}


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
    return f"{place} is {error['input']!r}; {allowed(error)}."


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
