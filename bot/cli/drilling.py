"""`control drill` and `control drills`: a decoy before every approver, and how many were caught."""

from __future__ import annotations

import argparse

from bot.adapters.console import Request
from bot.cli.records import say
from bot.cli.serving import answers_to
from bot.config import Settings
from layers import control
from layers.errors import Refused
from layers.store import read_store


async def drill(parsed: argparse.Namespace, settings: Settings) -> int:
    """Put one before people, as `/drill` does; the card goes to every approver and is not shown here.

    Raises:
        Refused: nobody could decide it, or everything is frozen.
    """
    message = Request(verb="ask", person=parsed.person, conversation="", text="/drill")
    answers = [answer async for answer in answers_to(message, settings)]
    card = next((answer for answer in answers if answer["kind"] == "card"), None)
    if card is None:
        raise Refused(" ".join(str(answer["text"]) for answer in answers) or "nothing came back; see the server's log")
    request, here = str(card["key"]).removeprefix("a"), f"console:{card['conversation']}"
    async with read_store(settings.store_url) as store:
        rows = await store.fetch_all("control.cards", approval_id=request)
    places = sorted({row["conversation_id"] for row in rows} - {here})
    where = f"put before its approvers at {', '.join(places)}" if places else "made, but nobody is asked anywhere"
    say(parsed, {"ok": True, "request": request, "places": places}, f"drill {request} is {where}; it can never run")
    return 0


async def drills(parsed: argparse.Namespace, settings: Settings) -> int:
    """Every one so far with what became of it, and the catch rate."""
    async with read_store(settings.store_url) as store:
        found = await control.look_drills(store)
        each = await control.list_drills(store)
    told = {
        "ok": True,
        "asked": found.asked,
        "caught": found.caught,
        "missed": found.missed,
        "waiting": found.waiting,
        "catch_rate": found.catch_rate,
        "drills": [
            {
                "request": one.request,
                "asked_at": one.asked_at,
                "asked_by": one.asked_by,
                "result": one.result,
                "decided_by": one.decided_by or None,
                "after_s": one.after_s,
            }
            for one in each
        ],
    }
    lines = [f"  {one.line}" for one in each]
    say(parsed, told, "\n".join([f"drills: {found.line}", *lines]))
    return 0
