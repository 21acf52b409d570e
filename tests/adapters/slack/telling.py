"""What Slack tells of people that the fake has no word for: replies, edits, files, modals."""

from __future__ import annotations

from typing import Any

from tests.fakes.slack_server import SlackServer
from tests.fakes.slack_socket_mode import Envelope
from tests.fakes.slack_workspace import APP, TEAM

OWNER = "U0OWNER"


def reply(slack: SlackServer, channel: str, root: str, text: str, **more: Any) -> Envelope:
    """Somebody answers in a thread without mentioning anybody."""
    message = slack.people.message(channel, OWNER, text, root)
    author = next((m.get("user", "") for m in slack.workspace.channels[channel] if m["ts"] == root), "U0OTHER")
    kind = "im" if channel.startswith("D") else "channel"
    place = {"type": "message", "channel": channel, "channel_type": kind, "parent_user_id": author}
    return slack.people.event({**message, **place, **more})


def edit(slack: SlackServer, channel: str, message: dict[str, Any], text: str, after_s: float = 5.0) -> Envelope:
    """The author changes a message."""
    previous = dict(message)
    stamp = f"{float(message['ts']) + after_s:.6f}"
    message |= {"text": text, "edited": {"user": message["user"], "ts": stamp}}
    kind = "im" if channel.startswith("D") else "channel"
    changed = {"message": dict(message), "previous_message": previous, "hidden": True, "ts": stamp}
    place = {"type": "message", "subtype": "message_changed", "channel": channel, "channel_type": kind}
    return slack.people.event({**place, **changed})


def with_files(slack: SlackServer, channel: str, text: str, *files: dict[str, Any]) -> Envelope:
    """Somebody sends files to the bot alone."""
    message = slack.people.message(channel, OWNER, text)
    message |= {"files": list(files), "subtype": "file_share"}
    return slack.people.event({**message, "type": "message", "channel": channel, "channel_type": "im"})


def shared(slack: SlackServer, name: str, content: bytes, **changes: Any) -> dict[str, Any]:
    """A file that somebody put into the workspace."""
    slack.folder.files[name] = content
    url = f"http://{slack.workspace.origin}/files/{name}"
    return {
        "id": f"F{next(slack.workspace.numbers):08}",
        "name": name,
        "mimetype": "text/plain",
        "size": len(content),
        "url_private_download": url,
        **changes,
    }


def shortcut(slack: SlackServer, channel: str, message: dict[str, Any], user: str = OWNER) -> Envelope:
    """Somebody uses "Ask Bulkhead" on a message."""
    body = {
        "type": "message_action",
        "callback_id": "bulkhead_ask",
        "trigger_id": slack.workspace.trigger(),
        "user": {"id": user, "team_id": TEAM},
        "team": {"id": TEAM},
        "channel": {"id": channel, "name": "general"},
        "message": message,
        "api_app_id": APP,
    }
    return slack.sockets.deliver("interactive", body, retries=0)


def submit(slack: SlackServer, view: dict[str, Any], text: str, user: str = OWNER) -> Envelope:
    """Somebody submits the newest modal."""
    state = {"values": {"question": {"text": {"type": "plain_text_input", "value": text}}}}
    body = {
        "type": "view_submission",
        "user": {"id": user, "team_id": TEAM},
        "team": {"id": TEAM},
        "view": {**view, "id": f"V{next(slack.workspace.numbers):08}", "state": state},
        "api_app_id": APP,
    }
    return slack.sockets.deliver("interactive", body, retries=0)
