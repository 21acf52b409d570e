"""A fake model server for the folder. litellm is real, and imported once per process: that takes seconds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from layers.routing import Router, parse_routes
from tests.fakes import model_server

NO_SERVERS = '[servers]\nollama = ""\nlmstudio = ""\nllamacpp = ""'
KEY = "sk-a-secret-of-the-test"


@pytest.fixture(scope="session")
def server() -> Iterator[model_server.ModelServer]:
    with model_server.running() as fake:
        yield fake


@pytest.fixture
def fake(server: model_server.ModelServer) -> model_server.ModelServer:
    server.calls.clear()
    return server


@pytest.fixture
async def router(fake: model_server.ModelServer) -> AsyncIterator[Callable[[str], Router]]:
    """Makes routers that find the fake's models as `openai/<name>`; argument: the text of routes.toml."""
    made: list[Router] = []

    def make(routes: str = "") -> Router:
        environ = {"OPENAI_BASE_URL": fake.base_url, "OPENAI_API_KEY": KEY}
        made.append(Router(environ=environ, routes=parse_routes(f"{routes}\n{NO_SERVERS}")))
        return made[-1]

    yield make
    for each in made:
        await each.close()
