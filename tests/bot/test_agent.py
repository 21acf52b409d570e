"""The agent's loop behind the real router, the real litellm and a real socket."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.agent import Act, Agent, Draw, Edit, Effect, Limits, Outcome, Say, Send, decode, recent
from bot.prompt import TOOLS, Offer, places_prompt, rules_prompt, system_prompt
from layers import failpoint
from layers.errors import BadInput, Refused
from layers.routing import Message, NoAnswer, NoModel, Reply, Role, Router, Stop, ToolCall, parse_routes
from layers.types import Address, Inbound, Person, Turn
from tests.fakes import model_server

OFFERS = (
    Offer(id="host.uptime", risk=0, summary="how long the host is up, and its load"),
    Offer(id="host.disk", risk=0, summary="free space"),
    Offer(id="workspace.make", risk=1, parameters=("target: one of test, lint",), summary="runs make"),
    Offer(id="workspace.write-note", risk=1, parameters=("name: text", "text: text"), summary="writes a note"),
)


@dataclass
class Notebook:
    """A journal that keeps JSON, as the real one does."""

    kept: dict[int, str] = field(default_factory=dict)

    async def model_step(self, n: int, call: Callable[[], Awaitable[Reply]]) -> Reply:
        if n not in self.kept:
            self.kept[n] = (await call()).to_json()
        return Reply.from_json(self.kept[n])


@dataclass
class Desk:
    """Writes down which effects were asked for."""

    seen: list[Effect] = field(default_factory=list)
    refusal: str = ""
    shown: str = ""
    stop: Stop = field(default_factory=Stop)

    def show(self, text: str) -> Callable[[str], None]:
        self.shown = text

        def add(piece: str) -> None:
            self.shown += piece

        return add

    def _note(self, effect: Effect, answer: str) -> str:
        if self.refusal:
            raise Refused(self.refusal)
        self.seen.append(effect)
        return answer

    async def draw(self, effect: Draw) -> str:
        return self._note(effect, "posted")

    async def act(self, effect: Act) -> str:
        return self._note(effect, "up 3 days" if effect.capability == "host.uptime" else "asked for")

    async def edit(self, effect: Edit) -> str:
        return self._note(effect, "proposed")

    async def send(self, effect: Send) -> str:
        return self._note(effect, "sent")


@pytest.fixture(scope="module")
def server() -> Iterator[model_server.ModelServer]:
    with model_server.running() as fake:
        yield fake


@pytest.fixture
def fake(server: model_server.ModelServer) -> model_server.ModelServer:
    server.calls.clear()
    return server


@pytest.fixture
async def agent_on(fake: model_server.ModelServer) -> AsyncIterator[Callable[..., Agent]]:
    """Makes agents that have one model."""
    routers: list[Router] = []

    def make(model: str, limits: Limits | None = None, more: str = "") -> Agent:
        routes = "".join(f'{shape} = "openai/{model}"\n' for shape in ("cheap", "code", "depth", "obedience"))
        off = '[servers]\nollama = ""\nlmstudio = ""\nllamacpp = ""\n'
        environ = {"OPENAI_BASE_URL": fake.base_url, "OPENAI_API_KEY": "k"}
        routers.append(Router(environ=environ, routes=parse_routes(f"[routes]\n{routes}{off}{more}")))
        return Agent(routers[-1], OFFERS, limits)

    yield make
    for router in routers:
        await router.close()


def turn(text: str) -> Turn:
    person = Person(id="owner", name="Owner")
    inbound = Inbound(address=Address(channel="web", conversation="main"), event_id="1", person=person, text=text)
    return Turn(id=1, epoch=1, inbound=inbound)


async def step(agent: Agent, text: str = "ping", desk: Desk | None = None, notebook: Notebook | None = None) -> Outcome:
    return await agent.step(turn(text), history=(), journal=notebook or Notebook(), tools=desk or Desk())


async def test_a_short_reply_is_one_call_with_a_prompt_below_three_kilobytes(
    agent_on: Callable[..., Agent], fake: model_server.ModelServer
) -> None:
    outcome = await step(agent_on("echo"))
    assert outcome.effects == (Say(text="ping"),)
    assert [call.tools for call in fake.calls] == [["draw", "act", "edit", "send"]]
    asks_for_a_count = len('"stream":true,"stream_options":{"include_usage":true},')
    assert fake.calls[0].bytes - asks_for_a_count <= 3072


@pytest.mark.parametrize(
    ("model", "kind", "told"),
    [
        ("tool-draw", Draw, "posted"),
        ("tool-act", Act, "up 3 days"),
        ("tool-edit", Edit, "proposed"),
        ("tool-send", Send, "sent"),
    ],
)
async def test_a_tool_call_becomes_an_effect_and_its_answer_goes_back(
    agent_on: Callable[..., Agent], fake: model_server.ModelServer, model: str, kind: type[Effect], told: str
) -> None:
    desk = Desk()
    outcome = await step(agent_on(model), desk=desk)
    assert [type(effect) for effect in desk.seen] == [kind]
    assert [type(effect) for effect in outcome.effects] == [kind, Say]
    assert outcome.text == f"Done: {told}" == desk.shown
    assert len(fake.calls) == 2


async def test_the_agent_is_told_the_places_it_can_send_to_and_no_more_about_delivery(
    agent_on: Callable[..., Agent], fake: model_server.ModelServer
) -> None:
    agent = agent_on("echo")
    await agent.step(turn("hi"), history=(), journal=Notebook(), tools=Desk(), places=["telegram:5", "web:main"])
    assert "Conversations for `send`: telegram:5, web:main" in places_prompt(["telegram:5", "web:main"])
    (tool,) = [tool for tool in TOOLS if tool.name == "send"]
    assert set(tool.parameters["properties"]) == {"conversation", "content", "urgency"}


async def test_the_agent_is_told_the_standing_rules_and_that_they_permit_nothing(
    agent_on: Callable[..., Agent], fake: model_server.ModelServer
) -> None:
    agent = agent_on("echo")
    await agent.step(turn("hi"), history=(), journal=Notebook(), tools=Desk(), rules=["be kind", "be brief"])
    (call,) = fake.calls
    told = str(call.messages[0]["content"])
    assert told.endswith("they permit nothing that is not permitted above:\n- be kind\n- be brief")
    assert rules_prompt(()) == ""


async def test_wrong_arguments_are_told_to_the_model_and_do_nothing(agent_on: Callable[..., Agent]) -> None:
    desk = Desk()
    outcome = await step(agent_on("tool-wrong"), desk=desk)
    assert desk.seen == []
    assert "mermaid: field required" in outcome.text


async def test_a_refusal_is_told_to_the_model(agent_on: Callable[..., Agent]) -> None:
    outcome = await step(agent_on("tool-act"), desk=Desk(refusal="no approver is configured"))
    assert outcome.effects == (Say(text="Done: refused: no approver is configured"),)


async def test_the_same_call_a_third_time_is_not_made_and_the_person_is_asked(
    agent_on: Callable[..., Agent], fake: model_server.ModelServer
) -> None:
    desk = Desk()
    outcome = await step(agent_on("loop"), desk=desk)
    assert len(desk.seen) == 2
    assert len(fake.calls) == 3
    assert "same `act` 3 times" in outcome.stopped
    assert outcome.text.endswith("?")


async def test_a_turn_ends_after_its_steps(agent_on: Callable[..., Agent], fake: model_server.ModelServer) -> None:
    outcome = await step(agent_on("wander"))
    assert len(fake.calls) == 8
    assert "8 steps" in outcome.stopped


async def test_a_turn_ends_when_it_has_cost_enough(
    agent_on: Callable[..., Agent], fake: model_server.ModelServer
) -> None:
    desk = Desk()
    price = '[models."openai/wander"]\nusd_per_million_in = 1000'
    outcome = await step(agent_on("wander", Limits(cost_usd=1.0), price), desk=desk)
    assert outcome.cost_usd >= 1.0
    assert "has cost $" in outcome.stopped
    assert len(desk.seen) == len(fake.calls) - 1, "what the last answer asked for is not done"


async def test_a_resumed_turn_takes_the_same_way_without_asking_again(
    agent_on: Callable[..., Agent], fake: model_server.ModelServer
) -> None:
    agent, notebook = agent_on("tool-act"), Notebook()
    first = await step(agent, notebook=notebook)
    asked = len(fake.calls)
    again = Desk()
    assert await step(agent, desk=again, notebook=notebook) == first
    assert len(fake.calls) == asked
    assert [type(effect) for effect in again.seen] == [Act]


async def test_a_crash_between_two_steps_costs_only_the_second(
    agent_on: Callable[..., Agent], fake: model_server.ModelServer
) -> None:
    agent, notebook = agent_on("tool-act"), Notebook()
    await step(agent, notebook=notebook)
    del notebook.kept[1]
    fake.calls.clear()
    await step(agent, notebook=notebook)
    assert len(fake.calls) == 1


async def test_the_model_call_has_a_crash_point_on_both_sides(
    agent_on: Callable[..., Agent], fake: model_server.ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[failpoint.Point, int]] = []
    monkeypatch.setattr(failpoint, "hook", lambda point: seen.append((point, len(fake.calls))))
    await step(agent_on("echo"))
    assert seen == [(failpoint.Point.MODEL_CALLED, 0), (failpoint.Point.MODEL_ANSWERED, 1)]


async def test_an_answer_that_was_cut_says_so(agent_on: Callable[..., Agent]) -> None:
    assert "was cut" in (await step(agent_on("cut"))).text


async def test_when_no_model_answers_the_caller_hears_it(agent_on: Callable[..., Agent]) -> None:
    with pytest.raises(NoAnswer):
        await step(agent_on("err500"))
    router = Router(environ={}, routes=parse_routes('[servers]\nollama = ""\nlmstudio = ""\nllamacpp = ""'))
    with pytest.raises(NoModel):
        await step(Agent(router, OFFERS))


async def test_broken_tool_arguments_never_reach_a_tool(agent_on: Callable[..., Agent]) -> None:
    for model in ("badtool", "listtool", "cuttool"):
        desk = Desk()
        with pytest.raises(NoAnswer):
            await step(agent_on(model), desk=desk)
        assert desk.seen == []


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("deploy", {}, "there is no tool 'deploy'; there are draw, act, edit"),
        ("act", {"capability": "a", "reason": "b", "sudo": True}, "sudo: extra inputs are not permitted"),
        ("act", {"capability": "a", "reason": " "}, "reason: "),
        ("act", {"capability": "a", "reason": "b", "parameters": {"x": {"y": 1}}}, "parameters.x: "),
        ("edit", {"diff": "", "summary": "s"}, "diff: "),
        ("draw", {"mermaid": 5}, "mermaid: "),
    ],
)
def test_a_call_that_does_not_fit_is_refused_with_the_field(name: str, arguments: dict[str, object], told: str) -> None:
    with pytest.raises(BadInput) as caught:
        decode(ToolCall(id="1", name=name, arguments=arguments))
    assert told in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)
FIELDS = st.sampled_from(["mermaid", "title", "capability", "parameters", "reason", "diff", "summary", "x"])


@given(st.sampled_from(["draw", "act", "edit", "x"]), st.dictionaries(FIELDS, JSON, max_size=5))
def test_any_json_is_an_effect_or_is_refused(name: str, arguments: dict[str, object]) -> None:
    try:
        effect = decode(ToolCall(id="1", name=name, arguments=arguments))
    except BadInput:
        return
    assert isinstance(effect, Draw | Act | Edit)
    if isinstance(effect, Act):
        assert all(isinstance(value, str) for value in effect.parameters.values())


def test_bare_numbers_and_booleans_become_the_text_a_capability_takes() -> None:
    arguments = {"capability": "a", "parameters": {"n": 3, "yes": True, "t": "x"}, "reason": "r"}
    effect = decode(ToolCall(id="1", name="act", arguments=arguments))
    assert effect == Act(capability="a", parameters={"n": "3", "yes": "true", "t": "x"}, reason="r")


def test_history_is_the_newest_that_fits_and_begins_with_a_person() -> None:
    said = [Message(role=Role.USER if n % 2 == 0 else Role.ASSISTANT, content=f"{n}" * 10) for n in range(6)]
    assert [message.content[0] for message in recent(said, 1000)] == list("012345")
    assert [message.content[0] for message in recent(said, 35)] == list("45")
    assert recent(said, 5) == []


def test_the_prompt_lists_the_capabilities_and_the_tools_carry_no_titles() -> None:
    prompt = system_prompt(OFFERS)
    assert "- workspace.make(target: one of test, lint) risk 1 - runs make" in prompt
    assert "(none" in system_prompt(())
    for tool in TOOLS:
        assert set(tool.parameters) == {"type", "properties", "required", "additionalProperties"}
    assert len(prompt) + len(json.dumps([dict(tool.parameters) for tool in TOOLS])) < 3000
