"""The house: store, layers, dispatcher and clock, started in order and stopped in the other."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections import ChainMap
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

from bot import schedule
from bot.adapters.console import CHANNEL as CONSOLE
from bot.adapters.console import Console, ConsoleChannel
from bot.adapters.ports import Hook
from bot.adapters.web import CHANNEL, WebChannel, own_message
from bot.agent import Agent, Limits
from bot.app.door import Door
from bot.app.edits import EditWatch
from bot.app.forms import Forms
from bot.app.jobs import Schedules, frost, make_jobs
from bot.app.mail import make_mail
from bot.app.making import (
    VERSION,
    make_executor,
    make_presenter,
    make_router,
    names_of,
    policies_of,
    prepare_home,
    staying_of,
    workspace_of,
    workspaces_of,
)
from bot.app.providers import Providers, open_providers
from bot.app.rulebook import members_of, open_policy, read_catalog, rules_now
from bot.app.slack import make_slack
from bot.app.telegram import make_telegram
from bot.app.witness import Witness
from bot.config import BulkheadFile, Settings
from bot.dispatcher import Dispatcher, HouseDesk, Parts, capabilities, handler, heed, rescuer
from bot.prompt import Offer
from bot.status import Facts, status_text
from bot.web import PendingCard, TransportLine
from layers import control
from layers.coordination import Coordinator
from layers.errors import Misconfigured, Refused
from layers.presentation import Presenter
from layers.routing import Router
from layers.store import Store, Tx, open_store
from layers.transport import (
    Courier,
    FilePerson,
    LocalChannel,
    RemoteChannel,
    Rules,
    approvers,
    put_media,
    said,
    standings,
    synchronise,
)
from layers.types import Address, Inbound, Person

FOR_EVER_S = 100 * 365 * 86400.0
"""What an approval that never expires gets: the database wants a time."""

NOTES = f"{CHANNEL}:main"
"""The page's conversation, where its owner is told of messages that did not arrive."""
CHANNELS: dict[str, LocalChannel | RemoteChannel | None] = {CHANNEL: WebChannel(), CONSOLE: ConsoleChannel()}
"""The places for messages that need no provider."""


@dataclass(slots=True, kw_only=True)
class House:
    """Everything that runs."""

    settings: Settings
    file: BulkheadFile
    store: Store
    router: Router
    presenter: Presenter
    catalog: control.Catalog
    policy: control.PolicyFile
    executor: control.Executor
    signer: control.SigningKey
    coordinator: Coordinator
    dispatcher: Dispatcher = field(init=False)
    """Set by `open_house`: it is given what this object knows."""
    hooks: Mapping[str, Hook] = field(init=False)
    """What providers may post to, by name."""
    started_at: float = field(default_factory=time.time)

    def operator(self, id: str = "") -> Person:
        """Who sits at the command line: the named person, else the first approver, else anybody.

        Raises:
            Refused: bulkhead.toml knows no such person.
            Misconfigured: it knows nobody.
        """
        return operator_of(self.file, id)

    def rules(self, tx: Tx) -> control.Rules:
        """Who may decide and what the manifests are, at this moment."""
        return rules_now(self.file, self.catalog, self.policy, self.signer, tx)

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
                accounts=tuple(
                    f"{row['channel']} is {row['state']}: {row['reason']}"
                    for row in await self.store.fetch_all("transport.accounts")
                    if row["state"] != "healthy"
                ),
                workers=len(await self.store.fetch_all("store.workers")),
                models=tuple(model.name for model in found.models),
                model_problems=found.notes,
                sandbox=self.executor.profile,
                capabilities=capabilities(self.catalog),
                policy=self.policy.summary,
                policy_problem=self.policy.problem,
                approvers=tuple(person.name for person in await self.store.run(approvers)),
                pending=len(await self.store.run(control.pending)),
                frozen=(await control.look_freeze(self.store)).line,
                drills=(await control.look_drills(self.store)).line,
                workspaces=workspaces_of(self.settings, self.file),
            )
        )

    @property
    def console(self) -> Console:
        """The way in for the command line."""
        return Console(self.dispatcher.accept, partial(said, self.store), self.is_quiet)

    @property
    def desk(self) -> HouseDesk:
        """Where other actors hand in patches."""
        spaces = workspaces_of(self.settings, self.file)
        return HouseDesk(self.store, self.coordinator, spaces, self.operator, self.dispatcher.take)

    async def is_quiet(self, conversation: str) -> bool:
        """Whether a conversation has nothing left to do or to say."""
        row = await self.store.fetch_one("transport.unfinished", conversation_id=conversation)
        return row is None or row["left_over"] == 0

    async def pending(self) -> list[PendingCard]:
        """What waits for a decision, for the page's list."""
        return await self.store.run(pending_cards)

    async def transports(self) -> list[TransportLine]:
        """How the providers' accounts are, for the page's list."""
        return [
            TransportLine(
                channel=each.account.channel,
                state=each.account.state.value,
                reason=each.account.reason,
                since=each.account.since,
                waiting=each.waiting,
                resume=f"h:resume:{each.account.channel}" if each.account.is_closed else "",
            )
            for each in await self.store.run(standings)
        ]


def operator_of(file: BulkheadFile, id: str) -> Person:
    """See `House.operator`."""
    persons = file.persons
    if not persons:
        raise Misconfigured("bulkhead.toml names nobody; add a table [people.owner] with approver = true")
    if id and id not in persons:
        raise Refused(f"bulkhead.toml has no [people.{id}]; it has {', '.join(persons) or 'nobody'}")
    return persons[id or next(iter([*sorted(file.approvers), *persons]))]


