"""`serve`, and the verbs that talk to a server or stand in for one: `ask`, `link`."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator

from bot.adapters.console import NoServer, Request, readable, request, to_inbound, to_line
from bot.app import VERSION, open_house, open_page
from bot.cli.batch import read
from bot.config import Settings


async def serve(parsed: argparse.Namespace, settings: Settings) -> int:
    """Run until SIGINT or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    async with open_house(settings) as house, open_page(house) as url:
        if parsed.json:
            write(json.dumps({"ok": True, "url": url}))
        else:
            write(f"Bulkhead {VERSION} is ready. This link works once; `bulkhead link` prints another.\n\n  {url}\n")
        await stop.wait()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(name)  # a second one ends it at once, which costs no more than a crash: nothing
        sys.stderr.write("bulkhead: stopping\n")
    return 0


async def ask(parsed: argparse.Namespace, settings: Settings) -> int:
    """One message to the running server, or to a house opened for it; 1 when the answer is a refusal."""
    text = readable(read("-") if parsed.text == "-" else parsed.text)
    message = Request(
        verb="press" if parsed.press else "ask",
        person=parsed.person,
        conversation=parsed.conversation,
        text="" if parsed.press else text,
        value=text.strip() if parsed.press else "",
    )
    answers = [answer async for answer in shown(answers_to(message, settings), is_json=parsed.json)]
    return 1 if any(answer["kind"] == "error" for answer in answers) else 0


async def answers_to(message: Request, settings: Settings) -> AsyncIterator[dict[str, object]]:
    """From the server of this home when one runs; else from a house that is opened for this one question."""
    try:
        async for answer in request(settings.home, message):
            yield answer
    except NoServer:
        async with open_house(settings) as house:
            async for outbound in house.console.ask(to_inbound(message, house.operator(message.person))):
                yield to_line(outbound)


async def shown(answers: AsyncIterator[dict[str, object]], *, is_json: bool) -> AsyncIterator[dict[str, object]]:
    """Print each answer as it comes."""
    async for answer in answers:
        if is_json:
            write(json.dumps(answer))
        elif answer["kind"] == "working":
            sys.stderr.write(f"... {answer['text']}\n")
        else:
            write(as_text(answer))
        yield answer


def as_text(answer: dict[str, object]) -> str:
    """A message for a terminal: its markdown, its picture in words, its buttons as commands to type."""
    parts = [str(answer["text"])]
    if answer["alt"]:
        parts.append(f"[picture] {answer['alt']}")
    buttons = answer["buttons"] if isinstance(answer["buttons"], list) else []
    conversation = answer["conversation"]
    parts += [
        f"  {button['label']}: bulkhead ask --conversation {conversation} --press {button['value']}"
        for button in buttons
    ]
    return "\n".join(parts) + "\n"


async def link(parsed: argparse.Namespace, settings: Settings) -> int:
    """A new one-use link of the running server."""
    async for answer in request(settings.home, Request(verb="link", person=parsed.person)):
        write(json.dumps({"ok": True, **answer}) if parsed.json else str(answer["link"]))
    return 0


def write(line: str) -> None:
    """To standard output, at once: whoever started us may wait for it."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
