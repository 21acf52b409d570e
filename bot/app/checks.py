"""What `bulkhead doctor` tries: every part for real, without a running house and beside one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from bot.app.mail import probe_mail
from bot.app.making import make_executor, make_presenter, make_router, prepare_home, workspace_of
from bot.app.rulebook import has_database
from bot.app.slack import probe_slack
from bot.app.telegram import probe_telegram
from bot.config import Settings
from bot.doctor import Check, Probes, examine
from layers import control
from layers.coordination import Coordinator, git_version
from layers.errors import Misconfigured
from layers.presentation import Diagram, badge
from layers.store import read_store
from migrations import HEAD

PROBES: tuple[tuple[str, Callable[[Settings], Awaitable[str]]], ...] = (
    ("telegram", probe_telegram),
    ("slack", probe_slack),
    ("mail", probe_mail),
)
"""Provider -> what asks it about the account that the settings name; empty text where they name none."""
SAMPLE = "flowchart LR\n  a[Slack] --> b[Bulkhead]\n  b --> c[Agent]"


async def examine_house(settings: Settings) -> list[Check]:
    """Look at every part. A home that is not there yet is made, as the first start would.

    Raises:
        Misconfigured: the home or bulkhead.toml is so broken that nothing else can be looked at.
    """
    file = prepare_home(settings)
    workspace = workspace_of(settings, file)
    coordinator = Coordinator()
    router = make_router(settings)
    presenter = make_presenter(settings)
    executor = make_executor(settings, workspace)

    async def where() -> str:
        if not workspace.exists() or not any(workspace.iterdir()):  # the sandbox's canary needs the folder
            return f"{workspace} is made at the first start"
        return await coordinator.where(workspace)

    async def draw() -> str:
        figure = await presenter.present(Diagram(source=SAMPLE))
        if not figure.verdict.ok:
            raise Misconfigured(badge(figure.verdict))
        return f"a diagram of {figure.width} x {figure.height} pixels, checked"

    async def models() -> list[str]:
        return [model.name for model in await router.models()]

    async def sandbox() -> str:
        workspace.mkdir(parents=True, exist_ok=True)
        return await executor.start()

    async def database() -> str:
        return await look_at_database(settings)

    try:
        probes = Probes(
            git=git_version,
            workspace=where,
            sandbox=sandbox,
            trust=partial(asyncio.to_thread, control.trust, settings.home, executor.place),
            database=database,
            drawing=draw,
            models=models,
            accounts={name: partial(probe, settings) for name, probe in PROBES},
        )
        return await examine(settings, probes)
    finally:
        await executor.close()
        await presenter.close()
        await router.close()


async def look_at_database(settings: Settings) -> str:
    """Kind and schema version, read beside a server that may be running."""
    url = settings.store_url
    if not has_database(settings):
        return "SQLite, made at the first start"
    async with read_store(url) as store:
        row = await store.fetch_one("store.version")
    version = row["version_num"] if row else "(none)"
    if version != HEAD:
        raise Misconfigured(f"the schema is {version}, this Bulkhead's is {HEAD}")
    return f"{url.partition(':')[0]}, schema {version}"
