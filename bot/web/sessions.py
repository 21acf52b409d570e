"""Who sits at the browser: a one-use link token becomes a session cookie. Only hashes of either are at rest.

The link carries its token in the fragment, which browsers send to nobody; the page posts it once and gets an HttpOnly,
SameSite=Strict cookie. Hashing is plain sha256: a token is 256 random bits, so there is nothing to guess.
"""

from __future__ import annotations

import hashlib
import secrets
import time

from layers.errors import Refused
from layers.store import Store, Tx

LINK_LIFE_S = 15 * 60.0
SESSION_LIFE_S = 30 * 24 * 3600.0


async def mint_link(store: Store, person_id: str) -> str:
    """A token for `http://127.0.0.1:PORT/#token=...`, good once and for 15 minutes."""
    token = secrets.token_urlsafe(32)
    await store.run(add_link, token, person_id)
    return token


def add_link(tx: Tx, token: str, person_id: str) -> None:
    """Keep the link's hash; rows that nobody can use any more go at the same time."""
    tx.run("web.sweep_tokens", now=tx.now)
    add_token(tx, token, "link", person_id, LINK_LIFE_S)


def add_token(tx: Tx, token: str, kind: str, person_id: str, life_s: float) -> None:
    """Keep the hash of a link's or a session's token."""
    now = tx.now
    tx.run("web.add_token", token_hash=digest(token), kind=kind, person=person_id, now=now, expires_at=now + life_s)


async def open_session(store: Store, link_token: str) -> tuple[str, str]:
    """Use the link up: the new session's token and the person's id.

    Raises:
        Refused: the link was used, is too old or was never given out.
    """
    token = secrets.token_urlsafe(32)
    person = await store.run(exchange, link_token, token)
    if person is not None:
        return token, person
    row = await store.fetch_one("web.token", token_hash=digest(link_token), kind="link")
    what = "is not known" if row is None else "is too old" if row["used_at"] is None else "was used before"
    raise Refused(f"this link {what}; run `bulkhead link` for a new one")


def exchange(tx: Tx, link_token: str, session_token: str) -> str | None:
    """The person of a link that was good until now, with their session kept; None where it was not good."""
    row = tx.one("web.use_link", token_hash=digest(link_token), now=tx.now)
    if row is None:
        return None
    person = str(row["person"])
    add_token(tx, session_token, "session", person, SESSION_LIFE_S)
    return person


async def person_of(store: Store, token: str) -> str | None:
    """The id of the person whose session this is, or None."""
    if not token:
        return None
    row = await store.fetch_one("web.token", token_hash=digest(token), kind="session")
    if row is None or row["expires_at"] <= time.time():
        return None
    return str(row["person"])


async def end_session(store: Store, token: str) -> None:
    """Sign out: the cookie is worth nothing from now on."""
    await store.run(drop_session, token)


def drop_session(tx: Tx, token: str) -> None:
    """Forget the session."""
    tx.run("web.end_session", token_hash=digest(token))


def digest(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()
