"""The desk on a database: what other actors ask, answered in the process that has the store open."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path

from bot import desk
from bot.dispatcher.changesets import actor_of
from layers import control, coordination
from layers.errors import Refused
from layers.store import Store, Tx
from layers.transport import Accepted, accept
from layers.types import Address, Changeset, Inbound, InboundKind, Person, SentFile

CHANNEL = "console"
LOOK_S = 1.0
"""How often one who waits looks without being woken."""
MAX_SENT_BYTES = 1 << 20
"""Of one submission."""
MAX_READ_BYTES = 512 * 1024
"""Of one answer: what is beyond is told by its size. A line of the console's socket holds it, however it is escaped."""
MAX_DIFF_CHARS = 256 * 1024
CUT = "\n... (the rest of the diff is too long to be told)\n"
MASKED = "what looks like a secret is masked here, so the file cannot be sent whole; change other lines of it by a diff"
NO_BASE = "the patch names no base; read the files first, and name the base_commit of that reading"

Take = Callable[[Callable[[Tx, bool], Accepted]], Awaitable[Accepted]]
"""Runs (transaction, whether there is room for a turn) -> what became of the event, and begins that turn."""


class HouseDesk:
    """See `bot.desk.Desk`."""

    def __init__(
        self,
        store: Store,
        coordinator: coordination.Coordinator,
        workspaces: Mapping[str, Path],
        person: Callable[[str], Person],
        take: Take,
    ) -> None:
        """`workspaces` are those of bulkhead.toml, the first one first; `person` finds who asks, or refuses."""
        self._store = store
        self._coordinator = coordinator
        self._workspaces = workspaces
        self._person = person
        self._take = take

    async def workspaces(self) -> list[desk.Space]:
        """Every workspace, and where it is."""
        return [desk.Space(name=name, branch=await self._where(path)) for name, path in self._workspaces.items()]

    async def read(self, named: desk.Named) -> desk.Reading:
        """Files as the branch has them; what looks like a secret is masked."""
        name, folder = self._workspace(named.workspace)
        found = await self._coordinator.read(folder, named.paths)
        return await asyncio.to_thread(reading, name, found, named.paths)

    async def submit(self, submission: desk.Submission) -> desk.Standing:
        """Write it down, once; a server tries it."""
        inbound = self._inbound(submission)
        handed = coordination.Handed(
            id=inbound.event_id,
            actor=self._actor(submission.who),
            workspace=self._workspace(submission.workspace)[1],
            digest=hashlib.sha256(repr(inbound.changeset).encode(errors="surrogatepass")).hexdigest(),
            lease=submission.lease,
        )

        def enter(tx: Tx, has_room: bool) -> Accepted:
            if not coordination.open_changeset(tx, handed):
                return Accepted(inbox_id=0, is_new=False)
            return accept(tx, inbound, has_room)

        await self._take(enter)
        return await self.status(inbound.event_id)

    async def status(self, id: str) -> desk.Standing:
        """How it stands."""
        found = await self._store.run(coordination.standing, id)
        contents = await coordination.contents_of(found.workspace, found.stages) if found.stages else {}
        return await asyncio.to_thread(told, found, contents)

    async def wait(self, asked: desk.Asked) -> desk.Standing:
        """How it stands once it is decided, or when time is up."""
        until = time.monotonic() + asked.timeout_s
        goes_on = coordination.OPEN - ({coordination.Fate.AWAITING} if asked.until_tried else frozenset())
        changed = asyncio.Event()
        unsubscribe = self._store.subscribe(coordination.TOPIC, changed.set)
        try:
            while True:
                changed.clear()
                found = await self._store.run(coordination.standing, asked.id)
                left = until - time.monotonic()
                if found.fate not in goes_on or left <= 0:
                    return await self.status(asked.id)
                try:
                    async with asyncio.timeout(min(left, LOOK_S)):
                        await changed.wait()
                except TimeoutError:
                    continue
        finally:
            unsubscribe()

    async def lease(self, claim: desk.Claim) -> desk.Held:
        """Ask, and wait for one's turn."""
        name, _ = self._workspace(claim.workspace)
        space = next(one.id for one in await self._coordinator.workspaces() if one.name == name)
        claimant = coordination.Claimant(workspace=space, actor=self._actor(claim.who), paths=claim.paths)
        asked = await self._store.run(coordination.ask, claimant, secrets.token_hex(10))
        if asked.state is coordination.LeaseState.WAITING:
            asked = await coordination.wait(self._store, asked, claim.wait_s)
        return held(asked)

    async def renew(self, own: desk.Own) -> desk.Held:
        """A sign of life."""
        return held(await self._store.run(coordination.keep_alive, own.lease, self._actor(own.who)))

    async def release(self, own: desk.Own) -> desk.Held:
        """Give it back."""
        return held(await self._store.run(coordination.give_back, own.lease, self._actor(own.who)))

    def _actor(self, who: desk.Who) -> str:
        return actor_of(self._person(who.person), who.assistant)

    def _workspace(self, name: str) -> tuple[str, Path]:
        name = name or next(iter(self._workspaces))
        if name not in self._workspaces:
            raise Refused(f"bulkhead.toml has no workspace {name!r}; it has {', '.join(self._workspaces)}")
        return name, self._workspaces[name]

    async def _where(self, path: Path) -> str:
        try:
            return await self._coordinator.where(path)
        except Refused:
            return ""

    def _inbound(self, submission: desk.Submission) -> Inbound:
        """The event that a submission is."""
        person, text = self._person(submission.who.person), submission.text()
        if text is None:
            raise Refused("the diff is no base64; send its bytes in base64, or say that it is text")
        if submission.revert and (text or submission.files or submission.base):
            raise Refused("a commit is taken back by itself; hand in the other change apart from it")
        if not submission.base and not submission.files and not submission.revert:
            raise Refused(NO_BASE)
        demand_size(text, *(file.content or "" for file in submission.files))
        _, folder = self._workspace(submission.workspace)
        named = json.dumps([person.id, submission.who.assistant, submission.key])
        id = hashlib.sha256(named.encode()).hexdigest()[:20]
        return Inbound(
            address=Address(channel=CHANNEL, conversation=f"patch-{id}"),
            event_id=id,
            person=person,
            kind=InboundKind.PATCH,
            changeset=Changeset(
                workspace=str(folder),
                base=submission.base,
                diff=text,
                whole=tuple(SentFile(path=f.path, expects=f.expects, content=f.content) for f in submission.files),
                summary=submission.summary,
                assistant=submission.who.assistant,
                revert=submission.revert,
            ),
        )


