"""The web page on loopback: the one HTTP server, its sessions, and the stream of what happens in a conversation.

Takes posts of a person and gives `Inbound` to whoever journals them; reads what was said from the durable page log.
It knows no adapter and no layer but the store: `PageServices` hands it what it needs.
"""

from bot.web.pages import FreezeLine, ModelLine, PageServices, PendingCard, TransportLine
from bot.web.server import create_app
from bot.web.serving import LocalServer, PageServer, listen
from bot.web.sessions import LINK_LIFE_S, SESSION_LIFE_S, mint_link

__all__ = [
    "LINK_LIFE_S",
    "SESSION_LIFE_S",
    "FreezeLine",
    "LocalServer",
    "ModelLine",
    "PageServer",
    "PageServices",
    "PendingCard",
    "TransportLine",
    "create_app",
    "listen",
    "mint_link",
]
