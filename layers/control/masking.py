"""Masking: a text in, the same text without secrets out. The one function through which output leaves the executor.

First every form of every value that a program was handed: as it is, in hex, in base64 at any offset, URL-encoded, as
a JSON string, also broken over lines. Then whatever looks like a credential, by the patterns of detect-secrets; its
entropy detectors are left out (they take `systemctl restart nginx` for a secret), and so is its keyword detector.
"""

from __future__ import annotations

import base64
import functools
import importlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from layers.errors import Refused

SHORTEST = 6
"""Characters. Shorter values are refused by the store: masking them would hide half of every text."""
PREFIX = 4
"""A text that was cut off inside a secret is masked from this many characters on."""
LINE_BREAK = r"(?:\\n|\r?\n[ \t]*)?"
PATTERNS = (
    "aws.AWSKeyDetector",
    "azure_storage_key.AzureStorageKeyDetector",
    "basic_auth.BasicAuthDetector",
    "discord.DiscordBotTokenDetector",
    "github_token.GitHubTokenDetector",
    "gitlab_token.GitLabTokenDetector",
    "mailchimp.MailchimpDetector",
    "npm.NpmDetector",
    "openai.OpenAIDetector",
    "pypi_token.PypiTokenDetector",
    "sendgrid.SendGridDetector",
    "slack.SlackDetector",
    "square_oauth.SquareOAuthDetector",
    "stripe.StripeDetector",
    "telegram_token.TelegramBotTokenDetector",
    "twilio.TwilioKeyDetector",
)
"""Of detect-secrets, below `plugins`."""
OURS = (
    r"(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\Z)",
    r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*",
    r"xapp-[0-9]-[A-Z0-9]+-[0-9]+-[A-Fa-f0-9]+",
    r"sk-[A-Za-z0-9_-]{32,}",
    r"github_pat_[A-Za-z0-9_]{22,}",
)
"""A whole key block and a whole JWT (detect-secrets finds their beginnings only), and what 1.5 does not know."""
KEY_BEGINS = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?!.*-----END )")
KEY_BODY = re.compile(r"([-+\s\"'#*/]*)([A-Za-z0-9=][A-Za-z0-9+/=]*)((?:\\n|[\s\"',+\\])*)")
KEY_HEAD = re.compile(r"[-+ ]?\s*((?:Proc-Type|DEK-Info|Version|Comment): .*)?")
"""A line that may stand before a key's body; an empty one may as well."""


class Mask:
    """Knows the values of one run."""

    def __init__(self, values: dict[str, str]) -> None:
        """`values` is name -> secret."""
        self._forms = [(name, form) for name, value in values.items() for form in forms(value)]
        self._forms.sort(key=lambda item: -len(item[1]))
        self._pattern = re.compile("|".join(f"({LINE_BREAK.join(map(re.escape, form))})" for _, form in self._forms))

    @property
    def margin(self) -> int:
        """How far beyond a cut one must read so that no secret is cut in two, in characters of UTF-8."""
        return max((2 * len(form.encode()) for _, form in self._forms), default=0)

    def clean(self, text: str, *, is_cut: bool = False) -> str:
        """The text without secrets. With `is_cut` the beginning of a secret at its end goes too."""
        if self._forms:
            text = self._pattern.sub(self._replace, text)
            if is_cut:
                text = self._clean_end(text)
        return scrub(text)

    def _replace(self, match: re.Match[str]) -> str:
        return placeholder(self._forms[(match.lastindex or 1) - 1][0])

    def _clean_end(self, text: str) -> str:
        for name, form in self._forms:
            for length in range(len(form) - 1, PREFIX - 1, -1):
                if text.endswith(form[:length]):
                    return text[: len(text) - length] + placeholder(name)
        return text


def placeholder(name: str) -> str:
    """What stands in a secret's place."""
    return f"[secret {name}]"


def forms(value: str) -> Iterator[str]:
    """Everything that a value may look like in an output."""
    pieces = {value, *(line for line in value.splitlines() if len(line) >= SHORTEST)}
    for piece in pieces:
        raw = piece.encode()
        yield from {piece, piece[::-1], json.dumps(piece)[1:-1], json.dumps(piece, ensure_ascii=False)[1:-1]}
        yield from {raw.hex(), raw.hex().upper(), raw.hex(" "), raw.hex(":"), raw.hex(":").upper()}
        encoded = quote(piece, safe="")
        yield from {encoded, quote(piece), re.sub("%..", lambda match: match[0].lower(), encoded)}
        yield from base64_forms(raw)


def base64_forms(raw: bytes) -> Iterator[str]:
    """The characters that `raw` alone decides, at each of the three offsets it may have in a longer text."""
    for offset in range(3):
        text = base64.b64encode(bytes(offset) + raw).decode().rstrip("=")
        first = (8 * offset + 5) // 6
        whole = 8 * (offset + len(raw)) // 6
        core = text[first:whole]
        if len(core) >= PREFIX:
            yield core
            yield core.translate(str.maketrans("+/", "-_"))


@functools.cache
def patterns() -> tuple[re.Pattern[str], ...]:
    """What credentials look like. Loading them takes a third of a second and 12 MB, so it is done when first needed."""
    found = [re.compile(pattern) for pattern in OURS]
    for path in PATTERNS:
        module, _, name = path.partition(".")
        detector = getattr(importlib.import_module(f"detect_secrets.plugins.{module}"), name)
        found += detector.denylist
    return tuple(found)


def scrub(text: str) -> str:
    """The text without whatever looks like a credential. For texts that no executor has masked."""
    for pattern in patterns():
        text = pattern.sub(hide, text)
    return text


@dataclass(frozen=True, slots=True)
class Masked:
    """A text without what looks like a credential."""

    text: str
    lines: int
    """How many of its lines are not as they were."""


def scrub_lines(text: str) -> Masked:
    """Like `scrub`, line by line, for what a person is to judge.

    Whoever wrote the text may want to hide what follows: a key block that never ends takes no line with it that does
    not look like a key's.
    """
    lines, changed, is_in_key = [], 0, False
    for line in text.split("\n"):
        body = KEY_BODY.fullmatch(line) if is_in_key else None
        shown = f"{body[1]}[secret]{body[3]}" if body else scrub(line)
        is_in_key = KEY_BEGINS.search(line) is not None or (
            is_in_key and (body is not None or KEY_HEAD.fullmatch(line) is not None)
        )
        changed += shown != line
        lines.append(shown)
    return Masked("\n".join(lines), changed)


def hide(match: re.Match[str]) -> str:
    """Mask what the pattern's group has found, or all of it."""
    whole = match.group(0)
    group = next((found for found in match.groups() if found and len(found) >= SHORTEST), whole)
    return whole.replace(group, "[secret]")


def refuse_credentials(values: Mapping[str, str]) -> None:
    """Refuse what would stand on a card and in the database, and looks like a credential.

    Raises:
        Refused: under which name. The value itself is not told.
    """
    for name, value in values.items():
        if scrub(value) != value:
            raise Refused(
                f"{name!r} looks like it holds a credential, and would be shown and kept; put that into the executor's "
                "store (`bulkhead secret set NAME`) and declare the parameter as a secret"
            )
