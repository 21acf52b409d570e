"""Settings: about the machine, from variables (BULKHEAD_...) and `.env`, into one frozen value."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from dotenv import dotenv_values, load_dotenv
from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from layers.errors import Misconfigured

PREFIX = "BULKHEAD_"
ENV_FILE = Path(".env")
DATABASES = ("sqlite:///", "postgresql://", "postgres://")


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()


def _public_url(url: str) -> str:
    """An origin: scheme and host, no path, so that the page's Host and Origin checks can compare it."""
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/")):
        raise ValueError("it must be empty or look like https://chat.example.org, without a path")
    return url.rstrip("/")


def _database_url(url: SecretStr) -> SecretStr:
    if url.get_secret_value() and not url.get_secret_value().startswith(DATABASES):
        raise ValueError("it must be empty or begin with sqlite:/// or postgresql://")
    return url


class Settings(BaseSettings):
    """Every setting. `.env.example` is written from these lines."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="forbid")

    home: Annotated[Path, AfterValidator(_absolute)] = Field(
        Path(".bulkhead"), description="Where state lives: database, workspace, keys, bulkhead.toml"
    )
    host: str = Field("127.0.0.1", min_length=1, description="Address that the page listens on")
    port: int = Field(8080, ge=0, le=65535, description="Port of the page; 0 takes a free one")
    public_url: Annotated[str, AfterValidator(_public_url)] = Field(
        "", description="Origin that people reach the page under, behind a proxy: https://chat.example.org"
    )
    database_url: Annotated[SecretStr, AfterValidator(_database_url)] = Field(
        SecretStr(""), description="postgresql://user:password@host/name for a fleet; empty is SQLite in the home"
    )
    telegram_token: SecretStr = Field(SecretStr(""), description="Token of a Telegram bot, from @BotFather")
    telegram_api_url: str = Field("", description="Another Bot API server; empty is Telegram's own")
    slack_bot_token: SecretStr = Field(SecretStr(""), description="xoxb-... of a Slack app, and one of the next two")
    slack_app_token: SecretStr = Field(SecretStr(""), description="xapp-... of the same app, for Socket Mode")
    slack_signing_secret: SecretStr = Field(
        SecretStr(""), description="Of the same app, for HTTP; wins over Socket Mode"
    )
    slack_api_url: str = Field("", description="Another Slack Web API; empty is Slack's own")
    mail_address: str = Field("", description="Address of Bulkhead's own mailbox; empty is no mail")
    mail_password: SecretStr = Field(SecretStr(""), description="Its password, or the one that the bridge shows")
    mail_imap_url: str = Field(
        "imap://127.0.0.1:1143", description="imap:// or imaps://, with user@ where that is not the address"
    )
    mail_smtp_url: str = Field("smtp://127.0.0.1:1025", description="smtp:// or smtps:// of the submission server")
    mail_direct: bool = Field(False, description="Log in at servers that are not on this machine")
    mail_ca_file: str = Field("", description="PEM file that signs the servers' certificates; empty is the system's")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="debug, info, warning or error")
    log_format: Literal["text", "json"] = Field("text", description="text for people, json for collectors")
    concurrency: int = Field(64, ge=1, le=1000, description="Turns that one process works on at once")
    draw_budget_s: float = Field(10.0, gt=0, le=300, description="Seconds for one diagram before it is given up")
    approval_ttl_s: float = Field(86400.0, ge=0, description="Seconds that people have to decide; 0 is for ever")
    executor_socket: str = Field(
        "", description="Where an executor of its own listens; empty starts it as a child of the server"
    )
    executor_user: str = Field(
        "", description="Whom an executor that is root becomes for a run; empty is the workspace's owner"
    )
    executor_peer: str = Field(
        "", description="User whose server may ask an executor of its own; empty is the executor's user"
    )
    discover_models: bool = Field(True, description="Look for Ollama, LM Studio and llama.cpp on this machine")
    model_timeout_s: float = Field(120.0, gt=0, le=3600, description="Seconds for one call of a model")
    max_steps: int = Field(12, ge=1, le=200, description="Model calls that one turn may make")
    max_turn_cost_usd: float = Field(0.50, ge=0, description="US dollars that one turn may cost; 0 is no limit")

    @property
    def store_url(self) -> str:
        """What `open_store` takes. It may carry a password: never log it."""
        return self.database_url.get_secret_value() or f"sqlite:///{self.home / 'bulkhead.db'}"


def load_settings(**overrides: object) -> Settings:
    """The settings: `overrides` (from the command line), then the environment, then `.env`, then the defaults.

    `.env` is put into the environment first, because the keys of model providers may stand there too.

    Raises:
        Misconfigured: a value is not allowed, or a variable resembles a setting and is none.
    """
    in_file = [name for name in dotenv_values(ENV_FILE) if name.upper().startswith(PREFIX)]
    load_dotenv(ENV_FILE, override=False)
    _refuse_misspelt(in_file, is_ours=True)
    _refuse_misspelt((name for name in os.environ if name.upper().startswith(PREFIX)), is_ours=False)
    try:
        return Settings(**overrides)  # type: ignore[arg-type]  # pydantic checks what the command line gave
    except ValidationError as error:
        raise Misconfigured("; ".join(_setting_error(each, overrides) for each in error.errors()) + ".") from None


def env_example() -> str:
    """The text of `.env.example`: every setting with its default and what it is for, one line each."""
    head = (
        "# Copy to .env and change what you need. What stands here are the defaults; the environment wins over .env.\n"
        "# Keys of model providers (ANTHROPIC_API_KEY, OPENAI_API_KEY, ...) may stand in .env too.\n\n"
    )
    rows = [(f"# {PREFIX}{name.upper()}={_default(name)}", field) for name, field in Settings.model_fields.items()]
    width = max(len(text) for text, _ in rows)
    return head + "".join(f"{text:<{width}}  # {field.description}\n" for text, field in rows)


def _default(name: str) -> str:
    value = Settings.model_fields[name].default
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
    return text or '""'  # with nothing there, the comment that follows would be read as the value


def _refuse_misspelt(names: Iterable[str], *, is_ours: bool) -> None:
    """Refuse a variable that resembles a setting and is none; in our own file, any that is none."""
    known = [name.upper() for name in Settings.model_fields]
    for name in names:
        bare = name.upper().removeprefix(PREFIX)
        near = difflib.get_close_matches(bare, known, n=1, cutoff=0.75)
        if bare not in known and (near or is_ours):
            hint = f"did you mean {PREFIX}{near[0]}?" if near else ".env.example lists them all."
            raise Misconfigured(f"{name} is not a setting; {hint}")


def _setting_error(error: Mapping[str, Any], overrides: Mapping[str, object]) -> str:
    """One error of pydantic's, in our words: the variable, its value unless secret, what is allowed."""
    name = str(error["loc"][0])
    field = Settings.model_fields.get(name)
    if field is None:
        return f"{PREFIX}{name.upper()} is not a setting"
    value = overrides.get(name, os.environ.get(PREFIX + name.upper(), ""))
    is_secret = isinstance(field.default, SecretStr)
    what = "is not allowed" if is_secret else f"is {value!r}"
    return f"{PREFIX}{name.upper()} {what}; {allowed(error)} ({field.description})"


def allowed(error: Mapping[str, Any]) -> str:
    """What would have been right, from pydantic's sentence."""
    text = str(error["msg"]).removeprefix("Value error, ").replace("Input should", "it should")
    return text[:1].lower() + text[1:]
