"""The desk where other actors work with the house: an IDE's assistant, a script, a command of ours.

What goes in and comes out, as values that survive the way to another process; `Desk` is what can be asked. Whoever
asks may read, propose, wait and hold leases. Nothing here approves or applies: people do.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from layers.errors import Refused

MAX_FILES = 64
"""Files of one reading, and whole files of one proposal."""
MAX_WAIT_S = 600.0
SUMMARY_CHARS = 2_000
Name = Annotated[str, StringConstraints(max_length=64)]
Path = Annotated[str, StringConstraints(max_length=4_096)]


class Value(BaseModel):
    """Frozen, and nothing unknown in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Who(Value):
    """Who asks."""

    person: Annotated[str, StringConstraints(max_length=32)] = ""
    """An id of bulkhead.toml; empty means the first approver."""
    assistant: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$|^$")] = ""
    """The assistant that acts for the person; empty when it is the person."""


class WholeText(Value):
    """A file sent whole."""

    path: Path
    expects: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64}|absent)$")] = Field(
        description="blob_id of the version that was read, or `absent` for a new file"
    )
    content: str | None = Field(description="the whole new text; null deletes the file")


class Submission(Value):
    """A change to files, to be put before a person."""

    who: Who
    key: Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,128}$")]
    """The sender's own name of this change: under the same one it is handed in once."""
    workspace: Name = ""
    """As bulkhead.toml calls it; empty means the first."""
    base: Name = ""
    diff: str = ""
    is_base64: bool = False
    """The diff is bytes in base64: it holds what is no UTF-8."""
    files: Annotated[tuple[WholeText, ...], Field(max_length=MAX_FILES)] = ()
    """Whole files in place of a diff."""
    summary: Annotated[str, StringConstraints(max_length=SUMMARY_CHARS)] = ""
    revert: Name = ""
    """In place of a diff and of files: a commit to take back."""
    lease: Name = ""
    """One that the sender holds: it must cover every file, and the patch lands under it while it lasts."""

    def text(self) -> str | None:
        """The diff, what is no UTF-8 in it as surrogate escapes; None where it is no base64."""
        if not self.is_base64:
            return self.diff
        try:
            return base64.b64decode(self.diff, validate=True).decode("utf-8", "surrogateescape")
        except (binascii.Error, ValueError):
            return None


class Version(Value):
    """A file as one side has it."""

    mode: str
    blob_id: str
    content: str | None = Field(description="null where it is no text, is too large, or would show a secret")


class Stage(Value):
    """One file that cannot be merged; a side is null where it has no such file."""

    path: str
    base: Version | None
    ours: Version | None = Field(description="the branch's")
    theirs: Version | None = Field(description="the proposal's")


class Changed(Value):
    """One file of a proposal."""

    path: str
    old_path: str
    status: str = Field(description="git's letter: A added, D deleted, M modified, R renamed, T type changed")
    added: int | None = Field(description="lines; null for a binary file")
    removed: int | None
    runs_code: str = Field(description="why touching it may run code; empty for an ordinary file")


class Standing(Value):
    """How a proposal stands."""

    id: str
    state: Literal["proposed", "awaiting_approval", "applied", "conflicted", "denied", "superseded", "refused"]
    note: str = Field(description="why it stands so, and what to do")
    base_commit: str
    files: tuple[Changed, ...]
    diff: str = Field(description="recomputed from the base and the result: what the person is shown")
    commit: str = Field(description="what it became; empty unless applied")
    stages: tuple[Stage, ...] = Field(description="of a conflict: the versions of each file")

    @property
    def is_open(self) -> bool:
        """Whether something may still become of it."""
        return self.state in ("proposed", "awaiting_approval")


class Space(Value):
    """A workspace."""

    name: str
    branch: str = Field(description="branch and commit; empty where it has none to propose to")


class Text(Value):
    """A file on the workspace's branch."""

    path: str
    blob_id: str = Field(description="name it as `expects` to send the file whole; `absent` where there is none")
    content: str | None
    note: str = Field(description="why there is no content, or what is masked in it")


class Reading(Value):
    """Files, and the commit that a patch of them names as its base."""

    workspace: str
    base_commit: str
    files: tuple[Text, ...]


class Claim(Value):
    """A wish for a lease."""

    who: Who
    paths: Annotated[tuple[Path, ...], Field(min_length=1, max_length=MAX_FILES)]
    workspace: Name = ""
    wait_s: Annotated[float, Field(ge=0, le=30)] = 10.0


class Held(Value):
    """A lease."""

    id: str
    state: str = Field(description="held, waiting, released, expired, or fenced: a person took over")
    paths: tuple[str, ...]
    fence: int = Field(description="grows with every lease of the workspace")
    ends_at: float = Field(description="epoch seconds; a sign of life moves it on")


class Named(Value):
    """Which files."""

    workspace: Name = ""
    paths: Annotated[list[Path], Field(min_length=1, max_length=MAX_FILES)]


class Asked(Value):
    """Which proposal, and how long to wait for it."""

    id: Name
    timeout_s: Annotated[float, Field(ge=0, le=MAX_WAIT_S)] = 0.0
    until_tried: bool = False


class Own(Value):
    """Which lease, and whose."""

    who: Who
    lease: Name


class Desk(Protocol):
    """What other actors can ask. Every method raises Refused with a sentence on what to do, or Unavailable."""

    async def workspaces(self) -> list[Space]:
        """Every workspace of bulkhead.toml."""

    async def read(self, named: Named) -> Reading:
        """Files as the branch has them."""

    async def submit(self, submission: Submission) -> Standing:
        """Hand a change in: it is written down when this returns, and tried by whichever server is there."""

    async def status(self, id: str) -> Standing:
        """How a proposal stands, by the id that `submit` gave or by a proposal's own."""

    async def wait(self, asked: Asked) -> Standing:
        """The same, once it is decided (or, `until_tried`, once it is known whether it fits), or time is up."""

    async def lease(self, claim: Claim) -> Held:
        """Paths, and folders with a slash at their end, for this actor alone."""

    async def renew(self, own: Own) -> Held:
        """A sign of life: 30 seconds more, unless its patch waits for a person."""

    async def release(self, own: Own) -> Held:
        """Give it back."""


async def answer(desk: Desk, call: str, given: Mapping[str, Any]) -> Any:  # noqa: ANN401  what JSON can hold
    """What a method of the desk says, where both come from another process.

    Raises:
        ValidationError: what is given is not what the method takes.
        Refused, Unavailable: as the method does.
    """
    match call:
        case "workspaces":
            return [space.model_dump(mode="json") for space in await desk.workspaces()]
        case "read":
            told: Value = await desk.read(Named.model_validate(given))
        case "submit":
            told = await desk.submit(Submission.model_validate(given))
        case "status":
            told = await desk.status(Asked.model_validate(given).id)
        case "wait":
            told = await desk.wait(Asked.model_validate(given))
        case "lease":
            told = await desk.lease(Claim.model_validate(given))
        case "renew":
            told = await desk.renew(Own.model_validate(given))
        case "release":
            told = await desk.release(Own.model_validate(given))
        case _:
            raise Refused(f"the desk has nothing called {call!r}")
    return told.model_dump(mode="json")
