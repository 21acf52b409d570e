"""The way in: new mail of the inbox, in the order of its UIDs, each committed before the next one is looked at.

How far was read is (UIDVALIDITY, UID, when we began). Whatever came while nobody listened has a higher UID. When the
server gives new UIDs to everything (UIDVALIDITY differs: a restored mailbox), what arrived since we began is read again
and known by its Message-ID. Mail that was there before the account was first connected is nobody's question to us.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot.adapters.mail.letters import Clerk
from bot.adapters.mail.mailbox import Fetched, Mailbox, open_mailbox
from bot.adapters.mail.parsing import Mail, parse
from bot.adapters.mail.sending import COPIES
from bot.adapters.mail.servers import MailSettings
from bot.adapters.mail.standing import Standing
from bot.adapters.mail.thread import Thread
from bot.adapters.mail.writing import OURS
from bot.adapters.ports import Ports
from layers.errors import AccountState, AccountTrouble, BulkheadError, Unavailable

log = logging.getLogger(__name__)

IDLE_S = 240.0
"""Then IDLE is ended and begun again: servers may forget one after 30 minutes (RFC 2177), and routers do after 5; the
answer to its end also proves that somebody is there."""
POLL_S = 20.0
"""Between looks where the server has no IDLE."""
FIRST_RETRY_S, LONGEST_RETRY_S = 1.0, 60.0
DEGRADED_AFTER = 2
"""Failed connections in a row."""
TRIES = 3
"""Of one mail that breaks us. Then it is left: those behind it must not wait for ever."""
RESYNC_DAYS = 30
"""How far back a mailbox with new UIDs is read again."""
DAY_S = 86400.0
CURSOR = "INBOX"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """How far was read."""

    validity: int
    uid: int
    begun_at: float

    @classmethod
    def load(cls, text: str) -> Place | None:
        """The inverse of `dump`; None of what is not one."""
        try:
            validity, uid, begun_at = text.split()
            return cls(validity=int(validity), uid=int(uid), begun_at=float(begun_at))
        except ValueError:
            return None

    def dump(self) -> str:
        """For the cursor."""
        return f"{self.validity} {self.uid} {self.begun_at:.0f}"


class Reader:
    """Runs until stopped, or until a person must act."""

    def __init__(self, settings: MailSettings, ports: Ports, clerk: Clerk, standing: Standing) -> None:
        self._settings = settings
        self._ports = ports
        self._clerk = clerk
        self._standing = standing
        self._box: Mailbox | None = None
        self._failures = 0
        self._tries: dict[int, int] = {}
        self._thread = Thread()

    async def run(self) -> None:
        """Read for ever; cancel to stop."""
        pause_s = FIRST_RETRY_S
        try:
            while True:
                try:
                    await self._session()
                except AccountTrouble as error:
                    await self._standing.become(error.state, str(error))
                except BulkheadError as error:
                    await self._failed(str(error))
                except Exception:
                    log.exception("mail.reading_broke")
                    await self._failed("reading broke; the log says more")
                if self._standing.is_closed:
                    return
                pause_s = FIRST_RETRY_S if self._failures <= 1 else min(2 * pause_s, LONGEST_RETRY_S)
                await asyncio.sleep(pause_s)
        finally:
            if self._box is not None:
                self._box.interrupt()
            self._thread.end()

    async def _failed(self, reason: str) -> None:
        self._failures += 1
        log.warning("mail.not_connected", extra={"reason": reason})
        if self._failures >= DEGRADED_AFTER:
            await self._standing.become(AccountState.DEGRADED, reason)

    async def _session(self) -> None:
        """One connection, for as long as it holds."""
        box = self._box = await open_mailbox(self._settings, self._thread)
        try:
            place = await self._place(box)
            await self._standing.become(AccountState.HEALTHY)
            while True:
                for uid in await self._thread.run(box.after, place.uid):
                    await self._one(box, uid)
                    place = replace(place, uid=uid)
                    await self._ports.put_cursor(CURSOR, place.dump())
                self._failures = 0  # not before: whoever cannot take a mail must not log in every second
                is_told = await self._thread.run(box.wait, IDLE_S)
                if not is_told and not box.can_idle:
                    await asyncio.sleep(POLL_S)
        finally:
            self._box = None
            box.interrupt()
            await self._thread.run(box.close)

    async def _place(self, box: Mailbox) -> Place:
        """Where to go on."""
        place = Place.load(await self._ports.get_cursor(CURSOR))
        if place is None:
            place = Place(validity=box.validity, uid=box.newest, begun_at=time.time())
        elif place.validity != box.validity:
            log.warning("mail.uids_changed", extra={"before": place.validity, "after": box.validity})
            place = await self._read_again(box, place)
        await self._ports.put_cursor(CURSOR, place.dump())
        return place

    async def _read_again(self, box: Mailbox, place: Place) -> Place:
        """Everything since we began: the door knows what it has had."""
        newest = box.newest
        first = max(place.begun_at, time.time() - RESYNC_DAYS * DAY_S)
        for uid in await self._thread.run(box.since, datetime.fromtimestamp(first - DAY_S, UTC)):
            if uid <= newest:
                await self._one(box, uid, not_before=place.begun_at)
        return Place(validity=box.validity, uid=newest, begun_at=place.begun_at)

    async def _one(self, box: Mailbox, uid: int, not_before: float = 0.0) -> None:
        """One mail, committed. One that breaks us three times is left where it is, unread.

        Raises:
            BulkheadError: it was not committed, so it is read again.
        """
        try:
            fetched = await self._thread.run(box.fetch, uid)
            if fetched is None or fetched.arrived_at < not_before - 1:
                return
            mail = await asyncio.to_thread(parse, fetched.raw, is_cut=fetched.is_cut)
            if mail.sent_at is not None and mail.sent_at < not_before - 2 * DAY_S:
                return  # a restored mailbox: it all arrived today
            await self._take(box, fetched, mail)
        except BulkheadError:
            raise
        except Exception:
            self._tries[uid] = self._tries.get(uid, 0) + 1
            log.exception("mail.unreadable", extra={"uid": uid, "tries": self._tries[uid]})
            if self._tries[uid] < TRIES:
                raise Unavailable("a mail could not be taken") from None
        self._tries.pop(uid, None)

    async def _take(self, box: Mailbox, fetched: Fetched, mail: Mail) -> None:
        if mail.sender == self._settings.address and OURS.fullmatch(mail.message_id):
            if await self._clerk.is_ours(mail) and await self._thread.run(box.file_away, fetched.uid, mail.message_id):
                await self._ports.put_cursor(COPIES, "server")
            return
        name = f"{box.validity}:{fetched.uid}"
        if await self._clerk.take(mail, name):
            await self._thread.run(box.mark_seen, fetched.uid)
