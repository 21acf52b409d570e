"""How a patch is shown: without what looks like a secret, sixty lines in the message, all in a file and on the page.

Masking a long diff takes a while, so it is done once per diff and process, and before a transaction where that can be.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import lru_cache

from layers import control, coordination
from layers.store import Tx
from layers.transport import put_media
from layers.types import Attachment

KIND = "text/x-diff"


@lru_cache(maxsize=16)
def masked(diff: str) -> control.Masked:
    """A diff without whatever looks like a credential; what begins one hides no other line of it."""
    return control.scrub_lines(diff)


def as_markdown(proposal: coordination.Proposal, page: str) -> str:
    """What stands above a patch's plan, and where more of it is to be seen. `page` is the page's origin, or empty."""
    shown = masked(proposal.diff)
    text = coordination.summary_markdown(replace(proposal, diff=shown.text))
    hidden = f"**Lines of the diff in which something is masked: {shown.lines}.** " if shown.lines else ""
    file = "All of the diff is in the file that goes along. " if is_long(proposal) else ""
    link = f"[Look at it on the page]({page}/patches/{proposal.id}), where parts of it can be chosen." if page else ""
    return f"{text}\n\n{hidden}{file}{link}".rstrip()


def is_long(proposal: coordination.Proposal) -> bool:
    """Whether a message shows only the beginning of its diff."""
    return proposal.diff.count("\n") > coordination.SHOWN_LINES


def as_file(tx: Tx, proposal: coordination.Proposal) -> Attachment:
    """All of the diff, as people see it; what hides or reorders text is made visible in it as well."""
    content = coordination.visible(masked(proposal.diff).text).encode("utf-8", "replace")
    return Attachment(
        digest=put_media(tx, KIND, content), name=f"patch-{proposal.id}.diff", content_type=KIND,
        size_bytes=len(content),
    )  # fmt: skip


def as_view(proposal: coordination.Proposal) -> Mapping[str, object]:
    """A proposal for the page: its files in order, each with its parts. See `coordination.Part` for their fields."""
    parts = coordination.parts_of(proposal)
    files = [
        {
            **{name: getattr(file, name) for name in ("path", "old_path", "status", "added", "removed", "control")},
            "parts": [
                {**asdict(part), "diff": coordination.visible(masked(part.diff).text)}
                for part in parts
                if part.path == file.path
            ],
        }
        for file in proposal.files
    ]
    return {
        "id": proposal.id,
        "workspace": str(proposal.workspace),
        "branch": proposal.branch.removeprefix("refs/heads/"),
        "author": proposal.author,
        "proposed_at": proposal.proposed_at,
        "base": proposal.base_commit,
        "files": files,
    }
