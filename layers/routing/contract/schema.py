"""JSON Schema, the part that tools and answers use: a value and a schema in, one sentence for each fault out.

A keyword that is not known here is not judged. `pattern` is left out on purpose: a hostile one can run for hours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

MOST_FAULTS, DEEPEST = 8, 40
TYPES: dict[str, tuple[type, ...]] = {
    "object": (Mapping,),
    "array": (list, tuple),
    "string": (str,),
    "boolean": (bool,),
    "null": (type(None),),
    "integer": (int,),
    "number": (int, float),
}

SIZES: dict[type, tuple[str, str, str]] = {
    str: ("minLength", "maxLength", "characters"),
    list: ("minItems", "maxItems", "entries"),
    dict: ("minProperties", "maxProperties", "members"),
}


def faults(value: object, schema: Mapping[str, object]) -> tuple[str, ...]:
    """What is wrong with `value`, outermost first."""
    found = []
    for fault in _faults(value, schema, schema, "the value", 0):
        found.append(fault)
        if len(found) == MOST_FAULTS:
            break
    return tuple(found)


def _faults(value: object, schema: object, root: Mapping[str, object], at: str, depth: int) -> Iterator[str]:
    if schema is False:
        yield f"{at} is not allowed"
    if not isinstance(schema, Mapping):
        return
    if depth > DEEPEST:
        yield f"{at} is nested too deeply"
        return
    if isinstance(ref := schema.get("$ref"), str):
        yield from _faults(value, _resolved(ref, root), root, at, depth + 1)
    wanted = schema.get("type")
    names = [wanted] if isinstance(wanted, str) else list(wanted) if isinstance(wanted, Sequence) else []
    if names and not any(is_of_type(value, str(name)) for name in names):
        yield f"{at} is {_named(value)}, not {' or '.join(map(str, names))}"
        return
    if isinstance(options := schema.get("enum"), Sequence) and not any(_equal(value, option) for option in options):
        yield f"{at} is {_short(value)}, not one of {_short(list(options))}"
    if "const" in schema and not _equal(value, schema["const"]):
        yield f"{at} is {_short(value)}, not {_short(schema['const'])}"
    yield from _size_faults(value, schema, at)
    if isinstance(value, Mapping):
        yield from _object_faults(value, schema, root, at, depth)
    if isinstance(value, (list, tuple)) and (items := schema.get("items")) is not None:
        for index, item in enumerate(value):
            yield from _faults(item, items, root, f"{at}[{index}]", depth + 1)
    yield from _combined_faults(value, schema, root, at, depth)


def _object_faults(
    value: Mapping[str, object], schema: Mapping[str, object], root: Mapping[str, object], at: str, depth: int
) -> Iterator[str]:
    known = schema.get("properties")
    properties: Mapping[str, object] = known if isinstance(known, Mapping) else {}
    required = schema.get("required")
    for name in required if isinstance(required, Sequence) and not isinstance(required, str) else ():
        if name not in value:
            yield f"{at} lacks {name!r}"
    others = schema.get("additionalProperties", True)
    for name, member in value.items():
        if name in properties:
            yield from _faults(member, properties[name], root, f"{at}.{name}", depth + 1)
        elif others is False:
            yield f"{at} has {name!r}, which is not in the schema"
        else:
            yield from _faults(member, others, root, f"{at}.{name}", depth + 1)


def _combined_faults(
    value: object, schema: Mapping[str, object], root: Mapping[str, object], at: str, depth: int
) -> Iterator[str]:
    def fits(other: object) -> bool:
        return next(_faults(value, other, root, at, depth + 1), None) is None

    for part in _schemas(schema, "allOf"):
        yield from _faults(value, part, root, at, depth + 1)
    if (parts := _schemas(schema, "anyOf")) and not any(map(fits, parts)):
        yield f"{at} fits none of the {len(parts)} alternatives"
    if (parts := _schemas(schema, "oneOf")) and sum(map(fits, parts)) != 1:
        yield f"{at} does not fit exactly one of the {len(parts)} alternatives"
    if "not" in schema and fits(schema["not"]):
        yield f"{at} is what the schema forbids"


def _size_faults(value: object, schema: Mapping[str, object], at: str) -> Iterator[str]:
    def limit(name: str) -> float | None:
        found = schema.get(name)
        return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None

    if isinstance(value, int | float) and not isinstance(value, bool):
        if (least := limit("minimum")) is not None and value < least:
            yield f"{at} is {value}, less than {least:g}"
        if (most := limit("maximum")) is not None and value > most:
            yield f"{at} is {value}, more than {most:g}"
        if (least := limit("exclusiveMinimum")) is not None and value <= least:
            yield f"{at} is {value}, not more than {least:g}"
        if (most := limit("exclusiveMaximum")) is not None and value >= most:
            yield f"{at} is {value}, not less than {most:g}"
        return
    for kind, (lower, upper, unit) in SIZES.items():
        if not isinstance(value, kind):
            continue
        assert isinstance(value, (str, list, dict))
        if (least := limit(lower)) is not None and len(value) < least:
            yield f"{at} has {len(value)} {unit}, fewer than {least:g}"
        if (most := limit(upper)) is not None and len(value) > most:
            yield f"{at} has {len(value)} {unit}, more than {most:g}"


def is_of_type(value: object, name: str) -> bool:
    """Whether a JSON value is of a schema's type. A whole number written `3.0` is an integer; a boolean never is."""
    if isinstance(value, bool) and name != "boolean":
        return False
    if name == "integer" and isinstance(value, float):
        return value.is_integer()
    return name not in TYPES or isinstance(value, TYPES[name])


def _equal(one: object, other: object) -> bool:
    """JSON's equality: `true` is not 1."""
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def _schemas(schema: Mapping[str, object], name: str) -> list[object]:
    found = schema.get(name)
    return list(found) if isinstance(found, Sequence) and not isinstance(found, str) else []


def _resolved(ref: str, root: Mapping[str, object]) -> object:
    """What `#/$defs/Name` names; True, which takes anything, where there is nothing."""
    found: object = root
    for step in ref.removeprefix("#").strip("/").split("/") if ref != "#" else ():
        found = found.get(step, True) if isinstance(found, Mapping) else True
    return found


def _named(value: object) -> str:
    names = ("null", "boolean", "integer", "number", "string", "array", "object")
    return next((name for name in names if is_of_type(value, name)), type(value).__name__)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
