"""One of the processes that press at random: `python -m benchmarks.control.presser HOME URL SEED PRESSES`.

It presses buttons of the cards in `HOME/cards.json` in an order of its own, claims what is approved, and writes each
claim down as an effect. Standard output: one JSON list of the ids that it ran.

A SQLite file lets one server in, by a lock file. Here each process takes a lock file of its own, so that eight write to
one database: what is measured must hold without that lock too.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from layers.control import (
    Catalog,
    Click,
    Member,
    Rules,
    SigningKey,
    State,
    claim,
    decide,
    load_policies,
    shipped_policy,
)
from layers.errors import Unavailable
from layers.store import Store, open_store
from layers.store.sqlite import open_sqlite, take_lock
from layers.types import Person

OWNER = Person(id="owner", name="Owner")
AT_ONCE = 4
T = TypeVar("T")


def rules_of(home: Path) -> Rules:
    """Of an install with one approver and the shipped capabilities."""
    catalog = Catalog.load(home / "capabilities", home / "workspace")
    return Rules(
        approvers=(OWNER,),
        manifests=catalog.digests,
        risks=catalog.risks,
        people=(Member(person=OWNER, roles=("approver",)),),
        policy=load_policies(shipped_policy()[0]),
        signer=SigningKey.open(home / "keys"),
    )


def press_of(card: Sequence[str], verb: str) -> Click:
    """A press of that card: [id, handle, conversation]."""
    return Click(handle=card[1], verb=verb, conversation_id=card[2], key=f"a{card[0]}")


async def opened(url: str) -> Store:
    """The store at `url`, also where another process has it open."""
    if not url.startswith("sqlite:///"):
        return await open_store(url)
    path = Path(url.removeprefix("sqlite:///"))
    return await open_sqlite(path, take_lock(path.with_name(f"{path.name}.{os.getpid()}")))


async def press_all(home: Path, url: str, seed: int, presses: int) -> list[str]:
    """Press, claim, run, several at once; the ids that were run here."""
    cards: list[list[str]] = json.loads((home / "cards.json").read_text())
    rules, store = rules_of(home), await opened(url)
    ran: list[str] = []
    generator = random.Random(seed)
    todo = [(generator.choice(cards), generator.choice(("approve", "deny"))) for _ in range(presses)]
    await asyncio.gather(*(work(store, rules, todo, ran) for _ in range(AT_ONCE)))
    await store.close()
    return ran


async def work(store: Store, rules: Rules, todo: list[tuple[list[str], str]], ran: list[str]) -> None:
    """Until nothing is left."""
    while todo:
        card, verb = todo.pop()
        decision = await written(store, decide, press_of(card, verb), OWNER, rules)
        if decision.approval is None or decision.approval.state is not State.APPROVED:
            continue
        if not (await written(store, claim, card[0], rules)).refused:
            ran.append(card[0])


async def written(store: Store, act: Callable[..., T], *arguments: object) -> T:
    """In a transaction, again while the seven others leave no gap within SQLite's patience."""
    while True:
        try:
            return await store.run(act, *arguments)
        except Unavailable:
            await asyncio.sleep(0.1)


if __name__ == "__main__":
    home, url, seed, presses = sys.argv[1:]
    print(json.dumps(asyncio.run(press_all(Path(home), url, int(seed), int(presses)))))
