"""The app manifest to paste at api.slack.com/apps ("From a manifest"): what the adapter needs, and no more."""

from __future__ import annotations

import json
from typing import Any

from bot.adapters.slack.reading import COMMAND

SCOPES = (
    "app_mentions:read",
    "channels:history",  # the history scopes: to find parts of a long message whose posting was not answered
    "chat:write",
    "chat:write.public",
    "commands",
    "files:read",
    "files:write",
    "groups:history",
    "im:history",
    "mpim:history",
)
EVENTS = ("app_mention", "app_uninstalled", "message.im", "tokens_revoked")


def manifest(name: str = "Bulkhead") -> dict[str, Any]:
    """The manifest as data."""
    return {
        "_metadata": {"major_version": 2},
        "display_information": {
            "name": name,
            "description": "The chat front end that an AI agent works behind.",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": False,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": name, "always_online": False},
            "slash_commands": [
                {
                    "command": COMMAND,
                    "description": "Diagrams, approvals, patches, schedules",
                    "usage_hint": "help | status | pending | diagram ... | run ...",
                    "should_escape": True,
                }
            ],
        },
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {
            "event_subscriptions": {"bot_events": list(EVENTS)},
            "interactivity": {"is_enabled": True},
            "org_deploy_enabled": False,
            "socket_mode_enabled": True,
            "token_rotation_enabled": False,
        },
    }


def manifest_text(name: str = "Bulkhead") -> str:
    """The manifest as Slack takes it: JSON."""
    return json.dumps(manifest(name), indent=2, ensure_ascii=False) + "\n"
