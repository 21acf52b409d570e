"""The real server in a process of its own, to talk to, to kill and to start again.

`python -m tests.fakes.house POINT:N serve ...` runs the `bulkhead` command with a failpoint hook that kills the process
by SIGKILL at the N-th reach of POINT. Without a point to be killed at, the command is run as it is. Tests fork it from
a nursery that has imported everything; benchmarks start it as a user would, unless they name a nursery.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx

from tests.fakes.environment import REPO, environment
from tests.fakes.nursery import Child, Nursery, shared

NOWHERE = ""


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def program(kill_at: str, arguments: Sequence[str]) -> list[str]:
    """The command line that runs `bulkhead` with these arguments."""
    if kill_at == NOWHERE:
        return [sys.executable, "-m", "bot", *arguments]
    return [sys.executable, "-m", "tests.fakes.house", kill_at, *arguments]


class House:
    """One home on one port, whose server comes and goes."""

    def __init__(
        self, home: Path, database_url: str = "", env: dict[str, str] | None = None, nursery: Nursery | None = None
    ) -> None:
        self.home = home
        self.starts = 0
        self.port = free_port()
        self.env = environment(BULKHEAD_DATABASE_URL=database_url, **(env or {}))
        self.process: subprocess.Popen[str] | Child | None = None
        self._nursery = nursery or (shared() if "PYTEST_CURRENT_TEST" in os.environ else None)
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=20)
        self.url = ""
        self.log = home.parent / f"{home.name}.log"

    def start(self, kill_at: str = NOWHERE, wait: bool = True) -> None:
        """Start the server; with `wait` return once it printed its link."""
        self.reap()
        self.starts += 1
        arguments = ["serve", "--home", str(self.home), "--port", str(self.port), "--json"]
        if self._nursery is not None:
            self.process = self._nursery.serve([kill_at, *arguments], self.env, self.log)
        else:
            with open(self.log, "a", encoding="utf-8") as log:
                self.process = subprocess.Popen(
                    program(kill_at, arguments), stdout=subprocess.PIPE, stderr=log, text=True, cwd=REPO, env=self.env
                )
        if wait:
            assert self.process.stdout is not None
            line = self.process.stdout.readline()
            if not line:
                self.reap()
                raise AssertionError(f"the server did not start: {self.log.read_text()[-2000:]}")
            self.url = json.loads(line)["url"]

    def sign_in(self) -> None:
        """Trade the printed link for a session."""
        token = self.url.partition("#token=")[2]
        answer = self.post("/auth", {"token": token})
        assert answer.status_code == 200, answer.text

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self.process is not None and self.process.poll() is None

    def reap(self) -> None:
        """Let go of a process that ended."""
        if self.process is not None and self.process.stdout is not None:
            self.process.wait(20)
            self.process.stdout.close()

    def kill(self) -> None:
        """SIGKILL, as the kernel would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self) -> int:
        """SIGTERM, and wait; the exit code."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)

    def close(self) -> None:
        """Leave nothing behind."""
        if self.is_alive:
            self.stop()
        self.reap()
        self.client.close()

    def post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        """A post as the page makes it."""
        return self.client.post(path, json=body, headers={"origin": f"http://127.0.0.1:{self.port}"})

    def say(self, text: str, conversation: str = "main", id: str = "") -> httpx.Response:
        """A message."""
        return self.post("/api/messages", {"id": id or str(uuid.uuid4()), "conversation": conversation, "text": text})

    def press(self, event: dict[str, Any], label: str, conversation: str = "main", id: str = "") -> httpx.Response:
        """Press a button of a message by its label."""
        value = next(button["value"] for button in event["buttons"] if button["label"] == label)
        body = {"id": id or str(uuid.uuid4()), "conversation": conversation, "key": event["key"], "value": value}
        return self.post("/api/presses", body)

    def history(self, conversation: str = "main") -> list[dict[str, Any]]:
        """What the page shows, oldest first; every item has its key."""
        answer = self.client.get("/api/history", params={"conversation": conversation})
        answer.raise_for_status()
        return list(answer.json()["events"])

    def wait_for(
        self, found: Callable[[dict[str, Any]], bool], conversation: str = "main", seconds: float = 30
    ) -> dict[str, Any]:
        """The newest shown message of which `found` holds, once there is one."""
        deadline = time.monotonic() + seconds
        while True:
            events = self.history(conversation)
            for event in events[::-1]:
                if found(event):
                    return event
            if time.monotonic() > deadline:
                raise AssertionError(f"nothing like that within {seconds} s; shown: {json.dumps(events)[-3000:]}")
            time.sleep(0.05)

    def ask(self, text: str, conversation: str = "main", seconds: float = 30) -> dict[str, Any]:
        """Say something; the first message after it that is not a placeholder."""
        id = str(uuid.uuid4())
        answer = self.say(text, conversation, id)
        assert answer.status_code == 202, answer.text
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            events = self.history(conversation)
            place = next(n for n, event in enumerate(events) if event["key"] == f"u{id}")
            answers = [event for event in events[place + 1 :] if event["kind"] not in ("own", "working")]
            if answers:
                return answers[0]
            time.sleep(0.02)
        raise AssertionError(f"no answer to {text!r} within {seconds} s")


def run(kill_at: str, *arguments: str) -> int:
    """Run the command, with a hook that kills at the N-th reach of a point where `kill_at` is `POINT:N`.

    `POINT:N:PORT` does not kill: it calls that port and waits for a byte.
    """
    from bot.__main__ import main as bulkhead
    from layers import failpoint

    name, times, port = [*kill_at.split(":"), "", ""][:3]
    left = int(times or 0)

    def hook(point: failpoint.Point | failpoint.Step | failpoint.Landing) -> None:
        nonlocal left
        if point.value == name:
            left -= 1
            if left == 0 and port:
                with socket.create_connection(("127.0.0.1", int(port)), timeout=5) as trap:
                    trap.recv(1)
            elif left == 0:
                if name in ("draw.started", "effect.running", "model.called"):
                    with contextlib.suppress(InterruptedError):
                        time.sleep(0.15)  # let the other process get into the middle of it
                os.kill(os.getpid(), signal.SIGKILL)

    failpoint.hook = hook if name else None
    return bulkhead(arguments)


if __name__ == "__main__":
    raise SystemExit(run(*sys.argv[1:]))
