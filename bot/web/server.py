"""The Starlette application: routes, the guard in front of them, and errors as one sentence each."""

from __future__ import annotations

import logging
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from bot.web import freezing, routes
from bot.web.bodies import Allowance
from bot.web.events import Streams
from bot.web.guard import Guard
from bot.web.pages import PageServices
from bot.web.proofs import Proven
from layers.errors import BulkheadError, Refused, Unavailable

log = logging.getLogger(__name__)
STATIC = Path(__file__).parent / "static"
REVALIDATE = {"cache-control": "no-cache"}


class Assets(StaticFiles):
    """The page's files; asked for again after an upgrade, 304 otherwise."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        """The file, never served from a browser's cache unasked."""
        answer = super().file_response(*args, **kwargs)  # type: ignore[arg-type]  # passed through as it came
        answer.headers.update(REVALIDATE)
        return answer


def create_app(page: PageServices) -> Starlette:
    """The page's HTTP application. `app.state.streams.close()` ends its open streams before a stop."""
    app = Starlette(
        routes=[
            Route("/", index),
            Route("/patches/{id:str}", patch),
            Mount("/static", Assets(directory=STATIC)),
            Route("/auth", routes.auth, methods=["POST"]),
            Route("/healthz", routes.health),
            Route("/media/{digest}", routes.media),
            Route("/hooks/{name:path}", routes.hook, methods=["POST"]),
            Mount(
                "/api",
                routes=[
                    Route("/me", routes.me),
                    Route("/leave", routes.leave, methods=["POST"]),
                    Route("/messages", routes.messages, methods=["POST"]),
                    Route("/passphrase", routes.passphrase, methods=["GET", "POST"]),
                    Route("/presses", routes.presses, methods=["POST"]),
                    Route("/history", routes.history),
                    Route("/conversations", routes.conversations),
                    Route("/events", routes.stream),
                    Route("/pending", routes.pending),
                    Route("/transports", routes.transports),
                    Route("/models", routes.models),
                    Route("/patches/{id:str}", routes.patch),
                    Route("/freeze", freezing.look, methods=["GET"]),
                    Route("/freeze", freezing.put, methods=["POST"]),
                ],
            ),
        ],
        middleware=[Middleware(Guard, hosts=page.allowed_hosts)],
        exception_handlers={HTTPException: on_http_error, BulkheadError: on_our_error, Exception: on_bug},
    )
    app.state.page = page
    app.state.streams = Streams(page.store)
    app.state.allowance = Allowance()
    app.state.proven = Proven()
    return app


async def index(request: Request) -> Response:
    """The page itself. It holds no secret: what it shows, it asks for."""
    return FileResponse(STATIC / "index.html", headers=REVALIDATE)


async def patch(request: Request) -> Response:
    """The view of one patch. It holds no secret either."""
    return FileResponse(STATIC / "patch.html", headers=REVALIDATE)


async def on_http_error(request: Request, error: Exception) -> Response:
    """A refusal of the page's own."""
    if not isinstance(error, HTTPException):
        raise error
    return JSONResponse({"error": error.detail}, status_code=error.status_code, headers=error.headers)


async def on_our_error(request: Request, error: Exception) -> Response:
    """A refusal or failure of a layer; its text is meant for people."""
    status = 422 if isinstance(error, Refused) else 503 if isinstance(error, Unavailable) else 500
    return JSONResponse({"error": str(error)}, status_code=status)


async def on_bug(request: Request, error: Exception) -> Response:
    """What nobody foresaw. Details go to the log (the server writes the traceback), never to the browser."""
    log.error("page.failed", extra={"path": request.url.path, "error": type(error).__name__})
    return JSONResponse({"error": "something broke on our side; try again, the log has the details"}, status_code=500)
