"""The section `uploads_refused`: pictures through the real adapters into the fake Telegram and the fake Slack.

The fakes check every upload against the providers' limits (bytes, width and height, ratio, album size, captions). The
pictures come from the real presenter: small ones, long ones, wide ones, and whole albums. Half go to each.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from pydantic import SecretStr

from benchmarks.presentation.section import Measured, Section, missed
from benchmarks.presentation.stage import ROOT, SAMPLES, corpus
from bot.adapters.slack.api import SlackApi
from bot.adapters.slack.channel import SlackChannel
from bot.adapters.telegram import Telegram
from bot.dispatcher.effects import figure_buttons
from layers.errors import AccountState, BulkheadError, RateLimited
from layers.presentation import Diagram, Figure, Presenter
from layers.store import open_store
from layers.types import Address, Inbound, Outbound, Picture
from tests.adapters.ports import make_ports
from tests.fakes import slack_server, telegram_server

PICTURES, FEW_PICTURES = 500, 40
CHATS = tuple(range(40, 120))
"""Telegram lets one chat have a message a second, so they are spread."""


def group(number: int) -> str:
    """A frame with eight boxes."""
    links = "\n".join(f"a{number}_{i}[Part {i} of {number}] --> a{number}_{i + 1}" for i in range(7))
    return f"subgraph g{number}[Group {number}]\n{links}\nend"


EXTREME = (
    "flowchart LR\n" + " --> ".join(f"n{i}[Step number {i}]" for i in range(40)),
    "flowchart TD\n" + " --> ".join(f"n{i}[Step number {i}]" for i in range(40)),
    "flowchart TD\n" + "\n".join(f"hub[A hub] --> n{i}[Leaf {i} with some more words]" for i in range(30)),
    "flowchart LR\n" + "\n".join(group(g) for g in range(7)) + "\n".join(f"\na{g}_3 --> a{g + 1}_0" for g in range(6)),
    "sequenceDiagram\n" + "\n".join(f"A{i % 9}->>A{(i + 1) % 9}: message number {i}" for i in range(40)),
    "gantt\ndateFormat YYYY-MM-DD\nsection One"
    + "".join(f"\nTask {i} :t{i}, 2026-01-{i + 1:02}, 5d" for i in range(25)),
    "pie\n" + "\n".join(f'"Slice {i}" : {i + 1}' for i in range(10)),
)


@dataclass(frozen=True, slots=True)
class Shipment:
    """A message's pictures."""

    pictures: tuple[Picture, ...]


def run(folder: Path, is_quick: bool) -> Measured:
    """Uploads that were refused, of how many, and why."""
    count = FEW_PICTURES if is_quick else PICTURES
    media: dict[str, bytes] = {}
    shipments = asyncio.run(made(media, 2 if is_quick else 40))
    half = list(enough(shipments, count // 2))
    telegram = asyncio.run(to_telegram(folder, half, media))
    slack = asyncio.run(to_slack(half, media))
    refused = [*telegram, *slack]
    sent = 2 * sum(len(shipment.pictures) for shipment in half)
    return Measured(
        printed={"uploads_refused": len(refused), "uploads": sent},
        misses=missed(
            {
                f"no upload is refused: {sorted(set(refused))[:5]}": not refused,
                f"{count} pictures were sent, not {sent}": sent >= count,
            }
        ),
    )


async def made(media: dict[str, bytes], real: int) -> list[Shipment]:
    """Everything that passes, as it would be posted."""
    presenter = Presenter(budget_s=30)
    found: list[Shipment] = []
    try:
        for source in (*EXTREME, *SAMPLES, *corpus(real, seed=9)):
            for surface in ("telegram", "print"):
                try:
                    figure = await presenter.present(Diagram(source=source, surface=surface))
                except BulkheadError:
                    continue
                if figure.verdict.ok:
                    found.append(Shipment(tuple(pictures_of(figure, media))))
    finally:
        await presenter.close()
    return found


def pictures_of(figure: Figure, media: dict[str, bytes]) -> Iterator[Picture]:
    """The first page and the others."""
    pages = [(figure.png, figure.alt, figure.width, figure.height)]
    pages += [(page.png, page.alt, page.width, page.height) for page in figure.further]
    for png, alt, width, height in pages:
        digest = hashlib.sha256(png).hexdigest()
        media[digest] = png
        yield Picture(digest=digest, alt=alt, width=width, height=height)


def enough(shipments: list[Shipment], count: int) -> Iterator[Shipment]:
    """Over and over until there are so many pictures."""
    sent = 0
    for shipment in itertools.cycle(shipments):
        if sent >= count:
            return
        sent += len(shipment.pictures)
        yield shipment


def outbound(shipment: Shipment, place: Address, key: str) -> Outbound:
    """The message that shows it."""
    first, *further = shipment.pictures
    buttons = figure_buttons("f" * 16, is_shown=True)
    text = "**A picture** · ✓ checked"
    return Outbound(address=place, key=key, text=text, picture=first, album=tuple(further), buttons=buttons)


async def to_telegram(folder: Path, shipments: list[Shipment], media: Mapping[str, bytes]) -> list[str]:
    """What was refused."""

    async def read(digest: str) -> AsyncIterator[bytes]:
        yield media[digest]

    async def accept(_inbound: Inbound) -> bool:
        return True

    async def changed(_state: AccountState, _reason: str) -> None:
        return None

    with telegram_server.running() as fake:
        store = await open_store(f"sqlite:///{folder / 'telegram.db'}")
        ports = replace(make_ports(store, "telegram", {}, accept, changed), media=read)
        channel = Telegram(telegram_server.TOKEN, ports, fake.url, "")
        await channel.start()
        try:
            return [*await shipped(channel, "telegram", shipments), *fake.violations]
        finally:
            await channel.stop()
            await store.close()


async def shipped(channel: Telegram | SlackChannel, name: str, shipments: list[Shipment]) -> list[str]:
    """Place and show every message; the refusals."""
    refused: list[str] = []
    for number, shipment in enumerate(shipments):
        place = CHATS[number % len(CHATS)] if name == "telegram" else "T1/C1"
        message = outbound(shipment, Address(channel=name, conversation=str(place)), f"k{number}")
        try:
            reference = await patiently(partial(channel.place, message))
            await patiently(partial(channel.edit, reference, message))
        except BulkheadError as error:
            refused.append(f"{name}: {error}")
    return refused


async def patiently(doing: Callable[[], Awaitable[str]]) -> str:
    """A provider that asks to wait refuses nothing."""
    while True:
        try:
            return await doing()
        except RateLimited as error:
            await asyncio.sleep(error.retry_after_s)


async def to_slack(shipments: list[Shipment], media: Mapping[str, bytes]) -> list[str]:
    """What was refused."""

    async def read(digest: str) -> AsyncIterator[bytes]:
        yield media[digest]

    with slack_server.running(slack_server.load_spec(ROOT.parent / "shared")) as server:
        api = SlackApi(SecretStr("xoxb-secret"), server.url)
        api.open()
        try:
            return [*await shipped(SlackChannel(api, read), "slack", shipments), *server.violations]
        finally:
            await api.close()


SECTIONS: Mapping[str, Section] = {
    "uploads_refused": Section(keys=("uploads_refused", "uploads"), run=run),
}
