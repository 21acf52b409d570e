"""One call of Slack's Web API. Slack's errors become ours here, and an account in trouble is called no more.

The SDK's retry handlers are off: it repeats POSTs whose connection broke, which posts a message twice.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from pydantic import SecretStr
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack.writing import CHANNEL
from layers.errors import AccountState, AccountTrouble, BulkheadError, Misconfigured, RateLimited, Refused, Unavailable

log = logging.getLogger(__name__)
vendor_log = logging.getLogger("bot.adapters.slack.vendor")
"""What the SDK and Bolt say. Their debug lines hold messages and headers, so those never come out."""
vendor_log.setLevel(logging.WARNING)

SLACK_URL = "https://slack.com/api/"
FILES_ORIGIN = "https://files.slack.com/"
TIMEOUT_S = 30
PIECE_BYTES = 1 << 16
POST_MESSAGE = "chat.postMessage"
DEFAULT_RETRY_S = 30.0
"""Where a 429 comes without Retry-After."""
NEW_TOKEN = "make a new token at api.slack.com/apps and set it"
TROUBLE: Mapping[str, tuple[AccountState, str]] = {
    "invalid_auth": (AccountState.REVOKED, NEW_TOKEN),
    "not_authed": (AccountState.REVOKED, NEW_TOKEN),
    "token_revoked": (AccountState.REVOKED, NEW_TOKEN),
    "token_expired": (AccountState.REVOKED, NEW_TOKEN),
    "tokens_revoked": (AccountState.REVOKED, "install the app again and set its new token"),
    "app_uninstalled": (AccountState.REVOKED, "install the app again and set its new token"),
    "link_disabled": (AccountState.REVOKED, "switch Socket Mode on again at api.slack.com/apps"),
    "account_inactive": (AccountState.SUSPENDED, "ask the workspace's owner to reactivate the app"),
    "accesslimited": (AccountState.SUSPENDED, "ask the workspace's owner to approve the app"),
    "app_access_restricted": (AccountState.SUSPENDED, "ask the workspace's owner to approve the app"),
    "ekm_access_denied": (AccountState.SUSPENDED, "ask the workspace's owner about its encryption keys"),
    "team_access_not_granted": (AccountState.SUSPENDED, "ask the organisation's owner to grant the workspace"),
    "org_login_required": (AccountState.CHALLENGED, "ask the workspace's owner: it is being moved"),
    "two_factor_setup_required": (AccountState.CHALLENGED, "sign in to Slack and set up two factors"),
}
TEMPORARY = frozenset(
    (
        "external_channel_migrating",
        "fatal_error",
        "internal_error",
        "migration_in_progress",
        "request_timeout",
        "service_unavailable",
        "team_added_to_org",
        "update_failed",
    )
)
CURES = {
    "not_in_channel": "invite the app with /invite",
    "channel_not_found": "the app cannot see that conversation: invite it with /invite",
    "is_archived": "the channel is archived",
    "message_not_found": "somebody deleted the message",
}


class SlackApi:
    """The Web API under one bot token."""

    def __init__(self, token: SecretStr, url: str = SLACK_URL) -> None:
        self._token = token
        self._url = url
        self._session: aiohttp.ClientSession | None = None
        self._client: AsyncWebClient | None = None
        self.trouble: AccountTrouble | None = None
        """Why no call is made any more."""
        self.on_trouble: Callable[[AccountTrouble], None] | None = None

    def open(self) -> None:
        """Get ready to call; forgets earlier trouble, because a person wanted this start."""
        self.trouble = None
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        self._session = aiohttp.ClientSession(timeout=timeout)  # one pool: without it each call is a new handshake
        self._client = self.client(self._token.get_secret_value())

    def client(self, token: str | None = None) -> AsyncWebClient:
        """A client of the SDK with our session."""
        return AsyncWebClient(
            token=token,
            base_url=self._url,
            timeout=TIMEOUT_S,
            session=self._session,
            retry_handlers=[],
            logger=vendor_log,
        )

    async def close(self) -> None:
        """Let go of the connections."""
        if self._session is not None:
            await self._session.close()
        self._session = self._client = None

    async def call(self, method: str, where: str = "", **arguments: object) -> Mapping[str, Any]:
        """Call `method` (`chat.postMessage`); `where` is the channel that it acts in.

        Raises:
            RateLimited, AccountTrouble, Unavailable: later, or after somebody acted.
            Refused, Misconfigured: never as it stands.
        """
        return (await self.answer(method, where, **arguments))[0]

    async def answer(
        self, method: str, where: str = "", **arguments: object
    ) -> tuple[Mapping[str, Any], Mapping[str, str]]:
        """As `call`, with the headers of the answer."""
        if self.trouble is not None:
            raise self.trouble
        if self._client is None:
            raise Unavailable("Slack is not started yet")
        send: Callable[..., Awaitable[Any]] = getattr(self._client, method.replace(".", "_"))
        try:
            answer = await send(**arguments)
        except SlackApiError as error:
            ours = translate(method, where, error)
            if isinstance(ours, AccountTrouble):
                self.stop_calling(ours)
            raise ours from None
        except (aiohttp.ClientError, SlackClientError, TimeoutError, OSError) as error:
            raise Unavailable(f"Slack did not answer {method} ({type(error).__name__})") from None
        return answer.data, answer.headers

    async def download(self, url: str, content_type: str) -> AsyncGenerator[bytes]:
        """The bytes of a file of Slack's, in pieces. The token goes to Slack's own hosts only, and no redirect is
        followed: an event that names another place is no reason to send it there.

        Raises:
            Refused: it is not Slack's, or Slack does not hand it out.
            Unavailable: a later try may work.
        """
        api = urlsplit(self._url)
        if not url.startswith((FILES_ORIGIN, f"{api.scheme}://{api.netloc}/")):
            raise Refused("it does not lie with Slack")
        if self.trouble is not None or self._session is None:
            raise Unavailable("Slack is not called now")
        headers = {"Authorization": f"Bearer {self._token.get_secret_value()}"}
        try:
            async with self._session.get(url, headers=headers, allow_redirects=False) as response:
                is_page = response.content_type == "text/html" != content_type  # a page to sign in
                if response.status >= 500 or response.status == 429:
                    raise Unavailable(f"Slack answered {response.status}")
                if response.status != 200 or is_page:
                    raise Refused("Slack does not hand it out; does the app have the scope files:read?")
                async for piece in response.content.iter_chunked(PIECE_BYTES):
                    yield piece
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable(f"the connection to Slack broke ({type(error).__name__})") from None

    async def upload(self, url: str, size_bytes: int, pieces: AsyncIterator[bytes]) -> None:
        """Send bytes where files.getUploadURLExternal said; no token goes along.

        Raises:
            Unavailable: a later try may work; what was uploaded is not visible to anybody.
        """
        if self.trouble is not None or self._session is None:
            raise Unavailable("Slack is not called now")
        try:
            headers = {"Content-Length": str(size_bytes), "Content-Type": "application/octet-stream"}
            async with self._session.post(url, data=pieces, headers=headers, allow_redirects=False) as response:
                if response.status != 200:
                    raise Unavailable(f"Slack answered an upload with {response.status}")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable(f"the connection to Slack broke in an upload ({type(error).__name__})") from None

    def stop_calling(self, trouble: AccountTrouble) -> None:
        """Make no call any more. Repeated attempts with a dead token are what providers punish."""
        if self.trouble is None:
            log.error("slack.account_trouble", extra={"state": trouble.state.value})
            self.trouble = trouble
            if self.on_trouble is not None:
                self.on_trouble(trouble)


def trouble_of(code: str, method: str = "") -> AccountTrouble | None:
    """The trouble that Slack's error or event `code` stands for."""
    if code not in TROUBLE:
        return None
    state, cure = TROUBLE[code]
    return AccountTrouble(f"Slack says {code!r}{method and f' to {method}'}; {cure}, then resume Slack", state=state)


