"""The JSON of a spec, as a model or a person wrote it, to a `DiagramSpec`; what is wrong with it in sentences."""

from __future__ import annotations

import json
import re
from typing import NoReturn

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from layers.errors import BadInput
from layers.presentation.nearest import nearest
from layers.presentation.spec.base import DiagramSpec

LONGEST_TEXT = 400_000
"""Characters. Ten times what the longest legible diagram needs."""
FENCE = re.compile(r"\s*```(?:json)?[^\S\n]*\n(.*?)\n?\s*```\s*", re.DOTALL)
NAMED_ERRORS = 3
LONGEST_VALUE = 60
SENTENCES = {
    "missing": "is missing",
    "extra_forbidden": "is no field",
    "string_type": "must be a text",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "tuple_type": "must be a list",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "enum": "must be one of {expected}",
    "literal_error": "must be one of {expected}",
    "too_short": "must have at least {min_length} of them",
    "too_long": "may have at most {max_length} of them",
    "greater_than_equal": "must be {ge} or more",
    "less_than_equal": "must be {le} or less",
    "union_tag_invalid": "must have a {discriminator} that is one of {expected_tags}",
    "union_tag_not_found": "must have a {discriminator}",
}


def read_spec(text: str) -> DiagramSpec:
    """The spec that `text` holds, with or without a markdown fence.

    Raises:
        BadInput: no JSON (line and column), or JSON that is no diagram (the fields, and the nearest names that exist).
    """
    if len(text) > LONGEST_TEXT:
        raise BadInput(
            f"The spec has {len(text):,} characters; at most {LONGEST_TEXT:,} are read: split it into several.",
            expected=f"at most {LONGEST_TEXT:,} characters",
        )
    fenced = FENCE.fullmatch(text)
    offset = text.count("\n", 0, fenced.start(1)) if fenced else 0
    try:
        value = json.loads(fenced.group(1) if fenced else text)
    except json.JSONDecodeError as error:
        line = error.lineno + offset
        sentence = f"Line {line}, column {error.colno}: expected JSON, found a mistake ({error.msg.lower()})."
        raise BadInput(sentence, line=line, column=error.colno, expected="JSON") from None
    except (RecursionError, ValueError):
        raise BadInput("The JSON is too deep or has a number that is too long.", expected="a diagram") from None
    if not isinstance(value, dict):
        raise BadInput("The JSON must be an object with `kind`, like {\"kind\": \"pie\", ...}.", expected="an object")
    return _validated(value)


def _validated(value: dict[str, object]) -> DiagramSpec:
    kind = value.get("kind", "flowchart")
    if not isinstance(kind, str) or kind not in DiagramSpec.KINDS:
        meant = nearest(str(kind), DiagramSpec.KINDS)
        known = ", ".join(DiagramSpec.KINDS)
        fix = f"; did you mean {meant!r}?" if meant else "."
        raise BadInput(f"There is no kind {_short(kind)}{fix} There are {known}.", expected=f"one of {known}")
    try:
        return DiagramSpec.model_validate(value)
    except ValidationError as error:
        _refuse(error.errors(include_url=False), kind)


def _refuse(errors: list[ErrorDetails], kind: str) -> NoReturn:
    told = [_sentence(one, kind) for one in errors[:NAMED_ERRORS]]
    more = len(errors) - len(told)
    ending = f"; and {more} more" if more else ""
    raise BadInput(f"The {kind} diagram is not right: {'; '.join(told)}{ending}.", expected=f"a {kind} diagram")


def _sentence(error: ErrorDetails, kind: str) -> str:
    path = [part for part in error["loc"] if part != kind]
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
    if error["type"] == "value_error":
        return error["msg"].removeprefix("Value error, ")
    sentence = f"`{where}` {SENTENCES.get(error['type'], '').format(**error.get('ctx', {})) or _lowered(error['msg'])}"
    if error["type"] == "extra_forbidden":
        meant = nearest(str(path[-1]), _fields(DiagramSpec.KINDS[kind]))
        return f"{sentence}, did you mean `{meant}`?" if meant else sentence
    return sentence if error["type"] == "missing" else f"{sentence}, not {_short(error['input'])}"


def _lowered(message: str) -> str:
    """Pydantic's own sentence, to go on after the name of the field."""
    return message[:1].lower() + message[1:].replace("Input ", "").replace("input ", "")


def _fields(model: type[BaseModel]) -> set[str]:
    """Names of all fields of a kind and of its parts."""
    found: set[str] = set()
    schema = model.model_json_schema()
    for one in (schema, *schema.get("$defs", {}).values()):
        found |= set(one.get("properties", {}))
    return found


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= LONGEST_VALUE else shown[: LONGEST_VALUE - 1] + "…"
