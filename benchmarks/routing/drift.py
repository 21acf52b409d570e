"""A scripted weak model over real HTTP that breaks a hard clause in 30 % of its answers, repairs included.

Whether an answer holds is decided by a function beside each question, not by the contract's own checks. `delivered`
counts answers that break what was asked and do not say so; `confessed` those that say so. `false_alarms` counts clean
answers of a model that never breaks anything and that were sent back. `bad_tool_args` counts calls with malformed
arguments that came through to a tool.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.routing.section import Measured, Section, missed
from bot.agent import Act, Agent, Draw, Edit, Send
from bot.prompt import Offer
from layers.routing import Message, NoAnswer, Reply, Role, Router, Stop, Task, parse_routes
from layers.types import Address, Inbound, Person, Turn
from tests.fakes import model_server

BREAKS = 0.3
ANSWERS, QUICK_ANSWERS = 1000, 100
SEED = 7
BAD_TOOLS = ("badtool", "listtool", "nantool", "halftool", "deeptool", "cuttool", "tool-wrong")
TOPICS = ("tea", "the harbour", "trains", "winter", "an old clock", "bread", "the moon", "a garden", "rain", "maps")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One kind of question: what is asked, an answer that keeps it, one that does not, and how to tell."""

    asked: str
    clean: str
    broken: str
    holds: Callable[[str], bool]


CASES = (
    Case(
        asked="Tell me about {}. Do not use any commas in your response.",
        clean="Here is what I know about {} and it is not much.",
        broken="Here is what I know about {}, and it is not much.",
        holds=lambda text: "," not in text,
    ),
    Case(
        asked="Tell me about {}. Your entire response should be in all lowercase letters.",
        clean="here is what i know about {} and it is not much.",
        broken="Here is what I know about {} and it is not much.",
        holds=lambda text: text == text.lower(),
    ),
    Case(
        asked="Tell me about {} in less than 20 words.",
        clean="Here is what I know about {} and it is not much.",
        broken="Here is what I know about {}" + " and then there is more" * 8 + ".",
        holds=lambda text: len(text.split()) < 20,
    ),
    Case(
        asked="Tell me about {}. Your answer must contain exactly 3 bullet points in markdown, such as: * This is one.",
        clean="* It is about {}.\n* It is short.\n* It ends here.",
        broken="* It is about {}.\n* It ends here.",
        holds=lambda text: sum(line.startswith("* ") for line in text.splitlines()) == 3,
    ),
    Case(
        asked='Tell me about {}. Finish your response with this exact phrase: "Is that all?"',
        clean="Here is what I know about {}. Is that all?",
        broken="Here is what I know about {}. I hope that this helps.",
        holds=lambda text: text.endswith("Is that all?"),
    ),
    Case(
        asked='Tell me about {}. Do not include the words "very" and "really".',
        clean="Here is what I know about {} and it is not much.",
        broken="Here is what I know about {} and it is really not much.",
        holds=lambda text: "very" not in text.split() and "really" not in text.split(),
    ),
)


class Script:
    """The weak model: the right answer, or in a share of the cases the wrong one."""

    def __init__(self, share: float) -> None:
        self._random = random.Random(SEED)
        self._share = share
        self.broke = 0

    def says(self, messages: list[dict[str, object]]) -> str:
        """The answer to the first thing that was asked."""
        asked = next(str(message["content"]) for message in messages if message["role"] == "user")
        clean, broken = ANSWER_TO[asked]
        if self._random.random() >= self._share:
            return clean
        self.broke += 1
        return broken


