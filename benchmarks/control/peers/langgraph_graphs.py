"""The graphs that LangGraph's documentation recommends: approve or reject, and a loop of model and tools."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypedDict

from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import Command, interrupt

from benchmarks.control.peers.posing import Effects

Moment = Callable[[Path], object] | None
THREAD = {"configurable": {"thread_id": "one"}}
OTHER = {"configurable": {"thread_id": "two"}}


class Wish(TypedDict, total=False):
    """State of the graph."""

    to: str
    status: str


def approval(state: Wish) -> Command[Literal["proceed", "cancel"]]:
    """Stops for an answer."""
    said = interrupt({"question": "Transfer?", "to": state.get("to")})
    return Command(goto="proceed" if said else "cancel")


def graph(
    folder: Path, *, before: Moment = None, after: Moment = None, connection: sqlite3.Connection | None = None
) -> Any:
    """The graph of one replica: a checkpointer of its own on the one file. `before` and `after` surround the effect."""

    def proceed(state: Wish) -> Wish:
        if before:
            before(folder)
        Effects(folder).happen(state.get("to", "nobody"), 5)
        if after:
            after(folder)
        return {"status": "done"}

    def cancel(_state: Wish) -> Wish:
        return {"status": "cancelled"}

    builder = StateGraph(Wish)
    builder.add_node("approval", approval)
    builder.add_node("proceed", proceed)
    builder.add_node("cancel", cancel)
    builder.add_edge(START, "approval")
    builder.add_edge("proceed", END)
    builder.add_edge("cancel", END)
    return builder.compile(checkpointer=SqliteSaver(connection or opened(folder)))


def opened(folder: Path) -> sqlite3.Connection:
    """The database of the checkpointer."""
    return sqlite3.connect(folder / "checkpoints.db", check_same_thread=False)


def ask(one: Any, to: str = "alice", thread: dict[str, Any] = THREAD) -> list[str]:
    """Run up to the question; the ids of what waits."""
    return waiting(one.invoke({"to": to}, thread, durability="sync"))


def waiting(result: dict[str, Any]) -> list[str]:
    """Ids of the interrupts of a result."""
    return [each.id for each in result.get("__interrupt__", ())]


def answer(one: Any, ids: list[str], said: bool, thread: dict[str, Any] = THREAD) -> dict[str, Any]:
    """Resume by interrupt id."""
    result: dict[str, Any] = one.invoke(Command(resume=dict.fromkeys(ids, said)), thread, durability="sync")
    return result


def agent(folder: Path, *calls: dict[str, Any]) -> Any:
    """The documented loop of model and tools; the tool asks. The model calls one after the other."""

    @tool
    def transfer(to: str, amount: int = 1) -> str:
        """Send money."""
        said = interrupt({"to": to, "amount": amount})
        return Effects(folder).happen(to, amount) if said else "denied"

    def model(state: MessagesState) -> dict[str, Any]:
        made = sum(isinstance(message, AIMessage) for message in state["messages"])
        return {"messages": [AIMessage("", tool_calls=[calls[made]]) if made < len(calls) else AIMessage("done")]}

    builder = StateGraph(MessagesState)
    builder.add_node("model", model)
    builder.add_node("tools", ToolNode([transfer]))
    builder.add_edge(START, "model")
    builder.add_conditional_edges("model", lambda state: "tools" if state["messages"][-1].tool_calls else END)
    builder.add_edge("tools", "model")
    return builder.compile(checkpointer=SqliteSaver(opened(folder)))


def begin(one: Any) -> list[str]:
    """The first turn; ids of what waits."""
    return waiting(one.invoke({"messages": [("user", "go")]}, THREAD, durability="sync"))
