"""The floor of every HTTP figure: Starlette on uvicorn and nothing else. `python -m benchmarks.echo PORT`."""

from __future__ import annotations

import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


async def echo(request: Request) -> Response:
    """What came in."""
    return Response(await request.body())


if __name__ == "__main__":
    app = Starlette(routes=[Route("/", echo, methods=["GET", "POST"])])
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="critical", lifespan="off")
