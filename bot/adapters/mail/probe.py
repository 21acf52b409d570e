"""What `bulkhead doctor` tries: logs in at both servers, sends nothing."""

from __future__ import annotations

from bot.adapters.mail.mailbox import mailbox
from bot.adapters.mail.servers import MailSettings
from bot.adapters.mail.submission import greet


async def probe(settings: MailSettings) -> str:
    """What was found, in one line.

    Raises:
        AccountTrouble, Unavailable, Misconfigured: with the server's own words.
    """
    async with mailbox(settings) as (box, thread):
        idle = "tells of new mail" if box.can_idle else "is asked for new mail every 20 s"
        sent = await thread.run(box.sent_folder, is_made=False)
    tls = await greet(settings)
    folder = f"sent mail in {sent!r}" if sent else "no folder for sent mail"
    return f"{settings.address}: IMAP at {settings.imap} {idle}, {folder}; SMTP at {settings.smtp} with {tls}"
