"""What Slack would say against a modal or a Home tab. Limits: docs.slack.dev/reference/views; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.fakes.slack_rules import of_block, parsed

MAX_BLOCKS, MAX_TITLE, MAX_METADATA = 100, 24, 3000


def against_views(arguments: Mapping[str, Any]) -> list[str]:
    """What is wrong with the view of a call; nothing where it has none."""
    view = parsed(arguments.get("view"))
    return list(of_view(view)) if isinstance(view, dict) else []


def of_view(view: Mapping[str, Any]) -> Iterator[str]:
    """What is too long, missing or unknown."""
    if view.get("type") not in ("modal", "home"):
        yield f"a view cannot be a {view.get('type')!r}"
    if not 1 <= len(view.get("blocks", ())) <= MAX_BLOCKS:
        yield f"a view has {len(view.get('blocks', ()))} blocks"
    if len(view.get("private_metadata", "")) > MAX_METADATA:
        yield "private_metadata is longer than 3000"
    if view.get("type") == "modal":
        for name in ("title", "submit", "close"):
            if not 1 <= len(view.get(name, {}).get("text", "")) <= MAX_TITLE:
                yield f"a modal's {name} has 1 to 24 characters"
    ids = [block["block_id"] for block in view.get("blocks", ()) if "block_id" in block]
    if len(ids) != len(set(ids)):
        yield "a block_id stands twice"
    for block in view.get("blocks", ()):
        yield from of_input(block) if block.get("type") == "input" else of_block(block)


def against_answer(answer: Mapping[str, Any], payload: Mapping[str, Any]) -> list[str]:
    """What is wrong with the acknowledgement of a modal that was sent."""
    action = answer.get("response_action")
    if payload.get("type") != "view_submission" or action is None:
        return []
    if action in ("update", "push"):
        return list(of_view(answer.get("view", {})))
    ids = {block.get("block_id") for block in payload["view"].get("blocks", ()) if block["type"] == "input"}
    errors = answer.get("errors", {})
    is_good = action == "errors" and errors and all(id in ids and note for id, note in errors.items())
    return [] if is_good or action == "clear" else [f"a modal is not answered by {answer!r:.200}"]


def of_input(block: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a field."""
    if len(block.get("block_id", "")) > 255:
        yield "block_id is longer than 255"
    if not 1 <= len(block.get("label", {}).get("text", "")) <= 2000:
        yield "a field's label has 1 to 2000 characters"
    element = block.get("element", {})
    yield from of_boxes(element) if element.get("type") == "checkboxes" else of_line(element)


def of_boxes(element: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with check boxes."""
    options, on = element.get("options", ()), element.get("initial_options")
    if not 1 <= len(options) <= 10:
        yield f"check boxes have {len(options)} options"
    if on is not None and (not on or any(option not in options for option in on)):
        yield "what is ticked at first is some of the options, or is left out"
    for option in options:
        if not 1 <= len(option["text"]["text"]) <= 75 or not 1 <= len(option.get("value", "")) <= 150:
            yield "an option's text has 1 to 75 characters, its value 1 to 150"
    if len({option["value"] for option in options}) != len(options):
        yield "a value stands twice"


def of_line(element: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a line of text."""
    if element.get("type") != "plain_text_input" or not 1 <= element.get("max_length", 3000) <= 3000:
        yield "a field is a plain_text_input of at most 3000 characters"
    if len(element.get("initial_value", "")) > element.get("max_length", 3000):
        yield "a field is filled with more than it takes"
