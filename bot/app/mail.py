"""E-mail, where an address is set. The adapter is imported then only."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import Any

from bot.adapters.ports import Ports
from bot.app.providers import Account
from bot.config import Settings
from layers.store import Store
from layers.transport import conversation_of, forget_letter, letter_to_answer, put_letter, sent_letter


def make_mail(settings: Settings, store: Store, ports: Ports) -> Account | None:
    """The mailbox; one process of a fleet reads it, in the order of its mails.

    Raises:
        Misconfigured: a setting is not as needed, or names a server elsewhere without leave.
    """
    if not settings.mail_address:
        return None
    mail = import_module("bot.adapters.mail")
    book = mail.Book(
        put=lambda letter: store.run(put_letter, letter),
        forget=lambda correspondent, id: store.run(forget_letter, correspondent, id),
        conversation_of=partial(conversation_of, store),
        to_answer=partial(letter_to_answer, store),
        sent=partial(sent_letter, store),
    )
    account = mail.MailAccount(made_of(settings), ports, book, page_of(settings))
    secret = settings.mail_address + settings.mail_password.get_secret_value()
    return Account(name="mail", service=account, channel=account.channel, secret=secret, is_exclusive=True)


def made_of(settings: Settings) -> Any:  # noqa: ANN401  the class is imported where there is an address
    """The adapter's settings.

    Raises:
        As `make_mail`.
    """
    return import_module("bot.adapters.mail").mail_settings(
        settings.mail_address,
        settings.mail_password,
        (settings.mail_imap_url, settings.mail_smtp_url),
        is_direct=settings.mail_direct,
        ca_file=settings.mail_ca_file,
    )


def page_of(settings: Settings) -> str:
    """Where a mail's link leads."""
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host
    return settings.public_url or f"http://{host}:{settings.port}"


async def probe_mail(settings: Settings) -> str:
    """For `bulkhead doctor`: what was found at both servers; empty where no address is set.

    Raises:
        Misconfigured, Unavailable, AccountTrouble: with the servers' own words.
    """
    if not settings.mail_address:
        return ""
    found: str = await import_module("bot.adapters.mail").probe(made_of(settings))
    return found
