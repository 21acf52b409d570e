"""E-mail by IMAP and submission, through a program on this machine unless the owner says otherwise.

A conversation is a thread with one person. Mail is weakly authenticated: what comes in may ask, and decides nothing.
"""

from bot.adapters.mail.account import MailAccount
from bot.adapters.mail.ports import Book
from bot.adapters.mail.probe import probe
from bot.adapters.mail.servers import MailSettings, mail_settings

__all__ = ["Book", "MailAccount", "MailSettings", "mail_settings", "probe"]