def questions(count: int) -> Iterator[tuple[str, Case, str]]:
    """(question, case, topic), round and round."""
    for n in range(count):
        case, topic = CASES[n % len(CASES)], TOPICS[n // len(CASES) % len(TOPICS)]
        yield case.asked.format(topic), case, topic


ANSWER_TO = {
    asked: (case.clean.format(topic), case.broken.format(topic))
    for asked, case, topic in questions(len(CASES) * len(TOPICS))
}


def router_of(fake: model_server.ModelServer, *names: str) -> Router:
    """A router over these models of the fake, for every shape."""
    listed = ", ".join(f'"openai/{name}"' for name in names)
    routes = "\n".join(f"{shape} = [{listed}]" for shape in ("obedience", "depth", "code", "cheap"))
    servers = '[servers]\nollama=""\nlmstudio=""\nllamacpp=""'
    environ = {"OPENAI_BASE_URL": fake.base_url, "OPENAI_API_KEY": "k"}
    return Router(environ=environ, routes=parse_routes(f"[routes]\n{routes}\n{servers}\n"))


async def conversation(fake: model_server.ModelServer, share: float, count: int) -> dict[str, int]:
    """`count` questions put to the weak model, with a strong one behind it."""
    weak, strong = Script(share), Script(0.0)
    fake.says = {"weak": weak.says, "strong": strong.says}
    router = router_of(fake, "weak", "strong")
    told = {"delivered": 0, "confessed": 0, "sent_back": 0, "shown_before_checked": 0}
    try:
        for asked, case, _ in questions(count):
            pieces: list[str] = []
            reply = await router.complete(Task(messages=(Message(role=Role.USER, content=asked),)), pieces.append)
            told["delivered"] += not case.holds(reply.text) and not reply.confession
            told["confessed"] += bool(reply.confession)
            told["sent_back"] += bool(reply.steps)
            told["shown_before_checked"] += "".join(pieces) != reply.text
    finally:
        await router.close()
    return {**told, "broken_by_the_model": weak.broke}


@dataclass
class Desk:
    """Tools that write down what reaches them."""

    seen: list[object] = field(default_factory=list)
    stop: Stop = field(default_factory=Stop)

    def show(self, text: str) -> Callable[[str], None]:
        """The answer as it grows, which nobody looks at here."""
        return lambda piece: None

    async def draw(self, effect: Draw) -> str:
        """A picture."""
        return self._note(effect)

    async def act(self, effect: Act) -> str:
        """A capability."""
        return self._note(effect)

    async def edit(self, effect: Edit) -> str:
        """A patch."""
        return self._note(effect)

    async def send(self, effect: Send) -> str:
        """A message."""
        return self._note(effect)

    def _note(self, effect: object) -> str:
        self.seen.append(effect)
        return "done"


class Journal:
    """Keeps nothing."""

    async def model_step(self, n: int, call: Callable[[], object]) -> Reply:
        """Asks."""
        return await call()  # type: ignore[misc, no-any-return]


async def bad_tools(fake: model_server.ModelServer) -> int:
    """How many malformed calls reached a tool of the agent."""
    desk = Desk()
    address = Address(channel="web", conversation="main")
    for model in BAD_TOOLS:
        router = router_of(fake, model)
        agent = Agent(router, [Offer(id="host.uptime", risk=0)])
        inbound = Inbound(address=address, event_id=model, person=Person(id="ann", name="Ann"), text="draw it")
        try:
            turn = Turn(id=1, epoch=1, inbound=inbound)
            await agent.step(turn, history=[], journal=Journal(), tools=desk)
        except NoAnswer:
            pass
        finally:
            await router.close()
    return len(desk.seen)


def measure(folder: Path, is_quick: bool) -> Measured:
    """The weak model, the clean one, and the broken tools."""
    count = QUICK_ANSWERS if is_quick else ANSWERS
    with model_server.running() as fake:
        weak = asyncio.run(conversation(fake, BREAKS, count))
        clean = asyncio.run(conversation(fake, 0.0, count))
        bad = asyncio.run(bad_tools(fake))
    told = {
        "delivered": weak["delivered"],
        "confessed": weak["confessed"],
        "false_alarms": clean["sent_back"],
        "bad_tool_args": bad,
        "shown_before_checked": weak["shown_before_checked"],
        "answers": count,
        "broken_by_the_model": weak["broken_by_the_model"],
        "sent_back": weak["sent_back"],
    }
    claims = {
        "no answer that breaks what was asked is delivered in silence": told["delivered"] == 0,
        "no clean answer is sent back": told["false_alarms"] == 0,
        "no malformed call reaches a tool": bad == 0,
        "nothing is shown before it was checked": told["shown_before_checked"] == 0,
    }
    return Measured(printed={"drift": told}, misses=missed(claims))


SECTIONS = {"drift": Section(keys=("drift",), run=measure)}
