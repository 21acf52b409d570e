"""Slack over HTTP: events, commands and interactivity as signed POSTs. Takes headers and the raw body, gives an answer.

Answered with 200 only once it is committed; anything else makes Slack bring an event again, three times.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

from pydantic import SecretStr
from slack_sdk.signature import SignatureVerifier

from bot.adapters.slack.forms import Answer

log = logging.getLogger(__name__)

Reply = tuple[int, str, bytes]
"""Status, content type, body."""
TEXT, JSON = "text/plain; charset=utf-8", "application/json"
FORM = "application/x-www-form-urlencoded"
FIELDS = 100
"""Of a form; a slash command has about fifteen."""


class Hook:
    """The one address that Slack is given for everything."""

    def __init__(self, secret: SecretStr, take: Callable[[Mapping[str, Any]], Awaitable[Answer]]) -> None:
        self._verifier = SignatureVerifier(secret.get_secret_value())
        self._take = take

    async def handle(self, headers: Mapping[str, str], body: bytes) -> Reply:
        """One request; `headers` have lower-case names."""
        if not self.is_signed(headers, body):
            log.warning("slack.bad_signature")
            return 401, TEXT, b"the signature is wrong or older than five minutes"
        payload = payload_of(headers.get("content-type", ""), body)
        if payload is None:
            return 400, TEXT, b"this is neither JSON nor a form of Slack's"
        if payload.get("type") == "url_verification":
            return 200, TEXT, str(payload.get("challenge", "")).encode("utf-8", "replace")
        if payload.get("ssl_check"):
            return 200, TEXT, b""
        if number := headers.get("x-slack-retry-num"):
            log.info(
                "slack.retry", extra={"number": number[:10], "reason": headers.get("x-slack-retry-reason", "")[:40]}
            )
        try:
            answer = await self._take(payload)
        except Exception as error:  # noqa: BLE001  # whatever it was, it is not committed
            log.warning("slack.not_acknowledged", extra={"error": type(error).__name__})
            return 503, TEXT, b"not written down; bring it again"
        return reply_of(answer)

    def is_signed(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether Slack made this request within the last five minutes: HMAC over the raw body, in constant time."""
        timestamp, signature = headers.get("x-slack-request-timestamp"), headers.get("x-slack-signature")
        try:
            return self._verifier.is_valid(body=body, timestamp=timestamp or "", signature=signature or "")
        except (ValueError, TypeError):  # a timestamp that is no number; bytes or a signature that are no text
            return False


def payload_of(content_type: str, body: bytes) -> Mapping[str, Any] | None:
    """The event, the command's fields, or what a form carries as `payload`; None when it is neither."""
    try:
        if content_type.partition(";")[0].strip().lower() == FORM:
            fields = {name: values[-1] for name, values in parse_qs(body.decode(), max_num_fields=FIELDS).items()}
            found = json.loads(fields["payload"]) if "payload" in fields else fields
        else:
            found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def reply_of(answer: Answer) -> Reply:
    """An acknowledgement: empty, a sentence that only the person sees, or what a modal shows."""
    if not answer:
        return 200, TEXT, b""
    said = {"response_type": "ephemeral", "text": answer} if isinstance(answer, str) else answer
    return 200, JSON, json.dumps(said).encode()
