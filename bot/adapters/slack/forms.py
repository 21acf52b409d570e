"""Parts of a patch are chosen in a modal: "Choose parts" opens it, each page is kept when it is sent.

A press of "Choose parts" is acknowledged at once, because what it opens is nobody's event yet; where no modal can be
opened it goes on as any other press, and gets a keyboard or a refusal in the conversation.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from bot.adapters.ports import Filled, Form, Group, Ports
from bot.adapters.slack.api import SlackApi
from bot.adapters.slack.payloads import Submitted
from bot.adapters.slack.reading import Heard, identity_of
from layers.errors import BulkheadError, NotWritten
from layers.types import Inbound, InboundKind, Press

log = logging.getLogger(__name__)

Answer = str | dict[str, Any]
"""What the acknowledgement carries: nothing, a sentence for a slash command, errors or the next page for a modal."""

CALLBACK = "bulkhead_parts"
OPENS = "k:open:"
"""The value of the button begins so."""
ELEMENT = "parts"
OPTION_CHARS, LABEL_CHARS = 75, 150
BLOCK = re.compile(r"(\d{1,4})\.(\d{1,3})")
NUMBER = re.compile(r"\d{1,6}")
HELP = "What stays ticked is asked for in place of the whole patch, and shown before anybody approves it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A press that wants a modal."""

    request: str
    trigger: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A page of a form as it was sent."""

    view: str
    key: str
    identity: str
    page: int
    numbers: frozenset[int]


class Forms:
    """Opens modals, and takes their pages."""

    def __init__(self, api: SlackApi, ports: Ports) -> None:
        self._api = api
        self._ports = ports

    async def open(self, wish: Wish, event: Heard) -> None:
        """Show the first page to whoever pressed."""
        try:
            form = await self._ports.open_form(wish.request, event.identity, event.address.id)
            await self._api.call("views.open", trigger_id=wish.trigger, view=modal(form))
        except BulkheadError as error:
            log.info("slack.form_not_opened", extra={"error": type(error).__name__})
            await self._ports.accept(event.inbound())

    async def fill(self, sent: Sent) -> Answer:
        """The next page, an error beside the boxes, or nothing: then it is committed and the modal closes.

        Raises:
            NotWritten: acknowledge nothing; Slack asks the person to send it again.
        """
        try:
            answer = await self._ports.fill_form(sent.key, sent.identity, sent.page, sent.numbers)
            if isinstance(answer, Form):
                return {"response_action": "update", "view": modal(answer)}
            welcome = await self._ports.accept(pressed(sent, answer))
        except NotWritten:
            raise
        except BulkheadError as error:
            return refusal(sent, str(error))
        return refusal(sent, welcome.note) if welcome.note else ""


def opening(body: Mapping[str, Any], event: Heard) -> Wish | None:
    """Whether a press is for "Choose parts"."""
    value, trigger = event.press.value if event.press else "", body.get("trigger_id")
    if not value.startswith(OPENS) or not isinstance(trigger, str) or not 0 < len(trigger) <= 200:
        return None
    return Wish(request=value.removeprefix(OPENS), trigger=trigger)


def filled(body: Mapping[str, Any]) -> Sent | None:
    """What was sent of a form of ours; None for anything else."""
    view = body.get("view")
    if body.get("type") != "view_submission" or not isinstance(view, Mapping) or view.get("callback_id") != CALLBACK:
        return None
    try:
        sent = Submitted.model_validate(body)
    except ValidationError:
        return None
    values = sent.view.state.get("values")
    blocks = values if isinstance(values, Mapping) else {}
    pages = {int(found[1]) for name in blocks if (found := BLOCK.fullmatch(str(name)))}
    return Sent(
        view=sent.view.id,
        key=sent.view.private_metadata,
        identity=identity_of(sent),
        page=min(pages, default=0),
        numbers=frozenset(number for block in blocks.values() for number in ticked(block)),
    )


def ticked(block: object) -> list[int]:
    """The numbers of the boxes of one group that are on."""
    element = block.get(ELEMENT) if isinstance(block, Mapping) else None
    options = element.get("selected_options") if isinstance(element, Mapping) else None
    there = options if isinstance(options, list) else []
    values = [option.get("value") for option in there if isinstance(option, Mapping)]
    return [int(value) for value in values if isinstance(value, str) and NUMBER.fullmatch(value)]


def modal(form: Form) -> dict[str, Any]:
    """One page. All that it carries is the form's key."""
    is_last = form.page + 1 >= form.pages
    where = f" Page {form.page + 1} of {form.pages}." if form.pages > 1 else ""
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "private_metadata": form.key,
        "title": plain_text("Choose parts"),
        "submit": plain_text("Propose" if is_last else "Next page"),
        "close": plain_text("Cancel"),
        "blocks": [
            {"type": "section", "text": plain_text(f"Request {form.request}. {HELP}{where}")},
            *(field(f"{form.page}.{n}", group) for n, group in enumerate(form.groups)),
        ],
    }


def field(id: str, group: Group) -> dict[str, Any]:
    """The boxes of one file, at most ten."""
    options = [
        ({"text": plain_text(cut(option.text, OPTION_CHARS)), "value": str(option.number)}, option.is_on)
        for option in group.options
    ]
    boxes: dict[str, Any] = {"type": "checkboxes", "action_id": ELEMENT, "options": [option for option, _ in options]}
    if on := [option for option, is_on in options if is_on]:
        boxes["initial_options"] = on  # Slack takes no empty list
    label = group.title if len(group.title) <= LABEL_CHARS else f"…{group.title[1 - LABEL_CHARS :]}"
    return {"type": "input", "block_id": id, "optional": True, "label": plain_text(label), "element": boxes}


def plain_text(text: str) -> dict[str, Any]:
    """As it is: a name like `:wave:` stays one."""
    return {"type": "plain_text", "text": text, "emoji": False}


def cut(text: str, limit: int) -> str:
    """The beginning, where it is too long."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def pressed(sent: Sent, answer: Filled) -> Inbound:
    """The event that goes on with what was chosen, where the form was opened."""
    return Heard(
        address=answer.address,
        event_id=f"view:{sent.view}",
        identity=sent.identity,
        is_direct=False,
        kind=InboundKind.PRESS,
        press=Press(value=answer.value),
    ).inbound()


def refusal(sent: Sent, note: str) -> dict[str, Any]:
    """What the modal shows at its first group."""
    return {"response_action": "errors", "errors": {f"{sent.page}.0": note}}
