"""Forms in which one person chooses parts of a patch, page by page: for a provider's adapter, which draws them.

What was chosen is kept with every page. A form decides nothing: its end is a press, which the dispatcher works on.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from itertools import groupby

from bot.adapters.ports import Filled, Form, Group, Option
from layers import control, coordination
from layers.coordination import Choice, Part, visible
from layers.errors import Refused
from layers.store import Store, Tx
from layers.types import Address, Person

OPTIONS, GROUPS = 10, 40
GONE = "This form was used already, or its request is decided; close it and look at the request."


class Forms:
    """One for all providers."""

    def __init__(self, store: Store, rules: Callable[[Tx], control.Rules]) -> None:
        self._store = store
        self._rules = rules

    async def open(self, request: str, identity: str, conversation: str) -> Form:
        """See `Ports.open_form`. What was chosen in an earlier form of theirs there stays chosen."""
        proposal = await self._store.run(self._proposal, request, identity)
        parts = await asyncio.to_thread(coordination.parts_of, proposal)

        def keep(tx: Tx) -> Choice:
            known = {(each.place, each.chooser): each for each in coordination.choices(tx, proposal.id)}
            made = Choice(proposal=proposal.id, request=request, place=conversation, key="", chooser=identity)
            choice = replace(known.get((conversation, identity), made), key=f"f{secrets.token_urlsafe(12)}")
            coordination.keep_choice(tx, choice)
            return choice

        return page_of(await self._store.run(keep), parts, 0)

    async def fill(self, key: str, identity: str, page: int, numbers: Collection[int]) -> Form | Filled:
        """See `Ports.fill_form`."""
        choice = await self._store.run(coordination.choice_by_key, key)
        if choice is None or choice.chooser != identity:
            raise Refused(GONE)
        proposal = await self._store.run(self._proposal, choice.request, identity)
        parts = await asyncio.to_thread(coordination.parts_of, proposal)
        here = page_of(choice, parts, page)
        shown = {option.number for group in here.groups for option in group.options}
        off = {parts[number - 1].id for number in shown - set(numbers)}
        on = {parts[number - 1].id for number in shown & set(numbers)}
        choice = replace(choice, left_out=(choice.left_out | off) - on)
        await self._store.run(coordination.keep_choice, choice)
        if page + 1 < here.pages:
            return page_of(choice, parts, page + 1)
        if not choice.left_out:
            raise Refused("Every part is chosen: approve the request as it is, or leave something out.")
        if len(choice.left_out) == len(parts):
            raise Refused("No part is chosen: choose one, or close this and deny the request.")
        return Filled(address=Address.parse(choice.place), value=f"k:form:{key}")

    def _proposal(self, tx: Tx, request: str, identity: str) -> coordination.Proposal:
        """What a request is about, where that person may choose of it.

        Raises:
            Refused: they may not, or it is decided.
        """
        row = tx.one("people.recognise", identity=identity)
        approval = control.by_id(tx, request)
        if row is None or approval.plan.kind != "patch":
            raise Refused(GONE)
        person = Person(id=row["id"], name=row["name"])
        if refused := control.may_replace(tx, request, person, self._rules(tx)).refused:
            raise Refused(refused)
        return coordination.by_id(tx, str(approval.plan.parameters["proposal"]))


def page_of(choice: Choice, parts: Sequence[Part], page: int) -> Form:
    """One page, with what is chosen so far."""
    groups: list[Group] = []
    for path, own in groupby(enumerate(parts, 1), key=lambda numbered: numbered[1].path):
        options = [
            Option(number=number, text=text_of(part), is_on=part.id not in choice.left_out) for number, part in own
        ]
        for first in range(0, len(options), OPTIONS):
            some = tuple(options[first : first + OPTIONS])
            which = f" ({first + 1} to {first + len(some)} of {len(options)})" if len(options) > OPTIONS else ""
            groups.append(Group(title=visible(path) + which, options=some))
    pages = -(-len(groups) // GROUPS)
    shown = tuple(groups[page * GROUPS : (page + 1) * GROUPS])
    return Form(key=choice.key, request=choice.request, page=page, pages=pages, groups=shown)


def text_of(part: Part) -> str:
    """`lines 10 to 16, +2 -1`."""
    return part.title if part.added is None else f"{part.title}, +{part.added} -{part.removed}"
