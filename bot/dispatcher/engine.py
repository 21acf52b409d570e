"""The dispatcher: one inbound event, start to end.

`accept` journals an event and, when the conversation is idle, begins its turn at once. Other turns come from `claim`:
conversations that waited for room, or whose worker died. A turn runs as one asyncio task; conversations run beside each
other, up to `capacity`.

A turn ends in one transaction or it has not ended: when the database does not take that one, the turn goes on until it
does. Only what its handler refuses, or what breaks in it, ends it with a sentence instead of an answer.
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
from layers.routing import Stop, Stopped
from layers.store import Store, Tx
from layers.transport import Accepted, TurnEnd, accept, claim, give_back, let_go, look_stopping, owned, reap
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
Rescue = Callable[[Work], None]
"""Adds to a turn that failed what must be settled nevertheless."""


class Runner:
    """Takes one turn to its end."""

    def __init__(self, store: Store, handler: Handler, rescue: Rescue | None) -> None:
        self._store = store
        self._handler = handler
        self._rescue = rescue
        self._stops: dict[int, Stop] = {}
        """Of the turns in progress, by their ids."""

    async def heed_stops(self) -> None:
        """Stop what somebody wants no more of, whichever server they told."""
        if self._stops:
            for id, person in (await look_stopping(self._store)).items():
                if id in self._stops:
                    self._stops[id].set(person.name)

    async def run(self, turn: Turn) -> Turn | None:
        """One turn, whatever happens in it; returns the next.

        Raises:
            LeaseLost: another worker has it.
            NotWritten: the database is away; nothing of it is lost.
        """
        stop = self._stops[turn.id] = Stop()
        if turn.stopped_by is not None:
            stop.set(turn.stopped_by.name)
        try:
            return await self._run(turn, stop)
        finally:
            del self._stops[turn.id]

    async def _run(self, turn: Turn, stop: Stop) -> Turn | None:
        work = await open_work(self._store, turn, stop)
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
        except Exception as error:  # noqa: BLE001 - `sentence` logs what nobody foresaw
            return await self._apologise(work, error)

    async def _apologise(self, work: Work, error: Exception) -> Turn | None:
        """End the turn with one sentence; with nothing at all where even that cannot be said."""
        work.forget()
        if isinstance(error, Stopped):
            work.end = TurnEnd.STOPPED
        work.say(sentence(error, work.turn), OutboundKind.ERROR)
        try:
            if self._rescue is not None:
                self._rescue(work)
            return await work.finish()
        except (LeaseLost, NotWritten):
            raise
        except Exception:
            log.exception("dispatcher.apology_failed", extra={"turn": work.turn.id})
        work.forget(facts=True)
        return await work.finish()


class Dispatcher:
    """Accepts events and works through them; see the module."""

    def __init__(
        self,
        store: Store,
        handler: Handler,
        capacity: int,
        on_accept: Callable[[Tx, Inbound, int], None] | None = None,
        rescue: Rescue | None = None,
    ) -> None:
        """`on_accept` runs in the transaction that journals a new event, with its inbox id (the page shows what was
        said there).
        """
        self._store = store
        self._runner = Runner(store, handler, rescue)
        self._capacity = capacity
        self._on_accept = on_accept
        self._tasks: dict[asyncio.Task[None], Turn] = {}
        self._accepting = 0
        """Events being journalled now, each of which may begin a turn."""
        self._wake = asyncio.Event()
        self._loop_task: asyncio.Task[None] | None = None
        self._is_stopping = False
        self._strays: dict[tuple[str, int], float] = {}
        self._may_stop = False
        """Whether somebody may want no more of a turn."""

    @property
    def running(self) -> int:
        """Turns in progress in this process."""
        return len(self._tasks)

    @property
    def _room(self) -> int:
        """Turns that may be begun. A claim and an accept at one moment may both use it: at most twice `capacity`."""
        return self._capacity - len(self._tasks) - self._accepting

    async def start(self) -> None:
        """Free what dead workers had, then look for work until stopped."""
        await self._store.run(reap)
        self._loop_task = asyncio.create_task(self._look_for_work(), name="dispatcher")

    async def stop(self) -> None:
        """Take no new work, let running turns end for `GRACE_S`, give the others back."""
        self._is_stopping = True
        self._wake.set()
        if self._loop_task is not None:  # not cancelled at once: what a claim took would be nobody's
            await asyncio.wait([self._loop_task], timeout=GRACE_S)
            self._loop_task.cancel()
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
        return (await self.take(lambda tx, has_room: self.accept_in(tx, inbound, has_room))).inbox_id

    async def take(self, accept_it: Callable[[Tx, bool], Accepted]) -> Accepted:
        """As `accept`, where more is written with it: (transaction, whether there is room) -> what became of it."""
        # shielded: a caller who leaves must not take along a turn that was begun for its event
        return await asyncio.shield(asyncio.create_task(self._take(accept_it), name="accept"))

    async def _take(self, accept_it: Callable[[Tx, bool], Accepted]) -> Accepted:
        reach(Point.ACCEPT_BEFORE_COMMIT)
        has_room = not self._is_stopping and self._room > 0
        self._accepting += 1
        try:
            accepted = await self._store.run(accept_it, has_room)
        finally:
            self._accepting -= 1
        reach(Point.ACCEPT_AFTER_COMMIT)
        if accepted.turn is not None:
            self._begin(accepted.turn)
        return accepted

    def accept_in(self, tx: Tx, inbound: Inbound, has_room: bool = False) -> Accepted:
        """`accept` within a transaction of the caller's (schedules, expiries): some worker will claim it."""
        accepted = accept(tx, inbound, has_room)
        if accepted.is_new and self._on_accept is not None:
            self._on_accept(tx, inbound, accepted.inbox_id)
        return accepted

    async def _look_for_work(self) -> None:
        subscriptions = [
            self._store.subscribe("inbox", self._wake.set),
            self._store.subscribe("stop", self._hear_of_stop),
        ]
        loop = asyncio.get_running_loop()
        reap_at = loop.time() + POLL_S
        try:
            while not self._is_stopping:
                self._wake.clear()
                try:
                    if loop.time() >= reap_at:
                        reap_at = loop.time() + POLL_S
                        await self._tidy()
                    await self._claim()
                    if self._may_stop:
                        self._may_stop = False
                        await self._runner.heed_stops()
                except Exception:  # whatever it is, the next look may do better, and nobody else looks
                    log.exception("dispatcher.claim_failed")
                try:
                    async with asyncio.timeout(POLL_S):  # wait_for of Python 3.11 can swallow a cancellation
                        await self._wake.wait()
                except TimeoutError:
                    continue
        finally:
            for unsubscribe in subscriptions:
                unsubscribe()

    def _hear_of_stop(self) -> None:
        self._may_stop = True
        self._wake.set()

    async def _tidy(self) -> None:
        """Free what dead workers had, and what this one owns and does not work on."""
        self._may_stop = True  # a wake may have been lost
        await self._store.run(reap)
        for conversation, epoch in self._stray(await self._store.run(owned)):
            log.warning("dispatcher.stray", extra={"conversation": conversation})
            await self._store.run(let_go, conversation, epoch)

    async def _claim(self) -> None:
        if self._room > 0:
            for turn in await self._store.run(claim, self._room):
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
                following = await self._runner.run(turn)
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



def sentence(error: Exception, turn: Turn) -> str:
    """What people are told of what went wrong."""
    if isinstance(error, BulkheadError):
        return str(error)
    log.error("dispatcher.turn_failed", extra={"turn": turn.id}, exc_info=error)
    return (
        f"Something went wrong inside Bulkhead ({type(error).__name__}); your message is kept as turn {turn.id} and "
        "the server's log has the details."
    )
