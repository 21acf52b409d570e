"""Wiring: every concrete class is named here and nowhere else. Takes `Settings`, gives a running `House`.

What one layer needs of another is passed as a function: presentation gets `look` from routing, the page gets `accept`
from the dispatcher, schedules become inbox rows through it.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from bot import schedule
from bot.adapters.console import CHANNEL as CONSOLE
from bot.adapters.console import Console, ConsoleServer
from bot.adapters.web import CHANNEL, WebChannel, keep_media, own_message, to_inbound
from bot.agent import Agent, Limits
from bot.config import FILE_NAME, BulkheadFile, Settings, first_start, load_file
from bot.dispatcher import Dispatcher, Parts, handler
from bot.prompt import Offer
from bot.status import Facts, status_text
from bot.web import PageServer, PageServices, PendingCard, create_app, listen, mint_link
from layers import control
from layers.coordination import Coordinator
from layers.errors import BulkheadError, Refused
from layers.presentation import Finding, Presenter
from layers.routing import Router, default_routes_text, load_routes
from layers.store import Store, Tx, open_store
from layers.transport import Channels, Courier, send
from layers.types import CLOCK, Address, Inbound, InboundKind, Outbound, Person

VERSION = "0.1.0"
FOR_EVER_S = 100 * 365 * 86400.0
"""What an approval that never expires gets: the database wants a time."""
ROUTES = "routes.toml"


@dataclass(slots=True, kw_only=True)
class House:
    """Everything that runs."""

    settings: Settings
    file: BulkheadFile
    store: Store
    router: Router
    presenter: Presenter
    catalog: control.Catalog
    executor: control.Executor
    coordinator: Coordinator
    console: Console
    dispatcher: Dispatcher = field(init=False)
    """Set by `open_house`: it is given what this object knows."""
    started_at: float = field(default_factory=time.time)

    def person(self, id: str) -> Person:
        """The person of that id, also one whom bulkhead.toml no longer knows."""
        return self.file.persons.get(id) or Person(id=id, name=id)

    def operator(self, id: str = "") -> Person:
        """Who sits at the command line: the named person, else the first approver, else anybody.

        Raises:
            Refused: bulkhead.toml knows no such person.
        """
        persons = self.file.persons
        if id and id not in persons:
            raise Refused(f"bulkhead.toml has no [people.{id}]; it has {', '.join(persons) or 'nobody'}")
        return persons[id or next(iter([*sorted(self.file.approvers), *persons]))]

    async def has_model(self) -> bool:
        """Whether free text can be answered."""
        return await self.router.is_connected()

    async def status(self) -> str:
        """What `/status` says."""
        found = await self.router.found()
        counts = await self.store.fetch_one("transport.counts") or {}
        return status_text(
            Facts(
                version=VERSION,
                started_at=self.started_at,
                database=self.store.dialect,
                counts=counts,
                workers=len(await self.store.fetch_all("store.workers")),
                models=tuple(model.name for model in found.models),
                model_problems=found.notes,
                sandbox=self.executor.profile,
                capabilities=control.listing(self.catalog),
                approvers=tuple(self.person(id).name for id in sorted(self.file.approvers)),
                pending=len(await self.store.run(control.pending)),
                workspace=str(workspace_of(self.settings, self.file)),
            )
        )

    async def is_quiet(self, conversation: str) -> bool:
        """Whether a conversation has nothing left to do or to say."""
        row = await self.store.fetch_one("transport.unfinished", conversation_id=conversation)
        return row is None or row["left_over"] == 0

    async def pending(self) -> list[PendingCard]:
        """What waits for a decision, for the page's list."""
        return [
            PendingCard(
                id=approval.id,
                title=approval.plan.title,
                conversation=approval.conversation_id,
                expires_at=approval.expires_at,
                key=f"a{approval.id}",
            )
            for approval in await self.store.run(control.pending)
        ]


def prepare_home(settings: Settings) -> BulkheadFile:
    """Make the home what it must be, and read bulkhead.toml.

    Raises:
        Misconfigured: the home cannot be written, or a file in it is wrong.
    """
    first_start(settings.home)
    routes = settings.home / ROUTES
    if not routes.exists():
        routes.write_text(default_routes_text(), encoding="utf-8")
    control.install_capabilities(settings.home / "capabilities")
    return load_file(settings.home / FILE_NAME)


