"""The parts that need nothing but the settings, and the home they live in."""

from __future__ import annotations

import os
from pathlib import Path

from bot.config import FILE_NAME, BulkheadFile, Settings, first_start, load_file
from layers import control
from layers.errors import BulkheadError, Misconfigured
from layers.presentation import Finding, Presenter
from layers.routing import Router, default_routes_text, load_routes

VERSION = "0.1.0"
ROUTES = "routes.toml"


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
    except OSError as error:
        raise Misconfigured(
            f"{str(error.filename)!r} cannot be made ({error.strerror}); move away what is in its place, or make room"
        ) from None
    return load_file(settings.home / FILE_NAME)


def workspace_of(settings: Settings, file: BulkheadFile) -> Path:
    """Where `/patch` and `workspace.*` work."""
    return (settings.home / file.workspace.path).resolve()


def make_router(settings: Settings) -> Router:
    """Routing over the process's environment, which holds the providers' keys.

    Servers on this machine are looked for unless the settings say no; those that routes.toml names are asked anyway.
    """
    routes = load_routes(settings.home / ROUTES)
    if not settings.discover_models:
        routes = routes.only_named()
    return Router(environ=dict(os.environ), routes=routes)


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


def make_executor(settings: Settings, workspace: Path) -> control.Executor:
    """The way to the executor: a child of this process, or the service that the settings name."""
    place = control.Place(address=settings.executor_socket, user=settings.executor_user)
    return control.Executor(settings.home, workspace, place)
