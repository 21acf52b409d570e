"""A person at the page without a browser: posts, and the stream of what is shown, over two plain HTTP connections.

`http.client` and not httpx: the client's own share of a 5 ms answer must stay small (httpx takes 1 to 2 ms a request).
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, RemoteDisconnected
from pathlib import Path
from typing import Any

from tests.fakes.house import House

TIMEOUT_S = 60

Event = dict[str, Any]


class Person:
    """Signed in, at one conversation, looking at its stream."""

    def __init__(self, house: House, conversation: str = "main") -> None:
        self.conversation = conversation
        self._origin = f"http://127.0.0.1:{house.port}"
        self._cookie = "; ".join(f"{name}={value}" for name, value in house.client.cookies.items())
        self._posts = HTTPConnection("127.0.0.1", house.port, timeout=TIMEOUT_S)
        self._stream = HTTPConnection("127.0.0.1", house.port, timeout=TIMEOUT_S)
        self._stream.request(
            "GET", f"/api/events?conversation={conversation}&after=0", headers={"Cookie": self._cookie}
        )
        self._lines = self._stream.getresponse()

    def say(self, text: str) -> str:
        """Post a message; returns the key under which it is shown once it is accepted."""
        id = str(uuid.uuid4())
        body = json.dumps({"id": id, "conversation": self.conversation, "text": text})
        try:
            self._post(body)
        except (BrokenPipeError, ConnectionResetError, RemoteDisconnected):
            self._posts.close()  # the server ends what is idle for 5 s; posting an id twice is one message
            self._post(body)
        return f"u{id}"

    def _post(self, body: str) -> None:
        headers = {"Cookie": self._cookie, "Origin": self._origin, "Content-Type": "application/json"}
        self._posts.request("POST", "/api/messages", body, headers)
        answer = self._posts.getresponse()
        said = answer.read()
        if answer.status != 202:
            raise RuntimeError(f"the server answered {answer.status}: {said.decode()}")

    def next_event(self) -> Event:
        """The next thing that is shown."""
        while line := self._lines.readline():
            if line.startswith(b"data: "):
                event: Event = json.loads(line[6:])
                return event
        raise RuntimeError("the server ended the stream")

    def reply(self, key: str, found: Callable[[Event], bool] = lambda event: True) -> Event:
        """The first answer after the own message `key` that is no placeholder."""
        is_after = False
        while True:
            event = self.next_event()
            if is_after and event["kind"] not in ("own", "working") and found(event):
                return event
            is_after = is_after or event["key"] == key

    def time_ms(self, text: str) -> tuple[float, Event]:
        """From the post to the answer, in milliseconds."""
        started = time.perf_counter()
        event = self.reply(self.say(text))
        return (time.perf_counter() - started) * 1e3, event

    def close(self) -> None:
        """Leave."""
        self._lines.close()
        self._stream.close()
        self._posts.close()


@contextmanager
def served(folder: Path, database_url: str = "", env: dict[str, str] | None = None) -> Iterator[House]:
    """A server on the home `folder`, signed in to."""
    house = House(folder, database_url, env)
    try:
        house.start()
        house.sign_in()
        yield house
    finally:
        house.close()
