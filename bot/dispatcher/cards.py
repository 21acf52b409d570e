"""The visible messages of an approval: its card where it was asked for, and on the page where only that may decide."""

from __future__ import annotations

from bot.dispatcher import answers, chooser, diffs
from bot.dispatcher.parts import Parts
from bot.dispatcher.work import Work
from layers import control, coordination
from layers.store import Tx
from layers.transport import put_media, send
from layers.types import Address, Attachment, Button, Outbound, OutboundKind

PAGE = "web"
APPROVALS = f"{PAGE}:approvals"
"""The page's conversation for what a chat may not decide or could not be shown, and for who is not in that chat."""
MAIL = "mail"
"""Nothing is decided by mail: its channel shows the same message on the page, and there it is pressed."""
TYPED = (MAIL, "console")
"""Where parts of a patch are chosen by typing."""


def undecidable(approval: control.Approval) -> control.Pending:
    """The approval with nothing left to press."""
    return control.Pending(approval=approval, handle="")


def approval_message(tx: Tx, parts: Parts, work: Work, pending: control.Pending) -> Outbound:
    """An approval as the one visible message that all its states edit; its copies elsewhere are sent along."""
    approval = pending.approval
    shown = {place.conversation_id for place in control.places(tx, approval.id)}
    if Address.parse(approval.conversation_id).channel == MAIL:
        shown -= {parts.notes}
    for place in sorted({*shown, *pending.copies} - {approval.conversation_id}):
        copy = card_at(tx, parts, approval, place, pending.copies.get(place, ""))
        send(tx, copy, f"t{work.turn.id}.{copy.key}.{place}.{approval.state.value}", work.turn.id)
    return card_at(tx, parts, approval, approval.conversation_id, pending.handle)


def card_at(tx: Tx, parts: Parts, approval: control.Approval, place: str, handle: str) -> Outbound:
    """The card as it stands in one conversation. A patch shows its diff above its plan."""
    rules = parts.rules(tx)
    view = control.View(
        is_page=Address.parse(place).channel in (PAGE, MAIL),
        needs_page=control.needs_page(approval.plan, approval.requested_by, rules),
        is_solo=control.is_solo(approval.plan, approval.requested_by, rules),
        is_copy=place != approval.conversation_id,
        shows_number=place == approval.conversation_id or (place == APPROVALS and is_lost(tx, approval)),
        page=parts.page,
    )
    card = control.card(approval, handle=handle, view=view)
    text, buttons = card.text, card.buttons
    files: tuple[Attachment, ...] = (text_file(tx, f"plan-{approval.id}.txt", card.full),) if card.full else ()
    if approval.plan.kind == "patch":
        proposal = coordination.by_id(tx, str(approval.plan.parameters["proposal"]))
        text = f"{diffs.as_markdown(proposal, parts.page)}\n\n{text}"
        files += (diffs.as_file(tx, proposal),) if diffs.is_long(proposal) else ()
        if buttons and approval.state is control.State.PENDING:
            more, choose = chooser.offered(approval.id, proposal, is_typed=Address.parse(place).channel in TYPED)
            text, buttons = f"{text}{more}", (*buttons, *choose)
        parked = coordination.parked_for(tx, proposal.id)
        if parked is not None and approval.state is control.State.PENDING:
            text = f"{text}\n\n{notice_text(parked)}"
        if parked is not None and approval.state in (control.State.FAILED, control.State.CANCELLED):
            text, buttons = f"{text}\n\n{edit_text(parked)}", (*buttons, *edit_buttons(parked))
    if approval.plan.kind == "patch" and approval.state is control.State.SUCCEEDED:
        buttons += (Button(label="Revert", value=f"r:revert:{approval.id}"),)
    return Outbound(
        address=Address.parse(place),
        key=f"a{approval.id}",
        text=text,
        kind=OutboundKind.CARD,
        buttons=buttons,
        files=files,
    )


def notice_text(parked: coordination.Parked) -> str:
    """The same while the patch waits to be approved."""
    after = "What becomes of it is asked once the patch is approved, unless it is committed or undone by then."
    return "\n".join((*_edit_lines(parked), "", after))


def _edit_lines(parked: coordination.Parked) -> list[str]:
    lines = ["**An edit is in the way** that nobody has committed. A copy of it is kept.", ""]
    for save in parked.foreign.saves:
        by = f" by the account {coordination.code(save.by)}" if save.by else ""
        what = f"saved {answers.clock(save.at)}{by}" if save.at else "deleted"
        lines.append(f"- {coordination.code(save.path)}: {what}")
    return lines


def edit_text(parked: coordination.Parked) -> str:
    """Whose edit is in the way of a patch, and what can be done about it."""
    lines = _edit_lines(parked)
    if parked.choice is coordination.Word.OPEN:
        lines += ["", "**Keep mine** drops the patch. **Merge** commits the edit first and then the patch."]
    if parked.choice is coordination.Word.KEEP:
        lines += ["", "The edit stays as it is, and the patch is dropped."]
    return "\n".join(lines)


def edit_buttons(parked: coordination.Parked) -> tuple[Button, ...]:
    """What can be pressed while nobody has said what becomes of the edit."""
    if parked.choice is not coordination.Word.OPEN:
        return ()
    labels = {"keep": "Keep mine", "merge": "Merge", "show": "Show both"}
    return tuple(Button(label=label, value=f"f:{verb}:{parked.id}") for verb, label in labels.items())


def is_lost(tx: Tx, approval: control.Approval) -> bool:
    """Whether its card did not arrive where it was asked for, so that its number is seen on the page or nowhere."""
    lost = {(row["id"], row["conversation_id"]) for row in tx.all("bot.undelivered")}
    return (approval.id, approval.conversation_id) in lost


def text_file(tx: Tx, name: str, text: str) -> Attachment:
    """A text that is too long for a message, as a file."""
    content = text.encode()
    return Attachment(
        digest=put_media(tx, "text/plain", content), name=name, content_type="text/plain", size_bytes=len(content)
    )
