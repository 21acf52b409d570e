"""The card: an approval in, markdown out. Rendered from the plan alone, so that what is shown is what runs.

Every leaf of the plan stands in one fenced block, quoted, with whatever cannot be seen written as an escape. A
backtick is escaped too, so no value can close the fence on any surface. The asker's own words come last.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from layers.control.types import PATCH, Approval, Card, Event, Outcome, Plan, State
from layers.control.visible import quote, quote_lines, visible, visible_lines
from layers.control.wording import clock
from layers.types import Button, ButtonStyle

LIMIT = 8000
"""Characters of a card. A surface that takes less passes its own; a longer card cannot be approved."""
WORDS_LIMIT = 500
OUTPUT_LIMIT = 1500
LABEL_WIDTH = 13
COMMAND_WIDTH = 72
DIGEST_SHORT = 12
RISKS = ("observes", "can be undone", "is hard to undo", "cannot be undone")
STATES = {
    State.PENDING: "Approval needed",
    State.APPROVED: "Approved, about to run",
    State.CLAIMED: "About to run",
    State.RUNNING: "Running",
    State.SUCCEEDED: "Done",
    State.FAILED: "Failed",
    State.UNKNOWN: "Outcome unknown",
    State.DENIED: "Denied",
    State.EXPIRED: "Expired",
    State.CANCELLED: "Cancelled",
    State.INVALIDATED: "No longer valid",
    State.SUPERSEDED: "Replaced",
}


ENDED_BY_ONE = (State.DENIED, State.CANCELLED, State.SUPERSEDED)
"""Whoever had said yes before did not do that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Where a card is shown, as far as it matters for what can be pressed there."""

    is_page: bool = True
    """Whether it is the page, where people are signed in."""
    needs_page: bool = False
    """Whether a yes counts only there."""
    is_solo: bool = False
    """Whether the asker is the only one who could approve it."""
    is_copy: bool = False
    """Whether it is shown besides the conversation of the request."""
    shows_number: bool = True
    """Whether the number to match is told there: in the conversation of the request, elsewhere only when it is lost."""
    page: str = ""
    """Where the page is: `https://...`."""


EVERYWHERE = View()


def command(argv: tuple[str, ...]) -> list[str]:
    """A command, each item quoted: on one line where that is short, else one item a line."""
    items = [quote(item) for item in argv]
    return [" ".join(items)] if 0 < sum(map(len, items)) <= COMMAND_WIDTH else items


def leaves(plan: Plan) -> Iterator[tuple[str, list[str]]]:
    """Label and lines for every field of the plan; what is empty and has no row says so by that."""
    yield "action", [quote(plan.title)]
    yield "capability", [f"{quote(plan.capability)} version {plan.version}"]
    for name, value in plan.parameters.items():
        lines = quote_lines(value) if isinstance(value, str) else [str(value).lower()]
        yield "parameter", [f"{visible(name)} =", *lines] if len(lines) > 1 else [f"{visible(name)} = {lines[0]}"]
    yield "argv", command(plan.argv) or ["(none: Bulkhead itself does it)"]
    if plan.stdin:
        yield "stdin", quote_lines(plan.stdin)
    yield "cwd", [quote(plan.cwd)]
    yield "workspace", ["may be written" if plan.is_workspace_writable else "read only"]
    yield "network", [quote(plan.network) + (" (all that this machine reaches)" if plan.network == "host" else "")]
    if plan.sockets:
        yield "sockets", command(plan.sockets)
    if plan.readable:
        yield "readable", command(plan.readable)
    if plan.sees_processes:
        yield "processes", ["sees those of this machine"]
    yield "environment", command(plan.environment) or ["(empty)"]
    if plan.secrets:
        yield "secrets", command(plan.secrets)
    yield "scope", [quote(plan.scope)]
    yield "risk", [f"{plan.risk} of 3: {RISKS[min(max(plan.risk, 0), 3)]}"]
    yield "limits", [f"{plan.timeout_s} s, {plan.output_cap_bytes} bytes of output"]
    if plan.probe:
        yield "probe", command(plan.probe)
    if plan.approvals > 1:
        yield "approvals", [f"{plan.approvals} different persons have to approve it"]
    yield "again", ["running it twice does no harm" if plan.is_idempotent else "running it twice may do harm"]
    for path, digest in plan.programs.items():
        yield "program", [f"{quote(path)} sha256 {visible(digest)}"]
    if plan.dry_run:
        yield "dry run", command(plan.dry_run)
    if plan.evidence:
        yield "it printed", quote_lines(plan.evidence)
    if plan.evidence_digest:
        yield "in all", [f"sha256 {visible(plan.evidence_digest)}"]
    yield "manifest", [f"sha256 {visible(plan.manifest_digest)}" if plan.manifest_digest else "(none)"]


def rows(items: Iterator[tuple[str, list[str]]]) -> str:
    """Labels in one column, lines in the other."""
    lines = []
    for label, values in items:
        for number, value in enumerate(values):
            lines.append(f"{label if number == 0 else '':<{LABEL_WIDTH}}{value}")
    return "\n".join(lines)


def fence(text: str) -> str:
    """A code block. `text` has no backtick left that could end it."""
    return f"```text\n{text}\n```"


def card(approval: Approval, *, handle: str = "", limit: int = LIMIT, view: View = EVERYWHERE) -> Card:
    """What a person is shown of `approval`, now. With a `handle` it carries the buttons that its state allows."""
    text = "\n\n".join(part for part in (*parts(approval), how(approval, view)) if part)
    if len(text) <= limit:
        return Card(text=text, is_approvable=True, buttons=buttons(approval, handle, is_approvable=True, view=view))
    notice = (
        f"**{STATES[approval.state]}** {inline(approval.plan.capability)}: this card has {len(text)} characters "
        f"and at most {limit} can be shown here, so it cannot be approved from here. All of it is in the file that "
        "goes along; ask for less at once."
    )
    shown = escape_fences(text)[: max(limit - len(notice) - 40, 0)]
    return Card(
        text=f"{notice}\n\n{fence(shown)}",
        is_approvable=False,
        buttons=buttons(approval, handle, is_approvable=False, view=view),
        full=text,
    )


def parts(approval: Approval) -> Iterator[str]:
    """The card's paragraphs: what, what became of it, the facts, the asker's words."""
    plan = approval.plan
    yield f"**{STATES[approval.state]}**: {inline(plan.capability)}, risk {plan.risk}"
    if line := outcome_line(approval):
        yield line
    if approval.outcome is not None and approval.outcome.output.strip():
        yield tail(approval.outcome.output)
    yield fence(rows(facts(approval)))
    if approval.reason:
        words = approval.reason[:WORDS_LIMIT] + ("..." if len(approval.reason) > WORDS_LIMIT else "")
        yield f"In the asker's own words, which nothing here has checked:\n{fence(quote(words, is_prose=True))}"


def how(approval: Approval, view: View) -> str:
    """How it can be approved, where a press alone is not enough; empty otherwise."""
    if approval.state is not State.PENDING:
        return ""
    said = [f"Asked for in {inline(approval.conversation_id)}."] if view.is_copy else []
    if approval.said_yes:
        names = " and ".join(inline(person) for person in approval.said_yes)
        said.append(f"Approved by {names}; it needs {approval.plan.approvals} different persons.")
    if view.is_solo:
        said.append("**solo**: you asked for this and nobody else could approve it, so it also takes your passphrase.")
    if view.needs_page and not view.is_page:
        said.append(f"It is approved on the page only: {view.page or 'open the page'}, conversation `approvals`.")
    if approval.number and view.shows_number:
        said.append(f"Its number is **{approval.number}**: whoever approves presses the button with that number.")
    elif approval.number:
        said.append(
            "Its number is on the card where it was asked for: have whoever asked tell it to you, then press the "
            "button with it."
        )
    return " ".join(said)


def facts(approval: Approval) -> Iterator[tuple[str, list[str]]]:
    """The plan, then what control knows about the request."""
    yield from leaves(approval.plan)
    yield "digest", [f"{approval.digest[:DIGEST_SHORT]} (sha256 of all above)"]
    yield "asked by", [f"{quote(approval.requested_by)} at {clock(approval.created_at)}"]
    if approval.state is State.PENDING:
        yield "expires", [clock(approval.expires_at)]
    yield "request", [visible(approval.id)]


PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ,;()%=+.-]*")
"""What no surface takes for markup, a mention or a link."""


def inline(text: str) -> str:
    """A value within a sentence: as it is where that is harmless, else as code."""
    if PLAIN.fullmatch(text) and "www." not in text.lower():
        return text
    return f"`{visible(text, is_prose=True)}`" if text else '""'


def outcome_line(approval: Approval) -> str:
    """Who decided, when, and what came of it, in one line; empty while nothing has."""
    said = []
    if approval.decided_at is not None:
        names = " and ".join(inline(person) for person in (approval.said_yes or (approval.decided_by,)))
        who = inline(approval.decided_by) if approval.state in ENDED_BY_ONE else names
        grant = f" (standing grant {inline(approval.grant_id)})" if approval.grant_id else ""
        said.append(f"decided by {who} at {clock(approval.decided_at)}{grant}")
    if approval.why:
        said.append(f"in their words: {inline(approval.why)}")
    if approval.outcome is not None:
        said.append(ended(approval.outcome))
    if approval.is_drill and approval.state is not State.PENDING:
        said.append("this was a drill, made to see whether people look; nothing of it was real")
    if approval.state is State.EXPIRED:
        said.append(f"nobody decided before {clock(approval.expires_at)}")
    if approval.state is State.UNKNOWN:
        said.append("look, then say whether it happened")
    line = "; ".join(said)
    return f"{line[0].upper()}{line[1:]}." if line else ""


def ended(outcome: Outcome) -> str:
    """How a run ended: `exit code 0, 1.2 s, sandbox bwrap`."""
    said = [f"exit code {outcome.exit_code}"] if outcome.exit_code is not None else []
    if outcome.reason:
        said.append(inline(outcome.reason))
    if outcome.duration_s:
        said.append(f"{outcome.duration_s:.1f} s")
    if outcome.profile:
        said.append(f"sandbox {inline(outcome.profile)}")
    return ", ".join(said)


def tail(output: str) -> str:
    """The end of what a program wrote, safely fenced."""
    cut = output[-OUTPUT_LIMIT:]
    lead = f"The last {len(cut)} of {len(output)} characters of output:" if len(cut) < len(output) else "Output:"
    return f"{lead}\n{fence(visible_lines(cut.rstrip()))}"


def escape_fences(text: str) -> str:
    """Text that already is markdown, with its fences made harmless."""
    return text.replace("`", "\\x60")


def buttons(approval: Approval, handle: str, *, is_approvable: bool, view: View = EVERYWHERE) -> tuple[Button, ...]:
    """What can be pressed in the state the approval is in. Deny comes first; nothing that runs is the default."""
    if not handle:
        return ()
    if approval.state is State.PENDING:
        deny = Button(label="Deny", value=value(Event.DENY, handle))
        may_approve = is_approvable and (view.is_page or not view.needs_page)
        return (deny, *approves(approval, handle, view)) if may_approve else (deny,)
    if approval.state is State.UNKNOWN:
        happened = Button(label="It happened", value=value(Event.HAPPENED, handle))
        cancel = Button(label="It did not; leave it", value=value(Event.CANCEL, handle))
        mark = PASSPHRASE_MARK if view.is_solo else ""
        rerun = Button(label="Run it again", value=value(Event.RERUN, handle) + mark, style=ButtonStyle.DANGER)
        may_run = view.is_page or not view.needs_page
        runs_again = is_approvable and approval.plan.capability != PATCH and may_run
        return (happened, cancel, rerun) if runs_again else (happened, cancel)
    return ()


PASSPHRASE_MARK = ".p"
"""Ends the value of a button for which the page asks for the passphrase first."""


def approves(approval: Approval, handle: str, view: View) -> tuple[Button, ...]:
    """The Approve button; one for each number where one has to be matched."""
    pressed = value(Event.APPROVE, handle)
    mark = PASSPHRASE_MARK if view.is_solo else ""
    if not approval.number:
        return (Button(label="Approve", value=pressed + mark, style=ButtonStyle.PRIMARY),)
    return tuple(Button(label=f"Approve {number}", value=f"{pressed}.{number}{mark}") for number in approval.choices)


def value(event: Event, handle: str) -> str:
    """A button's value: `a:<event>:<handle>`, 38 bytes at most with what may follow."""
    return f"a:{event.value}:{handle}"
