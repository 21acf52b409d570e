"""The dispatcher: one inbound event, start to end.

`accept` journals an event and, when the conversation is idle, begins its turn at once. Other turns come from `claim`:
conversations that waited for room, or whose worker died. A turn runs as one asyncio task; conversations run beside each
other, up to `capacity`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from bot.dispatcher.work import Work, open_work
from layers.errors import BulkheadError, LeaseLost, NotWritten, Refused
from layers.failpoint import Point, reach
from layers.store import Store, Tx
from layers.transport import Accepted, accept, claim, give_back, let_go, owned, reap
from layers.types import Inbound, OutboundKind, Turn

log = logging.getLogger(__name__)

POLL_S = 1.0
"""How often ready conversations and dead workers are looked for without being woken."""
MAX_ATTEMPTS = 5
"""A turn that took the process down this often is answered with an apology instead of a sixth try."""
RETRY_S = 2.0
"""Pause before a turn that could not be written is tried again."""
STRAY_S = 5.0
"""A conversation that is ours by the database's account, and that no task here works on for so long, is let go: the
answer to a commit was lost with its connection."""
GRACE_S = 5.0
"""How long running turns may go on when the server stops."""

Handler = Callable[[Work], Awaitable[None]]


class Dispatcher:
    """Accepts events and works through them; see the module."""

    def __init__(
        self, store: Store, handler: Handler, capacity: int, on_accept: Callable[[Tx, Inbound], None] | None = None
    ) -> None:
        """`on_accept` runs in the transaction that journals a new event (the page shows what was said there)."""
        self._store = store
        self._handler = handler
        self._capacity = capacity
        self._on_accept = on_accept
        self._tasks: dict[asyncio.Task[None], Turn] = {}
        self._wake = asyncio.Event()
        self._loop_task: asyncio.Task[None] | None = None
        self._is_stopping = False
        self._strays: dict[tuple[str, int], float] = {}

    @property
    def running(self) -> int:
        """Turns in progress in this process."""
        return len(self._tasks)

    async def start(self) -> None:
        """Free what dead workers had, then look for work until stopped."""
        await self._store.run(reap)
        self._loop_task = asyncio.create_task(self._look_for_work(), name="dispatcher")

    async def stop(self) -> None:
        """Take no new work, let running turns end for `GRACE_S`, give the others back."""
        self._is_stopping = True
        if self._loop_task is not None:
            self._loop_task.cancel()
            await asyncio.gather(self._loop_task, return_exceptions=True)
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=GRACE_S)
        left = dict(self._tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        for turn in left.values():
            try:
                await self._store.run(give_back, turn)
            except NotWritten:  # the next start finds it without our help
                log.warning("dispatcher.not_given_back", extra={"turn": turn.id})

    async def accept(self, inbound: Inbound) -> int:
        """Journal an event, once; returns its inbox id. Committed when this returns: acknowledge the provider now."""
        reach(Point.ACCEPT_BEFORE_COMMIT)
        has_room = not self._is_stopping and len(self._tasks) < self._capacity
        accepted = await self._store.run(self.accept_in, inbound, has_room)
        reach(Point.ACCEPT_AFTER_COMMIT)
        if accepted.turn is not None:
            self._begin(accepted.turn)
        return accepted.inbox_id

    def accept_in(self, tx: Tx, inbound: Inbound, has_room: bool = False) -> Accepted:
        """`accept` within a transaction of the caller's (schedules, expiries): some worker will claim it."""
        accepted = accept(tx, inbound, has_room)
        if accepted.is_new and self._on_accept is not None:
            self._on_accept(tx, inbound)
        return accepted

    async def _look_for_work(self) -> None:
        unsubscribe = self._store.subscribe("inbox", self._wake.set)
        loop = asyncio.get_running_loop()
        reap_at = loop.time() + POLL_S
        try:
            while True:
                self._wake.clear()
                try:
                    if loop.time() >= reap_at:
                        reap_at = loop.time() + POLL_S
                        await self._tidy()
                    await self._claim()
                except Exception:  # whatever it is, the next look may do better, and nobody else looks
                    log.exception("dispatcher.claim_failed")
                try:
                    await asyncio.wait_for(self._wake.wait(), POLL_S)
                except TimeoutError:
                    continue
        finally:
            unsubscribe()

    async def _tidy(self) -> None:
        """Free what dead workers had, and what this one owns and does not work on."""
        await self._store.run(reap)
        for conversation, epoch in self._stray(await self._store.run(owned)):
            log.warning("dispatcher.stray", extra={"conversation": conversation})
            await self._store.run(let_go, conversation, epoch)

    async def _claim(self) -> None:
        room = self._capacity - len(self._tasks)
        if room > 0:
            for turn in await self._store.run(claim, room):
                self._begin(turn)

    def _stray(self, held: set[tuple[str, int]]) -> list[tuple[str, int]]:
        """Which of the conversations that are ours nobody has worked on for `STRAY_S`."""
        now = time.monotonic()
        at_work = {(turn.inbound.address.id, turn.epoch) for turn in self._tasks.values()}
        self._strays = {each: self._strays.get(each, now) for each in held - at_work}
        return [each for each, since in self._strays.items() if now - since >= STRAY_S]

    def _begin(self, turn: Turn) -> None:
        reach(Point.TURN_CLAIMED)
        task = asyncio.create_task(self._work_through(turn), name=f"turn-{turn.id}")
        self._tasks[task] = turn
        task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        was_full = len(self._tasks) >= self._capacity
        self._tasks.pop(task, None)
        if was_full:
            self._wake.set()  # only then may a conversation wait for room
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("dispatcher.turn_crashed", exc_info=error)

    async def _work_through(self, turn: Turn) -> None:
        """The turn, and those that came to the conversation meanwhile."""
        following: Turn | None = turn
        while following is not None:
            turn = following
            task = asyncio.current_task()
            if task is not None:
                self._tasks[task] = turn
            try:
                following = await self._run(turn)
            except LeaseLost:
                log.info("dispatcher.lease_lost", extra={"turn": turn.id})
                return
            except NotWritten as error:
                # Not an answer: what the turn did so far is journalled, so it goes on once the database takes it.
                log.warning("dispatcher.not_written", extra={"turn": turn.id, "why": str(error)})
                await asyncio.sleep(RETRY_S)
                following = replace(turn, attempt=max(turn.attempt, 2))  # more than 1: read the journal
            except Exception:
                log.exception("dispatcher.turn_not_ended", extra={"turn": turn.id})
                await asyncio.sleep(RETRY_S)
                return  # it is a stray now: let go, counted and tried again, at most `MAX_ATTEMPTS` times
            if self._is_stopping and following is not None:
                await self._store.run(give_back, following)
                return

    async def _run(self, turn: Turn) -> Turn | None:
        """One turn, whatever happens in it; returns the next."""
        work = await open_work(self._store, turn)
        try:
            if turn.attempt > MAX_ATTEMPTS:
                raise Refused(
                    f"I stopped {MAX_ATTEMPTS} times in the middle of this and will not try again; "
                    f"it is kept as turn {turn.id}."
                )
            await self._handler(work)
            return await work.finish()
        except (LeaseLost, NotWritten):
            raise
        except BulkheadError as error:
            sentence = str(error)
        except Exception as error:
            log.exception("dispatcher.turn_failed", extra={"turn": turn.id})
            sentence = (
                f"Something went wrong inside Bulkhead ({type(error).__name__}); your message is kept as turn "
                f"{turn.id} and the server's log has the details."
            )
        work.forget()
        work.say(sentence, OutboundKind.ERROR)
        return await work.finish()
