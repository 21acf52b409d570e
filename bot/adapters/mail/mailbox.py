"""The mailbox over IMAP: imap-tools, which blocks, so everything here runs in a thread.

Nothing is deleted, and of other people's flags none is touched: `\\Seen` is set on what was taken, and our own copies
are moved to where sent mail belongs. Whether a mail is new is never read from `\\Seen`, which people and their programs
set and take away; it is its UID that counts.
"""

from __future__ import annotations

import asyncio
import imaplib
import re
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from imap_tools import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError, MailboxLoginError

from bot.adapters.mail.servers import MailSettings
from bot.adapters.mail.thread import Thread
from bot.adapters.mail.troubles import login_trouble, plain, refused_settings
from layers.errors import BulkheadError, Unavailable

INBOX = "INBOX"
ANSWER_S = 30.0
"""How long the server may take for one command."""
WHOLE_BYTES = 12 << 20
"""Of one mail: what is larger is not fetched whole."""
BEGINNING_BYTES = 256 << 10
SENT = ("Sent", "Sent Messages", "Sent Items", "INBOX.Sent")
FETCH = {False: "(UID INTERNALDATE BODY.PEEK[])", True: f"(UID INTERNALDATE BODY.PEEK[]<0.{BEGINNING_BYTES}>)"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """One mail as the server has it."""

    uid: int
    raw: bytes
    is_cut: bool
    arrived_at: float
    """Epoch seconds; 0 where the server does not say."""


class Mailbox:
    """One connection, logged in, with the inbox open."""

    def __init__(self, settings: MailSettings) -> None:
        """Connect and log in.

        Raises:
            AccountTrouble: the login was refused.
            Unavailable: the server cannot be reached, or not now.
            Misconfigured: what is there is no such server.
        """
        self._settings = settings
        self._sent = ""
        with translated(f"IMAP at {settings.imap}"):
            self._box = connected(settings)
            try:
                self._log_in()
                told = self._box.client.capability()[1]  # more than before the login
                self._can = frozenset((told[0] or b"").decode("ascii", "replace").upper().split())
                self._open(INBOX)
            except BaseException:
                self.drop()
                raise

    def _log_in(self) -> None:
        user, password = self._settings.imap.user, self._settings.password.get_secret_value()
        try:
            if user.isascii() and password.isascii():
                self._box.login(user, password, initial_folder=None)
            else:
                self._box.login_utf8(user, password, initial_folder=None)
        except (MailboxLoginError, imaplib.IMAP4.error) as error:
            if isinstance(error, imaplib.IMAP4.abort):
                raise
            said = error.command_result[1][0] if isinstance(error, MailboxLoginError) else error
            raise login_trouble(plain(said)) from None

    def _open(self, folder: str) -> None:
        self._box.folder.set(folder)
        told = {name: self._box.client.response(name)[1] for name in ("UIDVALIDITY", "UIDNEXT")}
        numbers = {name: int(found[0]) if found and found[0] else 0 for name, found in told.items()}
        following = numbers["UIDNEXT"] or self._box.folder.status(folder, ["UIDNEXT"]).get("UIDNEXT", 1)
        self.validity = numbers["UIDVALIDITY"]
        self.newest = following - 1
        """The highest UID there was, whether or not it still is there."""

    @property
    def can_idle(self) -> bool:
        """Whether the server tells of new mail by itself."""
        return "IDLE" in self._can

    def after(self, uid: int) -> list[int]:
        """UIDs above, ascending. (`n:*` holds the last one always, also where it is lower.)"""
        with translated("IMAP"):
            return sorted(each for each in map(int, self._box.uids(f"UID {uid + 1}:*")) if each > uid)

    def since(self, day: datetime) -> list[int]:
        """UIDs of what arrived on that day or later, ascending."""
        with translated("IMAP"):
            return sorted(map(int, self._box.uids(f"SINCE {day.day}-{MONTHS[day.month - 1]}-{day.year}")))

    def fetch(self, uid: int) -> Fetched | None:
        """One mail, or its beginning; None where it is gone."""
        with translated("IMAP"):
            answer = self._box.client.uid("FETCH", str(uid), "(RFC822.SIZE)")[1]
            size = re.search(rb"RFC822\.SIZE (\d+)", answer[0] or b"") if answer else None
            if size is None:
                return None
            is_cut = int(size[1]) > WHOLE_BYTES
            answer = self._box.client.uid("FETCH", str(uid), FETCH[is_cut])[1]
            found = next((each for each in answer or () if isinstance(each, tuple)), None)
            if found is None:
                return None
            return Fetched(uid=uid, raw=found[1], is_cut=is_cut, arrived_at=arrival(found[0]))

    def mark_seen(self, uid: int) -> None:
        """As somebody's mail program would after opening it. (The library's own would expunge as well.)"""
        with translated("IMAP"):
            self._box.client.uid("STORE", str(uid), "+FLAGS.SILENT", "(\\Seen)")

    def file_away(self, uid: int, message_id: str) -> bool:
        """Move our own copy to the sent mail; True where the server had put one there by itself."""
        with translated("IMAP"):
            self.mark_seen(uid)
            folder = self.sent_folder()
            if not folder:
                return False
            is_there = self._has(folder, message_id)
            self._open(INBOX)
            if not is_there and "MOVE" in self._can:
                self._box.move(str(uid), folder)
            return is_there

    def find(self, message_id: str) -> bool:
        """Whether a mail of ours is in the sent mail or in the inbox."""
        with translated("IMAP"):
            return any(self._has(folder, message_id) for folder in dict.fromkeys((self.sent_folder(), INBOX)) if folder)

    def sent_folder(self, *, is_made: bool = True) -> str:
        """Where sent mail is; made where there is none, unless told otherwise."""
        if not self._sent:
            folders = self._box.folder.list()
            marked = [each.name for each in folders if "\\sent" in (flag.lower() for flag in each.flags)]
            usual = [each.name for each in folders if each.name in SENT]
            self._sent = next(iter((*marked, *usual)), "")
        if not self._sent and is_made:
            try:
                self._box.folder.create(SENT[0])
                self._sent = SENT[0]
            except ImapToolsError:
                self._sent = INBOX
        return "" if self._sent == INBOX else self._sent

    def _has(self, folder: str, message_id: str) -> bool:
        self._box.folder.set(folder, readonly=True)
        return bool(self._box.uids(f'HEADER Message-ID "{message_id}"'))

    def wait(self, seconds: float) -> bool:
        """Until the server tells of something; False where it was silent. Then also the connection is alive.

        Raises:
            Unavailable: the connection is gone.
        """
        with translated("IMAP"):
            if self._box.client.untagged_responses.pop("EXISTS", None):
                return True  # it was told with the answer to another command, and is not told again
            if self.can_idle:
                with self._box.idle as idle:
                    said = idle.poll(timeout=seconds)
                return any(b"EXISTS" in each or b"RECENT" in each for each in said)
            self._box.client.noop()
            return False

    def interrupt(self) -> None:
        """From another thread: whatever waits here ends with Unavailable."""
        with suppress(OSError):
            self._box.client.sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Say good-bye where there is still somebody."""
        with suppress(Exception):
            self._box.logout()
        self.drop()

    def drop(self) -> None:
        """Let go at once, without a word."""
        with suppress(Exception):
            self._box.client.shutdown()


async def open_mailbox(settings: MailSettings, thread: Thread) -> Mailbox:
    """A `Mailbox`, made in its thread. One that nobody waits for any more is let go.

    Raises:
        As `Mailbox`.
    """
    opening = thread.begin(Mailbox, settings)
    try:
        return await asyncio.wrap_future(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(let_go)
        raise


@asynccontextmanager
async def mailbox(settings: MailSettings) -> AsyncIterator[tuple[Mailbox, Thread]]:
    """One for a moment, with the thread that it lives in; closed politely, or at once for whoever is cancelled.

    Raises:
        As `Mailbox`.
    """
    thread = Thread()
    try:
        box = await open_mailbox(settings, thread)
        try:
            yield box, thread
        except asyncio.CancelledError:
            box.interrupt()
            raise
        finally:
            closing = thread.begin(box.close)
        await asyncio.wrap_future(closing)
    finally:
        thread.end()


def let_go(future: Future[Mailbox]) -> None:
    """Of a connection that came too late."""
    if not future.cancelled() and future.exception() is None:
        future.result().drop()


MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def connected(settings: MailSettings) -> BaseMailBox:
    """A connection, by TLS wherever it is not this machine."""
    server = settings.imap
    if server.is_tls:
        return MailBox(server.host, server.port, timeout=ANSWER_S, ssl_context=settings.tls(server))
    if not server.is_here:
        return MailBoxStartTls(server.host, server.port, timeout=ANSWER_S, ssl_context=settings.tls(server))
    box = MailBoxUnencrypted(server.host, server.port, timeout=ANSWER_S)
    if "STARTTLS" in box.client.capabilities:
        box.client.starttls(settings.tls(server))
    return box


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Whatever the library raises becomes one of our errors."""
    try:
        yield
    except BulkheadError:
        raise
    except ssl.SSLError as error:
        raise refused_settings(f"{what}: TLS failed ({plain(error.reason or error)})") from None
    except (OSError, EOFError) as error:
        raise Unavailable(f"{what} cannot be reached ({plain(error)})") from None
    except (imaplib.IMAP4.error, ImapToolsError, AttributeError, ValueError) as error:
        raise Unavailable(f"{what} broke off ({plain(error)})") from None


def arrival(line: bytes) -> float:
    """INTERNALDATE of an answer, as epoch seconds."""
    found = imaplib.Internaldate2tuple(line)
    return datetime(*found[:6]).astimezone(UTC).timestamp() if found else 0.0
