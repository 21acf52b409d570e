"""Markdown -> HTML that is safe to put into a page: the only markdown-it import.

Raw HTML is text, links go to http, https or mailto and nowhere else, nothing is loaded from outside (an image in
markdown becomes a link). Our own additions: a code span or block that is a command gets a button that fills the input,
and the lines of a diff are marked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from html import escape

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

PLAIN_ABOVE_CHARS = 32_000
"""Longer texts are shown as they are: some patterns cost quadratic time (1.1 s for 40,000 characters of `![`)."""
NESTING = 20
LINK = re.compile(r"(https?://|mailto:)[^\s\\]", re.IGNORECASE)
COMMAND = re.compile(r"/[a-z]{2,20}(\s[^\0]*)?")
DIFF_MARKS = {"+": "added", "-": "removed", "@": "hunk"}


class SafeRenderer(RendererHTML):
    """Markdown-it's renderer with a few rules of our own."""

    def code_inline(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """A code span; clickable when it is a command."""
        text = tokens[idx].content
        code = f"<code>{escape(text)}</code>"
        if not COMMAND.fullmatch(text):
            return code
        return f'<button type="button" class="command" data-command="{escape(text)}">{code}</button>'

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """A code block; a diff is coloured, a command can be taken over."""
        text = tokens[idx].content.removesuffix("\n")
        language = tokens[idx].info.strip().partition(" ")[0].lower()
        body = diff(text) if language in ("diff", "patch") else escape(text)
        take = ""
        if COMMAND.fullmatch(text):
            take = f'<button type="button" class="command take" data-command="{escape(text)}">Use this</button>'
        return f'<div class="block"><pre tabindex="0"><code>{body}\n</code></pre>{take}</div>\n'

    def code_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """An indented code block."""
        return self.fence(tokens, idx, options, env)

    def link_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """A link opens elsewhere and tells nobody where from."""
        tokens[idx].attrSet("rel", "noopener noreferrer nofollow")
        tokens[idx].attrSet("target", "_blank")
        return self.renderToken(tokens, idx, options, env)

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """An image from elsewhere is a link: loading it would tell its host who reads."""
        source = str(tokens[idx].attrGet("src") or "")
        name = escape(tokens[idx].content or source)
        rel = "noopener noreferrer nofollow"
        return f'<a href="{escape(source)}" rel="{rel}" target="_blank">{name}</a>'

    def table_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """A table scrolls by itself on a narrow screen."""
        return '<div class="table" tabindex="0"><table>'

    def th_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """A cell's alignment as a class: the page's policy forbids inline styles."""
        style = str(tokens[idx].attrs.pop("style", ""))
        if style:
            tokens[idx].attrSet("class", style.removeprefix("text-align:"))
        return self.renderToken(tokens, idx, options, env)

    td_open = th_open

    def table_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """See table_open."""
        return "</table></div>\n"


def diff(text: str) -> str:
    """The lines of a diff, each marked by what it does."""
    lines = []
    for line in text.split("\n"):
        mark = DIFF_MARKS.get(line[:1])
        safe = escape(line)
        lines.append(f'<span class="{mark}">{safe}</span>' if mark else safe)
    return "\n".join(lines)


def is_allowed(url: str) -> bool:
    """Whether a link may go there. Relative ones may not: nothing of this page is anyone's to link."""
    return LINK.match(url) is not None


def is_too_deep(tokens: Sequence[Token], most: int) -> bool:
    """Whether markdown-it, told to follow `most` levels, has come to the last one and dropped what lay deeper."""
    return any(token.nesting == 1 and token.level >= most - 1 for token in tokens)


def _parser() -> MarkdownIt:
    """CommonMark with tables and strikethrough, raw HTML off."""
    options = {"html": False, "linkify": False, "typographer": False, "breaks": True, "maxNesting": NESTING}
    markdown = MarkdownIt("commonmark", options, renderer_cls=SafeRenderer).enable(["table", "strikethrough"])
    markdown.validateLink = is_allowed  # type: ignore[method-assign]  # the documented way to change it
    return markdown


_MARKDOWN = _parser()


@lru_cache(maxsize=64)
def to_html(text: str) -> str:
    """Safe HTML of a message's markdown. Kept for a while: `/help` takes 6 ms, and says the same every time."""
    if len(text) > PLAIN_ABOVE_CHARS:
        return f"<pre><code>{escape(text)}</code></pre>"
    env: EnvType = {}
    tokens = _MARKDOWN.parse(text, env)
    if is_too_deep(tokens, NESTING):
        return f"<pre><code>{escape(text)}</code></pre>"
    html: str = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, env)
    return html