def workspace_of(settings: Settings, file: BulkheadFile) -> Path:
    """Where `/patch` and `workspace.*` work."""
    return (settings.home / file.workspace.path).resolve()


def make_router(settings: Settings) -> Router:
    """Routing over the process's environment, which holds the providers' keys."""
    return Router(environ=dict(os.environ), routes=load_routes(settings.home / ROUTES))


def make_presenter(settings: Settings, router: Router | None = None) -> Presenter:
    """Presentation, with routing's vision model looking at each picture where there is one."""

    async def look(png: bytes, title: str) -> tuple[str, str, tuple[Finding, ...]]:
        if router is None:
            return "", "no vision model was asked", ()
        try:
            seen = await router.look(png, title)
        except BulkheadError as error:
            return "", f"the vision model could not be asked: {error}", ()
        if seen is None:
            return "", "no vision model is configured", ()
        findings = tuple(Finding("vision", "error", (), problem) for problem in seen.problems)
        return seen.model, seen.opinion, findings

    return Presenter(budget_s=settings.draw_budget_s, look=look)


@asynccontextmanager
async def open_house(settings: Settings) -> AsyncIterator[House]:
    """Open the store and start everything but the page; stop it all in the other order.

    Raises:
        Misconfigured, Unavailable: one sentence on what the operator must do.
    """
    file = prepare_home(settings)
    workspace = workspace_of(settings, file)
    async with AsyncExitStack() as stack:
        store = await open_store(settings.store_url)
        stack.push_async_callback(store.close)
        coordinator = Coordinator()
        await coordinator.create_workspace(workspace)
        catalog = control.Catalog.load(settings.home / "capabilities", workspace)
        router = make_router(settings)
        stack.push_async_callback(router.close)
        presenter = make_presenter(settings, router)
        stack.push_async_callback(presenter.close)
        executor = control.Executor(settings.home, workspace)
        stack.push_async_callback(executor.close)
        console = Console()
        house = House(
            settings=settings,
            file=file,
            store=store,
            router=router,
            presenter=presenter,
            catalog=catalog,
            executor=executor,
            coordinator=coordinator,
            console=console,
        )
        house.dispatcher = Dispatcher(store, handler(make_parts(house, workspace)), settings.concurrency, show_own)
        courier = asyncio.create_task(Courier(store, make_channels(console)).run(), name="courier")
        stack.push_async_callback(cancel, courier)
        await house.dispatcher.start()
        stack.push_async_callback(house.dispatcher.stop)
        clock = schedule.Clock(make_jobs(house))
        clock.start()
        stack.push_async_callback(clock.stop)
        await store.run(enrol)
        stack.push_async_callback(store.run, leave)
        console.connect(house.dispatcher.accept, house.is_quiet)
        warming = asyncio.create_task(router.warm(), name="warm")
        stack.push_async_callback(cancel, warming)
        yield house


def make_parts(house: House, workspace: Path) -> Parts:
    """What the dispatcher is given."""
    settings = house.settings
    approvers = tuple(person for id, person in house.file.persons.items() if id in house.file.approvers)
    limits = Limits(steps=settings.max_steps, cost_usd=settings.max_turn_cost_usd or float("inf"))
    return Parts(
        store=house.store,
        presenter=house.presenter,
        catalog=house.catalog,
        executor=house.executor,
        coordinator=house.coordinator,
        agent=Agent(house.router, make_offers(house.catalog), limits),
        workspace=workspace,
        rules=control.Rules(approvers=approvers, manifests=house.catalog.digests),
        approval_ttl_s=settings.approval_ttl_s or FOR_EVER_S,
        keep_media=keep_media,
        schedules=Schedules(),
        status=house.status,
        has_model=house.has_model,
    )


def make_offers(catalog: control.Catalog) -> list[Offer]:
    """The capabilities as the agent sees them."""
    return [
        Offer(
            id=name,
            risk=capability.manifest.risk,
            parameters=tuple(
                f"{parameter}: {spec.description}" for parameter, spec in capability.manifest.parameters.items()
            ),
            summary=capability.manifest.description,
        )
        for name, capability in sorted(catalog.capabilities.items())
    ]


