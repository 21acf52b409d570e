"""Some parts of a patch are asked for in place of all of it: presses of `k:<verb>:<request>`, `/pick`, `k:form:<key>`.

Choosing approves nothing. It ends the first request and asks for another, whose card shows what would be committed;
both happen in the transaction that ends the turn. Any surface proposes by the press `k:pick:<request>:1,3,4`, the
numbers being those of `coordination.parts_of`, from 1.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import partial

from bot.dispatcher import chooser
from bot.dispatcher.cards import APPROVALS, approval_message, undecidable
from bot.dispatcher.effects import trees
from bot.dispatcher.parts import Parts
from bot.dispatcher.work import Work
from layers import control, coordination
from layers.coordination import Choice, Part, Proposal
from layers.errors import Refused
from layers.store import Tx
from layers.transport import Line, remember, send
from layers.types import Address, Outbound, OutboundKind

OPEN, CLOSE, GO, PICK, FORM = "open", "close", "go", "pick", "form"
ALL_CHOSEN = "every part is chosen: approve the request as it is, or leave something out"
CLOSED = "Nothing was chosen; the request waits as it is."
CONTINUED = "Continued below."


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A request for a patch, and its parts."""

    request: str
    proposal: Proposal
    parts: tuple[Part, ...]


async def press(parts: Parts, work: Work, verb: str, handle: str) -> None:
    """Open the parts of a request, turn one on or off, look elsewhere, propose what is chosen."""
    request, _, argument = handle.partition(":")
    if verb == PICK:
        await propose(parts, work, request, numbers_of(argument))
        return
    if verb == FORM:
        await propose_form(parts, work, request)
        return
    cut = await cut_of(parts, request)
    if verb == GO:
        await propose_keyboard(parts, work, cut)
    else:
        work.add(partial(turned, parts, work, cut, (verb, argument)))


async def typed(parts: Parts, work: Work, request: str, numbers: tuple[int, ...]) -> None:
    """`/pick`: the numbered list, or what has these numbers."""
    if numbers:
        await propose(parts, work, request, numbers)
        return
    cut = await cut_of(parts, request)
    work.say(chooser.numbered(request, cut.parts))


async def propose(parts: Parts, work: Work, request: str, numbers: tuple[int, ...]) -> None:
    """Ask for the parts of these numbers alone.

    Raises:
        Refused: there are no such parts, or a rule forbids what they make.
    """
    cut = await cut_of(parts, request)
    await _propose(parts, work, cut, chooser.chosen_of(cut.parts, numbers))


async def propose_keyboard(parts: Parts, work: Work, cut: Cut) -> None:
    """Ask for what is chosen on the keyboard of this conversation."""
    choice = await work.store.run(keyboard_at, cut.proposal.id, work.turn.inbound.address.id)
    if choice is None:
        work.add(partial(turned, parts, work, cut, (OPEN, "")))  # it was closed, or decided: says which
        return
    await _propose(parts, work, cut, chosen_in(cut, choice))


async def propose_form(parts: Parts, work: Work, key: str) -> None:
    """Ask for what somebody chose in a form of their own.

    Raises:
        Refused: it was used before, or is somebody else's.
    """
    choice = await work.store.run(coordination.choice_by_key, key)
    if choice is None or choice.chooser != work.turn.inbound.identity:
        raise Refused("this form was used already, or is not yours; open the parts of the request again")
    cut = await cut_of(parts, choice.request)
    await _propose(parts, work, cut, chosen_in(cut, choice))


def chosen_in(cut: Cut, choice: Choice) -> frozenset[str]:
    """Ids of the parts that stand chosen."""
    return frozenset(part.id for part in cut.parts if part.id not in choice.left_out)


def keyboard_at(tx: Tx, proposal_id: str, place: str) -> Choice | None:
    """The keyboard that is open in a conversation."""
    there = (each for each in coordination.choices(tx, proposal_id) if (each.place, each.chooser) == (place, ""))
    return next(there, None)


async def cut_of(parts: Parts, request: str) -> Cut:
    """The parts of what a request asks for.

    Raises:
        Refused: there is no such request, or it is about no patch.
    """
    approval = await parts.store.run(control.by_id, request)
    if approval.plan.kind != "patch":
        raise Refused(f"request {request} is not about a patch; only a patch has parts")
    proposal = await parts.store.run(coordination.by_id, str(approval.plan.parameters["proposal"]))
    return Cut(request=request, proposal=proposal, parts=await asyncio.to_thread(coordination.parts_of, proposal))


def numbers_of(text: str) -> tuple[int, ...]:
    """`1,3,4`."""
    words = [word for word in text.split(",") if word]
    if not all(word.isascii() and word.isdecimal() and len(word) < 7 for word in words):
        raise Refused(f"{text[:40]!r} are no numbers of parts; write 1,3,4")
    return tuple(map(int, words))


