"""What a person typed, from Slack's mrkdwn to markdown; pure."""

from __future__ import annotations

import re

_TOKEN = re.compile(r"<(?P<mark>[@#!]?)(?P<target>[^<>|]+)(?:\|(?P<label>[^<>]*))?>")
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))  # & last: `&amp;lt;` is the four letters `&lt;`


def plain(text: str, bot_user: str) -> str:
    """What the person typed, as markdown: without the mention of the bot, with links and names in words."""
    text = _TOKEN.sub(lambda found: _words(found, bot_user), text)
    for entity, letter in _ENTITIES:
        text = text.replace(entity, letter)
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").strip()


def _words(found: re.Match[str], bot_user: str) -> str:
    mark, target, label = found["mark"], found["target"], found["label"] or ""
    match mark:
        case "@":
            return "" if target == bot_user else f"@{label or target}"
        case "#":
            return f"#{label or target}"
        case "!":
            return label or f"@{target.partition('^')[0]}"
        case _:
            bare = target.removeprefix("mailto:").removeprefix("tel:")
            is_bare = not label or label in (bare, target, target.partition("://")[2], target.rstrip("/"))
            return (label or bare) if is_bare and bare != target else target if is_bare else f"[{label}]({target})"
