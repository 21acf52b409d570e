"""For `bulkhead doctor`: what Slack itself says of the tokens, and what to do about it."""

from __future__ import annotations

from pydantic import SecretStr

from bot.adapters.slack.api import SLACK_URL, SlackApi
from bot.adapters.slack.manifest import SCOPES
from layers.errors import AccountTrouble, Misconfigured

KINDS = {
    "xoxb-": "a bot token",
    "xoxp-": "a user token",
    "xapp-": "an app-level token",
    "xoxe": "a token that rotates",
    "xoxs-": "a workspace token",
}
CURES = {
    "invalid_auth": "Slack does not know it: copy it again, whole, from api.slack.com/apps",
    "not_authed": "Slack saw no token: copy it again from api.slack.com/apps",
    "account_inactive": "the app was removed from the workspace or deactivated: install it again",
    "token_revoked": "somebody revoked it: install the app again and copy its new token",
    "token_expired": "it has expired: switch token rotation off, or make a new one",
    "not_allowed_token_type": "it is the wrong kind of token for this",
}


async def probe(bot: SecretStr, app: SecretStr | None, *, url: str = SLACK_URL) -> str:
    """Try both tokens (`app` is None over HTTP); who the bot is, in one sentence.

    Raises:
        Misconfigured: Slack does not take them as they are; the sentence says what to do.
        Unavailable: Slack could not be asked.
    """
    kind_of(bot, "xoxb-", "BULKHEAD_SLACK_BOT_TOKEN")
    if app is not None:
        kind_of(app, "xapp-", "BULKHEAD_SLACK_APP_TOKEN")
    api = SlackApi(bot, url)
    api.open()
    try:
        who, headers = await asked(api, "BULKHEAD_SLACK_BOT_TOKEN", "auth.test")
        granted = next((value for name, value in headers.items() if name.lower() == "x-oauth-scopes"), None)
        missing = sorted(set(SCOPES) - {each.strip() for each in granted.split(",")}) if granted is not None else []
        if missing:
            raise Misconfigured(
                f"the bot token lacks {', '.join(missing)}; paste `bulkhead slack manifest` again and reinstall the app"
            )
        if app is not None:
            token = app.get_secret_value()
            await asked(api, "BULKHEAD_SLACK_APP_TOKEN", "apps.connections.open", app_token=token)
        way = "Socket Mode" if app is not None else "HTTP"
        return f"{who.get('user', who.get('user_id', 'the bot'))} in {who.get('team', '?')}, by {way}"
    finally:
        await api.close()


def kind_of(token: SecretStr, begins: str, name: str) -> None:
    """A token of another kind is the usual mistake, and Slack's own words for it say little."""
    text = token.get_secret_value()
    if not text.startswith(begins):
        found = next((words for start, words in KINDS.items() if text.startswith(start)), "something else")
        raise Misconfigured(f"{name} must begin with {begins}; what is set is {found}")


async def asked(api: SlackApi, name: str, method: str, **arguments: str) -> tuple[dict[str, str], dict[str, str]]:
    """A method's answer and its headers."""
    try:
        answer, headers = await api.answer(method, "", **arguments)
    except AccountTrouble as error:
        cure = next((cure for code, cure in CURES.items() if repr(code) in str(error)), str(error))
        raise Misconfigured(f"{name}: {cure}") from None
    except Misconfigured as error:
        if method == "apps.connections.open":
            raise Misconfigured(
                f"{name} lacks the scope connections:write; make a new app-level token with it"
            ) from None
        raise Misconfigured(f"{name}: {error}") from None
    return dict(answer), dict(headers)
