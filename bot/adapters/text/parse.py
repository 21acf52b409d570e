"""Markdown -> the tree. markdown-it finds blocks and inline tokens; this folds them and keeps what it would drop.

CommonMark drops text in a few places: a link definition nobody uses, cells beyond a table's columns, the rest of a
fence's info line, nesting deeper than the parser follows. Here each of them stays visible.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_block.table import escapedSplit
from markdown_it.token import Token

from bot.adapters.text.html import is_allowed, is_too_deep
from bot.adapters.text.mentions import URL, clean, dead, dead_url, defuse
from bot.adapters.text.table import lay_out
from bot.adapters.text.tree import (
    PLAIN,
    TABLE,
    Block,
    Code,
    Document,
    Heading,
    Item,
    List,
    Paragraph,
    Quote,
    Rule,
    Run,
    Runs,
    Style,
    Table,
)

DEEPEST = 40
"""Levels of nesting; a text with more is shown as it is."""
INLINE_CHARS = 8_000
"""Longer paragraphs are shown as they are: some patterns cost quadratic time."""
INLINE_CHARS_IN_ALL = 64_000
BLOCK_CHARS = 50_000
"""Longer texts are shown as they are: they go out as a file anyway."""
URL_CHARS = 2_000
"""Longer addresses are text: neither Telegram nor Slack takes them as links."""
STYLES = {"strong": Style.BOLD, "em": Style.ITALIC, "s": Style.STRIKE}
TASK = re.compile(r"\[([ xX])\]\s+")
LANGUAGE = re.compile(r"[\w+#.-]{1,30}")
ADDRESS = re.compile(r"mailto:[\w.+-]*\w@(?:[\w-]+\.)+\w+", re.IGNORECASE | re.ASCII)
LOOKS_LIKE_ADDRESS = re.compile(r"\s*(https?://|www\.)", re.IGNORECASE)


def _markdown() -> MarkdownIt:
    """CommonMark with tables and strikethrough; raw HTML is text; inline text is parsed one block at a time by us."""
    options = {"html": False, "breaks": True, "maxNesting": DEEPEST}
    markdown = MarkdownIt("commonmark", options).enable(["table", "strikethrough"])
    markdown.validateLink = is_link  # type: ignore[method-assign]  # the documented way to change it
    markdown.core.ruler.disable(["inline", "text_join"])
    return markdown


def is_link(url: str) -> bool:
    """Whether a link may go there; of mailto only to one plain address, for CommonMark takes `!x|@y` for one too."""
    return is_allowed(url) and (not url.lower().startswith("mailto:") or ADDRESS.fullmatch(url) is not None)


_MARKDOWN = _markdown()


def parse(markdown: str, *, usernames: bool = False, tables: list[Table] | None = None) -> Document:
    """The tree of a message, dead.

    Args:
        usernames: Break Telegram's @usernames as well.
        tables: Where tables are put, for a surface that has them: in the tree stands `Code` of the language TABLE,
            whose text is the table's number. Without it they are laid out for surfaces that have none.
    """
    source = clean(markdown)
    reader = _Reader(source, usernames, tables)
    if len(source) > BLOCK_CHARS:
        return reader.as_it_is(source)
    tokens = _MARKDOWN.parse(source, reader.env)
    if is_too_deep(tokens, DEEPEST):
        return reader.as_it_is(source)
    return (*reader.blocks(iter(tokens)), *reader.unused_definitions()) or reader.as_it_is(source)


class _Reader:
    """Folds tokens into blocks."""

    def __init__(self, source: str, usernames: bool, tables: list[Table] | None = None) -> None:
        self.env: dict[str, Any] = {}
        self._lines = source.split("\n")
        self._usernames = usernames
        self._tables = tables
        self._chars_left = INLINE_CHARS_IN_ALL
        self._urls: set[str] = set()

    def as_it_is(self, source: str) -> Document:
        """A text nobody should parse."""
        text = source.strip()
        return (Paragraph(self._finish([Run(text)])),) if text else ()

    def blocks(self, tokens: Iterator[Token]) -> Document:
        """The blocks up to the end of the container that `tokens` is in."""
        found: list[Block] = []
        for token in tokens:
            if token.nesting == -1:
                break
            found += self._block(token, tokens)
        return tuple(found)

    def unused_definitions(self) -> Document:
        """`[label]: address` that no link refers to."""
        definitions = [*self.env.get("references", {}).values(), *self.env.get("duplicate_refs", [])]
        unused = [it for it in definitions if it["href"] not in self._urls]
        texts = ("\n".join(self._lines[slice(*it["map"])]).strip() for it in unused)
        return tuple(Paragraph(self._finish([Run(text)])) for text in texts if text)

    def _block(self, token: Token, tokens: Iterator[Token]) -> Document:
        match token.type:
            case "paragraph_open" | "heading_open":
                runs = self._inline(next(tokens).content)
                next(tokens)
                if not runs:
                    return ()
                return (Paragraph(runs) if token.tag == "p" else Heading(runs, int(token.tag[1])),)
            case "fence" | "code_block":
                return self._code(token.content.removesuffix("\n"), token.info.strip())
            case "hr":
                return (Rule(),)
            case "blockquote_open":
                inner = self.blocks(tokens)
                return (Quote(inner),) if inner else ()
            case "bullet_list_open":
                return (List(tuple(self._items(tokens, None))),)
            case "ordered_list_open":
                return (List(tuple(self._items(tokens, int(token.attrs.get("start", 1))))),)
            case "table_open":
                return self._table(tokens)
            case kind:
                raise AssertionError(f"markdown-it made a {kind!r} that no rule of ours enables")

    def _code(self, text: str, info: str) -> Document:
        language, _, rest = info.partition(" ")
        if not LANGUAGE.fullmatch(language):
            language, rest = "", info
        if not text.strip():
            return (Paragraph(self._finish([Run(info, Style.CODE)])),) if info else ()
        title = (Paragraph(self._finish([Run(rest.strip(), Style.ITALIC)])),) if rest.strip() else ()
        return (*title, Code(dead(text), language))

    def _items(self, tokens: Iterator[Token], number: int | None) -> Iterator[Item]:
        for token in tokens:
            if token.nesting == -1:
                break
            yield task(Item(self.blocks(tokens), number))
            number = None if number is None else number + 1

    def _table(self, tokens: Iterator[Token]) -> Document:
        rows: list[list[Runs]] = []
        aligns: list[str] = []
        for token in tokens:
            match token.type:
                case "table_close":
                    break
                case "tr_open":
                    rows.append([])
                    line = self._lines[token.map[0]] if token.map else ""
                case "th_open":
                    aligns.append(str(token.attrs.get("style", "")).removeprefix("text-align:"))
                case "inline":
                    rows[-1].append(self._inline(token.content))
                case "tr_close":
                    rows[-1] += [self._inline(cell) for cell in beyond(line, len(aligns))]
        if self._tables is None:
            return lay_out(rows, aligns)
        self._tables.append(Table(tuple(tuple(row) for row in rows), tuple(aligns)))
        return (Code(str(len(self._tables) - 1), TABLE),)

    def _inline(self, content: str) -> Runs:
        if not content:
            return ()
        if len(content) > min(INLINE_CHARS, self._chars_left):
            return self._finish([Run(content)])
        self._chars_left -= len(content)
        tokens: list[Token] = []
        _MARKDOWN.inline.parse(content, _MARKDOWN, self.env, tokens)
        return self._finish(fold(tokens))

    def _finish(self, runs: Sequence[Run]) -> Runs:
        """Neighbours of one look joined, bare addresses made links, everything dead."""
        joined = [
            Run("".join(run.text for run in group), style, url)
            for (style, url), group in groupby(runs, key=lambda run: (run.style, run.url))
        ]
        # a long text goes out as a file anyway, and 160,000 addresses took 20 s
        is_long = sum(len(run.text) for run in joined) > BLOCK_CHARS
        linked = joined if is_long else [piece for run in joined for piece in linkify(run) if piece.text]
        self._urls.update(run.url for run in linked)
        safe = [replace(run, url=dead_url(run.url)) if run.url else run for run in linked]
        spelled = [
            replace(new, text=new.url) if old.url and old.text == old.url else new
            for old, new in zip(linked, safe, strict=True)
        ]
        return defuse(spelled, usernames=self._usernames)


def fold(tokens: Sequence[Token]) -> list[Run]:
    """Inline tokens as runs."""
    runs: list[Run] = []
    styles: list[Style] = []
    links: list[tuple[Token, int]] = []
    for token in tokens:
        style = PLAIN
        for each in styles:
            style |= each
        url = str(links[-1][0].attrs["href"]) if links else ""
        match token.type:
            case "text" | "text_special":
                runs.append(Run(token.content, style, url))
            case "code_inline":
                runs.append(Run(token.content, style | Style.CODE, url))
            case "softbreak" | "hardbreak":
                runs.append(Run("\n", style, url))
            case "link_open":
                links.append((token, len(runs)))
            case "link_close":
                opened, start = links.pop()
                runs[start:] = link(runs[start:], opened)
            case "image":
                runs += image(token, style, url)
            case _ if token.nesting == 1:
                styles.append(STYLES[token.tag])
            case _:
                styles.pop()
    return runs


def link(label: list[Run], token: Token) -> list[Run]:
    """A link's runs; a label that names another address than the target's shows both, and so does a title."""
    url = str(token.attrs["href"])
    text = "".join(run.text for run in label)
    label = label if text.strip() else [Run(url.removeprefix("mailto:"), PLAIN, url)]
    is_misleading = token.info != "auto" and LOOKS_LIKE_ADDRESS.match(text) and text.strip() != url
    if is_misleading or len(url) > URL_CHARS:
        shown = [Run(" ("), Run(url, PLAIN, url if len(url) <= URL_CHARS else ""), Run(")")]
        label = [*(replace(run, url="") for run in label), *(shown if url not in text else [])]
    title = str(token.attrs.get("title", ""))
    return [*label, Run(f" ({title})")] if title else label


def image(token: Token, style: Style, url: str) -> list[Run]:
    """A picture from elsewhere is a link to it; inside a link both targets stay."""
    source = str(token.attrs["src"])
    opened = Token("link_open", "a", 1, attrs={"href": source, "title": token.attrs.get("title", "")})
    if url:
        return [Run(token.content, style, url), Run(" ("), *link([], opened), Run(")")]
    return link([Run(token.content, style, source)], opened)


def linkify(run: Run) -> Iterator[Run]:
    """A run's bare addresses as links of their own."""
    if run.url or Style.CODE in run.style or "://" not in run.text:
        yield run
        return
    last = 0
    for found in URL.finditer(run.text):
        url = found[0].rstrip(".,;:!?*_~")
        while url[-1:] in ")]}" and url.count(url[-1]) > url.count("([{"[")]}".index(url[-1])]):
            url = url[:-1].rstrip(".,;:!?*_~")
        if is_allowed(url) and len(url) <= URL_CHARS:
            yield replace(run, text=run.text[last : found.start()])
            yield replace(run, text=url, url=url)
            last = found.start() + len(url)
    yield replace(run, text=run.text[last:])


def task(item: Item) -> Item:
    """An item that begins with `[ ]` or `[x]` as a task."""
    if not (item.blocks and isinstance(first := item.blocks[0], Paragraph)):
        return item
    box = TASK.match(first.runs[0].text)
    if box is None or first.runs[0].url:
        return item
    text = first.runs[0].text[box.end() :]
    runs = (replace(first.runs[0], text=text), *first.runs[1:]) if text else first.runs[1:]
    blocks = (Paragraph(runs), *item.blocks[1:]) if runs else item.blocks[1:]
    return replace(item, blocks=blocks, is_done=box[1] != " ")


def beyond(line: str, columns: int) -> list[str]:
    """The cells of a table's row that have no column."""
    if line.count("|") < columns:
        return []
    cells = escapedSplit(line.strip().lstrip("> ").strip())
    cells = cells[1:] if cells[:1] == [""] else cells
    cells = cells[:-1] if cells[-1:] == [""] else cells
    return [cell.strip() for cell in cells[columns:]]
