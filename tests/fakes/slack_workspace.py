"""What a Slack workspace holds, and what the Web API's methods do to it. No sockets here."""

from __future__ import annotations

import itertools
import time
from typing import Any

from tests.fakes.slack_rules import parsed

TEAM, BOT, BOT_ID, APP = "T0HOUSE", "U0BOT", "B0BOT", "A0APP"


class Workspace:
    """Messages and files. A method of the Web API is a method of this class: `chat.update` is `_chat_update`."""

    def __init__(self) -> None:
        self.channels: dict[str, list[dict[str, Any]]] = {}
        self.files: dict[str, dict[str, Any]] = {}
        self.processing_s = 0.0
        """Seconds until an uploaded file may be shown."""
        self.origin = ""
        """`127.0.0.1:port`, for the addresses in answers."""
        self.numbers = itertools.count(1)
        self._last = 0.0
        self.page = 0
        """Messages that a page of a history holds at most; 0 is as many as were asked for."""
        self.scopes = ""
        """What the header of auth.test says."""
        self.views: list[dict[str, Any]] = []
        """Opened modals and published tabs: the arguments of the calls."""
        self._triggers: set[str] = set()
        self.statuses: dict[tuple[str, str], str] = {}
        """(channel, thread) -> the assistant's status."""

    def stamp(self) -> str:
        """The next `ts`."""
        self._last = max(self._last + 0.000_001, time.time())
        return f"{self._last:.6f}"

    def trigger(self) -> str:
        """What a modal is opened with, once. Slack's live for three seconds; ours wait, as the machine may be slow."""
        made = f"{next(self.numbers)}.{next(self.numbers)}"
        self._triggers.add(made)
        return made

    def said(self, channel: str) -> list[str]:
        """The text of every message of the bot in a channel, as it is now."""
        return [m["text"] for m in list(self.channels.get(channel, ())) if m.get("bot_id") == BOT_ID]

    def add(self, channel: str, message: dict[str, Any]) -> dict[str, Any]:
        """Keep a message."""
        self.channels.setdefault(channel, []).append(message)
        return message

    def carry_out(self, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Do what a call asks for; its answer."""
        does = getattr(self, "_" + method.replace(".", "_").lower(), None)
        answer: dict[str, Any] = does(arguments) if does else {"error": "unknown_method"}
        return {"ok": "error" not in answer, **answer}

    def _auth_test(self, arguments: dict[str, Any]) -> dict[str, Any]:
        return {"url": "https://house.slack.com/", "team_id": TEAM, "user_id": BOT, "bot_id": BOT_ID, "team": "House"}

    def _images_problem(self, arguments: dict[str, Any]) -> str:
        for block in parsed(arguments.get("blocks")) or ():
            file = self.files.get(block.get("slack_file", {}).get("id", "")) if block["type"] == "image" else None
            if block["type"] == "image" and (file is None or not self._is_processed(file)):
                return "invalid_blocks"
        return ""

    def _chat_postmessage(self, arguments: dict[str, Any]) -> dict[str, Any]:
        if problem := self._images_problem(arguments):
            return {"error": problem}
        stamp = self.stamp()
        kept = ("text", "thread_ts", "client_msg_id")
        message = {name: arguments[name] for name in kept if arguments.get(name)}
        message |= {"ts": stamp, "user": BOT, "bot_id": BOT_ID, "blocks": parsed(arguments.get("blocks")) or []}
        message |= {"text": arguments.get("text", ""), "metadata": parsed(arguments.get("metadata"))}
        self.add(arguments["channel"], message)
        return {"ts": stamp, "channel": arguments["channel"], "message": message}

    def _find(self, arguments: dict[str, Any]) -> dict[str, Any] | None:
        messages = self.channels.get(arguments["channel"], [])
        return next((m for m in messages if m["ts"] == arguments["ts"] and m.get("bot_id") == BOT_ID), None)

    def _chat_update(self, arguments: dict[str, Any]) -> dict[str, Any]:
        message = self._find(arguments)
        if message is None or (problem := self._images_problem(arguments)):
            return {"error": "message_not_found" if message is None else problem}
        message["text"] = arguments.get("text", message["text"])
        message["blocks"] = parsed(arguments.get("blocks")) or []
        message["metadata"] = parsed(arguments.get("metadata")) or message.get("metadata")
        return {"ts": message["ts"], "channel": arguments["channel"], "text": message["text"]}

    def _chat_delete(self, arguments: dict[str, Any]) -> dict[str, Any]:
        message = self._find(arguments)
        if message is None:
            return {"error": "message_not_found"}
        self.channels[arguments["channel"]].remove(message)
        return {"ts": message["ts"], "channel": arguments["channel"]}

    def _conversations_history(self, arguments: dict[str, Any]) -> dict[str, Any]:
        oldest = float(arguments.get("oldest") or 0)
        messages = list(self.channels.get(arguments["channel"], ()))
        found = [
            self._with_thread(m, messages)
            for m in messages
            if float(m["ts"]) > oldest and m.get("thread_ts", m["ts"]) == m["ts"]
        ]
        return self._paged(found[::-1], arguments)

    def _with_thread(self, root: dict[str, Any], messages: list[dict[str, Any]]) -> dict[str, Any]:
        """A message as a history shows it: with what is known of its thread."""
        replies = [m["ts"] for m in messages if m.get("thread_ts") == root["ts"] != m["ts"]]
        return {**root, "reply_count": len(replies), "latest_reply": replies[-1]} if replies else root

    def _conversations_replies(self, arguments: dict[str, Any]) -> dict[str, Any]:
        messages = list(self.channels.get(arguments["channel"], ()))
        oldest, root = float(arguments.get("oldest") or 0), arguments["ts"]
        author = next((m.get("user", "") for m in messages if m["ts"] == root), "")
        found = [m for m in messages if root in (m["ts"], m.get("thread_ts"))]
        news = [{**m, "parent_user_id": author} for m in found if m["ts"] != root and float(m["ts"]) > oldest]
        return self._paged([*(m for m in found if m["ts"] == root), *news], arguments)

    def _paged(self, found: list[dict[str, Any]], arguments: dict[str, Any]) -> dict[str, Any]:
        """One page, and where the next one begins."""
        size = min(int(arguments.get("limit", 100)), self.page or 1000)
        start = int(arguments.get("cursor") or 0)
        has_more = len(found) > start + size
        cursor = str(start + size) if has_more else ""
        page = found[start : start + size]
        return {"messages": page, "has_more": has_more, "response_metadata": {"next_cursor": cursor}}

    def _users_conversations(self, arguments: dict[str, Any]) -> dict[str, Any]:
        return {"channels": [{"id": id} for id in self.channels]}

    def _views_open(self, arguments: dict[str, Any]) -> dict[str, Any]:
        if arguments.get("trigger_id") not in self._triggers:
            return {"error": "invalid_trigger_id"}
        self._triggers.discard(arguments["trigger_id"])
        return self._views_publish(arguments)

    def _views_publish(self, arguments: dict[str, Any]) -> dict[str, Any]:
        id = f"V{next(self.numbers):08}"
        self.views.append({**arguments, "view": {**parsed(arguments["view"]), "id": id}})
        return {"view": self.views[-1]["view"]}

    def _assistant_threads_setstatus(self, arguments: dict[str, Any]) -> dict[str, Any]:
        self.statuses[arguments["channel_id"], arguments["thread_ts"]] = arguments["status"]
        return {}

    def _assistant_threads_settitle(self, arguments: dict[str, Any]) -> dict[str, Any]:
        return {}

    def _assistant_threads_setsuggestedprompts(self, arguments: dict[str, Any]) -> dict[str, Any]:
        return {} if 1 <= len(parsed(arguments["prompts"])) <= 4 else {"error": "invalid_arguments"}

    def _apps_connections_open(self, arguments: dict[str, Any]) -> dict[str, Any]:
        return {"url": f"ws://{self.origin}/link/?ticket={next(self.numbers)}"}

    def _is_processed(self, file: dict[str, Any]) -> bool:
        done_at: float = file["done_at"]
        return bool(done_at > 0 and time.monotonic() >= done_at + self.processing_s)

    def _files_getuploadurlexternal(self, arguments: dict[str, Any]) -> dict[str, Any]:
        id = f"F{next(self.numbers):09}"
        self.files[id] = {
            "name": arguments["filename"],
            "length": int(arguments["length"]),
            "done_at": 0.0,
            "bytes": b"",
        }
        return {"file_id": id, "upload_url": f"http://{self.origin}/upload/{id}"}

    def store(self, id: str, content: bytes) -> bool:
        """Take the bytes of an upload; whether they are as many as were announced."""
        self.files[id]["bytes"] = content
        return len(content) == int(self.files[id]["length"])

    def _files_completeuploadexternal(self, arguments: dict[str, Any]) -> dict[str, Any]:
        files = parsed(arguments["files"])
        if any(not self.files.get(file["id"], {}).get("bytes") for file in files):
            return {"error": "file_not_found"}
        for file in files:
            self.files[file["id"]]["done_at"] = time.monotonic()
        if channel := arguments.get("channel_id"):  # shares come later and without a ts in this answer
            text = arguments.get("initial_comment", "")
            self._chat_postmessage({"channel": channel, "text": text, "blocks": arguments.get("blocks")})
        return {"files": [{"id": file["id"], "title": file.get("title", "")} for file in files]}

    def _files_info(self, arguments: dict[str, Any]) -> dict[str, Any]:
        file = self.files.get(arguments["file"])
        if file is None:
            return {"error": "file_not_found"}
        link = f"https://house.slack.com/files/{BOT}/{arguments['file']}/{file['name']}"
        mimetype = "image/png" if self._is_processed(file) else ""
        return {"file": {"id": arguments["file"], "mimetype": mimetype, "permalink": link, "shares": {}}}
