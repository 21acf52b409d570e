"""`patch apply` and `patch revert`: what a person at the shell does about patches, by the same rules as in any chat."""

from __future__ import annotations

import argparse
import secrets
from collections.abc import Mapping

from bot.adapters.console import Request
from bot.cli.patch.delivering import checked, deliver, name_of, root_of
from bot.cli.patch.places import named
from bot.cli.patch.status import as_json, found, in_words
from bot.cli.records import say
from bot.cli.serving import answers_to
from bot.config import Settings
from layers.coordination import look_clock
from layers.errors import Refused
from layers.store import Row, read_store

APPROVE = "a:approve:"


async def apply(parsed: argparse.Namespace, settings: Settings) -> int:
    """Press Approve on a patch's card; 1 when it is not committed by it."""
    row = await row_of(parsed.id, settings)
    if not row["request"]:
        raise Refused(f"nobody is asked about the patch {parsed.id[:80]!r}; `patch status` tells how it stands")
    conversation = secrets.token_hex(8)

    async def ask(**what: str) -> list[dict[str, object]]:
        message = Request.model_validate({"person": parsed.person, "conversation": conversation, **what})
        return [refuse_error(answer) async for answer in answers_to(message, settings)]

    shown = await ask(verb="ask", text=f"/pending {row['request']}")
    await ask(verb="press", value=approve_of(shown))
    names = {str(path): name for name, path in named(settings).items()}
    async with read_store(settings.store_url) as store:
        told = as_json(await row_of(parsed.id, settings), names, await look_clock(store))
    is_applied = told["state"] == "applied"
    say(parsed, {"ok": is_applied, **told}, in_words(told))
    return 0 if is_applied else 1


async def row_of(id: str, settings: Settings) -> Row:
    """The patch of that id.

    Raises:
        Refused: there is none.
    """
    async with read_store(settings.store_url) as store:
        [row] = await found(id, store)
        return row


def refuse_error(answer: dict[str, object]) -> dict[str, object]:
    """An answer that is none of the house's refusals.

    Raises:
        Refused: it is one.
    """
    if answer["kind"] == "error":
        raise Refused(str(answer["text"]))
    return answer


def approve_of(shown: list[dict[str, object]]) -> str:
    """The value of the one button that approves.

    Raises:
        Refused: the card has none, or several: then a number is to be matched.
    """
    buttons = [button for answer in shown for button in listed(answer["buttons"])]
    values = [str(button["value"]) for button in buttons if str(button["value"]).startswith(APPROVE)]
    if len(values) != 1:
        raise Refused("this cannot be approved from a shell; press the button of its card")
    return values[0]


def listed(buttons: object) -> list[Mapping[str, object]]:
    """The buttons of an answer."""
    return buttons if isinstance(buttons, list) else []


async def revert(parsed: argparse.Namespace, settings: Settings) -> int:
    """Put before people that a commit be taken back; 1 when that is refused."""
    workspace = name_of(settings, await root_of(parsed, settings))
    handed = checked(
        {
            "who": {"person": parsed.person},
            "key": parsed.key or secrets.token_hex(16),
            "workspace": workspace,
            "revert": parsed.commit,
            "summary": parsed.summary or f"Revert {parsed.commit[:10]}",
        }
    )
    return await deliver(parsed, settings, handed)
