"""`/model`, `/models` and `/cost`: what the router's ledger knows, as markdown."""

from __future__ import annotations

import difflib
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial

from bot.commands.routing import PinModel, Routed, ShowCost, ShowModels
from bot.dispatcher.effects import Hands
from bot.dispatcher.parts import Parts
from bot.dispatcher.work import Work
from layers.errors import Refused, Unavailable
from layers.routing import Belief, Ledger, Model, Spent, set_pin
from layers.store import Tx

DAYS = 7
MOST_ROWS = 30
MOST_BARS = 8
BAR_CHARS = 20
SCOPES = {"day": "all", "person": "person", "channel": "channel", "model": "model"}
KNOWN = {True: "yes", False: "no", None: "unknown"}


async def route(parts: Parts, work: Work, command: Routed, hands: Hands) -> None:
    """Do what was typed."""
    ledger = Ledger(parts.store)
    match command:
        case PinModel(name=name):
            await pin(parts, work, ledger, name)
        case ShowModels():
            now = time.time()
            spent = await ledger.spend("model", now, DAYS)
            work.say(models_text(await parts.models(), await ledger.beliefs(now), spent))
        case ShowCost(by=by):
            spent = await ledger.spend(SCOPES[by], time.time(), DAYS)
            work.say(cost_text(by, spent))
            if chart := chart_of(by, spent):
                with suppress(Unavailable, Refused):  # the text has all of it
                    await hands.draw(chart, f"What models have cost, by {by}")


async def pin(parts: Parts, work: Work, ledger: Ledger, name: str) -> None:
    """Pin the conversation, unpin it, or tell how it is.

    Raises:
        Refused: there is no such model.
    """
    conversation, person = work.turn.inbound.address.id, work.turn.inbound.person
    if not name:
        pinned = await ledger.pin(conversation)
        free = "No model is pinned here: each task's shape picks one. `/models` lists them."
        work.say(f"Pinned to `{pinned}`; `/model auto` ends that." if pinned else free)
        return
    known = [model.name for model in await parts.models()]
    if name != "auto" and name not in known:
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
        hint = f"did you mean {' or '.join(f'`{each}`' for each in near)}? " if near else ""
        raise Refused(f"There is no model {name!r}; {hint}`/models` lists them all.")
    work.answer(partial(pinned_to, conversation=conversation, model=name, person=person.id))


def pinned_to(tx: Tx, conversation: str, model: str, person: str) -> str:
    """Write the pin; what is said of it."""
    set_pin(tx, conversation, "" if model == "auto" else model, person)
    if model == "auto":
        return "No model is pinned here any more: each task's shape picks one."
    return (
        f"This conversation is answered by `{model}` from now on; when it fails or cannot do what is asked, another "
        "one answers and `/why` says so. `/model auto` ends that."
    )


def models_text(
    models: Sequence[Model], beliefs: Mapping[tuple[str, str], Belief], spent: Iterable[Spent]
) -> str:
    """The models, one per row."""
    if not models:
        return "No model is connected. `/status` tells how to connect one."
    calls = summed(spent)
    lines = [
        "| model | tier | sees | tools | reads | $ per million in / out | calls | failed | obeys |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for model in models[:MOST_ROWS]:
        total = calls.get(model.name)
        made, failed = (str(total.calls), f"{total.failures / total.calls:.0%}") if total else ("0", "")
        name = f"`{model.name}`" + (" (here)" if model.is_local else "")
        reads = f"{model.context_tokens:,}" if model.context_tokens else "unknown"
        price = "price list" if model.usd_per_million is None else "{:g} / {:g}".format(*model.usd_per_million)
        known = f"{model.tier.value} | {KNOWN[model.vision]} | {KNOWN[model.tools]} | {reads} | {price}"
        lines.append(f"| {name} | {known} | {made} | {failed} | {obeys(model.name, beliefs)} |")
    more = f"\n\n... and {len(models) - MOST_ROWS} more." if len(models) > MOST_ROWS else ""
    return f"**Models**, with the calls of {DAYS} days\n\n" + "\n".join(lines) + more


def obeys(model: str, beliefs: Mapping[tuple[str, str], Belief]) -> str:
    """How well it keeps each type of clause, the worst first."""
    own = [(clause, belief) for (name, clause), belief in beliefs.items() if name == model]
    own.sort(key=lambda each: each[1].mean)
    return ", ".join(f"{clause} {b.mean:.0%} (4 times {b.again(4):.0%})" for clause, b in own[:3]) or "not seen yet"


def summed(spent: Iterable[Spent]) -> dict[str, Spent]:
    """One sum per name, over the days."""
    sums: dict[str, Spent] = {}
    for each in spent:
        sums[each.name] = sums[each.name] + each if each.name in sums else each
    return sums


def rows_of(by: str, spent: Sequence[Spent]) -> list[tuple[str, Spent]]:
    """(name, sum): the days in order, or the names with the dearest first."""
    if by == "day":
        return [(each.day, each) for each in spent]
    return sorted(summed(spent).items(), key=lambda row: (-row[1].usd, row[0]))


def chart_of(by: str, spent: Sequence[Spent]) -> str:
    """The source of a bar chart; empty where there are not two bars to compare."""
    rows = [(name, each.usd) for name, each in rows_of(by, spent)[:MOST_BARS] if each.usd > 0]
    if len(rows) < 2:
        return ""
    series = [{"name": "USD", "values": [round(usd, 4) for _, usd in rows]}]
    return json.dumps(
        {"kind": "chart", "type": "bar", "x": {"categories": [name for name, _ in rows]}, "series": series}
    )


def cost_text(by: str, spent: Sequence[Spent]) -> str:
    """What models have cost, with a bar for each row."""
    if not spent:
        return f"No model was asked in the last {DAYS} days."
    rows = rows_of(by, spent)
    most = max(each.usd for _, each in rows) or 1.0
    width = max(len(name) for name, _ in rows[:MOST_ROWS])
    lines = [
        f"{name:<{width}}  ${each.usd:>8.4f}  {'█' * round(BAR_CHARS * each.usd / most):<{BAR_CHARS}}  "
        f"{each.calls} calls" + (f", {each.unpriced} of unknown price" if each.unpriced else "")
        for name, each in rows[:MOST_ROWS]
    ]
    total = sum(each.usd for each in spent)
    unpriced = sum(each.unpriced for each in spent)
    note = f" {unpriced} calls have no known price and are not in it." if unpriced else ""
    head = f"**${total:.4f}** in the last {DAYS} days, by {by}.{note}"
    return "\n".join([head, "", "```", *lines, "```"])