def translate(method: str, where: str, error: SlackApiError) -> BulkheadError:
    """Slack's answer as one of our errors. A 429 closes the method for the workspace, which is how Slack's tiers count;
    only chat.postMessage is counted by channel (docs.slack.dev/apis/web-api/rate-limits).
    """
    response = error.response
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0))
    data = getattr(response, "data", None)
    code = str(data.get("error", "")) if isinstance(data, dict) else ""
    if status == 429 or code in ("ratelimited", "rate_limited", "message_limit_exceeded"):
        wait_s = retry_after_s(response.headers)
        is_narrow = method == POST_MESSAGE and where and code != "message_limit_exceeded"
        bucket = f"{CHANNEL}:{method}:{where}" if is_narrow else f"{CHANNEL}:{method}"
        return RateLimited(f"Slack asks to wait {wait_s:g} s with {method}", retry_after_s=wait_s, bucket=bucket)
    if trouble := trouble_of(code, method):
        return trouble
    if status >= 500 or not code or code in TEMPORARY:
        return Unavailable(f"Slack answered {method} with {code or status!r}")
    if code == "missing_scope":
        needed = str(data.get("needed", "?")) if isinstance(data, dict) else "?"
        return Misconfigured(f"the Slack app lacks the scope {needed!r}; paste the manifest again and reinstall it")
    cure = CURES.get(code, "Slack will not take it as it is")
    return Refused(f"Slack refused {method}{where and f' in {where}'} with {code!r}; {cure}")


def retry_after_s(headers: Mapping[str, str]) -> float:
    """Seconds of a Retry-After header."""
    value = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    try:
        return max(0.0, float(value))
    except ValueError:
        return DEFAULT_RETRY_S
