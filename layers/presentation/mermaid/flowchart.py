"""Mermaid flowchart text to `Flowchart`: a recursive descent written by hand.

Why not a grammar library: Mermaid's lexing depends on context (`--` starts a label or an arrow, `end` closes or names)
and the error must say line, column and the nearest fix. Subgraphs are kept on a list, not on Python's stack, so no
input is too deep. Checked against mermaid 11.17.2's own verdicts in tests/presentation/test_corpus.py.
"""

from __future__ import annotations

import re
from typing import NoReturn

from layers.presentation.mermaid.cursor import Cursor
from layers.presentation.mermaid.graph import Graph, edge_of
from layers.presentation.mermaid.labels import plain
from layers.presentation.mermaid.meta import Meta
from layers.presentation.mermaid.nodes import data_fields, label_in_brackets, quoted
from layers.presentation.mermaid.shapes import LINK, LINK_ENDS, LINK_STARTS, arrow
from layers.presentation.spec import Direction, Edge, Flowchart

HEADER = re.compile(r"(?:flowchart-elk|flowchart|graph)(?![\w-])")
DIRECTION = re.compile(r"(TB|TD|BT|RL|LR|BR|<|>|\^|v)(?=[\s;]|$)")
DIRECTIONS = {"BT": Direction.UP, "^": Direction.UP, "LR": Direction.RIGHT, ">": Direction.RIGHT} | {
    "RL": Direction.LEFT,
    "<": Direction.LEFT,
}
SEPARATORS = re.compile(r"[\s;]*")
END_OF_STATEMENT = re.compile(r"[^\S\n]*(?:[;\n]|$)")
ID = re.compile(r"(?:[^\W]|[!#$%&'*+.`?\\/,…]|:(?!::)|-(?=[^>\-.\s])|=(?!=))+")
END = re.compile(r"end(?=[\s;&]|$)")
SUBGRAPH = re.compile(r"subgraph(?=[\s;]|$)")
SUBGRAPH_TITLE = re.compile(r"[^\n;\[]*")
DIRECTION_STATEMENT = re.compile(r"direction[^\S\n]+(TB|TD|BT|RL|LR)[^\n;]*")
STYLING = re.compile(r"(?:classDef|class|style|click|href|linkStyle)[^\S\n]+(?:\"[^\"]*\"|[^\"\n;])*")
LINK_STYLE = re.compile(r"linkStyle\s+(\d[\d,\s]*)")
AMPERSAND = re.compile(r"\s+&\s+")
CLASS = re.compile(r":::(?:[\w,-])+")
EDGE_ID = re.compile(r"([^\s\"@]{1,100})@(?=[^{\"])")
LINK_AHEAD = re.compile(r"\s*(?:(?<=\n)[ \t]*)?(?=[-=~<.]|[xo](?:--|==|-\.))")
LONGEST_LABEL = 2000
"""Characters between the two halves of an arrow."""
NEAREST_ARROW = {"->": "-->", "=>": "==>", "→": "-->", "⇒": "==>", "—>": "-->", "–>": "-->", "~>": "-->", "..>": "-.->"}


def parse_flowchart(cursor: Cursor, meta: Meta) -> Flowchart:
    """Read the whole flowchart that starts at `cursor`.

    Raises:
        BadInput: with line, column and what was expected.
    """
    return _Parser(cursor, meta).parse()


