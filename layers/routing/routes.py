"""routes.toml: which models each shape goes to, which servers are asked for models, and what is known of a model.

Text in, `Routes` out. A missing file means the defaults; a wrong one is refused with its line and field.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    ValidationError,
)

from layers.errors import Misconfigured
from layers.routing.types import Shape, Tier

AUTO = "auto"
"""Stands for every model that was found, best suited first."""
SERVERS = {
    "ollama": "http://127.0.0.1:11434",
    "lmstudio": "http://127.0.0.1:1234",
    # llama.cpp's own default, 8080, is where our page listens
    "llamacpp": "http://127.0.0.1:8081",
}


def default_routes_text() -> str:
    """What is written to routes.toml at first start: every default, commented out."""
    return f"""\
# Which models answer. Read at start. `bulkhead route TEXT` shows where a text would go, `/why` where the last one went.

# Conversations whose words never leave this machine: patterns of their ids, with * and ?. Threads are part of them.
# local_only = ["slack:T0SECRET/*", "mail:board@example.org"]

# A task's shape is judged from its words; its models are tried in order until one answers.
# "{AUTO}" stands for every model found from the environment's keys and the servers below, best suited first.
[routes]
# obedience = ["{AUTO}"]   # exact instructions: lengths, formats, standing rules
# depth = ["{AUTO}"]       # several steps of reasoning
# code = ["{AUTO}"]
# vision = ["{AUTO}"]      # pictures attached, or a picture to be looked at
# cheap = ["{AUTO}"]       # everything else
# For example: depth = ["anthropic/claude-opus-5", "openai/gpt-5.5", "{AUTO}"]

# Servers asked for their models at start. "" turns one off; any other name adds an OpenAI-compatible server.
[servers]
# ollama = "{SERVERS["ollama"]}"
# lmstudio = "{SERVERS["lmstudio"]}"
# llamacpp = "{SERVERS["llamacpp"]}"

# What a day (of UTC) may cost in USD. At 80 % the person is warned; at 100 % only models that cost nothing are asked.
# A call whose price nobody knows is not in these sums; `/cost` tells how many there were.
[budgets]
# usd_per_day = 20.0
# person_usd_per_day = 2.0
# channel_usd_per_day = 10.0

# Which share of answers, the most doubtful ones, is not shown and asked anew of a model of a higher tier. 0 is none.
[escalation]
# share = 0.2

# What is known of a model, found or not. All fields are optional.
# [models."openai/my-model"]
# api_base = "https://models.example.org/v1"   # an OpenAI-compatible address
# key_env = "MY_MODEL_KEY"                     # the environment variable that holds its key
# vision = true
# tools = true
# context_tokens = 128000                      # how much it can read
# tier = "middle"                              # small, middle or large
# local = true                                 # it runs on this machine, whatever its address says
# usd_per_million_in = 0.15
# usd_per_million_out = 0.60
"""


EXPECTED = {
    "extra_forbidden": "there is no such setting; the comments in the file name those there are",
    "string_pattern_mismatch": "expected the name of an environment variable, and not the key itself",
    "tuple_type": "expected a model's name or a list of them",
    "too_short": "expected at least one model's name; remove the line to get the default",
}
"""Plain words for what pydantic calls an error's type."""


def as_list(value: object) -> object:
    """A single name counts as a list of one."""
    return [value] if isinstance(value, str) else value


Name = Annotated[str, Field(min_length=1)]
Patterns = Annotated[tuple[Name, ...], BeforeValidator(as_list)]
Names = Annotated[tuple[Name, ...], Field(min_length=1), BeforeValidator(as_list)]


class Entry(BaseModel):
    """What an operator says of one model."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    api_base: str | None = None
    key_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    vision: bool | None = None
    tools: bool | None = None
    context_tokens: PositiveInt | None = None
    is_local: bool | None = Field(default=None, alias="local")
    tier: Tier | None = None
    usd_per_million_in: NonNegativeFloat | None = None
    usd_per_million_out: NonNegativeFloat | None = None


class Budgets(BaseModel):
    """What a day may cost, in USD. A day ends at midnight UTC."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    usd_per_day: PositiveFloat | None = None
    person_usd_per_day: PositiveFloat | None = None
    channel_usd_per_day: PositiveFloat | None = None

    def limits(self) -> dict[str, float]:
        """The limits there are: `person`, `channel`, `day`."""
        named = {"person": self.person_usd_per_day, "channel": self.channel_usd_per_day, "day": self.usd_per_day}
        return {name: limit for name, limit in named.items() if limit is not None}


