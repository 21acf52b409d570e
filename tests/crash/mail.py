"""Mail as a surface: a real Dovecot and a real Exim, with something on the way to Exim that loses its answers.

Room n is the thread of Anna's n-th mail. What she sees is what lies in her mailbox, copies counted.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy

from tests.crash.surfaces import Seen
from tests.fakes import mail_servers
from tests.fakes.house import House
from tests.fakes.mail_servers import DOMAIN, PASSWORD, MailServers, text_of
from tests.fakes.tcp_proxy import Proxy

OWNER = "anna"
READING = "mail.health state='healthy'"
"""In the server's log, once it waits for mails."""


class MailSurface:
    """Anna's mailbox and the bot's."""

    rest_s = 6.0
    """An answer that was lost is looked for among the mails that were sent; that takes a while."""

    def __init__(self, servers: MailServers, proxy: Proxy) -> None:
        self._servers = servers
        self._proxy = proxy
        self._threads: dict[int, str] = {}
        self._read: dict[str, tuple[str, Seen]] = {}
        """File -> (the mail that it answers, what it says)."""
        self.violations: list[str] = []
        self.env = {
            "BULKHEAD_MAIL_ADDRESS": f"bot@{DOMAIN}",
            "BULKHEAD_MAIL_PASSWORD": PASSWORD,
            "BULKHEAD_MAIL_IMAP_URL": f"imap://bot@127.0.0.1:{servers.imap}",
            "BULKHEAD_MAIL_SMTP_URL": f"smtp://127.0.0.1:{proxy.port}",
        }

    def say(self, house: House, room: int, text: str) -> None:
        """A new mail; it lies in the bot's mailbox, whatever becomes of the bot. What was there is not taken."""
        deadline = time.monotonic() + 20
        while not self._threads and READING not in house.log.read_text() and time.monotonic() < deadline:
            time.sleep(0.1)
        self._threads[room] = self._servers.say(text, sender=OWNER, subject=f"Room {room}")

    def press(self, house: House, room: int, label: str) -> None:
        """Nothing is decided by mail."""
        raise AssertionError("a mail has no buttons")

    def seen(self, house: House, room: int) -> list[Seen]:
        """The mails that answer the room's."""
        mailbox = self._servers.root / "mail" / OWNER
        for path in sorted((*mailbox.glob("new/*"), *mailbox.glob("cur/*"))):
            if path.name not in self._read:
                mail = message_from_bytes(path.read_bytes(), policy=policy.default)
                self._read[path.name] = (str(mail["In-Reply-To"] or "").strip(), Seen(text=text_of(mail)))
        return [seen for answered, seen in self._read.values() if answered == self._threads.get(room)]

    def drop_next(self) -> None:
        """Exim takes the next mail, and nobody hears of it."""
        self._proxy.drops += 1


@contextmanager
def open_mail() -> Iterator[MailSurface]:
    """Servers of its own.

    Raises:
        OSError: they are not installed; says which packages are needed.
    """
    if reason := mail_servers.why_not():
        raise OSError(reason)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        with mail_servers.running() as servers:
            proxy = Proxy(servers.smtp)
            asyncio.run_coroutine_threadsafe(proxy.start(), loop).result(10)
            try:
                yield MailSurface(servers, proxy)
            finally:
                asyncio.run_coroutine_threadsafe(proxy.stop(), loop).result(10)
                asyncio.run_coroutine_threadsafe(asyncio.sleep(0.1), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
