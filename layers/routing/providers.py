"""The providers whose keys are looked for, and one model of each per tier. Data only.

Every name stands in the price list that litellm 1.100.5 packages, as a chat model that calls tools; a test holds it to
that. The order decides between equals.
"""

from __future__ import annotations

from dataclasses import dataclass

from layers.routing.types import Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A provider of models behind a key."""

    keys: tuple[str, ...]
    """Environment variables; the first that is set counts."""
    small: str
    middle: str
    large: str
    sees: frozenset[str] = frozenset()
    """Which of them are known to read pictures. The others are unknown."""

    def tiers(self) -> tuple[tuple[Tier, str], ...]:
        """Each model with its tier; one that serves two tiers comes once."""
        names = {self.small: Tier.SMALL, self.large: Tier.LARGE, self.middle: Tier.MIDDLE}
        return tuple((tier, name) for name, tier in names.items())


def seeing(*, keys: tuple[str, ...], small: str, middle: str, large: str) -> Provider:
    """A provider all of whose models read pictures."""
    return Provider(keys=keys, small=small, middle=middle, large=large, sees=frozenset({small, middle, large}))


OPENAI = seeing(
    keys=("OPENAI_API_KEY",),
    small="openai/gpt-5.4-nano",
    middle="openai/gpt-5.4-mini",
    large="openai/gpt-5.5",
)
PROVIDERS = (
    seeing(
        keys=("ANTHROPIC_API_KEY",),
        small="anthropic/claude-haiku-4-5",
        middle="anthropic/claude-sonnet-5",
        large="anthropic/claude-opus-5",
    ),
    OPENAI,
    seeing(
        keys=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        small="gemini/gemini-3.1-flash-lite",
        middle="gemini/gemini-3.5-flash",
        large="gemini/gemini-3.1-pro-preview",
    ),
    seeing(
        keys=("MISTRAL_API_KEY",),
        small="mistral/mistral-small-latest",
        middle="mistral/mistral-medium-latest",
        large="mistral/mistral-large-latest",
    ),
    Provider(
        keys=("DEEPSEEK_API_KEY",),
        small="deepseek/deepseek-v4-flash",
        middle="deepseek/deepseek-chat",
        large="deepseek/deepseek-v4-pro",
    ),
    Provider(
        keys=("GROQ_API_KEY",),
        small="groq/openai/gpt-oss-20b",
        middle="groq/openai/gpt-oss-120b",
        large="groq/openai/gpt-oss-120b",
    ),
    seeing(
        keys=("XAI_API_KEY",),
        small="xai/grok-4.3",
        middle="xai/grok-4.3",
        large="xai/grok-4.5",
    ),
    seeing(
        keys=("OPENROUTER_API_KEY",),
        small="openrouter/google/gemini-3.1-flash-lite",
        middle="openrouter/anthropic/claude-sonnet-4.6",
        large="openrouter/anthropic/claude-opus-4.7",
    ),
)
KEY_OF = {provider.small.partition("/")[0]: provider.keys for provider in PROVIDERS}
"""The environment variables of a model's key, by the first part of its name."""
