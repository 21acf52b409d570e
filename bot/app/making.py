"""The parts that need nothing but the settings, and the home they live in."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from pathlib import Path

from bot.config import FILE_NAME, FIRST_WORKSPACE, BulkheadFile, Settings, first_start, load_file
from layers import control
from layers.coordination import ForeignPolicy
from layers.errors import Misconfigured
from layers.presentation import Answered, Ask, Judge, Presenter, Question
from layers.routing import Ledger, Message, Role, Router, Shape, Staying, Task, default_routes_text, load_routes
from layers.store import Store

VERSION = "0.1.0"
ROUTES = "routes.toml"
LOOK_S = 45.0
"""Seconds for one look at a picture, or one patch of its spec."""


def prepare_home(settings: Settings) -> BulkheadFile:
    """Make the home what it must be, and read bulkhead.toml.

    Raises:
        Misconfigured: the home cannot be written, or a file in it is wrong.
    """
    first_start(settings.home)
    routes = settings.home / ROUTES
    try:
        if not routes.exists():
            routes.write_text(default_routes_text(), encoding="utf-8")
        control.install_capabilities(settings.home / "capabilities")
        control.install_policy(settings.home)
    except OSError as error:
        raise Misconfigured(
            f"{str(error.filename)!r} cannot be made ({error.strerror}); move away what is in its place, or make room"
        ) from None
    return load_file(settings.home / FILE_NAME)


def workspace_of(settings: Settings, file: BulkheadFile) -> Path:
    """Where `/patch` and `workspace.*` work."""
    return (settings.home / file.workspace.path).resolve()


def workspaces_of(settings: Settings, file: BulkheadFile) -> dict[str, Path]:
    """Every workspace that `bulkhead.toml` declares, by its name."""
    others = {name: (settings.home / table.path).resolve() for name, table in file.workspaces.items()}
    return {FIRST_WORKSPACE: workspace_of(settings, file), **others}


def policies_of(settings: Settings, file: BulkheadFile) -> dict[Path, ForeignPolicy]:
    """What becomes of edits that nobody has committed, by workspace."""
    policies = {name: table.foreign for name, table in file.workspaces.items()}
    policies[FIRST_WORKSPACE] = file.workspace.foreign
    return {path: policies[name] for name, path in workspaces_of(settings, file).items()}


def names_of(workspaces: Mapping[str, Path]) -> tuple[str, ...]:
    """What cards and policies call the workspaces: nothing, where there is but one."""
    return tuple(workspaces) if len(workspaces) > 1 else ()


def staying_of(settings: Settings, file: BulkheadFile) -> Staying:
    """What of the workspaces is told to no model on another machine."""
    kept = {name for name, table in file.workspaces.items() if table.local_only}
    folders = {str(path) for name, path in workspaces_of(settings, file).items() if name in kept}
    return Staying(names=kept | folders, all=file.workspace.local_only)


def make_router(settings: Settings, store: Store | None = None, staying: Staying | None = None) -> Router:
    """Routing over the process's environment, which holds the providers' keys.

    Servers on this machine are looked for unless the settings say no; those that routes.toml names are asked anyway.
    Without a store nothing is written down, and no budget holds.
    """
    routes = load_routes(settings.home / ROUTES)
    if not settings.discover_models:
        routes = routes.only_named()
    ledger = Ledger(store) if store else None
    return Router(environ=dict(os.environ), routes=routes, ledger=ledger, staying=staying or Staying())


def make_presenter(settings: Settings, router: Router | None = None, store: Store | None = None) -> Presenter:
    """Presentation; where there are models, one that sees judges each picture and another may patch a spec."""
    if router is None:
        return Presenter(budget_s=settings.draw_budget_s)

    async def patch(question: str) -> str | None:
        if not await router.is_connected():
            return None
        message = Message(role=Role.USER, content=question)
        reply = await router.complete(Task(messages=(message,), shape=Shape.CODE, timeout_s=LOOK_S, has_contract=False))
        return reply.text

    return Presenter(budget_s=settings.draw_budget_s, judge=Judge(judge_of(router), store), patch=patch)


def judge_of(router: Router) -> Ask:
    """Whoever of the connected models sees."""

    async def ask(question: Question) -> Answered | None:
        message = Message(role=Role.USER, content=question.prompt, images=question.images)
        task = Task(messages=(message,), timeout_s=LOOK_S, answer=question.answer)
        reply = await router.look(task, question.is_usable, question.avoid)
        return Answered(model=reply.model, text=reply.text, cost_usd=reply.cost_usd) if reply else None

    return ask


def make_executor(settings: Settings, workspace: Path) -> control.Executor:
    """The way to the executor: a child of this process, or the service that the settings name."""
    place = control.Place(address=settings.executor_socket, user=settings.executor_user)
    return control.Executor(settings.home, workspace, place)


def executor_command(settings: Settings, environ: Mapping[str, str]) -> tuple[str, list[str], dict[str, str]]:
    """Program, arguments and environment of an executor that listens by itself.

    Raises:
        Misconfigured: it has no socket to listen on, or nobody of that name may ask.
    """
    if not settings.executor_socket:
        raise Misconfigured("BULKHEAD_EXECUTOR_SOCKET is empty; name the socket that executor and server share")
    workspace = workspace_of(settings, prepare_home(settings))
    peer = settings.executor_peer or str(os.geteuid())
    try:
        uid = int(peer) if peer.isdigit() else pwd.getpwnam(peer).pw_uid
    except KeyError:
        raise Misconfigured(f"BULKHEAD_EXECUTOR_PEER is {peer!r}; this machine has no such user") from None
    place = control.Place(address=settings.executor_socket, user=settings.executor_user)
    return control.service_command(settings.home, workspace, place, uid, environ)
