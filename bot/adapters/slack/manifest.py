"""The app manifest to paste at api.slack.com/apps ("From a manifest"): what the adapter needs, and no more."""

from __future__ import annotations

import json
import re
from typing import Any

from bot.adapters.slack.shortcut import CALLBACK, NAME
from bot.adapters.slack.writing import COMMAND
from layers.errors import Refused

ORIGIN = re.compile(r"https://[A-Za-z0-9.-]+(:\d{1,5})?/?")
PROMPTS = (
    ("What can you do?", "/help"),
    ("What waits for me?", "/pending"),
    ("How are you?", "/status"),
    ("Draw a diagram", "Draw a diagram of how a message comes to an answer here"),
)
"""Title and message; Slack shows four."""
SCOPES = (
    "app_mentions:read",
    "assistant:write",
    "channels:history",  # the history scopes: replies in threads, what was said meanwhile, parts of our own messages
    "channels:read",  # the read scopes: where we are, for what was said while Bulkhead was stopped
    "chat:write",
    "chat:write.public",
    "commands",
    "files:read",
    "files:write",
    "groups:history",
    "groups:read",
    "im:history",
    "im:read",
    "mpim:history",
    "mpim:read",
)
EVENTS = (
    "app_home_opened",
    "app_mention",
    "app_uninstalled",
    "assistant_thread_context_changed",  # Slack wants it beside the next one; nothing follows from it
    "assistant_thread_started",
    "message.channels",  # replies in threads where the app takes part; all other messages of a channel are ignored
    "message.groups",
    "message.im",
    "message.mpim",
    "tokens_revoked",
)


def manifest(name: str = "Bulkhead", http: str = "") -> dict[str, Any]:
    """The manifest as data: for Socket Mode, or for HTTP where `http` is the origin that Slack reaches us under.

    Raises:
        Refused: Slack would not come there.
    """
    if http and not ORIGIN.fullmatch(http):
        raise Refused(f"{http!r} is no address for Slack; it must look like https://chat.example.org, without a path")
    hook = f"{http.rstrip('/')}/hooks/slack" if http else ""
    address = {"request_url": hook} if hook else {}
    return {
        "_metadata": {"major_version": 2},
        "display_information": {
            "name": name,
            "description": "The chat front end that an AI agent works behind.",
        },
        "features": features(name, hook),
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {
            "event_subscriptions": {**address, "bot_events": list(EVENTS)},
            "interactivity": {"is_enabled": True, **address},
            "org_deploy_enabled": False,
            "socket_mode_enabled": not hook,
            "token_rotation_enabled": False,
        },
    }


def features(name: str, hook: str) -> dict[str, Any]:
    """What people see of the app; `hook` is where commands go over HTTP."""
    return {
        "app_home": {
            "home_tab_enabled": True,
            "messages_tab_enabled": True,
            "messages_tab_read_only_enabled": False,
        },
        "assistant_view": {
            "assistant_description": "Answers, draws, and asks before it acts.",
            "suggested_prompts": [{"title": title, "message": message} for title, message in PROMPTS],
        },
        "shortcuts": [
            {
                "name": NAME,
                "type": "message",
                "callback_id": CALLBACK,
                "description": "Ask about this message; the answer goes into its thread",
            }
        ],
        "bot_user": {"display_name": name, "always_online": False},
        "slash_commands": [
            {
                "command": COMMAND,
                **({"url": hook} if hook else {}),
                "description": "Diagrams, approvals, patches, schedules",
                "usage_hint": "help | status | pending | diagram ... | run ...",
                "should_escape": True,
            }
        ],
    }


def manifest_text(name: str = "Bulkhead", http: str = "") -> str:
    """The manifest as Slack takes it: JSON."""
    return json.dumps(manifest(name, http), indent=2, ensure_ascii=False) + "\n"