def pending_cards(tx: Tx) -> list[PendingCard]:
    """What waits, each where the page shows it; what it does not show is named by where it was asked for."""
    found = []
    for approval in control.pending(tx):
        shown = [place.conversation_id for place in control.places(tx, approval.id)]
        on_page = [place for place in (approval.conversation_id, *shown) if Address.parse(place).channel == CHANNEL]
        card = PendingCard(
            id=approval.id,
            title=approval.plan.title,
            conversation=next(iter(on_page), approval.conversation_id),
            expires_at=approval.expires_at,
            key=f"a{approval.id}",
        )
        found.append(card)
    return found


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
        await store.run(synchronise, file_people(file))
        coordinator = await open_coordinator(settings, file, store)
        catalog = read_catalog(settings, file)
        policy = open_policy(settings.home, members_of(file), catalog)
        router = make_router(settings, store, staying_of(settings, file))
        stack.push_async_callback(router.close)
        presenter = make_presenter(settings, router, store)
        stack.push_async_callback(presenter.close)
        executor = make_executor(settings, workspace)
        stack.push_async_callback(executor.close)
        house = House(
            settings=settings,
            file=file,
            store=store,
            router=router,
            presenter=presenter,
            catalog=catalog,
            policy=policy,
            executor=executor,
            signer=control.SigningKey.open(settings.home / "keys"),
            coordinator=coordinator,
        )
        parts = make_parts(house)
        house.dispatcher = make_dispatcher(house, parts)
        providers = make_providers(house)
        await store.run(enrol, house.signer.raw)
        stack.push_async_callback(store.run, leave)
        courier = asyncio.create_task(make_courier(house, providers).run(), name="courier")
        stack.push_async_callback(cancel, courier)
        await house.dispatcher.start()
        stack.push_async_callback(house.dispatcher.stop)
        clock = schedule.Clock(jobs_of(house))
        clock.start()
        stack.push_async_callback(clock.stop)
        edits = EditWatch(store, coordinator, house.dispatcher)
        await stack.enter_async_context(open_providers(providers))  # last in, first out: nobody is heard who waits
        for name, work in (("edits", edits.run()), ("warm", router.warm())):
            stack.push_async_callback(cancel, asyncio.create_task(work, name=name))
        yield house


def make_dispatcher(house: House, parts: Parts) -> Dispatcher:
    """Who works through what comes in."""
    on_accept = partial(taken_in, house)
    return Dispatcher(house.store, handler(parts), house.settings.concurrency, on_accept, rescuer(parts))


def make_courier(house: House, providers: Providers) -> Courier:
    """Who takes everything out."""
    rules = Rules(policies=house.file.policies, notes=NOTES)
    return Courier(house.store, ChainMap(providers.channels, CHANNELS), rules=rules)


def jobs_of(house: House) -> list[schedule.Job]:
    """The housekeeping of this process."""
    witness = Witness(house.store, house.settings.home, house.signer, house.file.audit.conversation)
    jobs = make_jobs(house.store, house.dispatcher, witness, house.policy)
    return [frost(house.store, house.executor), *jobs]


def make_providers(house: House) -> Providers:
    """The accounts that have a token, and their hooks for the page's server."""
    settings = house.settings
    makes = (
        ("slack", partial(make_slack, settings)),
        ("telegram", partial(make_telegram, settings)),
        ("mail", partial(make_mail, settings, house.store)),
    )
    door, forms = Door(house.store, house.dispatcher), Forms(house.store, house.rules)
    providers = Providers(house.store, door, forms, makes)
    house.hooks = providers.hooks
    return providers


async def open_coordinator(settings: Settings, file: BulkheadFile, store: Store) -> Coordinator:
    """The first workspace is made where there is none; the others must be there."""
    coordinator = Coordinator(store, policies=policies_of(settings, file))
    await coordinator.create_workspace(workspace_of(settings, file))
    await coordinator.declare(workspaces_of(settings, file))
    return coordinator


def make_parts(house: House) -> Parts:
    """What the dispatcher is given."""
    settings = house.settings
    spaces = workspaces_of(settings, house.file)
    limits = Limits(
        steps=settings.max_steps,
        cost_usd=settings.max_turn_cost_usd or float("inf"),
        call_s=settings.model_timeout_s,
    )
    return Parts(
        store=house.store,
        presenter=house.presenter,
        catalog=house.catalog,
        executor=house.executor,
        coordinator=house.coordinator,
        agent=Agent(house.router, make_offers(house.catalog), limits, names_of(spaces)),
        workspaces=spaces,
        rules=house.rules,
        signer=house.signer,
        approval_ttl_s=settings.approval_ttl_s or FOR_EVER_S,
        keep_media=put_media,
        schedules=Schedules(),
        status=house.status,
        has_model=house.has_model,
        models=house.router.models,
        policies=house.file.policies,
        notes=NOTES,
        page=settings.public_url or (f"http://{settings.host}:{settings.port}" if settings.port else ""),
    )


def file_people(file: BulkheadFile) -> list[FilePerson]:
    """The people of bulkhead.toml, for the register."""
    return [
        FilePerson(person=file.persons[id], is_approver=id in file.approvers, identities=table.identities)
        for id, table in file.people.items()
    ]


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


def taken_in(house: House, tx: Tx, inbound: Inbound, inbox_id: int) -> None:
    """In the transaction that accepts: what a person says on the page is shown there, and what is urgent is done."""
    if inbound.address.channel == CHANNEL:
        own_message(tx, inbound)
    heed(tx, inbound, inbox_id, house.rules)


def enrol(tx: Tx, public_key: bytes) -> None:
    """Write this process down, and forget those that run no more.

    Raises:
        Misconfigured: the fleet seals its requests with another key.
    """
    control.adopt_key(tx, public_key)
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
