"""Where a mailbox is: `imap://user@127.0.0.1:1143` and its like -> a `Server`, and the rules for getting there.

Bulkhead talks to a program on this machine (Proton Mail Bridge, a local Dovecot, any proxy) unless its owner says
otherwise: providers that see a robot log in from somewhere close the account.
"""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from bot.adapters.mail.parsing import ADDRESS
from layers.errors import Misconfigured

SCHEMES = {"imap": (143, False), "imaps": (993, True), "smtp": (587, False), "smtps": (465, True)}
"""Scheme -> its port, and whether it is TLS from the first byte."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One of the two servers of a mailbox."""

    host: str
    port: int
    is_tls: bool
    """From the first byte. Otherwise STARTTLS: where it is offered on this machine, always elsewhere."""
    user: str

    @property
    def is_here(self) -> bool:
        """Whether it is this machine."""
        return is_loopback(self.host)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSettings:
    """What the account needs."""

    address: str
    password: SecretStr
    imap: Server
    smtp: Server
    ca_file: str = ""
    """Certificates that the servers' must be signed by, instead of the system's; PEM."""

    @property
    def domain(self) -> str:
        """Of our address."""
        return self.address.partition("@")[2]

    def tls(self, server: Server) -> ssl.SSLContext:
        """How a server's certificate is checked. On this machine it may be self-signed, as the Proton Bridge's is.

        Raises:
            Misconfigured: the file of certificates cannot be read.
        """
        try:
            context = ssl.create_default_context(cafile=self.ca_file or None)
        except (OSError, ssl.SSLError) as error:
            name = self.ca_file
            raise Misconfigured(f"BULKHEAD_MAIL_CA_FILE is {name!r}, which cannot be read ({error})") from None
        if server.is_here:
            context.check_hostname = False  # the certificate names the bridge, not the address it listens on
            if not self.ca_file:
                context.verify_mode = ssl.CERT_NONE
        return context


def mail_settings(  # the five are what the settings are
    address: str, password: SecretStr, urls: tuple[str, str], *, is_direct: bool, ca_file: str = ""
) -> MailSettings:
    """The settings of the account.

    Args:
        urls: Of IMAP and of the submission server.
        is_direct: Whether servers elsewhere may be called.

    Raises:
        Misconfigured: one of them is not as needed.
    """
    address = address.strip().lower()
    if not ADDRESS.fullmatch(address):
        raise Misconfigured(f"BULKHEAD_MAIL_ADDRESS is {address!r}; it must be a plain address like bot@example.org")
    if not password.get_secret_value():
        raise Misconfigured("BULKHEAD_MAIL_ADDRESS is set but BULKHEAD_MAIL_PASSWORD is not; the mailbox needs both")
    imap, smtp = (read_url(url, name, address) for url, name in zip(urls, ("IMAP", "SMTP"), strict=True))
    for server, name in ((imap, "IMAP"), (smtp, "SMTP")):
        if not server.is_here and not is_direct:
            raise Misconfigured(
                f"BULKHEAD_MAIL_{name}_URL names {server.host!r}, which is not this machine; run a bridge here, or set "
                "BULKHEAD_MAIL_DIRECT=true to log in at a provider directly"
            )
    if ca_file and not Path(ca_file).is_file():
        raise Misconfigured(f"BULKHEAD_MAIL_CA_FILE is {ca_file!r} and there is no such file")
    return MailSettings(address=address, password=password, imap=imap, smtp=smtp, ca_file=ca_file)


def read_url(url: str, name: str, address: str) -> Server:
    """One URL. The user is our address unless it names one.

    Raises:
        Misconfigured: it is not what it must be.
    """
    kind = name.lower()
    what = f"BULKHEAD_MAIL_{name}_URL is not like {kind}://127.0.0.1:1143 or {kind}s://mail.example.org"
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        raise Misconfigured(what) from None
    if parts.scheme not in (kind, f"{kind}s") or not parts.hostname or parts.path not in ("", "/") or parts.query:
        raise Misconfigured(what)
    if parts.password:
        raise Misconfigured(f"BULKHEAD_MAIL_{name}_URL holds a password; put it into BULKHEAD_MAIL_PASSWORD")
    usual, is_tls = SCHEMES[parts.scheme]
    user = unquote(parts.username or "") or address
    return Server(host=parts.hostname, port=usual if port is None else port, is_tls=is_tls, user=user)


def is_loopback(host: str) -> bool:
    """Whether a name is this machine. Names are not looked up: what they mean can change."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
