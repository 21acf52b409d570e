"""Capability manifests: TOML text in, validated values out. The only things that can ever run.

A manifest is written by the operator. It says which parameters exist, which values they may take, and into which
items of an argv they go: one slot is one item, and there is no shell anywhere.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from layers.control.types import Value
from layers.errors import Misconfigured, Refused

SLOT = re.compile(r"\{([a-z][a-z0-9_]*)\}")
SECRET_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
ALLOWED_CONTROL = {"\n", "\t"}
ABBREVIATED_AT = 80


class Strict(BaseModel):
    """Frozen, and unknown fields are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Parameter(Strict):
    """What every type of parameter has."""

    description: str = ""
    may_begin_with_dash: bool = False
    """Whether an argv item may begin with `-` because of this value."""
    default: Value | None = None
    """Used when the parameter is not given; None makes it required."""


class StringParameter(Parameter):
    """Text."""

    type: Literal["string"]
    pattern: str = r"[^\n]*"
    """The whole value must match."""
    max_length: Annotated[int, Field(ge=1, le=20_000)] = 200
    multiline: bool = False

    @field_validator("pattern")
    @classmethod
    def compiles(cls, pattern: str) -> str:
        """Only a regular expression is one."""
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"{pattern!r} is not a regular expression: {error}") from None
        return pattern

    @property
    def expected(self) -> str:
        """What a person is told."""
        return f"text of at most {self.max_length} characters that matches {self.pattern}"

    def read(self, raw: str) -> str:
        """The value, or ValueError."""
        allowed = ALLOWED_CONTROL if self.multiline else set()
        if len(raw) > self.max_length or set(CONTROL.findall(raw)) - allowed or not re.fullmatch(self.pattern, raw):
            raise ValueError
        raw.encode()  # a lone surrogate is not text; UnicodeEncodeError is a ValueError
        return raw


class IntegerParameter(Parameter):
    """A whole number."""

    type: Literal["integer"]
    minimum: int
    maximum: int

    @property
    def expected(self) -> str:
        """What a person is told."""
        return f"a whole number from {self.minimum} to {self.maximum}"

    def read(self, raw: str) -> int:
        """The value, or ValueError."""
        if not re.fullmatch(r"-?[0-9]{1,18}", raw) or not self.minimum <= int(raw) <= self.maximum:
            raise ValueError
        return int(raw)


class EnumParameter(Parameter):
    """One of a few words."""

    type: Literal["enum"]
    values: Annotated[tuple[str, ...], Field(min_length=1)]

    @property
    def expected(self) -> str:
        """What a person is told."""
        return f"one of {', '.join(self.values)}"

    def read(self, raw: str) -> str:
        """The value, or ValueError."""
        if raw not in self.values:
            raise ValueError
        return raw


class PathParameter(Parameter):
    """A file below the workspace. Becomes an absolute path in the argv."""

    type: Literal["path-in-workspace"]

    @property
    def expected(self) -> str:
        """What a person is told."""
        return "a relative path inside the workspace, without `..`"

    def read(self, raw: str) -> str:
        """The value, or ValueError."""
        path = PurePosixPath(raw)
        if not raw or len(raw) > 1000 or CONTROL.search(raw) or path.is_absolute() or ".." in path.parts:
            raise ValueError
        raw.encode()
        return str(path)


class SecretParameter(Parameter):
    """A secret, by its name in the executor's store. The program gets the path of a file that holds the value."""

    type: Literal["secret"]

    @property
    def expected(self) -> str:
        """What a person is told. Never what was given: it may be a secret, typed by mistake."""
        return "the name of a secret (`bulkhead secret list` has them), never the secret itself"

    def read(self, raw: str) -> str:
        """The name, or ValueError."""
        if not SECRET_NAME.fullmatch(raw):
            raise ValueError
        return raw


class BooleanParameter(Parameter):
    """Yes or no."""

    type: Literal["boolean"]

    @property
    def expected(self) -> str:
        """What a person is told."""
        return "true or false"

    def read(self, raw: str) -> bool:
        """The value, or ValueError."""
        return {"true": True, "yes": True, "false": False, "no": False}[raw.lower()]


AnyParameter = Annotated[
    StringParameter | IntegerParameter | EnumParameter | PathParameter | BooleanParameter | SecretParameter,
    Field(discriminator="type"),
]


Place = Annotated[str, Field(pattern=r"^(/[A-Za-z0-9][A-Za-z0-9._-]*)+$", max_length=200)]
"""An absolute path without `.`, `..` or anything odd."""


class Sandbox(Strict):
    """What the program may touch besides the read-only system."""

    writable_workspace: bool = False
    network: Literal["none", "host"] = "none"
    """`host` is everything that this machine reaches, its own services included: see `catalog.check_network`."""
    sockets: tuple[Place, ...] = ()
    """Unix sockets that the program may talk to. Whoever may talk to docker's is root here."""
    readable: tuple[Place, ...] = ()
    """Files and folders that it may read besides the system's programs."""
    processes: bool = False
    """Whether it sees the processes of this machine."""


