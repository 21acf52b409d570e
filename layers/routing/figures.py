"""The numbers of an answer, and its sums worked out again. Text in, `Figures` out; nothing is evaluated but + - * /."""

from __future__ import annotations

import re
from dataclasses import dataclass

NUMBER = re.compile(r"-?\d[\d,]*\.?\d*")
SUM = re.compile(
    r"(?<![\w.])\$?(\d[\d,]{0,15}(?:\.\d{1,9})?)((?:\s{0,3}[-+*/x\u00d7\u00f7]\s{0,3}\$?\d[\d,]{0,15}(?:\.\d{1,9})?){1,12})"
    r"\s{0,3}=\s{0,3}\$?(?:<<[^>]{0,80}>>)?\s{0,3}(-?\d[\d,]{0,15}(?:\.\d{1,9})?)"
)
"""Every repetition has an end: an answer may be written to keep a regular expression busy."""
NOTED = re.compile(r"<<([^=<>]{1,80})=([^<>]{1,40})>>")
OPERATORS = str.maketrans({"x": "*", "\u00d7": "*", "\u00f7": "/", ",": "", "$": "", " ": ""})
TERM = re.compile(r"(\d+(?:\.\d+)?)|([-+*/])")
LARGEST = 1e15
"""A number beyond it is left out: nothing is to be learnt from it, and its powers would overflow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The numbers of an answer."""

    all: tuple[float, ...]
    sums: tuple[tuple[str, float, float], ...]
    """As written; what it makes; what the answer says it makes."""


def figures_of(answer: str) -> Figures:
    """Its numbers, and its sums worked out again."""
    sums = [(match[0], worked_out(match[1] + match[2]), number(match[3])) for match in SUM.finditer(answer)]
    sums += [(match[0], worked_out(match[1]), number(match[2])) for match in NOTED.finditer(answer)]
    checked = [(text, made, said) for text, made, said in sums if said is not None]
    return Figures(
        all=numbers(answer),
        sums=tuple((text, said if made is None else made, said) for text, made, said in checked),
    )


def numbers(text: str) -> tuple[float, ...]:
    """The numbers in a text, in order."""
    return tuple(found for match in NUMBER.finditer(text) if (found := number(match[0])) is not None)


def number(text: str) -> float | None:
    """A number as people write it, or None; also for one that is too large to work with."""
    try:
        found = float(text.strip().replace(",", "").replace("$", "").rstrip("."))
    except ValueError:
        return None
    return found if abs(found) < LARGEST else None


def worked_out(text: str) -> float | None:
    """What a sum of plain numbers makes, times and divided before plus and minus; None where it is anything else."""
    plain = text.translate(OPERATORS)
    parts = TERM.findall(plain)
    if "".join(digits or sign for digits, sign in parts) != plain or len(parts) % 2 == 0:
        return None
    total, product, sign = 0.0, 1.0, 1.0
    pending = "*"
    for place, (digits, operator) in enumerate(parts):
        if (place % 2 == 0) != bool(digits):
            return None
        if digits:
            value = float(digits)
            if pending == "/" and value == 0:
                return None
            product = product * value if pending == "*" else product / value
        elif operator in "+-":
            total, product, sign, pending = total + sign * product, 1.0, 1.0 if operator == "+" else -1.0, "*"
        else:
            pending = operator
    return total + sign * product


def is_off(made: float, said: float) -> bool:
    """Whether a sum's result is more than rounded."""
    return abs(made - said) > max(0.02 * abs(made), 0.51 if abs(made) > 5 else 0.011)
