"""Reads a card back: the markdown that people are shown in, the plan out, or an error where a leaf is missing."""

from __future__ import annotations

import re
from collections.abc import Mapping

from layers.control import Plan

WIDTH = 13
"""Of the column of labels."""
QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
ESCAPE = re.compile(r"\\(?:u\{([0-9a-f]+)\}|(x60|.))")
NAMES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "x60": "`"}


def plan_on(markdown: str) -> Plan:
    """The plan in a card's block of facts, read from what can be seen and from nothing else."""
    blocks = re.findall(r"```text\n(.*?)\n```", markdown, flags=re.DOTALL)
    facts = next(block for block in blocks if block.startswith("action ") and "\nrequest " in block)
    return plan_of(rows_of(facts))


def rows_of(facts: str) -> list[tuple[str, list[str]]]:
    """Label and lines."""
    rows: list[tuple[str, list[str]]] = []
    for line in facts.split("\n"):
        label, value = line[:WIDTH].strip(), line[WIDTH:]
        if label:
            rows.append((label, [value]))
        else:
            rows[-1][1].append(value)
    return rows


def plan_of(rows: list[tuple[str, list[str]]]) -> Plan:
    """Each row in its place. A row that should be there and is not is a KeyError."""
    one = dict(rows)
    capability, version = first(r"(.*) version (-?\d+)", one["capability"][0])
    seconds, size = first(r"(-?\d+) s, (-?\d+) bytes of output", one["limits"][0])
    return Plan(
        title=text_of(one["action"]),
        capability=text_of([capability]),
        version=int(version),
        parameters=dict(parameter_of(lines) for label, lines in rows if label == "parameter"),
        argv=() if one["argv"][0].startswith("(none") else items_of(one["argv"]),
        stdin=text_of(one.get("stdin", [])),
        cwd=text_of(one["cwd"]),
        is_workspace_writable={"may be written": True, "read only": False}[one["workspace"][0]],
        network=items_of(one["network"])[0],
        sockets=items_of(one.get("sockets", [])),
        readable=items_of(one.get("readable", [])),
        sees_processes="processes" in one,
        environment=() if one["environment"] == ["(empty)"] else items_of(one["environment"]),
        secrets=items_of(one.get("secrets", [])),
        scope=text_of(one["scope"]),
        risk=int(one["risk"][0].split(" ")[0]),
        timeout_s=int(seconds),
        output_cap_bytes=int(size),
        probe=items_of(one.get("probe", [])),
        is_idempotent={"running it twice does no harm": True, "running it twice may do harm": False}[one["again"][0]],
        approvals=int(one.get("approvals", ["1 "])[0].split(" ")[0]),
        programs=dict(program_of(lines[0]) for label, lines in rows if label == "program"),
        dry_run=items_of(one.get("dry run", [])),
        evidence=text_of(one.get("it printed", [])),
        evidence_digest=digest_of(one.get("in all", ["(none)"])[0]),
        manifest_digest=digest_of(one["manifest"][0]),
    )


def first(pattern: str, line: str) -> tuple[str, ...]:
    """The groups."""
    found = re.fullmatch(pattern, line)
    if found is None:
        raise ValueError(f"{line!r} is not {pattern}")
    return found.groups()


def items_of(lines: list[str]) -> tuple[str, ...]:
    """Quoted values, on one line or on several."""
    return tuple(read_back(quoted) for line in lines for quoted in QUOTED.findall(line))


def text_of(lines: list[str]) -> str:
    """One value on several lines."""
    return "".join(items_of(lines))


def parameter_of(lines: list[str]) -> tuple[str, str | int | bool]:
    """Name and value."""
    name, _, rest = lines[0].partition(" =")
    values = [rest.strip()] if rest.strip() else lines[1:]
    if values[0].startswith('"'):
        return name, text_of(values)
    words: Mapping[str, bool] = {"true": True, "false": False}
    return name, words[values[0]] if values[0] in words else int(values[0])


def program_of(line: str) -> tuple[str, str]:
    """Path and digest."""
    path, digest = first(r'(".*") sha256 (.*)', line)
    return text_of([path]), read_back(digest)


def digest_of(line: str) -> str:
    """`sha256 ...` or nothing."""
    return "" if line == "(none)" else read_back(line.removeprefix("sha256 "))


def read_back(shown: str) -> str:
    """The text of which this is the visible form."""
    return ESCAPE.sub(unescaped, shown)


def unescaped(found: re.Match[str]) -> str:
    """One escape's character."""
    return chr(int(found[1], 16)) if found[1] else NAMES[found[2]]