def demand_size(*texts: str) -> None:
    """Refuse what is too large to be written down.

    Raises:
        Refused: how large it is.
    """
    size = sum(len(text.encode(errors="surrogateescape")) for text in texts)
    if size > MAX_SENT_BYTES:
        raise Refused(f"the patch has {size:,} bytes and {MAX_SENT_BYTES:,} is the limit; split it")


def reading(name: str, found: coordination.Snapshot, paths: list[str]) -> desk.Reading:
    """Files for another actor."""
    room, texts = MAX_READ_BYTES, []
    for path in dict.fromkeys(paths):
        entry = found.entries.get(path)
        content, note = (None, "") if entry is None else readable(found.contents[path], room)
        room -= len((content or "").encode())
        blob_id = coordination.ABSENT if entry is None else entry.oid if note != MASKED else ""
        texts.append(desk.Text(path=path, blob_id=blob_id, content=content, note=note))
    return desk.Reading(workspace=name, base_commit=found.commit, files=tuple(texts))


def readable(content: bytes, room: int) -> tuple[str | None, str]:
    """The text of a file without its secrets, and what is to be said of it."""
    if len(content) > room:
        return None, f"it has {len(content):,} bytes and {MAX_READ_BYTES:,} are read at once; read it by itself"
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None, f"it is no UTF-8 text; it has {len(content):,} bytes"
    masked = control.scrub_lines(text).text
    return masked, MASKED if masked != text else ""


def told(found: coordination.Standing, contents: Mapping[str, bytes]) -> desk.Standing:
    """How it stands, for whoever handed it in."""
    proposal = found.proposal
    diff = control.scrub_lines(shown(proposal.diff)).text if proposal else ""
    return desk.Standing(
        id=found.id,
        state=found.fate.value,
        note=control.scrub(found.note),
        base_commit=proposal.base_commit if proposal else "",
        files=tuple(changed(file) for file in proposal.files) if proposal else (),
        diff=diff if len(diff) <= MAX_DIFF_CHARS else diff[:MAX_DIFF_CHARS] + CUT,
        commit=found.commit,
        stages=tuple(stages(found, contents)),
    )


def changed(file: coordination.FileChange) -> desk.Changed:
    """One file of a proposal."""
    return desk.Changed(
        path=shown(file.path),
        old_path=shown(file.old_path),
        status=file.status,
        added=file.added,
        removed=file.removed,
        runs_code=file.control,
    )


def stages(found: coordination.Standing, contents: Mapping[str, bytes]) -> Iterator[desk.Stage]:
    """The three versions of each file, as long as there is room for what is in them."""
    room = MAX_READ_BYTES // 2
    for one in found.stages:
        sides: dict[str, desk.Version | None] = {}
        for side, entry in (("base", one.base), ("ours", one.ours), ("theirs", one.theirs)):
            content, note = readable(contents[entry.oid], room) if entry else (None, "")
            content = None if note else content
            room -= len((content or "").encode())
            sides[side] = desk.Version(mode=entry.mode, blob_id=entry.oid, content=content) if entry else None
        yield desk.Stage(path=shown(one.path), **sides)


def shown(text: str) -> str:
    """A text that may hold other bytes than UTF-8's, as text."""
    return text.encode(errors="surrogateescape").decode(errors="replace")


def held(lease: coordination.Lease) -> desk.Held:
    """A lease for its holder."""
    return desk.Held(id=lease.id, state=lease.state.value, paths=lease.paths, fence=lease.fence, ends_at=lease.ends_at)
