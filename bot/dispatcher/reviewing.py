"""A person's word on a picture: Approve, Request changes, Redo, Source, Full size, Report a problem.

Two of the buttons ask back, and the person's next message in that conversation is the answer (see `replies`).
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from bot.dispatcher import answers
from bot.dispatcher.effects import Draft, Hands, figure_buttons
from bot.dispatcher.parts import Parts
from bot.dispatcher.replies import IN_A_GROUP, Talk
from bot.dispatcher.work import Work
from layers import presentation
from layers.errors import BadInput, Refused
from layers.presentation import Diagram, KeptFigure
from layers.store import Tx
from layers.transport import Question, ask_back, media_head, shown
from layers.types import Address, Attachment, Outbound, OutboundKind

ASKS = {
    "change": "What should change? Your next message to me here is the answer; Mermaid is drawn as it is, `cancel` "
    f"ends. {IN_A_GROUP}",
    "report": "What is wrong with it? Your next message to me here is kept as a case for the checks; `cancel` ends. "
    f"{IN_A_GROUP}",
}
STILL_ASKED = "The picture still waits for its change: send it again, or `cancel`."
NO_SUCH = "this button is none of Bulkhead's; nothing was done"


async def press(parts: Parts, work: Work, verb: str, figure_id: str) -> None:
    """One of the buttons under a picture."""
    kept = await work.store.run(presentation.figure_by_id, figure_id)
    if kept is None:
        raise Refused("this picture is not known here; draw it again with /diagram")
    if not stands_in(kept, work.turn.inbound.address):
        raise Refused("this picture stands in another conversation; press its button there")
    if verb == "source":
        work.say(answers.fenced(kept.source, "mermaid"))
    elif verb == "full" and kept.media is not None:
        await full(work, kept)
    elif verb in ASKS and (verb == "change" or kept.media is not None):
        ask(work, kept, verb)
    elif verb == "redo":
        await redo(parts, work, kept)
    elif verb == "approve" and kept.media is not None:
        work.add(lambda tx: reviewed(tx, work, kept, "approved"))
    else:
        raise Refused(NO_SUCH)


def stands_in(kept: KeptFigure, address: Address) -> bool:
    """Whether that is the figure's conversation. Of an old message a provider may have forgotten the thread."""
    there = Address.parse(kept.conversation_id)
    return (there.channel, there.conversation) == (address.channel, address.conversation)


async def full(work: Work, kept: KeptFigure) -> None:
    """The picture's own bytes as a file, one for each page: no chat makes those smaller."""
    message = await work.store.run(shown, kept.conversation_id, kept.key)
    pictures = (message.picture, *message.album) if message else ()
    files = []
    for number, picture in enumerate(pictures, start=1):
        head = await media_head(work.store, picture.digest) if picture else None
        if picture is not None and head is not None:
            page = f"-page-{number}" if len(pictures) > 1 else ""
            name = f"diagram-v{kept.version}{page}.png"
            size, kind = head.size_bytes, head.content_type
            files.append(Attachment(digest=picture.digest, name=name, content_type=kind, size_bytes=size))
    if not files:
        raise Refused("the picture's bytes are gone; press Redo, or draw it again with /diagram")
    inbound, key = work.turn.inbound, work.key()
    text = "The picture in full size."
    work.add(
        lambda _tx: Outbound(
            address=inbound.address, key=key, text=text, files=tuple(files), answers=inbound.event_id
        )
    )


def ask(work: Work, kept: KeptFigure, verb: str) -> None:
    """Ask back; the answer is the person's next message here."""
    inbound, key = work.turn.inbound, work.key()
    if verb == "change" and kept.review is not None:
        raise Refused(already(kept))
    question = Question(about=f"d:{verb}:{kept.id}", conversation_id=inbound.address.id, key=key, under=kept.key)
    work.write(lambda tx: ask_back(tx, inbound.person, question))
    work.say(ASKS[verb], key=key)


async def redo(parts: Parts, work: Work, kept: KeptFigure) -> None:
    """The same source in another layout, as a further version."""
    if kept.review is not None:
        raise Refused(already(kept))
    version = await work.store.run(presentation.next_version, kept)
    async with work.working("Drawing again", can_stop=True), work.stop.over():
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


async def answer(parts: Parts, work: Work, talk: Talk, verb: str, figure_id: str, text: str) -> None:
    """What a person said to the question that one of the buttons asked."""
    kept = await work.store.run(presentation.figure_by_id, figure_id)
    if kept is None:
        raise Refused("the picture is not known here any more; draw it again with /diagram")
    if verb == "report":
        work.write(partial(keep_case, work, kept, text))
        work.say("Thank you: it is kept as a case for the checks. `bulkhead cases` lists them.")
    elif kept.review is not None:
        work.say(already(kept), OutboundKind.ERROR)
    else:
        await change(parts, work, talk, kept, text)


def keep_case(work: Work, kept: KeptFigure, comment: str, tx: Tx) -> None:
    """What the person saw and the lint did not."""
    inbound = work.turn.inbound
    presentation.add_case(
        tx,
        presentation.Case(
            id=f"t{work.turn.id}",
            figure_id=kept.id,
            conversation_id=kept.conversation_id,
            reported_by=inbound.person.id,
            comment=comment,
        ),
    )


async def change(parts: Parts, work: Work, talk: Talk, kept: KeptFigure, text: str) -> None:
    """Draw the next version where somebody can say what it is, the person or a model; and keep the review.

    Raises:
        Refused: it cannot be drawn, and the question stays.
    """
    try:
        await draw_changed(parts, work, talk, kept, text)
    except Refused as error:
        raise Refused(f"{error} {STILL_ASKED}") from None
    work.add(lambda tx: reviewed(tx, work, kept, "changed", text))


async def draw_changed(parts: Parts, work: Work, talk: Talk, kept: KeptFigure, text: str) -> None:
    """The next version: of the person's own words where those are a diagram, else by a model."""
    is_drawable, has_model = is_diagram(text), await parts.has_model()
    hands = Hands(parts, work, work.turn.inbound.person, is_agent=not is_drawable)
    hands.revise(kept)
    if is_drawable or (not has_model and presentation.begins_a_diagram(text)):  # then its mistake is told
        await hands.draw(text)
    elif has_model:
        told = (
            f"{text}\n\n(This is the change that I want in the diagram below. Draw the whole changed diagram.)"
            f"\n\n{answers.fenced(kept.source, 'mermaid')}"
        )
        await talk(hands, told)
        if hands.is_revising:
            work.say("No new version came of that. `/diagram` with the changed text draws one.")
    else:
        work.say(
            "Kept as the review of this version. No model is connected that could redraw it: send `/diagram` with the "
            "changed Mermaid text."
        )


def is_diagram(text: str) -> bool:
    """True when it can be drawn as it stands."""
    try:
        presentation.read_source(text)
    except BadInput:
        return False
    return True