async def _propose(parts: Parts, work: Work, cut: Cut, chosen: frozenset[str]) -> None:
    person = work.turn.inbound.person
    decision = await work.store.run(lambda tx: control.may_replace(tx, cut.request, person, parts.rules(tx)))
    if decision.refused:
        work.say(decision.refused, OutboundKind.ERROR)
        return
    if len(chosen) == len(cut.parts):
        raise Refused(ALL_CHOSEN)
    derived = await parts.coordinator.pick(cut.proposal, chosen, cut.proposal.author)
    work.add(partial(replaced, parts, work, cut, derived, chooser.told(cut.parts, chosen)))


def replaced(parts: Parts, work: Work, cut: Cut, derived: Proposal, why: str, tx: Tx) -> Outbound:
    """The card of the request for some parts; that of the first says what took its place."""
    inbound, person = work.turn.inbound, work.turn.inbound.person
    instead = control.Instead(
        plan=control.patch_plan(str(derived.workspace), trees(derived)),
        why=why,
        turn_id=work.turn.id,
        expires_after_s=parts.approval_ttl_s,
        page=APPROVALS,
    )
    said = control.replace(tx, cut.request, person, instead, parts.rules(tx))
    if isinstance(said, control.Decision):
        return _error(work, said.refused)
    first, request = control.by_id(tx, cut.request), said.approval
    words = f"Request {request.id} has {why}."
    for choice in coordination.choices(tx, cut.proposal.id):
        _end(tx, work, choice, words)
    coordination.keep(tx, derived, first.conversation_id)
    coordination.ask_for(tx, derived.id, request.id)
    coordination.supersede(tx, derived, words)
    if first.by_agent:
        told = f"({person.name} chose parts of the patch of request {first.id}. {words} It waits for a decision.)"
        remember(tx, first.conversation_id, work.turn.id, [Line(role="user", content=told)])
    send(tx, approval_message(tx, parts, work, undecidable(first)), f"t{work.turn.id}.replaced", work.turn.id)
    if first.conversation_id != inbound.address.id:
        send(tx, approval_message(tx, parts, work, said), f"t{work.turn.id}.instead", work.turn.id)
        return Outbound(address=inbound.address, key=work.key(), text=words, answers=inbound.event_id)
    return approval_message(tx, parts, work, said)


def turned(parts: Parts, work: Work, cut: Cut, asked: tuple[str, str], tx: Tx) -> Outbound:
    """The keyboard after a press that proposes nothing."""
    inbound, (verb, argument) = work.turn.inbound, asked
    place = inbound.address.id
    kept = keyboard_at(tx, cut.proposal.id, place)
    decision = control.may_replace(tx, cut.request, inbound.person, parts.rules(tx))
    if decision.refused:
        is_over = decision.approval is None or decision.approval.state is not control.State.PENDING
        if kept is not None and is_over:
            _end(tx, work, kept, f"Nothing is left to choose: {decision.refused}.")
        return _error(work, decision.refused)
    if verb == OPEN or kept is None:
        if kept is not None:
            _end(tx, work, kept, CONTINUED)
        left_out = kept.left_out if kept is not None else frozenset()
        key = f"c{work.turn.id}"
        kept = Choice(proposal=cut.proposal.id, request=cut.request, place=place, key=key, left_out=left_out)
    if verb != OPEN:
        kept = after(cut, kept, verb, argument)
    if verb == CLOSE:
        coordination.drop_choice(tx, kept.key)
        return Outbound(address=inbound.address, key=kept.key, text=CLOSED)
    coordination.keep_choice(tx, kept)
    screen = chooser.screen(cut.request, cut.parts, kept)
    return Outbound(address=inbound.address, key=kept.key, text=screen.text, buttons=screen.buttons)


def after(cut: Cut, kept: Choice, verb: str, argument: str) -> Choice:
    """The choice after one press.

    Raises:
        Refused: there is no such button.
    """
    number = int(argument) if argument.isascii() and argument.isdecimal() and len(argument) < 7 else 0
    match verb:
        case "on" | "off":
            return replace(kept, left_out=chooser.toggled(cut.parts, kept, argument, is_on=verb == "on"))
        case "see" | "files":
            return replace(kept, file=number, page=0)
        case "page":
            return replace(kept, page=number)
        case "close":
            return kept
    raise Refused("this button is none of Bulkhead's; nothing was done")


def _end(tx: Tx, work: Work, choice: Choice, words: str) -> None:
    """A keyboard that is of no use any more loses its buttons and says why; a form only stops to count."""
    coordination.drop_choice(tx, choice.key)
    if choice.chooser:
        return
    message = Outbound(address=Address.parse(choice.place), key=choice.key, text=words)
    send(tx, message, f"t{work.turn.id}.{choice.key}.{choice.place}", work.turn.id)


def _error(work: Work, text: str) -> Outbound:
    inbound = work.turn.inbound
    return Outbound(
        address=inbound.address, key=work.key(), text=text, kind=OutboundKind.ERROR, answers=inbound.event_id
    )
