"""A provider wants to see a human being: who calls it after that, and how soon its owner hears of it elsewhere.

Slack ends a call with `two_factor_setup_required`, Telegram with `FROZEN_METHOD_INVALID`, a mail server with 535.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.figures import Figure
from benchmarks.transport.bench import Bench, NotMeasured, Section
from benchmarks.transport.world import COMMAND, PROVIDERS, World, wait, world
from tests.crash.mail import READING
from tests.fakes import mail_servers
from tests.fakes.tcp_proxy import Proxy

PAGE = "page"
IN_FLIGHT_S = 0.05
"""A call that was on its way when the refusal was written is none that came after it."""
PATIENCE_S = 20.0


@dataclass(frozen=True, kw_only=True)
class Found:
    """What one challenge led to."""

    calls: int
    told_s: float
    """Until the last of the other transport and the page showed it."""


def quarantine(bench: Bench) -> Section:
    """Slack, Telegram and mail in turn, each told of over another one and on the page."""
    found = {provider: challenge(bench, provider) for provider in PROVIDERS} | {"mail": challenge_mail(bench)}
    calls, told = sum(each.calls for each in found.values()), max(each.told_s for each in found.values())
    return Section(
        value={"calls": calls, "owner_told_s": round(told, 3)},
        figures=[
            Figure(
                key="quarantine_calls",
                title=f"calls in {bench.scale.quiet_s:g} s after a challenge",
                value=calls,
                unit="",
                at_most=0,
                note=", ".join(f"{provider}: {each.calls}" for provider, each in found.items()),
            ),
            Figure(
                key="quarantine_told_s",
                title="until the owner sees it elsewhere and on the page",
                value=told,
                unit="s",
                at_most=2,
                note=", ".join(f"{provider}: {each.told_s:.2f} s" for provider, each in found.items()),
            ),
        ],
    )


def challenge(bench: Bench, provider: str) -> Found:
    """One provider refuses, and says that a person must act."""
    other = next(name for name in PROVIDERS if name != provider)
    with world(bench, provider) as there:
        there.house.start()
        there.house.sign_in()
        there.connected(*PROVIDERS)
        for name in PROVIDERS:  # both know where their owner is
            there.say(name, 1, COMMAND.format(1))
            wait(f"no answer on {name}", lambda name=name: there.shows(name, 1, "no.such-000001"))  # type: ignore[misc]
        time.sleep(1.0)
        refuse(there, provider)
        there.say(provider, 1, COMMAND.format(2))
        wait(f"{provider} was not called", lambda: refused_at(there, provider))
        at = refused_at(there, provider)
        told = watch(bench, there, provider, (other,), at)
        calls = calls_since(there, provider, at + IN_FLIGHT_S)
    return Found(calls=calls, told_s=told)


def watch(bench: Bench, there: World, provider: str, others: Sequence[str], at: float) -> float:
    """Until the quiet is over; seconds after `at` until the page and every other transport told of it.

    Raises:
        NotMeasured: one of them never did.
    """
    shown_at = dict.fromkeys((PAGE, *others), 0.0)
    while not all(shown_at.values()) and time.monotonic() < at + PATIENCE_S:
        time.sleep(0.01)
        for place, when in shown_at.items():
            if not when and tells(there, place, provider):
                shown_at[place] = time.monotonic()
    time.sleep(max(0.0, at + bench.scale.quiet_s - time.monotonic()))
    if silent := [place for place, when in shown_at.items() if not when]:
        raise NotMeasured(
            f"{provider} was challenged and {' and '.join(silent)} said nothing of it in {PATIENCE_S:g} s"
        )
    return max(shown_at.values()) - at


def challenge_mail(bench: Bench) -> Found:
    """The submission server's password is another one from now on: it answers 535."""
    with (
        mail_servers.running() as servers,
        proxies(servers.imap, servers.submission) as (imap, submission),
        world(bench, "mail") as there,
    ):
        there.house.env |= {
            "BULKHEAD_MAIL_ADDRESS": f"bot@{mail_servers.DOMAIN}",
            "BULKHEAD_MAIL_PASSWORD": mail_servers.PASSWORD,
            "BULKHEAD_MAIL_IMAP_URL": f"imap://bot@127.0.0.1:{imap.port}",
            "BULKHEAD_MAIL_SMTP_URL": f"smtp://bot@127.0.0.1:{submission.port}",
        }
        there.house.start()
        there.house.sign_in()
        there.connected(*PROVIDERS)
        wait("no mailbox is read", lambda: READING in there.house.log.read_text())
        for name in PROVIDERS:
            there.say(name, 1, COMMAND.format(1))
            wait(f"no answer on {name}", lambda name=name: there.shows(name, 1, "no.such-000001"))  # type: ignore[misc]
        time.sleep(1.0)
        servers.lock_out("bot")
        servers.say(COMMAND.format(2), subject="Locked out")
        wait("the mail server was not called", lambda: servers.logins("bot"))
        at, before = time.monotonic(), imap.connections + submission.connections
        told = watch(bench, there, "mail", PROVIDERS, at)
        calls = imap.connections + submission.connections - before + servers.logins("bot") - 1
        calls += servers.is_read("bot")  # whoever still waits for mails calls
    return Found(calls=calls, told_s=told)


@contextmanager
def proxies(*ports: int) -> Iterator[list[Proxy]]:
    """One before each port: they count the connections."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    opened = [Proxy(port) for port in ports]
    for each in opened:
        asyncio.run_coroutine_threadsafe(each.start(), loop).result(10)
    try:
        yield opened
    finally:
        for each in opened:
            asyncio.run_coroutine_threadsafe(each.stop(), loop).result(10)
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0.1), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def refuse(there: World, provider: str) -> None:
    """The provider wants a human being from now on."""
    if provider == "slack":
        there.slack.fake.dead_with = "two_factor_setup_required"
    else:
        there.telegram.fake.fail("sendMessage", 400, "Bad Request: FROZEN_METHOD_INVALID")


def refused_at(there: World, provider: str) -> float:
    """When the first call was refused so; 0 before that."""
    if provider == "slack":
        refused = [call.at for call in list(there.slack.fake.calls) if call.outcome == "two_factor_setup_required"]
        return refused[0] if refused else 0.0
    sends = there.telegram.fake.called("sendMessage")
    return sends[1].at if len(sends) > 1 else 0.0


def calls_since(there: World, provider: str, at: float) -> int:
    """Calls that came later."""
    if provider == "slack":
        return len([call for call in there.slack.fake.calls if call.at > at])
    return len([call for call in there.telegram.fake.calls if call.at > at])


def tells(there: World, place: str, provider: str) -> bool:
    """Whether the owner is told there of that provider's account."""
    if place == PAGE:
        return any(f"{provider} is " in str(event.get("html", "")).lower() for event in there.house.history())
    return any(f"{provider} is " in seen.text.lower() for seen in there.surface(place).seen(there.house, 1))
