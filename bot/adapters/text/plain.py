"""The tree -> plain text: mail bodies, alternative texts, and whatever a surface shows that shows no looks."""

from __future__ import annotations

import re
from typing import assert_never

from bot.adapters.text.files import take_long_code
from bot.adapters.text.mentions import dead_names
from bot.adapters.text.parse import parse
from bot.adapters.text.tree import Block, Code, Document, File, Heading, Item, List, Paragraph, Quote, Rule, flat, mark

RULE = "-" * 40
LONG_CODE = 6_000
"""Characters of one code block: about 100 lines."""
TICKS = re.compile("`{3,}")


def plain(markdown: str) -> str:
    """One text for any surface, dead on each of them."""
    return dead_names(to_text(parse(markdown, usernames=True)))


def render_mail(markdown: str) -> str:
    """A mail's body. Lines are not wrapped: the message is encoded, and every mail program wraps."""
    return to_text(parse(markdown), is_mail=True)


def mail_body(markdown: str) -> tuple[str, list[File]]:
    """As `render_mail`, and the code that is too long to be read there, as files."""
    blocks, files = take_long_code(parse(markdown), LONG_CODE)
    return to_text(blocks, is_mail=True), files


def to_text(blocks: Document, *, is_mail: bool = False, between: str = "\n\n") -> str:
    """Blocks as lines of text.

    Args:
        is_mail: Titles are underlined and addresses stand in <>, as mail programs expect them.
    """
    return between.join(block_text(block, is_mail) for block in blocks)


def block_text(block: Block, is_mail: bool) -> str:
    """One block as lines of text."""
    brackets = "<>" if is_mail else "()"
    match block:
        case Paragraph(runs):
            return flat(runs, brackets)
        case Heading(runs, level):
            title = flat(runs, brackets)
            longest = min(max(map(len, title.split("\n"))), 78)
            return f"{title}\n{('=' if level == 1 else '-') * longest}" if is_mail else title
        case Code(text, language):
            ticks = max(["```", *(found[0] + "`" for found in TICKS.finditer(text))], key=len)
            return f"{ticks}{language}\n{text}\n{ticks}"
        case Rule():
            return RULE
        case Quote(inner):
            lines = to_text(inner, is_mail=is_mail).split("\n")
            return "\n".join(f"> {line}".rstrip() for line in lines)
        case List(items):
            return "\n".join(item_text(item, is_mail) for item in items)
    assert_never(block)


def item_text(item: Item, is_mail: bool) -> str:
    """An item behind its mark; what follows its first line is indented."""
    before = mark(item, bullet="-", boxes=("[ ]", "[x]"))
    text = to_text(item.blocks, is_mail=is_mail, between="\n")
    indent = "\n" + " " * (len(before) + 1 if before else 2)
    return f"{before} {text}".strip().replace("\n", indent)
