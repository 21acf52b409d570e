"""What Slack tells, by Socket Mode or over HTTP, to what it means for us: committed before anything is acknowledged."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from pydantic import ValidationError

from bot.adapters.ports import Ports, Welcome
from bot.adapters.slack.api import SlackApi, trouble_of
from bot.adapters.slack.assistant import Assistant
from bot.adapters.slack.files import Downloads
from bot.adapters.slack.forms import Answer, Forms, filled, opening
from bot.adapters.slack.history import History
from bot.adapters.slack.home import Home
from bot.adapters.slack.payloads import AssistantThread, HomeOpened
from bot.adapters.slack.reading import Heard, Me, asked, ended, heard
from bot.adapters.slack.shortcut import modal, place_of, refusal
from bot.adapters.storable import storable
from layers.errors import AccountState, BulkheadError, Unavailable
from layers.types import Attachment, InboundKind

log = logging.getLogger(__name__)

LIMITED_S = 60.0
"""Slack counts events by the minute."""

Spawn = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]


class Intake:
    """One for both ways in."""

    def __init__(self, api: SlackApi, ports: Ports, spawn: Spawn) -> None:
        self._api = api
        self._ports = ports
        self._spawn = spawn
        self._downloads = Downloads(api, ports)
        self._fetching: dict[str, asyncio.Task[Welcome]] = {}
        self.history = History(api, ports, self.take)
        self.assistant = Assistant(api, ports, spawn)
        self.home = Home(api, ports)
        self.forms = Forms(api, ports)
        self.me: Me | None = None
        """Known once Slack said it."""
        self.site = ""
        """The workspace's address."""
        self.limited_until = 0.0
        """Until when Slack holds events back, monotonic seconds."""

    async def take(self, body: Mapping[str, Any]) -> Answer:
        """One envelope. What raises here is not acknowledged, so Slack brings it again."""
        try:
            body = storable(dict(body))
        except RecursionError:  # it would be the same again
            log.error("slack.unreadable", extra={"event": "nested too deeply"})
            return ""
        if trouble := trouble_of(ended(body)):
            self._api.stop_calling(trouble)
            return ""
        if self.me is None:
            raise Unavailable("it is not known yet which bot this is")
        if await self._aside(body, self.me):
            return ""
        if (form := filled(body)) is not None:
            return await self.forms.fill(form)
        event = heard(body, self.me)
        if event is not None and (wish := opening(body, event)) is not None:
            self._spawn(self.forms.open(wish, event))  # its trigger lives for three seconds, counted from the press
            return ""
        if event is None or not await self._concerns_us(event):
            return ""
        is_question = body.get("type") == "view_submission"
        is_named = event.kind is InboundKind.PRESS or not await self.assistant.is_one(event.address)
        is_first = not is_named and not await self._ports.takes_part(event.address.id, event.event_id)
        welcome = await self._accept(event)
        if welcome.person is not None:
            await self._note(event)
        if welcome.person is not None and welcome.is_new and not is_named:
            if is_first:
                self.assistant.name(event.address, event.text)
            await self.assistant.work(event.address)
        if welcome.note and is_question:
            return refusal(welcome.note)
        return welcome.note if "command" in body else ""

    async def _concerns_us(self, event: Heard) -> bool:
        """A reply without a mention does where we were spoken to, or spoke, in its thread."""
        if event.is_addressed:
            return True
        return await self._ports.takes_part(event.address.id, f"{event.channel}:{event.address.thread}")

    async def _accept(self, event: Heard) -> Welcome:
        try:
            if not event.files:
                return await self._ports.accept(event.inbound())
            return await self._with_files(event)
        except Exception:
            log.exception("slack.not_accepted")
            raise

    async def _with_files(self, event: Heard) -> Welcome:
        """Fetching takes longer than Slack waits: what it brings again meanwhile waits for the same fetch."""
        task = self._fetching.get(event.event_id)
        if task is None:
            task = asyncio.create_task(self._fetch(event))
            self._fetching[event.event_id] = task
            task.add_done_callback(lambda done: self._fetched(event.event_id, done))
        return await asyncio.shield(task)

    async def _fetch(self, event: Heard) -> Welcome:
        attachments: tuple[Attachment, ...] = ()
        if await self._ports.knows(event.identity):  # strangers fill no disk
            attachments = await self._downloads.take(event.files)
        return await self._ports.accept(event.inbound(attachments))

    def _fetched(self, event_id: str, task: asyncio.Task[Welcome]) -> None:
        self._fetching.pop(event_id, None)
        if not task.cancelled():
            task.exception()  # whoever waited has it; nobody may wait any more

    async def _note(self, event: Heard) -> None:
        """How far its place was read. Under a mention in a channel there may be replies that mention nobody."""
        if not event.stamp:
            return
        thread = event.address.thread
        await self.history.note(f"{event.channel}:{thread}" if thread else event.channel, event.stamp)
        if not thread and not event.is_direct:
            await self.history.note(f"{event.channel}:{event.stamp}", event.stamp, can_wait=True)

    async def _aside(self, body: Mapping[str, Any], me: Me) -> bool:
        """What is no event of a conversation; whether it was that."""
        if body.get("type") == "app_rate_limited":
            self.limited_until = time.monotonic() + LIMITED_S
            await self._ports.changed(AccountState.DEGRADED, "Slack holds events back: more than 30,000 in an hour")
            return True
        if (shortcut := asked(body)) is not None:
            view = modal(place_of(shortcut))
            self._spawn(self._open(shortcut.trigger_id, view))
            return True
        event = body.get("event")
        kind = event.get("type") if isinstance(event, Mapping) else ""
        try:
            if kind == "assistant_thread_started" and isinstance(event, Mapping):
                await self.assistant.begin(AssistantThread.model_validate(event.get("assistant_thread")))
            elif kind == "app_home_opened":
                opened = HomeOpened.model_validate(event)
                if opened.tab == "home":
                    self._spawn(self.home.show(opened.user, me, self.site))
            else:
                return False
        except ValidationError:
            log.info("slack.unreadable", extra={"event": kind})
        return True

    async def _open(self, trigger: str, view: dict[str, Any]) -> None:
        try:
            await self._api.call("views.open", trigger_id=trigger, view=view)
        except BulkheadError as error:  # its trigger lives for three seconds; the person presses again
            log.warning("slack.modal_not_opened", extra={"error": type(error).__name__})

    async def close(self) -> None:
        """Let go of what is being fetched: it was not acknowledged."""
        fetching = list(self._fetching.values())
        for task in fetching:
            task.cancel()
        await asyncio.gather(*fetching, return_exceptions=True)
