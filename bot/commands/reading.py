"""How what follows a command's name is read: quotes, fences, and the signs that phones put in the place of others."""

from __future__ import annotations

import re
import shlex

from layers.errors import BadInput

LONGEST_ARGUMENTS = 16_000
"""Characters that `/run` and `/schedule` take: shlex reads one character at a time, and no argv needs more."""
OPENING, CLOSING = "“„‟«", "”“‟»"
HYPHENS = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"))
"""Hyphens, dashes and the minus sign, as keyboards and word processors put them for a `-`."""

_QUOTES = re.compile(  # the first three are shlex's own: what lies inside them is the value's
    r"\\.|\"(?:\\.|[^\"\\])*\"|'[^']*'"
    rf"|(?<![^\s=])[{OPENING}](?P<double>[^{OPENING}{CLOSING}\"]*)[{CLOSING}\"](?=\s|$)"
    r"|(?<![^\s=])[\u2018\u201a](?P<single>(?:[^\u2018\u2019\u201a]|\u2019(?=\w))*)\u2019(?=\s|$)"
    rf"|(?P<open>[\"']|(?<![^\s=])[{OPENING}\u2018\u201a])",
    re.DOTALL,
)
_FENCE = re.compile(r"(`{3,}|~{3,})(?:[ \t]*(?:mermaid|mmd|diff|patch|text)?[ \t]*\r?\n)?")
_PROSE_LINE = re.compile(r"\s*(?:subgraph|title|accTitle|accDescr|%%)")
_LABEL_OR_DASH = re.compile(
    r'"[^"]{0,999}"|\[[^\]]{0,999}\]|\([^)]{0,999}\)|\{[^}]{0,999}\}|\|[^|]{0,999}\||(?P<dash>[\u2013\u2014])'
)
_SMART_LABEL = re.compile(rf"([\[({{|])[{OPENING}]([^{OPENING}{CLOSING}\"\n]*)[{CLOSING}]([\])}}|])")
_CAPABILITY = re.compile(r"[a-z][a-z0-9_-]*(?:\.[a-z0-9_-]+)*")
_PARAMETER = re.compile(r"([a-z][a-z0-9_-]*)=(.*)", re.DOTALL)


def unfenced(text: str, command: str) -> str:
    """`text` without the code fence around it, if there is one. Its own indentation stays."""
    inner = text.strip()
    fence = _FENCE.match(inner)
    if fence is None:
        return text
    body = inner[fence.end() :]
    if not body.endswith(fence[1]):
        raise BadInput(
            f"The code block after `{command}` is opened with {fence[1]} and the message does not end with {fence[1]}; "
            "close the block and put nothing after it.",
            expected=fence[1],
        )
    return body[: -len(fence[1])].strip("\r\n")


def split(text: str, command: str) -> list[str]:
    """Words by shlex's rules, with the quotes that phones make understood."""
    if len(text) > LONGEST_ARGUMENTS:
        raise BadInput(f"What follows `{command}` has {len(text)} characters; at most {LONGEST_ARGUMENTS} are read.")
    for found in _QUOTES.finditer(text):
        if found["open"]:
            raise _unbalanced(command, found["open"], text, found.start())
    try:
        return shlex.split(_QUOTES.sub(_straight, text))
    except ValueError:  # every quote is closed, so this is the only thing left
        raise BadInput(f"`{command}` ends with a lone backslash; double it or take it away.") from None


def _straight(found: re.Match[str]) -> str:
    """A value between smart quotes as shlex reads it; everything else as it is."""
    value = found["double"] if found["double"] is not None else found["single"]
    return found[0] if value is None else shlex.quote(value)


def _unbalanced(command: str, quote: str, text: str, at: int) -> BadInput:
    """The error for a quote that is opened at offset `at` of what follows the command and never closed."""
    line = text.count("\n", 0, at) + 1
    column = at - text.rfind("\n", 0, at) + (len(command) if line == 1 else 0)
    return BadInput(
        f"The quote {quote} at column {column} of line {line} is never closed; close it, or write \\{quote} for a "
        "quote that is part of the value.",
        line=line,
        column=column,
        expected=f"a closing {quote}",
    )


def plain_mermaid(source: str) -> str:
    """Mermaid as it was meant: the arrows and label quotes that a phone's keyboard replaced, put back."""
    if len(source) > 100_000 or not re.search(rf"[\u2013\u2014{OPENING}]", source):  # nobody types that on a phone
        return source
    lines = (
        line if _PROSE_LINE.match(line) else _LABEL_OR_DASH.sub(lambda found: "--" if found["dash"] else found[0], line)
        for line in source.split("\n")
    )
    return _SMART_LABEL.sub(r'\1"\2"\3', "\n".join(lines))


def short(text: str) -> str:
    """The value for an error text: quoted, and cut where it is long."""
    text = text.strip()
    return repr(text if len(text) <= 60 else text[:57] + "...")


def action(rest: str, command: str, example: str) -> tuple[str, dict[str, str]]:
    """A capability and its parameters.

    Raises:
        BadInput: what follows `command` is not of that form.
    """
    words = split(rest, command)
    if not words:
        raise BadInput(f"`{command}` needs a capability, for example `{command} {example}`.", expected="a capability")
    capability = words[0].translate(HYPHENS)
    if not _CAPABILITY.fullmatch(capability):
        raise BadInput(
            f"{short(words[0])} is not a capability's name; those look like `host.uptime`: small letters, digits, "
            "`-`, `_` and dots.",
            expected="a capability",
        )
    parameters: dict[str, str] = {}
    for word in words[1:]:
        name, sign, value = word.partition("=")
        pair = _PARAMETER.fullmatch(name.translate(HYPHENS) + sign + value)
        if pair is None:
            raise BadInput(
                f'{short(word)} is not of the form key=value; put a value with spaces in quotes: `note="two words"`.',
                expected="key=value",
            )
        if pair[1] in parameters:
            raise BadInput(f"The parameter {pair[1]!r} is given twice; give it once.", expected="key=value")
        parameters[pair[1]] = pair[2]
    return capability, parameters
