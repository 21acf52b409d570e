"""What the Bot API would refuse: by its machine-readable specification where that is there, by its limits always.

Limits: core.telegram.org/bots/api (text, captions, callback data) and the source of its server (rows of buttons).
"""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

SPEC = Path(os.environ.get("BULKHEAD_SHARED", Path(__file__).parents[3] / "shared")) / "specs" / "telegram-bot-api.json"

Params = dict[str, Any]
Files = dict[str, bytes]


class Checks:
    """One specification, read once."""

    def __init__(self, path: Path = SPEC) -> None:
        spec = json.loads(path.read_text("utf-8")) if path.is_file() else {"methods": {}, "types": {}}
        self.methods: dict[str, Any] = spec["methods"]
        self.types: dict[str, Any] = spec["types"]
        self.version = spec.get("version", "")

    def violations(self, method: str, params: Params, files: Files) -> list[str]:
        """Every reason to refuse that call."""
        return [
            f"{method}: {text}" for text in (*self.by_spec(method, params, files), *by_limits(method, params, files))
        ]

    def by_spec(self, method: str, params: Params, files: Files) -> Iterator[str]:
        """Unknown, missing and mistyped parameters."""
        if not self.methods:
            return
        if method not in self.methods:
            yield "no such method"
            return
        yield from self.of_fields(self.methods[method].get("fields", []), params, files, "")

    def of_fields(self, fields: list[Any], values: Params, files: Files, where: str) -> Iterator[str]:
        """The same within an object."""
        known = {field["name"]: field for field in fields}
        yield from (f"unknown parameter {where}{name}" for name in values if name not in known)
        for name, field in known.items():
            if name not in values:
                if field["required"] and name not in files:
                    yield f"missing parameter {where}{name}"
            elif not any(self.fits(values[name], kind, files) for kind in field["types"]):
                yield f"{where}{name} is no {' or '.join(field['types'])}: {str(values[name])[:80]!r}"

    def fits(self, value: Any, kind: str, files: Files) -> bool:
        """Whether `value` is of that type of the specification."""
        if kind.startswith("Array of "):
            inner = kind.removeprefix("Array of ")
            return isinstance(value, list) and all(self.fits(item, inner, files) for item in value)
        match kind:
            case "Integer":
                return isinstance(value, int) and not isinstance(value, bool)
            case "Float":
                return isinstance(value, int | float) and not isinstance(value, bool)
            case "Boolean":
                return isinstance(value, bool)
            case "String":
                return isinstance(value, str)
            case "InputFile":
                return isinstance(value, str) and value.removeprefix("attach://") in files
        known = self.types.get(kind)
        if known is None:
            return False
        if known.get("subtypes"):
            return any(self.fits(value, each, files) for each in known["subtypes"])
        return isinstance(value, dict) and not list(self.of_fields(known.get("fields", []), value, files, ""))


def units(text: str) -> int:
    """Length in UTF-16 units, Telegram's own."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def by_limits(method: str, params: Params, files: Files) -> Iterator[str]:
    """Lengths, numbers and sizes."""
    if "text" in params and method != "answerCallbackQuery":
        yield from of_text("text", params["text"], 1, 4096, params.get("entities", []))
    if method == "answerCallbackQuery" and units(params.get("text", "")) > 200:
        yield "text is longer than 200"
    if "caption" in params:
        yield from of_text("caption", params["caption"], 0, 1024, params.get("caption_entities", []))
    media = params.get("media")
    if isinstance(media, dict):
        yield from of_text("caption", media.get("caption", ""), 0, 1024, media.get("caption_entities", []))
        content = files.get(str(media.get("media", "")).removeprefix("attach://"))
        yield from of_file(media.get("type") == "photo", content)
    if method == "sendPhoto":
        yield from of_file(
            True, files.get("photo") or files.get(str(params.get("photo", "")).removeprefix("attach://"))
        )
    if isinstance(params.get("reply_markup"), dict):
        yield from of_keyboard(params["reply_markup"].get("inline_keyboard", []))
    for command in params.get("commands", []):
        if not re.fullmatch(r"[a-z0-9_]{1,32}", command["command"]) or not 1 <= len(command["description"]) <= 256:
            yield f"not a command: {command}"


def of_text(name: str, text: str, least: int, most: int, entities: list[Any]) -> Iterator[str]:
    """A text and its entities."""
    length = units(text)
    if not least <= length <= most or (least and not text.strip()):
        yield f"{name} has {length} units, {least} to {most} are taken"
    if len(entities) > 100:
        yield f"{name} has {len(entities)} entities, those after the 100th are ignored"
    for entity in entities:
        if entity["offset"] < 0 or entity["length"] < 1 or entity["offset"] + entity["length"] > length:
            yield f"an entity lies outside of {name}: {entity}"


def of_file(is_photo: bool, content: bytes | None) -> Iterator[str]:
    """An upload."""
    if content is None:
        yield "the file is not attached"
        return
    if len(content) > (10_000_000 if is_photo else 50_000_000):
        yield f"a file of {len(content)} bytes"
    if is_photo:
        with Image.open(io.BytesIO(content)) as image:
            short, long = sorted(image.size)
        if short + long > 10_000 or long > 20 * short:
            yield f"PHOTO_INVALID_DIMENSIONS: {long} by {short}"


def of_keyboard(rows: list[list[Any]]) -> Iterator[str]:
    """Inline buttons."""
    if sum(len(row) for row in rows) > 100 or any(not 1 <= len(row) <= 8 for row in rows):
        yield "more than 100 buttons, or not 1 to 8 in a row"
    for button in (button for row in rows for button in row):
        if not 1 <= len(button.get("callback_data", "x").encode()) <= 64:
            yield "BUTTON_DATA_INVALID: callback_data is not 1 to 64 bytes"
        if not button["text"].strip():
            yield "a button without a text"
        if button.get("style", "primary") not in ("danger", "success", "primary"):
            yield f"no such style: {button['style']}"
