"""The nouns of routing: what a model is asked (`Task`), what came back (`Reply`), and which models there are (`Model`).

A `Reply` is journalled, so it turns into JSON and back without loss. Keys and tokens are in none of these values: a
`Model` names the environment variable, and only the vendor's file reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import TypeAdapter, ValidationError

from layers.errors import BadInput, BulkheadError, Refused, Unavailable


class Shape(StrEnum):
    """What a task needs most from the model that answers it."""

    OBEDIENCE = "obedience"
    """Exact instructions: lengths, formats, forbidden words, standing rules."""
    DEPTH = "depth"
    """Several steps of reasoning."""
    CODE = "code"
    VISION = "vision"
    """Pictures are attached: a fact, not a guess."""
    CHEAP = "cheap"
    """Everything else: any model will do."""


class Tier(StrEnum):
    """How strong a model is within its provider's own line-up."""

    SMALL = "small"
    MIDDLE = "middle"
    LARGE = "large"


class Role(StrEnum):
    """Who speaks."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """What a model wants done. The arguments are an object, but nobody has checked them against the tool yet."""

    id: str
    name: str
    arguments: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One entry of the conversation that a model reads."""

    role: Role
    content: str
    images: tuple[bytes, ...] = ()
    """PNG or JPEG files."""
    tool_call_id: str = ""
    """For a tool's answer: the `ToolCall.id` it answers."""
    tool_calls: tuple[ToolCall, ...] = ()
    """For an assistant's message: what it asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSpec:
    """A tool that a model may call."""

    name: str
    description: str
    parameters: Mapping[str, object]
    """JSON Schema of an object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """On whose account a model is asked."""

    person: str = ""
    channel: str = ""
    conversation: str = ""
    """An `Address.id`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One question to whichever model suits it."""

    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    rules: tuple[str, ...] = ()
    """The conversation's standing rules, oldest first: what an answer is checked for. The messages hold them too."""
    shape: Shape | None = None
    """None lets the rules judge."""
    max_output_tokens: int = 0
    """0 leaves it to the provider."""
    timeout_s: float = 120.0
    """Seconds one model may take before the next one is asked."""
    budget_s: float = 240.0
    """Seconds all of them may take together."""
    caller: Caller = field(default_factory=Caller)
    has_contract: bool = True
    """Whether the messages are people's words, and say what the answer must hold to. False for questions of our own."""
    clauses: tuple[str, ...] = ()
    """Types of clauses that whoever answers should be known to keep; the router adds the contract's."""
    answer: Mapping[str, object] | None = None
    """JSON Schema of the answer, for providers that can be held to one; check the answer all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """One reason for a shape."""

    name: str
    shape: Shape
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A task's shape and every cue that was seen, also those that spoke for another shape."""

    shape: Shape
    cues: tuple[Cue, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model that can be asked. For each ability True and False are known; None is unknown and may be tried."""

    name: str
    """What people read and write in routes.toml: `anthropic/claude-sonnet-5`, `ollama/qwen3:8b`."""
    wire: str
    """What the vendor library is told. Differs from `name` for OpenAI-compatible servers."""
    tier: Tier = Tier.MIDDLE
    source: str = ""
    """Where it was found, for people: `OPENAI_API_KEY`, `http://127.0.0.1:11434`, `routes.toml`."""
    key_env: str = ""
    """The environment variable that holds its key. Empty: it needs none, or the vendor library finds its own."""
    api_base: str = ""
    """Empty: the provider's own address."""
    vision: bool | None = None
    tools: bool | None = None
    context_tokens: int | None = None
    """How much it can read; None is unknown."""
    is_local: bool = False
    """It runs on this machine: what it is asked goes nowhere."""
    usd_per_million: tuple[float, float] | None = None
    """Price of a million tokens in and out; (0, 0) on the own machine; None leaves it to the vendor's price list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What was billed."""

    read: int = 0
    written: int = 0


class Fault(StrEnum):
    """Why a model gave no answer, by who can do something about it."""

    OUTAGE = "outage"
    """Nobody but the provider."""
    BUSY = "busy"
    """Time: the provider named when to come back."""
    SETUP = "setup"
    """The operator: a key, a name or an address is wrong."""
    REQUEST = "request"
    """Whoever asked: no provider would take the request."""
    LENGTH = "length"
    """Whoever asked: it is longer than the model can read."""
    ABILITY = "ability"
    """The operator: this model cannot do it, another one may."""
    ANSWER = "answer"
    """The model: what it answered cannot be used."""
    TIME = "time"
    """Whoever asked: there was no time left to ask it."""
    STOPPED = "stopped"
    """Nobody: a person wanted no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One model asked once."""

    model: str
    ok: bool
    error: str = ""
    """One sentence without secrets; empty when it went well."""
    ms: float = 0.0
    cost_usd: float | None = None
    tokens: Tokens = field(default_factory=Tokens)
    is_asked: bool = True
    """False: nothing was sent, because its provider wants to be left alone for a while."""
    fault: Fault | None = None
    """Whose move it is, where it went wrong."""

    @property
    def is_stopped(self) -> bool:
        """Whether nobody waited any more. What was written until then is billed, and nobody is told how much."""
        return self.fault is Fault.STOPPED


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A model's answer, and how it came about."""

    text: str
    model: str
    tool_calls: tuple[ToolCall, ...] = ()
    cost_usd: float | None = None
    """None: the price is not known. 0: it costs nothing."""
    tokens: Tokens = field(default_factory=Tokens)
    is_cut: bool = False
    """The text ended at the length limit."""
    shape: Shape = Shape.CHEAP
    cues: tuple[Cue, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    """In order; the last one is the answer."""
    held: tuple[str, ...] = ()
    """What was asked of the answer's form and holds, in words."""
    broken: tuple[str, ...] = ()
    """What does not."""
    confession: str = ""
    """What people are told beside an answer that breaks something; empty where it breaks nothing."""
    steps: tuple[str, ...] = ()
    """What was done because an answer broke a clause: a repair, the next model up."""
    chosen: str = ""
    """Why this model and not the shape's first: `pinned`, `cheaper to stay`; empty where it was the shape."""
    notice: str = ""
    """What the person should know of the account: four fifths of a budget are spent."""

    def to_json(self) -> str:
        """The reply as one line of JSON, for the journal."""
        return REPLY.dump_json(self).decode()

    @classmethod
    def from_json(cls, text: str) -> Reply:
        """The reply that `to_json` wrote.

        Raises:
            BadInput: the text is not one.
        """
        try:
            return REPLY.validate_json(text)
        except ValidationError as error:
            raise BadInput(f"a journalled reply cannot be read: {error.errors()[0]['msg']}") from None


REPLY = TypeAdapter(Reply)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Which models a text would go to, and why. Nothing is asked to find out."""

    judged: Judged
    models: tuple[str, ...]
    """In the order in which they would be tried; empty when none is connected."""
    score: float
    """How much the text needs a strong model; higher is more. See `difficulty`."""
    reasons: tuple[tuple[str, float], ...]
    """What moved the score most: a measure or words of the text, and what each is worth."""
    judge_us: float
    """Microseconds that shape and score took."""


class NoModel(Refused):
    """No model is connected, or none that can do this."""


class OverBudget(Refused):
    """A day's money is spent, and no model that costs nothing is connected."""


class BadAnswer(Unavailable):
    """A model answered, but with nothing that can be used: empty, cut off, or a broken tool call."""


class NoAnswer(Unavailable):
    """Every model that was asked failed."""

    def __init__(self, text: str, attempts: tuple[Attempt, ...], judged: Judged | None = None) -> None:
        super().__init__(text)
        self.attempts = attempts
        self.judged = judged


class Stopped(BulkheadError):
    """Somebody wanted no more of it."""

    def __init__(self, by: str, attempts: tuple[Attempt, ...] = (), judged: Judged | None = None) -> None:
        super().__init__(f"Stopped by {by}.")
        self.by = by
        self.attempts = attempts
        self.judged = judged
