"""A message's markdown -> what each surface shows: one tree, one renderer per surface, split at its true limits.

Nothing is dropped (raw HTML is text, a link's target stays visible where there are no links, long code goes out as a
file) and nothing is live: what would notify people on Slack or Telegram is broken when the tree is made, so that no
renderer can forget it. The page's HTML has its own renderer, markdown-it's.
"""

from bot.adapters.text.plain import mail_body, plain, render_mail
from bot.adapters.text.rich import render_rich
from bot.adapters.text.slack import SlackPart, render_slack
from bot.adapters.text.telegram import Entity, TelegramPart, render_telegram
from bot.adapters.text.tree import File

__all__ = [
    "Entity",
    "File",
    "SlackPart",
    "TelegramPart",
    "mail_body",
    "plain",
    "render_mail",
    "render_rich",
    "render_slack",
    "render_telegram",
]
