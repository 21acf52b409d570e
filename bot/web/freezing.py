"""The freeze on the page: how it is, and the buttons that set and end it. No conversation takes part, so no turn that
runs can hold it up.
"""

from __future__ import annotations

from dataclasses import asdict

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.web.bodies import read_capped
from bot.web.routes import services, signed_in
from layers.errors import Refused


class FreezeBody(BaseModel):
    """What `POST /api/freeze` carries."""

    model_config = ConfigDict(extra="forbid")
    on: bool
    reason: str = Field(default="", max_length=200)


async def look(request: Request) -> Response:
    """Whether everything is frozen, since when, by whom and why."""
    await signed_in(request)
    return JSONResponse(asdict(await services(request).freezer.look()))


async def put(request: Request) -> Response:
    """Freeze, or end it: durable when this answers.

    Raises:
        HTTPException: 403, they are no approver; 422, the body is none.
    """
    person = await signed_in(request)
    request.app.state.allowance.take(person.id)
    try:
        body = FreezeBody.model_validate_json(await read_capped(request))
    except ValidationError:
        raise HTTPException(422, 'expected {"on": true, "reason": "..."} with at most 200 characters') from None
    freezer = services(request).freezer
    try:
        await freezer.put(person, on=body.on, reason=body.reason)
    except Refused as refused:
        raise HTTPException(403, str(refused)) from None
    return JSONResponse(asdict(await freezer.look()))