class _Parser:
    def __init__(self, cursor: Cursor, meta: Meta) -> None:
        self.cursor = cursor
        self.meta = meta
        self.graph = Graph(cursor)

    def parse(self) -> Flowchart:
        direction = self._header()
        while True:
            self.cursor.take(SEPARATORS)
            if self.cursor.is_done:
                break
            self._statement()
        if self.graph.open:
            name = self.graph.open[-1].title or self.graph.open[-1].id
            self.cursor.fail("`end`", f"add a line with end to close the subgraph {name!r}")
        return self.graph.finish(self.meta, direction)

    def _header(self) -> Direction:
        cursor = self.cursor
        cursor.take(HEADER)
        cursor.skip_blanks()
        found = cursor.take(DIRECTION)
        if cursor.take(END_OF_STATEMENT) is None:
            cursor.skip_blanks()
            word = cursor.rest_of_line().split()[0]
            fix = f"write TD instead of {word[:20]!r}" if found is None else "put the first node on a line of its own"
            cursor.fail("a direction (TD, BT, LR or RL)" if found is None else "a new line", fix)
        return DIRECTIONS.get(found.group(1), Direction.DOWN) if found else Direction.DOWN

    def _statement(self) -> None:
        cursor, graph = self.cursor, self.graph
        if found := cursor.peek(STYLING):
            self._check_link_style(found.group())
            self.graph.style(found.group())
            cursor.at = found.end()
        elif self.meta.take(cursor):
            pass
        elif found := cursor.take(DIRECTION_STATEMENT):
            if graph.open:
                graph.open[-1].direction = DIRECTIONS.get(found.group(1), Direction.DOWN)
        elif cursor.peek(SUBGRAPH):
            self._subgraph()
        elif cursor.peek(END):
            if not graph.open:
                cursor.fail("a node", "there is no open subgraph for this end; a node may be called End")
            cursor.take(END)
            graph.close_frame()
        else:
            self._chain()
        if cursor.take(END_OF_STATEMENT) is None:
            _fail_after_node(cursor)

    def _check_link_style(self, text: str) -> None:
        found = LINK_STYLE.match(text)
        if found is None:
            return
        for number in re.findall(r"\d+", found.group(1)):
            if len(number) > 6 or int(number) >= len(self.graph.edges):
                count = len(self.graph.edges)
                self.cursor.fail(
                    "linkStyle with the number of an edge", f"there are {count} edges so far, counted from 0"
                )

    def _subgraph(self) -> None:
        cursor = self.cursor
        cursor.take(SUBGRAPH)
        cursor.skip_blanks()
        start = cursor.at
        if cursor.starts_with('"'):
            title = quoted(cursor)
            self.graph.open_frame(title if not re.search(r"\s", title) else "", plain(title))
            return
        name = (cursor.take(SUBGRAPH_TITLE) or cursor.fail("a title")).group().strip()
        if cursor.starts_with("["):
            title, _ = label_in_brackets(cursor) or cursor.fail("`]`", "close the title of the subgraph", at=start)
            self.graph.open_frame(name, title)
            return
        if '"' in name:
            cursor.fail("the end of the line after the title", 'write subgraph id ["the title"]', at=start)
        self.graph.open_frame(name if not re.search(r"\s", name) else "", plain(name))

    def _chain(self) -> None:
        """`A & B -->|label| C --> D`."""
        sources = self._nodes()
        while edge := self._link():
            self.cursor.skip_space()
            targets = self._nodes(after_arrow=True)
            self.graph.connect(sources, targets, edge)
            sources = targets

    def _nodes(self, *, after_arrow: bool = False) -> list[str]:
        found = [self._node(after_arrow=after_arrow)]
        while self.cursor.take(AMPERSAND):
            found.append(self._node(after_arrow=True))
        return found

    def _node(self, *, after_arrow: bool) -> str:
        cursor = self.cursor
        match = None if cursor.peek(END) else cursor.take(ID)
        if match is None:
            expected = "a node after the arrow" if after_arrow else "a node, like A or A[label]"
            fix = "`end` is a keyword: write End" if cursor.peek(END) else ""
            fix = 'give it an id: A["…"]' if cursor.starts_with('"') or cursor.starts_with("[") else fix
            cursor.fail(expected, fix)
        id = match.group()
        start = cursor.at
        if cursor.starts_with("@{"):
            fields = data_fields(cursor)
            if id not in self.graph.edge_ids:
                self.graph.mention(id)
                self.graph.describe_by_name(id, fields, at=start)
        else:
            self.graph.mention(id)
            if (found := label_in_brackets(cursor)) is not None:
                self.graph.describe(id, label=found[0], shape=found[1])
        self._decorations(id)
        return id

    def _decorations(self, id: str) -> None:
        """Any of `:::class` and `@{ ... }` after a node."""
        while True:
            start = self.cursor.at
            if self.cursor.starts_with("@{"):
                self.graph.describe_by_name(id, data_fields(self.cursor), at=start)
            elif found := self.cursor.take(CLASS):
                self.graph.paint(id, self.graph.accents.of(found.group()[3:]))
            else:
                return

    def _link(self) -> Edge | None:
        cursor = self.cursor
        before = cursor.at
        cursor.skip_blanks()
        if found := cursor.peek(EDGE_ID):
            cursor.at = found.end()
            if cursor.peek(LINK) or cursor.peek(LINK_STARTS):
                self.graph.edge_ids.add(found.group(1))
            else:
                cursor.at = before
                return None
        elif cursor.take(LINK_AHEAD) is None:
            cursor.at = before
            return None
        if found := cursor.take(LINK):
            style, heads = arrow(found.group())
            cursor.skip_space()
            return edge_of(self._piped_label() if cursor.starts_with("|") else "", style, heads)
        if found := cursor.take(LINK_STARTS):
            return self._link_with_inner_label(found.group())
        cursor.at = before
        return None

    def _link_with_inner_label(self, start: str) -> Edge:
        cursor = self.cursor
        begin = cursor.at - len(start)
        cursor.skip_space()
        if cursor.starts_with('"'):
            label = quoted(cursor)
            cursor.skip_space()
            end = cursor.take(LINK_ENDS[start[-1]])
        else:
            end = LINK_ENDS[start[-1]].search(cursor.text, cursor.at, cursor.at + LONGEST_LABEL)
            label = cursor.text[cursor.at : end.start()] if end else ""
            if "\n\n" in label:
                end = None
            elif end:
                cursor.at = end.end()
        if end is None:
            whole = {"-": "-->", "=": "==>", ".": "-.->"}[start[-1]]
            cursor.fail("an arrow", f"write {whole} or {start} label {whole}", at=begin)
        style, heads = arrow(end.group(), start)
        return edge_of(plain(label), style, heads)

    def _piped_label(self) -> str:
        cursor = self.cursor
        start = cursor.at
        cursor.at += 1
        cursor.skip_space()
        if cursor.starts_with('"'):
            label = quoted(cursor)
            cursor.skip_space()
        else:
            close = cursor.text.find("|", cursor.at)
            label = cursor.text[cursor.at : close] if close >= 0 else ""
            cursor.at = max(close, cursor.at)
        if not cursor.starts_with("|"):
            cursor.fail("`|` after the edge's label", "write -->|label|", at=start)
        cursor.at += 1
        return plain(label)


def _fail_after_node(cursor: Cursor) -> NoReturn:
    cursor.skip_blanks()
    for wrong, right in NEAREST_ARROW.items():
        if cursor.starts_with(wrong):
            cursor.fail("an arrow or a new line", f"did you mean {right}")
    opened = next((pair for pair in ("[]", "()", "{}") if cursor.starts_with(pair[0])), "")
    if opened:
        cursor.fail(f"`{opened[1]}` to close the label", f'put the label in quotes: {opened[0]}"…"{opened[1]}')
    cursor.fail("an arrow like --> or a new line", 'text with spaces belongs in brackets: A["text"]')
