"""The shapes of what Slack sends, as much of them as matters. What does not fit them means nothing to us."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, StringConstraints

Id = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{2,32}$")]
Ts = Annotated[str, StringConstraints(pattern=r"^\d{1,12}\.\d{1,9}$")]
Trigger = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Short = Annotated[str, StringConstraints(max_length=255)]


class Edited(BaseModel):
    """When a message was changed."""

    ts: Ts


class Shared(BaseModel):
    """A file that came with a message."""

    id: Id
    name: str | None = None
    mimetype: str | None = None
    size: int = 0
    url_private_download: str | None = None
    file_access: str = ""
    """`check_file_info` where another workspace has it (Slack Connect): its address must be asked for."""


class Said(BaseModel):
    """`message` and `app_mention`."""

    type: str
    channel: Id
    ts: Ts
    user: Id
    text: str | None = ""
    thread_ts: Ts | None = None
    parent_user_id: str = ""
    """Who began the thread."""
    channel_type: str = ""
    subtype: str = ""
    bot_id: str | None = None
    user_team: Id | None = None
    """Whose workspace the sender is in, where it is another one (Slack Connect)."""
    team: Id | None = None
    """The sender's workspace."""
    client_msg_id: str | None = None
    edited: Edited | None = None
    files: list[Any] | None = None


class Changed(BaseModel):
    """`message` with the subtype `message_changed`."""

    channel: Id
    channel_type: str = ""
    message: dict[str, Any]
    previous_message: dict[str, Any] = {}


class Commanded(BaseModel):
    """A slash command."""

    command: str
    text: str = ""
    team_id: Id
    channel_id: Id
    user_id: Id
    trigger_id: Trigger


class Named(BaseModel):
    """Somebody or something with an id."""

    id: Id
    team_id: Id | None = None


class Container(BaseModel):
    """The message that a button hangs under."""

    channel_id: Id
    message_ts: Ts
    thread_ts: Ts | None = None


class Pushed(BaseModel):
    """One pressed element."""

    action_id: Short
    action_ts: Short
    block_id: Short = ""
    value: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,64}$")]


class Pressed(BaseModel):
    """`block_actions`."""

    user: Named
    team: Named | None
    container: Container
    actions: list[Pushed]


class Quoted(BaseModel):
    """The message that a shortcut was used on."""

    ts: Ts
    text: str | None = ""
    thread_ts: Ts | None = None


class Asked(BaseModel):
    """`message_action`: the message shortcut."""

    callback_id: str
    trigger_id: Trigger
    channel: Named
    message: Quoted


class View(BaseModel):
    """A modal as it was submitted."""

    id: Id
    callback_id: str
    private_metadata: str = ""
    state: dict[str, Any]


class Submitted(BaseModel):
    """`view_submission`."""

    user: Named
    team: Named | None
    view: View


class AssistantThread(BaseModel):
    """Where somebody opened the assistant's container."""

    channel_id: Id
    thread_ts: Ts


class HomeOpened(BaseModel):
    """`app_home_opened`."""

    user: Id
    tab: str = "home"