def make_channels(console: Console) -> Channels:
    """Every place where messages go."""
    return {CHANNEL: WebChannel(), CONSOLE: console}


def show_own(tx: Tx, inbound: Inbound) -> None:
    """What a person says on the page is shown there, in the transaction that accepts it."""
    if inbound.address.channel == CHANNEL:
        own_message(tx, inbound)


class Schedules:
    """bot.schedule as the dispatcher wants it: in lines of text."""

    def add(self, tx: Tx, conversation: str, cron: str, timezone: str, text: str, created_by: str) -> str:
        """Keep one; its line."""
        return schedule.line(schedule.add(tx, conversation, cron, timezone, text, created_by))

    def remove(self, tx: Tx, number: int, conversation: str) -> None:
        """Forget one."""
        schedule.remove(tx, number, conversation)

    def listing(self, tx: Tx, conversation: str) -> list[str]:
        """One line each."""
        return [schedule.line(entry) for entry in schedule.listing(tx, conversation)]


def make_jobs(house: House) -> list[schedule.Job]:
    """The housekeeping of one process. Each looks before it opens a write transaction: an idle house writes nothing."""
    store, dispatcher = house.store, house.dispatcher

    async def fire() -> None:
        if await store.fetch_all("bot.schedules_due", now=time.time(), few=1):
            await store.run(fire_all)

    def accept_known(tx: Tx, inbound: Inbound) -> None:
        dispatcher.accept_in(tx, replace(inbound, person=house.person(inbound.person.id)))

    def fire_all(tx: Tx) -> None:
        for fired in schedule.fire_due(tx, accept_known):
            if note := schedule.note(fired):
                key = f"s{fired.id}.{fired.due_at:.0f}"
                send(tx, Outbound(address=Address.parse(fired.conversation_id), key=key, text=note), key)

    async def expire() -> None:
        if await store.fetch_all("control.due", now=time.time()):
            await store.run(expire_all)

    def expire_all(tx: Tx) -> None:
        for approval in control.expire(tx):
            dispatcher.accept_in(tx, expiry_of(approval))

    async def beat() -> None:
        await store.run(lambda tx: tx.run("store.beat", id=tx.worker, now=tx.now))

    return [
        schedule.Job("schedules", 1.0, fire),
        schedule.Job("expiry", 1.0, expire),
        schedule.Job("heartbeat", 15.0, beat),
    ]


def expiry_of(approval: control.Approval) -> Inbound:
    """The event that an approval ran out."""
    return Inbound(
        address=Address.parse(approval.conversation_id),
        event_id=f"expiry:{approval.id}",
        person=CLOCK,
        kind=InboundKind.EXPIRY,
        subject=approval.id,
    )


def enrol(tx: Tx) -> None:
    """Write this process down, and forget those that run no more."""
    for row in tx.all("store.workers"):
        if tx.is_gone(row["id"]):
            tx.run("store.forget", id=row["id"])
    tx.run("store.register", id=tx.worker, host=socket.gethostname(), pid=os.getpid(), now=tx.now)


def leave(tx: Tx) -> None:
    """This process ends."""
    tx.run("store.forget", id=tx.worker)


async def cancel(task: asyncio.Task[None]) -> None:
    """Cancel and wait; how it ended is of no interest any more."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def open_page(house: House) -> AsyncIterator[str]:
    """Serve the page; yields the one-use link of the first approver, or of the first person."""
    settings = house.settings
    listener = listen(settings.host, settings.port)
    port = listener.getsockname()[1]
    is_ready = False
    services = PageServices(
        store=house.store,
        to_inbound=to_inbound,
        accept=house.dispatcher.accept,
        pending=house.pending,
        ready=lambda: is_ready,
        persons=house.file.persons.get,
        port=port,
        hosts=tuple(filter(None, [settings.public_url.partition("://")[2]])),
        version=VERSION,
    )
    server = PageServer(create_app(services), listener)
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host

    async def link(person: Person) -> str:
        token = await mint_link(house.store, person.id)
        return f"{settings.public_url or f'http://{host}:{port}'}/#token={token}"

    console = ConsoleServer(house.console, house.operator, link)
    await server.start()
    await console.start(settings.home)
    is_ready = True
    try:
        yield await link(house.operator())
    finally:
        await console.stop()
        await server.stop()
