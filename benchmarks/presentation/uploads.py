"""The section `uploads_refused`: pictures through the real adapters into the fake Telegram and the fake Slack.

The fakes check every upload against the providers' limits (bytes, width and height, ratio, album size, captions). The
pictures come from the real presenter: small ones, long ones, wide ones, and whole albums. Half go to each.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from benchmarks.presentation.section import Measured, Section, missed
from benchmarks.presentation.stage import ROOT, SAMPLES, corpus
from bot.adapters.slack.api import SlackApi
from bot.adapters.slack.channel import SlackChannel
from bot.dispatcher.effects import figure_buttons
from layers.errors import BulkheadError
from layers.presentation import Diagram, Figure, Presenter
from layers.store import open_store
from layers.types import Address, Outbound, Picture
from tests.adapters.telegram.rig import Rig
from tests.fakes import slack_server, telegram_server

PICTURES, FEW_PICTURES = 500, 40
PATIENCE_S = 600.0
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
    shipments = asyncio.run(made(media, 6 if is_quick else 40))
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
    """What was refused, and what never arrived."""
    with telegram_server.running() as fake:
        store = await open_store(f"sqlite:///{folder / 'telegram.db'}")
        rig = Rig(store, fake.url)
        rig.media.update(media)
        await rig.start()
        try:
            for number, shipment in enumerate(shipments):
                place = Address(channel="telegram", conversation=str(CHATS[number % len(CHATS)]))
                await rig.say(outbound(shipment, place, f"k{number}"), f"d{number}")
            expected = sum(len(shipment.pictures) for shipment in shipments)
            deadline = time.monotonic() + PATIENCE_S
            while (arrived := sum(bool(shown.file) for shown in fake.chats.shown.values())) < expected:
                if time.monotonic() > deadline:
                    return [*fake.violations, *["never arrived at Telegram"] * (expected - arrived)]
                await asyncio.sleep(0.05)
            return list(fake.violations)
        finally:
            await rig.stop()
            await store.close()


async def to_slack(shipments: list[Shipment], media: Mapping[str, bytes]) -> list[str]:
    """What was refused."""

    async def read(digest: str) -> AsyncIterator[bytes]:
        yield media[digest]

    refused: list[str] = []
    with slack_server.running(slack_server.load_spec(ROOT.parent / "shared")) as server:
        api = SlackApi(SecretStr("xoxb-secret"), server.url)
        api.open()
        channel = SlackChannel(api, read)
        try:
            for number, shipment in enumerate(shipments):
                message = outbound(shipment, Address(channel="slack", conversation="C1"), f"k{number}")
                try:
                    await channel.edit(await channel.place(message), message)
                except BulkheadError as error:
                    refused.append(f"Slack: {error}")
        finally:
            await api.close()
        return [*refused, *server.violations]


SECTIONS: Mapping[str, Section] = {
    "uploads_refused": Section(keys=("uploads_refused", "uploads"), run=run),
}
