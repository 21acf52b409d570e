"""What the page can ask for. Each route reads a request and gives one answer; errors become sentences in server.py."""

from __future__ import annotations

import re
import time
from dataclasses import asdict

from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from bot.web import events, sessions
from bot.web.bodies import HOOK_CAP_BYTES, TEXT_CAP_BYTES, TOO_LARGE, read_capped
from bot.web.pages import PageServices
from bot.web.proofs import Proven, prove
from layers.errors import Refused
from layers.transport import media_head, read_media
from layers.types import Address, InboundKind, Person

CHANNEL = "web"
CONVERSATION = re.compile(r"[a-z0-9-]{1,64}")
NO_SESSION = "no session; open the link that `bulkhead serve` or `bulkhead link` prints"
PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""Types a browser shows without running anything; all others are offered as a file."""


class LinkBody(BaseModel):
    """What `POST /auth` carries."""

    token: str


async def auth(request: Request) -> Response:
    """Turn the link's token into a session cookie."""
    page = services(request)
    request.app.state.allowance.take("auth")
    try:
        body = LinkBody.model_validate_json(await read_capped(request))
    except ValidationError:
        raise HTTPException(422, 'expected {"token": "..."} from the printed link') from None
    try:
        token, person_id = await sessions.open_session(page.store, body.token)
    except Refused as refused:
        raise HTTPException(401, str(refused)) from None
    person = known(page, person_id)
    answer = JSONResponse({"person": asdict(person)})
    answer.set_cookie(
        page.cookie,
        token,
        max_age=int(sessions.SESSION_LIFE_S),
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    return answer


async def leave(request: Request) -> Response:
    """Sign out."""
    page = services(request)
    await sessions.end_session(page.store, request.cookies.get(page.cookie, ""))
    answer = JSONResponse({})
    answer.delete_cookie(page.cookie, path="/", httponly=True, samesite="strict")
    return answer


async def me(request: Request) -> Response:
    """Who is signed in, and to what."""
    person = await signed_in(request)
    return JSONResponse({"person": asdict(person), "version": services(request).version})


async def messages(request: Request) -> Response:
    """Take a message: committed before the 202, and once however often it is posted."""
    return await take(request, InboundKind.MESSAGE)


async def presses(request: Request) -> Response:
    """Take a button press."""
    return await take(request, InboundKind.PRESS)


async def passphrase(request: Request) -> Response:
    """Whether one is set; posted, prove it for the next press, or set the first one."""
    person = await signed_in(request)
    if request.method != "POST":
        return JSONResponse({"is_set": await services(request).passphrases.has(person.id)})
    request.app.state.allowance.take(person.id)
    return await prove(request, services(request), person.id)


async def take(request: Request, kind: InboundKind) -> Response:
    """Journal what was posted and name it."""
    page = services(request)
    person = await signed_in(request)
    request.app.state.allowance.take(person.id)
    inbound = page.to_inbound(kind, await read_capped(request), person)
    if len(inbound.text.encode()) > TEXT_CAP_BYTES:
        raise HTTPException(413, TOO_LARGE)
    proven: Proven = request.app.state.proven
    await page.accept(proven.spend(request.cookies.get(page.cookie, ""), inbound))
    return JSONResponse({"id": inbound.event_id}, status_code=202)


async def history(request: Request) -> Response:
    """The newest messages of a conversation, or those before `before`."""
    await signed_in(request)
    before = number(request, "before") if "before" in request.query_params else None
    return JSONResponse(await events.history(services(request).store, conversation(request), before))


async def conversations(request: Request) -> Response:
    """The list of conversations."""
    await signed_in(request)
    return JSONResponse({"conversations": await events.conversations(services(request).store, CHANNEL)})


async def stream(request: Request) -> Response:
    """Server-sent events of a conversation, from `Last-Event-ID` or `after` on."""
    await signed_in(request)
    streams: events.Streams = request.app.state.streams
    if streams.is_full:
        raise HTTPException(503, "too many open pages; close some", {"retry-after": "5"})
    resumed = request.headers.get("last-event-id", "")
    after = int(resumed) if resumed.isascii() and resumed.isdigit() and len(resumed) < 19 else number(request, "after")
    return events.EventStream(streams, conversation(request), after)


async def pending(request: Request) -> Response:
    """The approvals that wait. `now` lets the page count down on the server's clock."""
    await signed_in(request)
    cards = await services(request).pending()
    return JSONResponse({"pending": [asdict(card) for card in cards], "now": time.time()})


async def transports(request: Request) -> Response:
    """How the providers' accounts are."""
    await signed_in(request)
    lines = await services(request).transports()
    return JSONResponse({"transports": [asdict(line) for line in lines]})


async def models(request: Request) -> Response:
    """Which models there are, and what is known of each."""
    await signed_in(request)
    lines = await services(request).models()
    return JSONResponse({"models": [asdict(line) for line in lines]})


async def patch(request: Request) -> Response:
    """A proposed patch: its files, their parts, and how it stands."""
    await signed_in(request)
    found = await services(request).patch(request.path_params["id"])
    if found is None:
        raise HTTPException(404, "no such patch; the card that led here names another by now")
    return JSONResponse({"patch": found})


async def hook(request: Request) -> Response:
    """What a provider posts. It is acknowledged by the hook's own answer, after the commit; what raises is not."""
    handle = services(request).hooks.get(request.path_params["name"])
    if handle is None:
        raise HTTPException(404, "nothing is posted to here")
    body = await read_capped(request, HOOK_CAP_BYTES, "a post to a hook holds at most 1 MiB")
    headers = {name.lower(): value for name, value in request.headers.items()}
    status, content_type, answer = await handle(headers, body)
    return Response(answer, status_code=status, media_type=content_type)


async def media(request: Request) -> Response:
    """One picture or file. Its name is its content's hash, so a browser may keep it for good."""
    await signed_in(request)
    store, digest = services(request).store, request.path_params["digest"]
    head = await media_head(store, digest)
    if head is None:
        raise HTTPException(404, "no such picture")
    headers = {"cache-control": "private, max-age=31536000, immutable"}
    kind = head.content_type
    if kind not in PICTURES:
        kind = "application/octet-stream"
        headers["content-disposition"] = "attachment"
    headers["content-length"] = str(head.size_bytes)
    return StreamingResponse(read_media(store, digest), media_type=kind, headers=headers)


async def health(request: Request) -> Response:
    """200 once everything runs."""
    if services(request).ready():
        return JSONResponse({"status": "ok"})
    return JSONResponse({"status": "starting"}, status_code=503, headers={"retry-after": "1"})


def services(request: Request) -> PageServices:
    """What the wiring gave the page."""
    page: PageServices = request.app.state.page
    return page


async def signed_in(request: Request) -> Person:
    """Whose session the cookie names.

    Raises:
        HTTPException: 401, no session.
    """
    page = services(request)
    person_id = await sessions.person_of(page.store, request.cookies.get(page.cookie, ""))
    if person_id is None:
        raise HTTPException(401, NO_SESSION)
    return known(page, person_id)


def known(page: PageServices, person_id: str) -> Person:
    """The person, if the configuration still has them."""
    person = page.persons(person_id)
    if person is None:
        raise HTTPException(401, f"{person_id!r} is no longer under [people] in bulkhead.toml")
    return person


def conversation(request: Request) -> str:
    """The key in the store of the conversation that the query names; `main` where it names none."""
    name = request.query_params.get("conversation", "main")
    if not CONVERSATION.fullmatch(name):
        raise HTTPException(422, f"conversation {name[:80]!r} is not a name; use 1 to 64 of a-z, 0-9 and -")
    return Address(channel=CHANNEL, conversation=name).id


def number(request: Request, name: str) -> int:
    """An event's id from the query; 0 where it has none."""
    value = request.query_params.get(name, "0")
    if not (value.isascii() and value.isdigit() and len(value) < 19):
        raise HTTPException(422, f"{name} {value[:40]!r} is not an event's id; use a whole number")
    return int(value)
