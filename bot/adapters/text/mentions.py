"""Dead mentions: text that would notify people, or open a profile, with an invisible break in it. Pure.

Slack reads `<!channel>`, `<@U123>`, `<#C123>` and `<!subteam^S1>` in mrkdwn, and `@channel` wherever names are linked.
Telegram finds `@username` (a name not preceded by a letter, a digit or `_`) and `tg://` by itself, after it has removed
some characters: those are taken out first (`clean`), or their removal would close the break again (TDLib, misc.cpp).
It also makes `/command` something to press, which sends just that in the person's own name: ours take no harm by it and
stay; `/command@bot` would have another bot act, and is broken. Addresses, t.me among them, notify nobody and stay.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from urllib.parse import quote

from bot.adapters.text.tree import Run, Runs

BREAK = "\u200b"
"""Zero width space: invisible, and no part of any name."""
REMOVED_BY_TELEGRAM = "[\u030a\u0333\u033f]*"
NAMES = "(?:channel|here|everyone)"
EVERYWHERE = (
    rf"(?<!\w)@(?={NAMES}(?!\w))"
    rf"|@(?={NAMES}(?![.-]?\w))"  # after a letter too, unless it is a mail address
    r"|<(?=!(?:channel|here|everyone|group|subteam\b)|@[A-Z][A-Z0-9]|#[A-Z][A-Z0-9])"
    r"|tg:(?=//)"
)
USERNAME = rf"(?<![A-Za-z0-9_])@(?={REMOVED_BY_TELEGRAM}[A-Za-z0-9_])"
ANOTHER_BOTS = rf"(?<![A-Za-z0-9_/])/[A-Za-z0-9_]{{1,64}}@(?={REMOVED_BY_TELEGRAM}[A-Za-z0-9_])"
LIVE = re.compile(EVERYWHERE, re.IGNORECASE)
LIVE_ON_TELEGRAM = re.compile(f"{EVERYWHERE}|{USERNAME}|{ANOTHER_BOTS}", re.IGNORECASE)
URL = re.compile(r"https?://(?:[^\s<>\"'`@\\]|(?<=[/\w])@)+", re.IGNORECASE)
UNSEEN = str.maketrans(
    {
        **dict.fromkeys((*range(9), 0x0B, 0x0C, *range(0x0E, 0x20), 0x7F), " "),
        **dict.fromkeys((0x2028, 0x2029), "\n"),
        **dict.fromkeys(range(0x202A, 0x202F), ""),
    }
)
SURROGATES = re.compile("[\ud800-\udfff]")


def clean(text: str) -> str:
    """Text without control characters, direction overrides and halves of surrogate pairs; lines end in a newline."""
    return SURROGATES.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n").translate(UNSEEN))


def dead(text: str) -> str:
    """Text on which no surface notifies anyone; Telegram's usernames excepted."""
    return LIVE.sub(lambda found: found[0] + BREAK, text)


def dead_url(url: str) -> str:
    """The same address, spelled so that it is no mention where it is shown."""
    return spell(url, [found.end() for found in LIVE.finditer(url)])


def dead_names(text: str) -> str:
    """Text without Telegram usernames; addresses are left as they are."""
    either = re.compile(f"({URL.pattern})|{USERNAME}", re.IGNORECASE)
    return either.sub(lambda found: found[0] if found[1] else found[0] + BREAK, text)


def defuse(runs: Sequence[Run], *, usernames: bool) -> Runs:
    """Runs that stand in one line of text, dead. A mention may begin in one run and end in another.

    Args:
        usernames: Telegram's too. Those in code or in an address are dead already.
    """
    joined = "".join(run.text for run in runs)
    if "@" not in joined and "<" not in joined and ":" not in joined:
        return tuple(runs)
    everywhere = {found.end() for found in LIVE.finditer(joined)}
    ends = {found.end() for found in LIVE_ON_TELEGRAM.finditer(joined)} if usernames else set(everywhere)
    start = 0
    for run in runs:  # by itself too: a surface may put an address or a mark between two runs
        ends.update(start + found.end() for found in (LIVE_ON_TELEGRAM if usernames else LIVE).finditer(run.text))
        start += len(run.text)
    order = sorted(ends, reverse=True)
    safe, start = [], 0
    for run in runs:
        own = []
        while order and order[-1] <= start + len(run.text):
            own.append(order.pop() - start)
        if run.url and run.text == run.url:
            text = spell(run.text, [at for at in own if at + start in everywhere])
            safe.append(replace(run, text=text, url=text))
        else:
            pieces = (run.text[a:b] for a, b in pairwise([0, *own, len(run.text)]))
            safe.append(replace(run, text=BREAK.join(pieces)) if own else run)
        start += len(run.text)
    return tuple(safe)


def spell(url: str, ends: Sequence[int]) -> str:
    """An address with the characters before `ends` percent-encoded."""
    return "".join(quote(char, safe="") if at in ends else char for at, char in enumerate(url, 1)) if ends else url