class Escalation(BaseModel):
    """When a doubtful answer is not shown and a stronger model is asked instead."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    share: Annotated[float, Field(ge=0, le=1)] = 0.2
    """Of answers that may go on; 0 is none."""


class Routes(BaseModel):
    """The file's schema."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    routes: Mapping[Shape, Names] = {}
    servers: Mapping[str, str] = {}
    models: Mapping[str, Entry] = {}
    budgets: Budgets = Budgets()
    escalation: Escalation = Escalation()
    local_only: Patterns = ()

    def is_local_only(self, conversation: str) -> bool:
        """Whether what is said in `conversation` must stay here. What nobody can place does where anything must.

        A conversation's threads are part of it, and letters' case does not matter: a slip must not let anything out.
        """
        names = {conversation.lower(), ":".join(conversation.lower().split(":")[:2])}
        patterns = [pattern.lower() for pattern in self.local_only]
        return any(not conversation or fnmatchcase(name, pattern) for name in names for pattern in patterns)

    def names(self, shape: Shape) -> tuple[str, ...]:
        """The names to try for `shape`; `auto` stands for what was found."""
        return self.routes.get(shape, (AUTO,))

    def only_named(self) -> Routes:
        """The same, with no server looked for that the file does not name."""
        return self.model_copy(update={"servers": {**dict.fromkeys(SERVERS, ""), **self.servers}})

    def addresses(self) -> dict[str, str]:
        """The servers to ask, without those that were turned off."""
        return {name: url.rstrip("/") for name, url in {**SERVERS, **self.servers}.items() if url}


def load_routes(path: Path) -> Routes:
    """The routes in the file at `path`, or the defaults where there is none.

    Raises:
        Misconfigured: the file cannot be read, is not TOML, or says something that is not understood.
    """
    try:
        return parse_routes(path.read_text(), str(path))
    except FileNotFoundError:
        return Routes()
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{path} cannot be read: {error}; repair it or remove it to get the defaults") from None


def parse_routes(text: str, name: str = "routes.toml") -> Routes:
    """The routes that `text` describes; `name` is what errors call it.

    Raises:
        Misconfigured: with the line and the field.
    """
    try:
        return Routes.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise Misconfigured(f"{name} is not TOML: {error}; correct that line") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = [str(part) for part in first["loc"] if part != "[key]"]
        line = line_of(text, where)
        at = f"{name} line {line}" if line else name
        what = EXPECTED.get(first["type"], first["msg"].lower())
        # whoever writes `api_key = "sk-..."`, or a key for its variable's name, must not find it in a log
        is_secret = first["type"] == "extra_forbidden" or where[-1] == "key_env"
        value = "" if is_secret else f" is {first['input']!r}"
        raise Misconfigured(f"{at}: {'.'.join(where)}{value}: {what}") from None


def line_of(text: str, path: Sequence[str]) -> int:
    """The line on which the key at `path` is set, counted from 1; 0 where it cannot be told (inline tables)."""
    section: tuple[str, ...] = ()
    keys = tuple(part for part in path if not part.isdigit())
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[\s*([^\[\]]+)\]", line):
            section = parts_of(header[1])
            if section == keys:
                return number
        elif (assignment := re.match(r"\s*([^=#]+)=", line)) and (*section, *parts_of(assignment[1])) == keys:
            return number
    return 0


def parts_of(key: str) -> tuple[str, ...]:
    """The parts of a dotted TOML key: `models."a.b"` is (models, a.b)."""
    return tuple(quoted or bare for quoted, bare in re.findall(r"[\"']([^\"']*)[\"']|([^.\s\"']+)", key))
