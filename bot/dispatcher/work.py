"""One turn in progress: what it has to say, and its journal.

Nothing a turn says leaves before the turn ends: `finish` writes messages, requests, transcript and `done` in one
transaction. The exceptions are the placeholder ("working on it") and the journal itself, which must survive a crash.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager

from bot.dispatcher.draft import Draft
from layers.failpoint import Point, reach
from layers.routing import Stop
from layers.store import Store, Tx
from layers.transport import Line, Step, StepKind, StepState, TurnEnd, fence, finish, put_step, send, step_at, steps
from layers.types import Button, Outbound, OutboundKind, Picture, Turn

WORKING_AFTER_S = 0.25
"""What is answered sooner needs no placeholder."""
STOP = "t:stop:"
"""How the value of a placeholder's button begins; the turn's id follows."""

Entry = Outbound | Callable[[Tx], Outbound | None]
"""A message, or what makes it inside the finishing transaction (a request gets its handle there); perhaps none."""


class Work:
    """See the module. Made by `open_work`."""

    def __init__(self, store: Store, turn: Turn, journal: list[Step], stop: Stop) -> None:
        self.turn = turn
        self.store = store
        self.stop = stop
        self.end = TurnEnd.DONE
        self.lines: list[Line] = []
        self.route = ""
        self.point = Point.FINISH_AFTER_COMMIT
        self._entries: list[Entry] = []
        self._writes: list[Callable[[Tx], object]] = []
        self._facts: list[Callable[[Tx], object]] = []
        self._journal = {step.n: step for step in journal}
        self._next_step = 0
        self._keys = 0

    def key(self) -> str:
        """A key for the next message: the first one takes the placeholder's place."""
        self._keys += 1
        return f"t{self.turn.id}" if self._keys == 1 else f"t{self.turn.id}.{self._keys}"

    def say(
        self,
        text: str,
        kind: OutboundKind = OutboundKind.MESSAGE,
        *,
        key: str = "",
        picture: Picture | None = None,
        buttons: tuple[Button, ...] = (),
    ) -> None:
        """Add a message."""
        self._entries.append(
            Outbound(
                address=self.turn.inbound.address,
                key=key or self.key(),
                text=text,
                kind=kind,
                picture=picture,
                buttons=buttons,
                answers=self.turn.inbound.event_id,
            )
        )

    def add(self, entry: Callable[[Tx], Outbound | None]) -> None:
        """Add a message that is made when the turn ends, within its transaction."""
        self._entries.append(entry)

    def answer(self, fn: Callable[[Tx], str]) -> None:
        """Add a message whose text is found within the transaction that ends the turn."""
        key, inbound = self.key(), self.turn.inbound
        self.add(lambda tx: Outbound(address=inbound.address, key=key, text=fn(tx), answers=inbound.event_id))

    def write(self, fn: Callable[[Tx], object]) -> None:
        """Have something else written when the turn ends, before the messages."""
        self._writes.append(fn)

    def attest(self, fn: Callable[[Tx], object]) -> None:
        """Have it written that something has happened, whatever becomes of the turn."""
        self._facts.append(fn)

    @asynccontextmanager
    async def working(self, text: str, draft: Draft | None = None, *, can_stop: bool = False) -> AsyncIterator[None]:
        """Show a placeholder while the block lasts longer than a moment, and then `draft` as it grows.

        The turn's first message replaces it. `can_stop`: a model is asked in it, and a button stops that.
        """
        buttons = (Button(label="Stop", value=f"{STOP}{self.turn.id}"),) if can_stop else ()
        task = asyncio.create_task(self._show_working(text, draft, buttons))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _show_working(self, text: str, draft: Draft | None, buttons: tuple[Button, ...]) -> None:
        await asyncio.sleep(WORKING_AFTER_S)
        await self._put_progress(text, f"t{self.turn.id}.working", buttons)
        if draft is None:
            return
        async with aclosing(draft.looks()) as looks:
            async for n, grown in looks:
                await self._put_progress(grown, f"t{self.turn.id}.working.{self.turn.attempt}.{n}", buttons)

    async def _put_progress(self, text: str, dedupe: str, buttons: tuple[Button, ...]) -> None:
        placeholder = Outbound(
            address=self.turn.inbound.address,
            key=f"t{self.turn.id}",
            text=text,
            kind=OutboundKind.WORKING,
            buttons=buttons,
            answers=self.turn.inbound.event_id,
        )

        def show(tx: Tx) -> None:
            fence(tx, self.turn)
            send(tx, placeholder, dedupe, self.turn.id)

        await self.store.run(show)

    async def step(self, kind: StepKind, name: str, run: Callable[[], Awaitable[str]]) -> str:
        """Do something once: its result is journalled, and a resumed turn gets the journal's.

        The work of a step whose `done` was not reached is done again, so `run` must be safe to repeat: a question to a
        model, or an effect that is claimed once by whoever performs it.
        """
        n = self._next_step
        self._next_step += 1
        seen = self._journal.get(n)
        if seen is not None and seen.state is StepState.DONE:
            return seen.body
        if kind is StepKind.EFFECT and seen is None:
            await self._put(Step(n=n, kind=kind, name=name, state=StepState.STARTED))
            reach(Point.EFFECT_STARTED)
        body = await run()
        if kind is StepKind.EFFECT:
            reach(Point.EFFECT_DONE)
        await self._put(Step(n=n, kind=kind, name=name, state=StepState.DONE, body=body))
        if kind is StepKind.EFFECT:
            reach(Point.EFFECT_RECORDED)
        return body

    async def step_in(self, name: str, body: Callable[[Tx], str]) -> str:
        """A step that is a transaction of its own: its journal row lands with what it changed, so it happens once."""
        n = self._next_step
        self._next_step += 1
        seen = self._journal.get(n)
        if seen is not None:
            return seen.body

        def commit(tx: Tx) -> Step:
            fence(tx, self.turn)
            if done := step_at(tx, self.turn, n):
                return done  # it was committed, and the connection broke before the answer came
            step = Step(n=n, kind=StepKind.EFFECT, name=name, state=StepState.DONE, body=body(tx))
            put_step(tx, self.turn, step)
            return step

        self._journal[n] = await self.store.run(commit)
        return self._journal[n].body

    async def finish(self) -> Turn | None:
        """End the turn; returns the conversation's next one, already begun."""
        reach(Point.FINISH_BEFORE_COMMIT)
        following = await self.store.run(self._finish)
        reach(self.point)
        return following

    def _finish(self, tx: Tx) -> Turn | None:
        fence(tx, self.turn)
        for write in (*self._facts, *self._writes):
            write(tx)
        made = [entry if isinstance(entry, Outbound) else entry(tx) for entry in self._entries]
        outbounds = [outbound for outbound in made if outbound is not None]
        return finish(tx, self.turn, outbounds, self.lines, self.route, self.end)

    def forget(self, *, facts: bool = False) -> None:
        """Drop everything to be said or written: the turn failed and will say only that. What has happened stays."""
        if facts:
            self._facts.clear()
        self._entries.clear()
        self._writes.clear()
        self.lines.clear()
        self.route = ""
        self._keys = 0

    def journalled(self, name: str) -> str | None:
        """The body of the step of that name, if it is done."""
        done = (step for step in self._journal.values() if step.name == name and step.state is StepState.DONE)
        return next((step.body for step in done), None)

    async def _put(self, step: Step) -> None:
        await self.store.run(put_step, self.turn, step)
        self._journal[step.n] = step


async def open_work(store: Store, turn: Turn, stop: Stop) -> Work:
    """The work of a turn; a resumed turn's journal is read first."""
    journal = await store.run(steps, turn) if turn.attempt > 1 else []
    return Work(store, turn, journal, stop)
