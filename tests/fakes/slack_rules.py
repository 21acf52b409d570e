"""What Slack would say against a call. Takes a method and its arguments, gives sentences; pure.

`against_spec` needs slack-methods.json (from slack-ruby/slack-api-ref); `against_limits` holds always. Limits: Block
Kit's documentation and slack_sdk/models/blocks.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

UNLISTED = frozenset({"token", "team_id", "client_msg_id"})
"""Arguments that the specification does not name for every method, and that Slack takes (reference, 1.2)."""
TEXTS = {"section": 3000, "header": 150, "markdown": 12_000}
MAX_BLOCKS, MAX_TEXT, MAX_BLOCKS_CHARS = 50, 40_000, 13_200


def parsed(value: object) -> Any:
    """A nested argument: JSON bodies hold it, forms carry it as a string of JSON."""
    if isinstance(value, str) and value[:1] in "[{":
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def against_spec(method: str, arguments: Mapping[str, Any], spec: Mapping[str, Any]) -> list[str]:
    """Missing and unknown arguments, and wrong types."""
    if not spec:
        return []
    if method not in spec:
        return [f"{method} is no method"]
    shape = spec[method]["args"]
    known = shape["properties"]
    found = [f"{method} lacks {name}" for name in shape.get("required", ()) if name not in arguments]
    for name, value in arguments.items():
        if name in UNLISTED:
            continue
        if name not in known:
            found.append(f"{method} has no argument {name}")
        elif not fits(value, known[name]):
            found.append(f"{method}.{name} is {type(value).__name__} {value!r:.60}")
    return found


def fits(value: object, shape: Mapping[str, Any]) -> bool:
    """Whether a value is of the type: of the JSON body, or the string of a form."""
    types = {option.get("type") for option in shape.get("anyOf", [shape])}
    if value is None:
        return "null" in types
    if None in types:
        return True
    match value:
        case bool():
            return "boolean" in types
        case int() | float():
            return bool(types & {"integer", "number"})
        case list() | dict():
            return bool(types & {"string", "array", "object"})  # `blocks` is a string there and a list in JSON bodies
        case str():
            return bool(types & {"string", "null"}) or is_written(value, types)
    return False


def is_written(value: str, types: set[str]) -> bool:
    """Whether a form's string is a number, a boolean or JSON."""
    if value in ("0", "1", "true", "false") and "boolean" in types:
        return True
    if types & {"integer", "number"}:
        return value.lstrip("-").replace(".", "", 1).isdigit()
    return bool(types & {"array", "object"}) and not isinstance(parsed(value), str)


def against_limits(arguments: Mapping[str, Any]) -> list[str]:
    """What is too long, too many or double."""
    found = [f"text has {len(text)} characters"] if len(text := str(arguments.get("text") or "")) > MAX_TEXT else []
    blocks = parsed(arguments.get("blocks"))
    if not blocks:
        return found
    if not isinstance(blocks, list):
        return [*found, "blocks is no list"]
    if len(blocks) > MAX_BLOCKS:
        found.append(f"{len(blocks)} blocks")
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    if len(ids) != len(set(ids)):
        found.append("a block_id stands twice")
    total = len(json.dumps(blocks, ensure_ascii=False))
    if total > MAX_BLOCKS_CHARS:
        found.append(f"msg_blocks_too_long: {total}")
    return found + [problem for block in blocks for problem in of_block(block)]


def of_block(block: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with one block."""
    kind = block.get("type")
    if len(block.get("block_id", "")) > 255:
        yield "block_id is longer than 255"
    if kind in TEXTS:
        text = block["text"]["text"] if isinstance(block.get("text"), dict) else block.get("text", "")
        if not 1 <= len(text) <= TEXTS[kind]:
            yield f"{kind} has {len(text)} characters"
    elif kind == "image":
        if ("slack_file" in block) == ("image_url" in block):
            yield "an image needs one of slack_file and image_url"
        if not 1 <= len(block.get("alt_text", "")) <= 2000:
            yield "an image needs an alt_text of at most 2000 characters"
    elif kind == "actions":
        yield from of_actions(block.get("elements", []))
    elif kind == "context":
        if not 1 <= len(block.get("elements", [])) <= 10:
            yield "a context has 1 to 10 elements"
    elif kind not in ("divider", "rich_text", "table"):
        yield f"{kind!r} is no block"


def of_actions(elements: list[Mapping[str, Any]]) -> Iterator[str]:
    """What is wrong with a row of buttons."""
    if not 1 <= len(elements) <= 25:
        yield f"actions has {len(elements)} elements"
    ids = [element.get("action_id", "") for element in elements]
    if len(ids) != len(set(ids)):
        yield "an action_id stands twice"
    for element in elements:
        if not 1 <= len(element["text"]["text"]) <= 75:
            yield f"a button's text has {len(element['text']['text'])} characters"
        if element["text"]["type"] != "plain_text":
            yield "a button's text must be plain_text"
        if len(element.get("value", "")) > 2000 or not 1 <= len(element.get("action_id", "")) <= 255:
            yield "a button's value or action_id is too long"
        if element.get("style", "primary") not in ("primary", "danger"):
            yield f"{element['style']!r} is no style"
