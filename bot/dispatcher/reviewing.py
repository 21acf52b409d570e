"""A person's word on a picture: Approve, Request changes, Redo, Source, Full size, Report a problem.

Two of the buttons ask back, and the person's next message in that conversation is the answer: no turn ever waits.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

from bot.dispatcher import answers
from bot.dispatcher.effects import Draft, Hands, figure_buttons
from bot.dispatcher.parts import Parts
from bot.dispatcher.work import Work
from layers import presentation
from layers.errors import BadInput, Refused
from layers.presentation import Diagram, KeptFigure
from layers.store import Tx
from layers.transport import media_head, shown
from layers.types import Attachment, Outbound

Talk = Callable[[Hands, str], Awaitable[None]]
"""(hands, what to tell the agent): the agent answers."""
ASKS = {
    "change": "What should change? Your next message here is the answer; Mermaid is drawn as it is, `cancel` ends.",
    "report": "What is wrong with it? Your next message here is kept as a case for the checks; `cancel` ends.",
}
DROPPED = ("cancel", "never mind")
NO_SUCH = "this button is none of Bulkhead's; nothing was done"


async def press(parts: Parts, work: Work, verb: str, figure_id: str) -> None:
    """One of the buttons under a picture."""
    kept = await work.store.run(presentation.figure_by_id, figure_id)
    if kept is None:
        raise Refused("this picture is not known here; draw it again with /diagram")
    if verb == "source":
        work.say(answers.fenced(kept.source, "mermaid"))
    elif verb == "full" and kept.media is not None:
        await full(work, kept, kept.media)
    elif verb in ASKS and (verb == "change" or kept.media is not None):
        ask(work, kept, verb)
    elif verb == "redo":
        await redo(parts, work, kept)
    elif verb == "approve" and kept.media is not None:
        work.add(lambda tx: reviewed(tx, work, kept, "approved"))
    else:
        raise Refused(NO_SUCH)


async def full(work: Work, kept: KeptFigure, digest: str) -> None:
    """The picture's own bytes as a file: no chat makes it smaller."""
    head = await media_head(work.store, digest)
    if head is None:
        raise Refused("the picture's bytes are gone; press Redo, or draw it again with /diagram")
    file = Attachment(
        digest=digest, name=f"diagram-v{kept.version}.png", content_type=head.content_type, size_bytes=head.size_bytes
    )
    inbound, key = work.turn.inbound, work.key()
    text = "The picture in full size."
    work.add(
        lambda _tx: Outbound(address=inbound.address, key=key, text=text, files=(file,), answers=inbound.event_id)
    )


def ask(work: Work, kept: KeptFigure, verb: str) -> None:
    """Ask back; the answer is the person's next message here."""
    inbound = work.turn.inbound
    if verb == "change" and kept.review is not None:
        raise Refused(already(kept))
    waits: presentation.Verb = "change" if verb == "change" else "report"
    work.write(lambda tx: presentation.ask_back(tx, inbound.address.id, inbound.person, kept.id, waits))
    work.say(ASKS[verb])


async def redo(parts: Parts, work: Work, kept: KeptFigure) -> None:
    """The same source in another layout, as a further version."""
    if kept.review is not None:
        raise Refused(already(kept))
    version = await work.store.run(presentation.next_version, kept)
    async with work.working("Drawing again"):
        diagram = Diagram(source=kept.source, version=version, surface=work.turn.inbound.address.channel)
        figure = await parts.presenter.present(diagram)
    work.add(lambda tx: reviewed(tx, work, kept, "redone"))
    work.add(Draft(parts, work, figure, kept.source, revises=kept).post)


def already(kept: KeptFigure) -> str:
    """Somebody was faster."""
    return f"this picture was already {kept.review} by {kept.reviewed_by}; ask for a new one with /diagram"


def reviewed(tx: Tx, work: Work, kept: KeptFigure, verdict: presentation.Review, comment: str = "") -> Outbound:
    """The figure's message with what was said of it, once.

    Raises:
        Refused: somebody was faster.
    """
    person = work.turn.inbound.person
    presentation.review(tx, kept.id, verdict, person, comment)
    message = shown(tx, kept.conversation_id, kept.key)  # never the key that the press names: it may be any message's
    if message is None:
        raise Refused("the picture's message is not known here; draw it again with /diagram")
    buttons = figure_buttons(kept.id, is_shown=kept.media is not None, is_decided=True)
    said = "Changes requested" if verdict == "changed" else verdict.capitalize()
    quoted = f": {presentation.plain(comment[:200])}" if comment else ""
    return replace(message, text=f"{message.text}\n\n{said} by **{person.name}**{quoted}", buttons=buttons)


async def answer(parts: Parts, work: Work, talk: Talk) -> bool:
    """Take the message as the answer to a button, if one waits for it; True when it was."""
    inbound = work.turn.inbound
    if not inbound.text.strip():
        return False
    waiting = await work.store.run(presentation.asked_back, inbound.address.id, inbound.person)
    if waiting is None:
        return False
    verb, kept = waiting
    work.write(lambda tx: presentation.answered(tx, inbound.address.id, inbound.person))
    if inbound.text.strip().casefold() in DROPPED:
        work.say("Dropped; nothing was changed.")
    elif verb == "report":
        work.write(partial(keep_case, work, kept))
        work.say("Thank you: it is kept as a case for the checks. `bulkhead cases` lists them.")
    else:
        await change(parts, work, kept, talk)
    return True


def keep_case(work: Work, kept: KeptFigure, tx: Tx) -> None:
    """What the person saw and the lint did not."""
    inbound = work.turn.inbound
    presentation.add_case(
        tx,
        presentation.Case(
            id=f"t{work.turn.id}",
            figure_id=kept.id,
            conversation_id=kept.conversation_id,
            reported_by=inbound.person.id,
            comment=inbound.text,
        ),
    )


async def change(parts: Parts, work: Work, kept: KeptFigure, talk: Talk) -> None:
    """Keep the review, and draw the next version where somebody can say what it is: the person, or a model."""
    text = work.turn.inbound.text
    hands = Hands(parts, work, work.turn.inbound.person, is_agent=not is_mermaid(text))
    if kept.review is not None:
        raise Refused(already(kept))
    work.add(lambda tx: reviewed(tx, work, kept, "changed", text))
    hands.revise(kept)
    if is_mermaid(text):
        await hands.draw(text)
    elif await parts.has_model():
        told = (
            f"{text}\n\n(This is the change that I want in the diagram below. Draw the whole changed diagram.)"
            f"\n\n{answers.fenced(kept.source, 'mermaid')}"
        )
        await talk(hands, told)
    else:
        work.say(
            "Kept as the review of this version. No model is connected that could redraw it: send `/diagram` with the "
            "changed Mermaid text."
        )


def is_mermaid(text: str) -> bool:
    """True when it can be drawn as it stands."""
    try:
        presentation.parse_mermaid(text)
    except BadInput:
        return False
    return True
