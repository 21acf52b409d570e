"""Markdown to render: documents whose words are known, and texts made to break out."""

from __future__ import annotations

import random
from collections.abc import Iterator

from hypothesis import strategies as st

WORD = st.text(alphabet="abcdefghijklmnopqrstuvwxyzäßéж中👍🇩🇪", min_size=1, max_size=12).filter(str.strip)
WORDS = st.lists(WORD, min_size=1, max_size=12).map(" ".join)
INLINE = st.one_of(
    WORDS,
    WORDS.map(lambda text: f"**{text}**"),
    WORDS.map(lambda text: f"*{text}*"),
    WORDS.map(lambda text: f"~~{text}~~"),
    WORDS.map(lambda text: f"`{text}`"),
    WORDS.map(lambda text: f"**x _{text}_ `y`**"),
    WORDS.map(lambda text: f"[{text}](https://a.example/p?q=1&r=2)"),
    WORDS.map(lambda text: f'[**{text}** `z`](https://a.example/q "title")'),
    WORDS.map(lambda text: f"![{text}](https://a.example/p.png)"),
    WORDS.map(lambda text: f"<b>{text}</b>"),
    st.just("https://a.example/bare_one."),
    st.just("me@a.example @someone <@U1234567>"),
)
LINE = st.lists(INLINE, min_size=1, max_size=5).map(" ".join)
CODE = st.lists(st.text(alphabet="abc(){}<>&@\t ;é👍", max_size=60), max_size=30).map("\n".join)
TABLE = st.integers(1, 4).flatmap(
    lambda columns: st.lists(st.lists(WORDS, min_size=columns, max_size=columns + 1), min_size=1, max_size=6).map(
        lambda rows: "\n".join(
            f"| {' | '.join(row)} |" for row in [[f"h{column}" for column in range(columns)], ["---"] * columns, *rows]
        )
    )
)
PROSE_LEAF = st.one_of(
    WORDS,
    st.tuples(WORDS, WORDS, WORDS).map("\n**{0[0]}** and `{0[1]}` ~~{0[2]}~~".format),
    st.tuples(st.integers(1, 6), WORDS).map(lambda it: f"{'#' * it[0]} {it[1]}"),
    CODE.map(lambda code: f"~~~~~~python\n{code}\n~~~~~~"),
    st.just("---"),
    st.just("<div>\nraw html\n</div>"),
)
LEAF = st.one_of(PROSE_LEAF, LINE, LINE, TABLE)


def indented(text: str, first: str, rest: str) -> str:
    """A block inside of a container."""
    return first + text.replace("\n", "\n" + rest)


def document(leaf: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Blocks in blocks."""
    block = st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=4).map(
                lambda blocks: "\n".join(indented(block, "- ", "  ") for block in blocks)
            ),
            st.lists(inner, min_size=1, max_size=4).map(
                lambda blocks: "\n".join(indented(block, f"{n}. ", "   ") for n, block in enumerate(blocks, 7))
            ),
            inner.map(lambda block: indented(block, "- [x] ", "  ")),
            st.lists(inner, min_size=1, max_size=3).map(lambda blocks: indented("\n\n".join(blocks), "> ", "> ")),
        ),
        max_leaves=6,
    )
    return st.lists(block, min_size=1, max_size=5).map("\n\n".join)


DOCUMENT = document(LEAF)
PROSE = document(PROSE_LEAF)

TOKENS = [
    "@channel",
    "@here",
    "@Everyone",
    "<!channel>",
    "<!here>",
    "<!everyone|everyone>",
    "<@U12345678>",
    "<@W12345678|bob>",
    "<#C12345678>",
    "<#C12345678|general>",
    "<!subteam^S12345678>",
    "<!subteam^S12345678|@team>",
    "@somebody",
    "@some_body_42",
    "tg://user?id=123456",
    "[you](tg://user?id=123456)",
    "[you](tg:user?id=1)",
    "<tg://user?id=123456>",
    "[@somebody](https://a.example/@channel)",
    "![@here](https://a.example/@here.png)",
    "https://a.example/@everyone",
    "https://a.example,@somebody",
    "&lt;!channel&gt;",
    "&#60;!here&#62;",
    "&commat;channel",
    "&#64;somebody",
    "\\@channel",
    "\\<!channel>",
    "@\u202esomebody",
    "@\u0333somebody",
    "@\u202dchannel",
    "<\u202e!channel>",
    "@\x00channel",
]
AROUND = [
    "{}", "**{}**", "_{}_", "~~{}~~", "`{}`", "# {}", "> {}", "- {}", "1. {}", "- [x] {}", "| a |\n|---|\n| {} |",
    "| {} |\n|---|", "```\n{}\n```", "```python {}\n```", "```{}\nx\n```", "[{}](https://a.example)", "![{}](https://a.example)",
    '[a](https://a.example "{}")', "[{}]: https://a.example", "<b>{}</b>", "<!-- {} -->", "x{}", "({})", "é{}", ".{}.",
    "    {}", "\\{}", "a\n{}\nb", "{}{}", "| a | b |\n|---|---|\n| " + "wide " * 20 + " | {} |",
]  # fmt: skip
PIECES = st.lists(
    st.sampled_from(
        [*TOKENS, "[", "](", ")", "<", ">", "*", "_", "`", "```", "\n", "\n\n", "|", "\\", "@", "a", "- ", "> "]
    )
).map("".join)


def hostile(count: int) -> Iterator[str]:
    """Texts that try to be live, the same ones every time."""
    chance = random.Random(20_260_910)
    yield from (around.replace("{}", token) for token in TOKENS for around in AROUND)
    for _ in range(count - len(TOKENS) * len(AROUND)):
        token = chance.choice(TOKENS)
        at = chance.randrange(len(token))
        looks = chance.choice(["**", "_", "`", "~~", "\u200d", "\ufeff", "\u202c", "\\", "\n", ""])
        inner = f"{token[:at]}{looks}{token[at:]}{looks}"
        for _ in range(chance.randrange(1, 4)):
            inner = chance.choice(AROUND).replace("{}", inner)
        yield "x" * chance.choice([0, 0, 0, 4090, 4095, 4096, 2999, 3000]) + inner
