"""Texts that want to notify everybody, as a model might be talked into writing them. Seeded, pure."""

from __future__ import annotations

import random
from collections.abc import Callable

SEED = 20261122
TOKENS = (
    *(
        "@channel",
        "@here",
        "@everyone",
        "@CHANNEL",
        "@Everyone",
        "@durov",
        "@bulkhead_bot",
        "@a_very_long_name_of_32_letters_x",
    ),
    *("<!channel>", "<!here>", "<!everyone>", "<!here|here>", "<!channel|@channel>", "<!subteam^S012AB3CD>"),
    *("<!subteam^S012AB3CD|@team>", "<@U012AB3CD>", "<@W012AB3CD|bob>", "<#C012AB3CD>", "<#C012AB3CD|general>"),
    *("<!date^1^{date}|@here>", "&lt;!channel&gt;", "&#60;!here&#62;", "&lt;@U012AB3CD&gt;", "&amp;lt;!here&amp;gt;"),
    *("tg://user?id=42", "[Bob](tg://user?id=42)", "<a href='tg://user?id=42'>Bob</a>", "[x](tg:user?id=42)"),
    *("https://t.me/durov", "[@durov](https://t.me/durov)", "t.me/@durov", "/start", "/ban@bulkhead_bot", "#hashtag"),
    *(
        "bob@example.com",
        "<bob@here>",
        "mailto:@channel",
        "[@channel](mailto:a@here)",
        "![@here](https://e.org/@everyone)",
    ),
    *("https://example.org/@channel", "<https://example.org/@here|@here>", "[<!here>](https://example.org)"),
)
UNSEEN = (
    "\u200b",
    "\u200d",
    "\u2060",
    "\ufeff",
    "\u00ad",
    "\u202e",
    "\u2066",
    "\u030a",
    "\u0333",
    "\u033f",
    "\u0007",
    "\r",
)
LOOKALIKES = {"@": "＠", "<": "＜", "!": "！"}
WORDS = ("deploy", "done", "Grüße", "日本", "👩‍👩‍👧", "x = 1", "it's", "a_b", "2 * 3", "—")


def hostile(count: int, seed: int = SEED) -> list[str]:
    """So many texts, each marked by its number so that it is found again."""
    dice = random.Random(seed)
    return [f"Note {n:06}: {text(dice)}" for n in range(count)]


def text(dice: random.Random) -> str:
    """One to six tokens, each twisted and wrapped, between harmless words."""
    parts = []
    for _ in range(dice.randint(1, 6)):
        token = dice.choice(TWISTS)(dice.choice(TOKENS), dice)
        parts += [dice.choice(WORDS), dice.choice(WRAPS)(token, dice)]
    return dice.choice((" ", " ", "", "\n", "\n\n")).join(parts)


Change = Callable[[str, random.Random], str]


def plain(token: str, dice: random.Random) -> str:
    """As it is."""
    return token


def hidden(token: str, dice: random.Random) -> str:
    """With something invisible in it."""
    at = dice.randrange(len(token) + 1)
    return token[:at] + dice.choice(UNSEEN) + token[at:]


def alike(token: str, dice: random.Random) -> str:
    """With characters that look the same, one of them."""
    char = dice.choice(tuple(LOOKALIKES))
    return token.replace(char, LOOKALIKES[char])


def torn(token: str, dice: random.Random) -> str:
    """Cut in two by markup that is gone once it is rendered."""
    at, mark = (
        dice.randrange(1, len(token)),
        dice.choice(("**", "*", "_", "~~", "`", "\\", "<b></b>", "[](x)", "<!-- -->")),
    )
    return token[:at] + mark + (mark if mark in ("**", "*", "_", "~~", "`") else "") + token[at:]


def doubled(token: str, dice: random.Random) -> str:
    """Inside itself."""
    at = dice.randrange(1, len(token))
    return token[:at] + token + token[at:]


TWISTS: tuple[Change, ...] = (plain, plain, plain, hidden, hidden, alike, torn, torn, doubled)
WRAPS: tuple[Change, ...] = (
    lambda token, dice: token,
    lambda token, dice: token,
    lambda token, dice: f"**{token}**",
    lambda token, dice: f"_{token}_",
    lambda token, dice: f"`{token}`",
    lambda token, dice: f"``{token}` x``",
    lambda token, dice: f"\n```\n{token}\n```\n",
    lambda token, dice: f"\n```{token}\ncode\n```\n",
    lambda token, dice: f"\n> {token}\n",
    lambda token, dice: f"\n- {token}\n- [ ] {token}\n",
    lambda token, dice: f"\n# {token}\n",
    lambda token, dice: f"\n| {token} | b |\n|---|---|\n| c | {token} |\n",
    lambda token, dice: f"[{token}](https://example.org/{token})",
    lambda token, dice: f"[label]({token})",
    lambda token, dice: f"![{token}]({token})",
    lambda token, dice: f"<b>{token}</b>",
    lambda token, dice: f'<a href="{token}">{token}</a>',
    lambda token, dice: f'[ref]\n\n[ref]: {token} "{token}"\n',
    lambda token, dice: f"\\{token}",
    lambda token, dice: f"{token}{token}",
    lambda token, dice: f"a{token}b",
    lambda token, dice: f"&lt;{token}&gt;",
    lambda token, dice: f"<details><summary>{token}</summary>{token}</details>",
)
