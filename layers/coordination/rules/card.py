"""What people are shown of a proposal: markdown that the diff inside cannot break out of or disguise. Pure."""

from __future__ import annotations

import re

from layers.coordination.types import FileChange, Proposal

SHOWN_LINES = 60
"""400 real commits: 64 % have a diff of at most 60 lines (coordination reference, section 5)."""
MAX_LINE = 400
_WORDS = {"A": "new", "D": "deleted", "R": "renamed", "T": "type changed"}
# Control characters, and the marks that make text read in another order than a compiler reads it ("Trojan Source").
# And what is drawn as nothing (Unicode's Default_Ignorable): variation selectors and tags can carry a whole program.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


def summary_markdown(proposal: Proposal) -> str:
    """The card's text: files and counts, what may run code, ids, and the diff up to 60 lines."""
    added = sum(file.added or 0 for file in proposal.files)
    removed = sum(file.removed or 0 for file in proposal.files)
    count = f"{len(proposal.files)} file{'s' if len(proposal.files) != 1 else ''}"
    branch = code(proposal.branch.removeprefix("refs/heads/"))
    head = f"**Patch** by {plain(proposal.author)} on {branch}: {count}, +{added} -{removed}"
    files = "\n".join(f"- {_file_line(file)}" for file in proposal.files)
    ids = (
        f"Tree `{proposal.base_tree[:10]}` becomes `{proposal.result_tree[:10]}`, commit `{proposal.base_commit[:10]}`."
    )
    return "\n\n".join((head, files, diff_markdown(proposal.diff), ids))


def _file_line(file: FileChange) -> str:
    name = code(file.path) if file.path == file.old_path else f"{code(file.old_path)} to {code(file.path)}"
    counts = "binary" if file.added is None else f"+{file.added} -{file.removed}"
    parts = [name, counts, _WORDS.get(file.status, "")]
    if file.new_mode != file.old_mode and file.status not in "AD":
        parts.append(f"mode {file.old_mode} to {file.new_mode}")
    if file.new_mode == "120000" and file.status in "AT":
        parts.append("a link")
    if file.new_mode == "100755" and file.status == "A":
        parts.append("executable")
    if file.control:
        parts.append(f"**control scope: {file.control}**")
    return ", ".join(part for part in parts if part)


def diff_markdown(diff: str) -> str:
    """The first 60 lines of a diff as a code block that nothing in it can end, and how many are left out."""
    lines = diff.removesuffix("\n").split("\n")
    shown = [_cut(visible(line.removesuffix("\r") + "<CR>" * line.endswith("\r"))) for line in lines[:SHOWN_LINES]]
    longest = max((len(run) for line in shown for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    block = "\n".join((f"{fence}diff", *shown, fence))
    more = len(lines) - len(shown)
    return block if more <= 0 else f"{block}\n\n{more} more line{'s' if more != 1 else ''} of the diff not shown here."


def _cut(line: str) -> str:
    return line if len(line) <= MAX_LINE else f"{line[:MAX_LINE]}... ({len(line) - MAX_LINE} more characters)"


def visible(text: str) -> str:
    """`text` with everything that hides or reorders made readable: U+202E becomes `<U+202E>`."""
    return _UNSEEN.sub(lambda match: f"<U+{ord(match[0]):04X}>", text)


def code(text: str) -> str:
    """`text` as a markdown code span, whatever backticks are in it."""
    shown = visible(text)
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    ticks = "`" * (longest + 1)
    space = " " if "`" in shown else ""
    return f"{ticks}{space}{shown}{space}{ticks}"


def plain(text: str) -> str:
    """`text` with markdown's own characters escaped."""
    return re.sub(r"([\\`*_{}\[\]()<>#!|~])", r"\\\1", visible(text).replace("\n", " "))