class Manifest(Strict):
    """One capability."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+$", max_length=64)]
    version: Annotated[int, Field(ge=1)] = 1
    title: Annotated[str, Field(min_length=1, max_length=100)]
    description: Annotated[str, Field(max_length=1000)]
    scope: Annotated[str, Field(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)*$")]
    risk: Annotated[int, Field(ge=0, le=3)]
    argv: Annotated[tuple[str, ...], Field(min_length=1)]
    stdin: str = ""
    cwd: Literal["workspace", "/"] = "workspace"
    timeout_s: Annotated[int, Field(ge=1, le=3600)] = 60
    output_cap_bytes: Annotated[int, Field(ge=1, le=1_048_576)] = 65_536
    probe: tuple[str, ...] = ()
    plan_argv: tuple[str, ...] = ()
    """Shows what would happen, read-only. It has to print the same for as long as the same would happen."""
    plan_exit_codes: tuple[int, ...] = (0,)
    """With which it says so; any other refuses the request."""
    idempotent: bool = False
    approvals: Annotated[int, Field(ge=1, le=5)] = 1
    """How many different persons have to approve it."""
    secrets: tuple[Annotated[str, Field(pattern=f"^{SECRET_NAME.pattern}$")], ...] = ()
    parameters: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], AnyParameter] = {}
    sandbox: Sandbox = Sandbox()

    @property
    def commands(self) -> tuple[tuple[str, ...], ...]:
        """Everything that may be run."""
        return tuple(command for command in (self.argv, self.probe, self.plan_argv) if command)

    @model_validator(mode="after")
    def hangs_together(self) -> Manifest:
        """Every slot is a parameter, every parameter is seen by the program, and programs are literal."""
        for command in self.commands:
            if SLOT.search(command[0]) or command[0].startswith("-"):
                raise ValueError(f"the program {command[0]!r} must be a plain name or path")
        for item in (*(item for command in self.commands for item in command), self.stdin):
            if set("{}") & set(SLOT.sub("", item)):
                raise ValueError(f"{item!r} has a brace that is not a {{parameter}} slot")
            if unknown := set(SLOT.findall(item)) - set(self.parameters):
                raise ValueError(f"{item!r} uses {sorted(unknown)}, which [parameters] does not declare")
        if unused := set(self.parameters) - set(SLOT.findall(" ".join((*self.argv, self.stdin)))):
            raise ValueError(f"parameters {sorted(unused)} are in neither argv nor stdin")
        if self.risk == 0 and self.approvals > 1:
            raise ValueError("risk 0 runs without a person; approvals needs risk 1 or more")
        if self.risk == 0 and self.sandbox.writable_workspace:
            raise ValueError("risk 0 only observes; a writable workspace needs risk 1 or more")
        if self.risk == 0 and (self.sandbox.network != "none" or self.plan_argv):
            raise ValueError("risk 0 runs without a person; a network or plan_argv needs risk 1 or more")
        asks = self.secrets or any(isinstance(one, SecretParameter) for one in self.parameters.values())
        if self.risk == 0 and asks:
            raise ValueError(
                "risk 0 runs unasked; a secret is handed out by a person's decision only, so risk 1 or more"
            )
        for name, parameter in self.parameters.items():
            if parameter.default is not None:
                read_parameter(self.id, name, parameter, as_text(parameter.default))
        return self


def as_text(value: Value) -> str:
    """The value as it goes into an argv item: `true`, `12`, `text`."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def read_parameter(capability: str, name: str, parameter: AnyParameter, raw: str) -> Value:
    """The typed value of one parameter.

    Raises:
        Refused: which parameter, which value, what was expected.
    """
    try:
        return parameter.read(raw)
    except (ValueError, KeyError):
        shown = raw if len(raw) <= ABBREVIATED_AT else f"{raw[:ABBREVIATED_AT]}..."
        shown = "(not shown)" if isinstance(parameter, SecretParameter) else shown
        raise Refused(f"{capability}: {name}={shown!r} is refused; it must be {parameter.expected}") from None


def parse_manifest(text: str, file_name: str) -> Manifest:
    """The manifest in a file called `<id>.toml`.

    Raises:
        Misconfigured: the file, the field, and what is wrong with it.
    """
    try:
        manifest = Manifest.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise Misconfigured(f"manifest {file_name!r} is not TOML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise Misconfigured(f"manifest {file_name!r}, {place}: {first['msg']}") from None
    except Refused as error:
        raise Misconfigured(f"manifest {file_name!r}, default: {error}") from None
    if file_name != f"{manifest.id}.toml":
        raise Misconfigured(f"manifest {file_name!r}, id: it is {manifest.id!r}, so name the file {manifest.id}.toml")
    return manifest


TEMPLATE = """\
# What may be run under the name {name}: by `/run {name}` and by the agent. `bulkhead control check` reads it again.
id = "{name}"                     # the file is called <id>.toml
version = 1                       # count it up when the meaning changes
title = "Say a word"              # on the card
description = "Prints a word."    # the agent reads this
scope = "{scope}"                 # policies and people's scopes speak of it; dotted, widest first
risk = 1                          # 0 observes and runs at once, 1 can be undone, 2 is hard to undo, 3 cannot be undone
argv = ["echo", "--", "{{word}}"]   # one slot is (part of) one item; there is no shell
# stdin = "{{word}}\\n"
cwd = "workspace"                 # or "/": then the workspace is not there
timeout_s = 10
output_cap_bytes = 65536
idempotent = false                # true: running it twice does no harm
# probe = ["test", "-e", "done"]  # tells after a crash whether it happened: 0 yes, 1 no
# plan_argv = ["echo", "{{word}}"]  # a read-only dry run: its output is on the card, and must not change
# plan_exit_codes = [0]

[parameters.word]
type = "string"                   # or integer (minimum, maximum), enum (values), boolean, path-in-workspace
description = "The word."
pattern = "[A-Za-z][a-z]*"        # the whole value must match
max_length = 40
# default = "hello"
# may_begin_with_dash = false

[sandbox]
writable_workspace = false
network = "none"                  # "host": all that this machine reaches; needs risk 3
sockets = []                      # e.g. ["/run/dbus/system_bus_socket"]
readable = []                     # files and folders besides the system's programs
processes = false                 # true: sees the processes of this machine
"""


def template(name: str) -> str:
    """A commented manifest to begin with; it is good as it stands."""
    return TEMPLATE.format(name=name, scope=name.rpartition(".")[0] or name)
