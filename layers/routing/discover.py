"""Finds models: from the environment's keys, and by asking servers on this machine. An environment in, `Found` out.

The servers are asked with http.client in threads: it is in the standard library, follows no redirect and no proxy, and
costs nothing at a start without models. httpx would come with litellm only, which is not to be loaded for this.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, ValidationError

from layers.errors import Unavailable
from layers.routing.providers import OPENAI, PROVIDERS
from layers.routing.types import Model, Tier

LOOPBACK_S = 0.2
"""How long a server on this machine may take: it answers in milliseconds or not at all."""
CONFIGURED_S = 3.0
"""How long OPENAI_BASE_URL may take: it may be far away."""
MOST_BYTES = 1_000_000
MOST_MODELS = 100
LOCAL_HOSTS = {"127.0.0.1", "localhost", "::1"}
OLLAMA_SEES = {"clip", "mllama"}
"""Model families in Ollama's list that carry a picture encoder."""


class OllamaDetails(BaseModel):
    """Part of Ollama's /api/tags."""

    families: list[str] | None = None
    parameter_size: str = ""


class OllamaModel(BaseModel):
    """One model of Ollama's /api/tags."""

    name: str
    details: OllamaDetails = OllamaDetails()


class OllamaTags(BaseModel):
    """Ollama's /api/tags."""

    models: list[OllamaModel] = Field(max_length=10_000)


class ListedModel(BaseModel):
    """One model of an OpenAI-compatible list."""

    id: str


class ModelList(BaseModel):
    """An OpenAI-compatible /v1/models."""

    data: list[ListedModel] = Field(max_length=10_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The models there are, and what was asked in vain."""

    models: tuple[Model, ...]
    notes: tuple[str, ...] = ()
    """One sentence per server that gave none."""


async def discover(environ: Mapping[str, str], servers: Mapping[str, str]) -> Found:
    """Every model that the environment and the servers offer: local ones first, they cost nothing.

    Args:
        environ: the environment; only names of keys are kept, never their values.
        servers: base addresses by name. `ollama` is asked in Ollama's way, all others as OpenAI-compatible.
    """
    asked = [ask(name, address) for name, address in servers.items()]
    custom = base_url(environ)
    if custom:
        asked.append(ask_configured(custom, environ.get("OPENAI_API_KEY", "")))
    models: list[Model] = []
    notes: list[str] = []
    for answer in await asyncio.gather(*asked):
        if isinstance(answer, str):
            notes.append(answer)
        else:
            models += answer
    return Found(models=(*models, *from_keys(environ, skip_openai=bool(custom))), notes=tuple(notes))


def from_keys(environ: Mapping[str, str], *, skip_openai: bool = False) -> list[Model]:
    """The default models of every provider whose key is set."""
    models = []
    for provider in PROVIDERS:
        key = next((name for name in provider.keys if environ.get(name)), "")
        if not key or (skip_openai and provider is OPENAI):
            continue
        for tier, name in provider.tiers():
            sees = True if name in provider.sees else None
            models.append(Model(name=name, wire=name, tier=tier, source=key, key_env=key, vision=sees, tools=True))
    return models


def base_url(environ: Mapping[str, str]) -> str:
    """Where OpenAI's protocol is spoken instead of at OpenAI; empty when it is OpenAI."""
    url = environ.get("OPENAI_BASE_URL") or environ.get("OPENAI_API_BASE") or ""
    return "" if urlsplit(url).hostname == "api.openai.com" else url.rstrip("/")


async def ask(name: str, address: str) -> list[Model] | str:
    """The models of the server called `name`, or why there are none."""
    limit_s = LOOPBACK_S if urlsplit(address).hostname in LOCAL_HOSTS else CONFIGURED_S
    try:
        if name == "ollama":
            tags = OllamaTags.model_validate_json(await get(f"{address}/api/tags", limit_s))
            models = [ollama_model(found, address) for found in tags.models]
        else:
            base = address if address.endswith("/v1") else f"{address}/v1"
            listed = ModelList.model_validate_json(await get(f"{base}/models", limit_s))
            models = [served_model(name, found.id, base) for found in listed.data]
    except Unavailable as error:
        return f"{name}: {error}"
    except ValidationError:
        return f"{name}: {address} does not list models the way {name} should"
    return [model for model in models if "embed" not in model.name][:MOST_MODELS] or f"{name}: {address} has no models"


async def ask_configured(base: str, key: str) -> list[Model] | str:
    """The models at OPENAI_BASE_URL, or why there are none."""
    try:
        listed = ModelList.model_validate_json(await get(f"{base}/models", CONFIGURED_S, key=key))
    except Unavailable as error:
        return f"OPENAI_BASE_URL: {error}"
    except ValidationError:
        return f"OPENAI_BASE_URL: {base}/models is not a list of models; name your models in routes.toml"
    return [
        Model(
            name=f"openai/{found.id}",
            wire=f"openai/{found.id}",
            tier=tier_of(found.id),
            source="OPENAI_BASE_URL",
            key_env="OPENAI_API_KEY",
            api_base=base,
        )
        for found in listed.data[:MOST_MODELS]
        if "embed" not in found.id
    ]


def ollama_model(found: OllamaModel, address: str) -> Model:
    """A model that Ollama serves, asked through its OpenAI-compatible side."""
    sees = True if OLLAMA_SEES.intersection(found.details.families or ()) else None
    tier = tier_of(found.details.parameter_size or found.name)
    model = served_model("ollama", found.name, f"{address}/v1")
    return Model(
        name=model.name,
        wire=model.wire,
        tier=tier,
        source=address,
        api_base=model.api_base,
        vision=sees,
        usd_per_million=model.usd_per_million,
        is_local=model.is_local,
    )


def served_model(server: str, name: str, base: str) -> Model:
    """A model on an OpenAI-compatible server. On the own machine it costs nothing."""
    is_local = urlsplit(base).hostname in LOCAL_HOSTS
    return Model(
        name=f"{server}/{name}",
        wire=f"openai/{name}",
        tier=tier_of(name),
        source=base.removesuffix("/v1"),
        api_base=base,
        usd_per_million=(0.0, 0.0) if is_local else None,
        is_local=is_local,
    )


def tier_of(size: str) -> Tier:
    """The tier that a size in billions speaks for, as in `8.0B` or `qwen3:32b`; middle where none is told."""
    match = re.search(r"(\d+(?:\.\d+)?)b\b", size.lower())
    if not match:
        return Tier.MIDDLE
    billions = float(match[1])
    return Tier.SMALL if billions < 15 else Tier.MIDDLE if billions < 70 else Tier.LARGE


async def get(url: str, limit_s: float, *, key: str = "") -> bytes:
    """The body at `url`.

    Raises:
        Unavailable: nobody answers in time, or not with 200.
    """
    try:
        async with asyncio.timeout(limit_s):
            return await asyncio.to_thread(fetch, url, limit_s, key)
    except (OSError, HTTPException, ValueError) as error:  # TimeoutError is an OSError; ValueError is a broken address
        raise Unavailable(f"{url} does not answer ({type(error).__name__})") from None


def fetch(url: str, limit_s: float, key: str) -> bytes:
    """The body at `url`, in the calling thread."""
    parts = urlsplit(url)
    connect = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = connect(parts.hostname or "", parts.port, timeout=limit_s)
    try:
        connection.request("GET", parts.path, headers={"Authorization": f"Bearer {key}"} if key else {})
        response = connection.getresponse()
        body = response.read(MOST_BYTES)
    finally:
        connection.close()
    if response.status != 200:
        raise Unavailable(f"{url} answers {response.status}")
    return body
