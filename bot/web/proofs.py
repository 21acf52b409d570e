"""The passphrase on the page: proven over HTTP, remembered for one press of the same session, never journalled."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.web.bodies import read_capped
from bot.web.pages import PageServices
from layers.errors import Refused
from layers.types import Inbound

PROOF = "passphrase"
GOOD_FOR_S = 60.0
"""Between the passphrase and the press that it is for."""
FIRST = 428
"""The status that asks for the first passphrase, twice."""


class PassphraseBody(BaseModel):
    """What `POST /api/passphrase` carries."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    passphrase: str = Field(max_length=200)
    again: str = Field(default="", max_length=200)


class Proven:
    """Which sessions have just proven a passphrase. Of this process only: another one asks again."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def add(self, session: str) -> None:
        """From now on, for a while."""
        now = time.monotonic()
        self._until = {key: until for key, until in self._until.items() if until > now}
        self._until[name_of(session)] = now + GOOD_FOR_S

    def spend(self, session: str, inbound: Inbound) -> Inbound:
        """The press, with the proof where the session has one; it is used up by that."""
        if inbound.press is None or self._until.pop(name_of(session), 0.0) < time.monotonic():
            return inbound
        return replace(inbound, press=replace(inbound.press, proofs=(*inbound.press.proofs, PROOF)))


def name_of(session: str) -> str:
    """A session's cookie is not kept as it is."""
    return hashlib.sha256(session.encode()).hexdigest()


async def prove(request: Request, page: PageServices, person: str) -> Response:
    """Check a passphrase, or set a first one, for the session's next press.

    Raises:
        HTTPException: 403, it is wrong; 428, there is none yet; 422, the body is none.
    """
    try:
        body = PassphraseBody.model_validate_json(await read_capped(request))
    except ValidationError:
        raise HTTPException(422, 'expected {"passphrase": "..."} of at most 200 characters') from None
    is_first = not await page.passphrases.has(person)
    try:
        await page.passphrases.prove(person, body.passphrase, body.again)
    except Refused as refused:
        raise HTTPException(FIRST if is_first else 403, str(refused)) from None
    proven: Proven = request.app.state.proven
    proven.add(request.cookies.get(page.cookie, ""))
    return JSONResponse({})
