"""Sending, by aiosmtplib: one connection for each mail, since mails are rare and servers drop those that idle."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from aiosmtplib import (
    SMTP,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPServerDisconnected,
    SMTPTimeoutError,
)

from bot.adapters.mail.servers import MailSettings
from bot.adapters.mail.troubles import Uncertain, answer_trouble, plain, refused_settings
from layers.errors import BulkheadError, NotReached

ANSWER_S = 30.0
DATA_S = 45.0
"""Servers look for viruses between the last byte and their answer; the courier waits for 60 s."""
HELLO = "[127.0.0.1]"
"""What we call ourselves: the machine's own name is nobody's business, and looking it up can take long."""


async def submit(settings: MailSettings, recipient: str, content: bytes, *, has_copy: bool) -> None:
    """Hand a mail to the server, for `recipient` and, with `has_copy`, for ourselves in the same transaction.

    Raises:
        AccountTrouble, RateLimited, Refused, Unavailable: it was not taken.
        Uncertain: nobody knows.
    """
    async with connection(settings) as smtp:
        with translated(f"SMTP at {settings.smtp}"):
            await smtp.mail(settings.address)
            await to(smtp, [recipient])
            if has_copy:
                await to(smtp, [settings.address], must=False)
        try:
            await smtp.data(content, timeout=DATA_S)
        except (SMTPServerDisconnected, SMTPTimeoutError, OSError) as error:
            said = plain(error)
            raise Uncertain(f"the mail server broke off when it had the mail, and may have taken it: {said}") from None
        except SMTPResponseException as error:
            raise answer_trouble(error.code, plain(error.message), recipient) from None


async def to(smtp: SMTP, recipients: Sequence[str], *, must: bool = True) -> None:
    """Name recipients; without `must` one that is refused is left out."""
    for each in recipients:
        try:
            await smtp.rcpt(each)
        except SMTPRecipientRefused as error:
            if must:
                raise answer_trouble(error.code, plain(error.message), each) from None


async def greet(settings: MailSettings) -> str:
    """Connect and log in; what the server says it can.

    Raises:
        As `submit`.
    """
    async with connection(settings) as smtp:
        with translated(f"SMTP at {settings.smtp}"):
            await smtp.noop()
            return "TLS" if smtp.get_transport_info("sslcontext") else "no TLS"


class connection:
    """A connection that is logged in; closed politely, and at once where that fails."""

    def __init__(self, settings: MailSettings) -> None:
        server = settings.smtp
        self._name = f"SMTP at {server}"
        self._smtp = SMTP(
            hostname=server.host,
            port=server.port,
            use_tls=server.is_tls,
            start_tls=None if server.is_here and not server.is_tls else not server.is_tls,
            tls_context=settings.tls(server),
            local_hostname=HELLO,
            timeout=ANSWER_S,
        )
        self._settings = settings

    async def __aenter__(self) -> SMTP:
        with translated(self._name):
            await self._smtp.connect()
            try:
                if self._smtp.is_ehlo_or_helo_needed:
                    await self._smtp.ehlo()
                if self._smtp.server_auth_methods or not self._settings.smtp.is_here:
                    password = self._settings.password.get_secret_value()
                    await self._smtp.login(self._settings.smtp.user, password)
            except BaseException:
                self._smtp.close()
                raise
        return self._smtp

    async def __aexit__(self, *_: object) -> None:
        try:
            if self._smtp.is_connected:
                async with asyncio.timeout(2):
                    await self._smtp.quit()
        except (SMTPException, OSError, TimeoutError):
            pass  # it was told all that matters
        finally:
            self._smtp.close()


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Whatever the library raises before the mail is on its way becomes one of our errors."""
    try:
        yield
    except BulkheadError:
        raise
    except SMTPResponseException as error:
        raise answer_trouble(error.code, plain(error.message)) from None
    except (SMTPNotSupported, ssl.SSLError) as error:
        raise refused_settings(f"{what}: {plain(error)}") from None
    except (SMTPException, OSError) as error:
        if isinstance(error.__cause__, ssl.SSLError):
            raise refused_settings(f"{what}: TLS failed ({plain(error.__cause__)})") from None
        cause = error.__cause__
        said = os.strerror(cause.errno) if isinstance(cause, OSError) and cause.errno else plain(error)
        raise NotReached(f"{what} cannot be reached ({said})") from None
