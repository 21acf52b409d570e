"""What a turn does, by the kind of its event: a command, free text, a press, a schedule, an expiry."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from bot import commands
from bot.commands import help_text, parse
from bot.commands.routing import PinModel, ShowCost, ShowModels
from bot.dispatcher import (
    answers,
    changesets,
    models,
    parking,
    patches,
    people,
    presses,
    reasons,
    replies,
    reviewing,
    stopping,
    transports,
    undelivered,
)
from bot.dispatcher.cards import MAIL, card_at
from bot.dispatcher.effects import Hands
from bot.dispatcher.engine import Handler, Rescue
from bot.dispatcher.governing import BY_MAIL, govern
from bot.dispatcher.parts import Parts
from bot.dispatcher.standing import standing
from bot.dispatcher.talk import talk
from bot.dispatcher.work import Work
from layers import control, presentation
from layers.errors import Refused
from layers.store import Tx
from layers.types import InboundKind, Outbound

TAKES: Mapping[str, replies.Take] = {"a": reasons.take, "d": reviewing.answer}
"""The first part of what a button asked about -> who takes the answer."""


def handler(parts: Parts) -> Handler:
    """The function that the dispatcher calls for every turn."""

    async def handle(work: Work) -> None:
        match work.turn.inbound.kind:
            case InboundKind.MESSAGE | InboundKind.SCHEDULE:
                await message(parts, work)
            case InboundKind.PRESS:
                await presses.press(parts, work)
            case InboundKind.EXPIRY:
                await presses.expired(parts, work)
            case InboundKind.RUN:
                await presses.granted(parts, work)
            case InboundKind.PATCH:
                await changesets.try_out(parts, work)
            case InboundKind.EDITED:
                await parking.noticed(parts, work)
            case InboundKind.UNDELIVERED:
                await undelivered.show_card(parts, work)

    return handle


def rescuer(parts: Parts) -> Rescue:
    """The function that the dispatcher calls for a turn that failed."""

    def rescue(work: Work) -> None:
        presses.rescue(parts, work)
        changesets.rescue(work)

    return rescue


async def message(parts: Parts, work: Work) -> None:
    """A command, or something for the agent."""
    inbound = work.turn.inbound
    command = parse(inbound.text)
    hands = Hands(parts, work, inbound.person)
    match command:
        case None:
            if not await replies.answer(parts, work, partial(talk, parts, work), TAKES):
                await talk(parts, work)
        case commands.ShowHelp():
            work.say(help_text(await parts.has_model()))
        case commands.ShowStatus():
            work.say(await parts.status())
        case commands.ShowPending(request=request):
            await pending(parts, work, request)
        case commands.ShowWhy():
            work.say(await answers.why(parts, inbound.address.id))
        case commands.StopAnswer():
            stopping.tell(work)
        case commands.DrawDiagram(source=source, look=look):
            theme: presentation.Theme = "dark" if "dark" in look else "light" if "light" in look else ""
            await hands.draw(presentation.with_look(source, theme, "right_angled" if "right-angled" in look else ""))
        case commands.RunCapability(capability=capability, parameters=parameters):
            await hands.act(capability, parameters)
        case commands.ProposePatch(diff=diff, base=base, workspace=workspace):
            await hands.edit(diff, base=base, workspace=workspace)
        case commands.RevertCommit(commit=commit, workspace=workspace):
            await patches.revert(parts, work, parts.workspace(workspace), commit, f"Revert {commit[:10]}")
        case commands.ListSchedules() | commands.AddSchedule() | commands.RemoveSchedule():
            schedule(parts, work, command)
        case commands.ShowRules() | commands.AddRule() | commands.RemoveRule():
            standing(work, command)
        case commands.ShowTransports():
            transports.listing(work)
        case commands.ShowPeople():
            people.listing(work)
        case commands.Pair():
            people.pair(work, command)
        case PinModel() | ShowModels() | ShowCost():
            await models.route(parts, work, command, hands)
        case governed:
            await govern(parts, work, governed, hands)


async def pending(parts: Parts, work: Work, request: str) -> None:
    """What waits; or the card of one request, with buttons of its own, for whoever may decide it."""
    inbound = work.turn.inbound
    if not request:
        work.say(await answers.pending(parts))
        return
    if inbound.address.channel == MAIL:
        raise Refused(BY_MAIL)

    def show(tx: Tx) -> Outbound:
        found = control.show_again(tx, request, inbound.address.id, inbound.person, parts.rules(tx))
        return card_at(tx, parts, found.approval, inbound.address.id, found.handle)

    work.add(show)


def schedule(parts: Parts, work: Work, command: commands.Command) -> None:
    """`/schedule`, all three forms; written and answered in the transaction that ends the turn."""
    conversation, person = work.turn.inbound.address.id, work.turn.inbound.person
    match command:
        case commands.AddSchedule(cron=cron, timezone=timezone, text=text):
            work.answer(
                lambda tx: "Scheduled: " + parts.schedules.add(tx, conversation, cron, timezone, text, person.id)
            )
        case commands.RemoveSchedule(id=number):
            work.answer(lambda tx: answers.removed(tx, parts, number, conversation))
        case _:
            work.answer(lambda tx: answers.schedules(parts.schedules.listing(tx, conversation)))
