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
    for block in view.get("blocks", ()):
        yield from of_input(block) if block.get("type") == "input" else of_block(block)


def of_input(block: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a field."""
    element = block.get("element", {})
    if element.get("type") != "plain_text_input" or not 1 <= element.get("max_length", 3000) <= 3000:
        yield "a field is a plain_text_input of at most 3000 characters"
    if len(element.get("initial_value", "")) > element.get("max_length", 3000):
        yield "a field is filled with more than it takes"
    if not 1 <= len(block.get("label", {}).get("text", "")) <= 2000:
        yield "a field's label has 1 to 2000 characters"
