"""Mermaid's `classDiagram` to `ClassDiagram`: one statement on each line; namespaces are kept on a list."""

from __future__ import annotations

import re

from layers.presentation.mermaid.boxes import Boxes
from layers.presentation.mermaid.cursor import Cursor
from layers.presentation.mermaid.labels import plain
from layers.presentation.mermaid.meta import Meta
from layers.presentation.nearest import nearest
from layers.presentation.spec import ClassDiagram, ClassNote, Direction, Line, Relation, RelationEnd

HEADER = re.compile(r"classDiagram(?:-v2)?(?![\w-])[^\S\n]*(?:%%[^\n]*)?(?=\n|$)")
AGAIN = re.compile(r"classDiagram(?:-v2)?[^\S\n]*(?=\n|$)")
SEPARATORS = re.compile(r"(?:\s|%%[^\n]*)+")
END_OF_STATEMENT = re.compile(r"[^\S\n]*(?:;[^\S\n]*)?(?:%%[^\n]*)?(?:\n|$)")
DIRECTION = re.compile(r"direction\s+(TB|TD|BT|RL|LR)\b[^\n]*", re.IGNORECASE)
TITLE = re.compile(r"title[^\S\n]+([^\n]+)")
NAME = re.compile(r"`([^`]+)`|((?:\w|\.(?=\w)|-(?=\w))+)")
FURTHER = re.compile(r"[^\S\n]+((?:\w|\.(?=\w)|-(?=\w))+)")
GENERIC = re.compile(r"~([^~\n]*)~")
LABEL = re.compile(r"[^\S\n]*\[\s*\"([^\"]*)\"\s*\]")
STYLED = re.compile(r"[^\S\n]*:::[^\S\n]*([\w-]+)")
ANNOTATION = re.compile(r"[^\S\n]*<<[^\S\n]*([^<>\n]+?)[^\S\n]*>>[^\S\n]*")
OPEN = re.compile(r"\s*\{")
CLOSE = re.compile(r"[^\S\n]*\}")
CLASS = re.compile(r"class[^\S\n]+")
NAMESPACE = re.compile(r"namespace[^\S\n]+")
NOTE = re.compile(r"note(?:[^\S\n]+for[^\S\n]+(?:`([^`]+)`|([\w.-]+)))?[^\S\n]*\"([^\"]*)\"")
NOTE_AHEAD = re.compile(r"note(?:[^\S\n]+for\b|[^\S\n]+\")")
CSS_CLASS = re.compile(r"cssClass[^\S\n]+\"([^\"]*)\"[^\S\n]+(\w+)")
STYLE = re.compile(r"style[^\S\n]+([\w-]+)[^\S\n]+([^\n]*)")
IGNORED = re.compile(
    r"(?:classDef[^\S\n]+\w[^\n]*|(?:click|link|callback)[^\S\n]+(?:`[^`]+`|[\w.-]+)(?:~[^~\n]*~)?[^\S\n]+[^\s:\"-][^\n]*"
    r"|(?:link|callback|click)[^\S\n]+(?:`[^`]+`|[\w.-]+)(?:~[^~\n]*~)?[^\S\n]+\"[^\"]*\"[^\n]*)"
)
QUOTED = re.compile(r"[^\S\n]*\"([^\"]*)\"[^\S\n]*")
RELATION = re.compile(
    r"[^\S\n]*+(?:(<\||\|>|<|>|\*|o|\(\))[^\S\n]*+)?(--|\.\.)"
    r"(?:[^\S\n]*+(\|>|<\||>|<|\*|o(?![a-z0-9_])|\(\)))?[^\S\n]*+"
)
COLON = re.compile(r"[^\S\n]*:(?!::)([^\n]+)")
MEMBER = re.compile(r"[^{}\n]+")
KEYWORDS = ("class", "namespace", "note", "direction", "style", "classDef", "cssClass", "click", "link", "callback")
ENDS = {
    "<|": RelationEnd.EXTENSION,
    "|>": RelationEnd.EXTENSION,
    "<": RelationEnd.DEPENDENCY,
    ">": RelationEnd.DEPENDENCY,
    "*": RelationEnd.COMPOSITION,
    "o": RelationEnd.AGGREGATION,
    "()": RelationEnd.LOLLIPOP,
}
DIRECTIONS = {"BT": Direction.UP, "LR": Direction.RIGHT, "RL": Direction.LEFT}


def parse_class(cursor: Cursor, meta: Meta) -> ClassDiagram:
    """Read the whole diagram that starts at `cursor`.

    Raises:
        BadInput: with line, column and what was expected.
    """
    if cursor.take(HEADER) is None:
        cursor.take(re.compile(r"classDiagram(?:-v2)?[^\S\n]*"))
        cursor.fail("a new line after classDiagram", "put each statement on a line of its own")
    return _Parser(cursor, meta).parse()


class _Parser:
    def __init__(self, cursor: Cursor, meta: Meta) -> None:
        self.cursor = cursor
        self.meta = meta
        self.boxes = Boxes(cursor)
        self.notes: list[ClassNote] = []
        self.direction = Direction.DOWN

    def parse(self) -> ClassDiagram:
        cursor, boxes = self.cursor, self.boxes
        while True:
            cursor.take(SEPARATORS)
            if cursor.is_done:
                break
            if boxes.open and cursor.starts_with("}"):
                cursor.at += 1
                boxes.leave()
                continue
            if cursor.take(NAMESPACE):
                self._namespace()
                continue
            self._statement()
            if cursor.take(END_OF_STATEMENT) is None and not (boxes.open and cursor.peek(CLOSE)):
                self._fail_after()
        if boxes.open:
            cursor.fail("`}`", f"close the namespace {boxes.open[-1]!r}")
        return boxes.finish(self.meta, self.direction, tuple(self.notes))

    def _statement(self) -> None:
        cursor, boxes = self.cursor, self.boxes
        start = cursor.at
        if found := cursor.take(DIRECTION):
            self.direction = DIRECTIONS.get(found.group(1).upper(), Direction.DOWN)
        elif self.meta.take(cursor):
            pass
        elif cursor.take(CLASS):
            self._class(start)
        elif cursor.peek(NOTE_AHEAD):
            self._note(start)
        elif found := cursor.take(CSS_CLASS):
            for id in found.group(1).split(","):
                boxes.paint(id.strip(), boxes.accents.of(found.group(2)))
        elif found := cursor.take(STYLE):
            boxes.paint(found.group(1), boxes.accents.of_style(found.group(2)))
        elif cursor.take(IGNORED):
            pass
        elif cursor.starts_with("<<"):
            self._annotation(start)
        elif (found := cursor.peek(TITLE)) and not RELATION.match(cursor.text, found.start(1)):
            cursor.at = found.end()
            self.meta.title = plain(found.group(1).strip())
        else:
            self._relation(start)

    def _name(self, expected: str) -> str:
        """A name; its type parameter goes into the label."""
        cursor = self.cursor
        cursor.skip_blanks()
        found = cursor.take(NAME)
        if found is None:
            cursor.fail(expected, 'a name with spaces belongs in `backticks`, or write class A["long name"]')
        id = found.group(1) or found.group(2)
        if found.group(2) and not cursor.starts_with("~"):
            id = self._further_words(id, found.start())
        box = self.boxes.mention(id)
        if generic := cursor.take(GENERIC):
            box.generic = generic.group(1)
        return id

    def _further_words(self, id: str, start: int) -> str:
        """A name that goes on after a space: Mermaid puts its words together."""
        cursor, words = self.cursor, [id]
        while not RELATION.match(cursor.text, cursor.at) and (found := cursor.take(FURTHER)):
            words.append(found.group(1))
        if len(words) == 1:
            return id
        if (meant := nearest(id, KEYWORDS)) and meant != id:
            cursor.fail("a relation like --> or a new line", f"did you mean {meant}?", at=start)
        cursor.tolerate(f"the name {' '.join(words)[:40]!r} was read as {''.join(words)[:40]!r}", at=start)
        self.boxes.mention("".join(words)).label = " ".join(words)
        return "".join(words)

    def _class(self, start: int) -> None:
        cursor = self.cursor
        id = self._name("the name of a class")
        box = self.boxes.mention(id, is_declared=True)
        if found := cursor.take(LABEL):
            box.label = plain(found.group(1)) or id
        self._decorate(id)
        if not cursor.take(OPEN):
            return
        while True:
            cursor.take(SEPARATORS)
            if cursor.starts_with("}"):
                cursor.at += 1
                return
            if cursor.is_done:
                cursor.fail("`}`", f"close the class {id[:24]!r}", at=start)
            found = cursor.take(MEMBER)
            if found is None:
                cursor.fail("an attribute or a method", "a member has no braces")
            self.boxes.add_member(id, found.group().strip())

    def _decorate(self, id: str) -> None:
        """Any of `:::class` and `<<annotation>>` after a name."""
        box = self.boxes.mention(id)
        while True:
            if found := self.cursor.take(STYLED):
                box.accent = self.boxes.accents.of(found.group(1))
            elif found := self.cursor.take(ANNOTATION):
                box.annotations.append(plain(found.group(1)))
            else:
                return

    def _annotation(self, start: int) -> None:
        found = self.cursor.take(ANNOTATION)
        if found is None:
            self.cursor.fail("`>>` after the annotation", "write <<interface>> Name", at=start)
        id = self._name("the class after its annotation")
        self.boxes.mention(id).annotations.append(plain(found.group(1)))

    def _namespace(self) -> None:
        cursor = self.cursor
        start = cursor.at
        found = cursor.take(NAME)
        if found is None:
            cursor.fail("the name of a namespace", "write namespace Name {")
        label = cursor.take(LABEL)
        if cursor.take(OPEN) is None:
            cursor.fail("`{` after the namespace", "write namespace Name {")
        self.boxes.enter(found.group(1) or found.group(2), plain(label.group(1)) if label else "", start)

    def _note(self, start: int) -> None:
        found = self.cursor.take(NOTE)
        if found is None:
            self.cursor.fail("a text in quotes", 'write note "text" or note for Name "text"', at=start)
        of = found.group(1) or found.group(2) or ""
        if of:
            self.boxes.mention(of)
        self.notes.append(ClassNote(text=plain(found.group(3)), of=of))

    def _relation(self, start: int) -> None:
        cursor = self.cursor
        if cursor.take(AGAIN):
            cursor.fail("a class", "a second diagram begins here: draw them one by one", at=start)
        source = self._name("a class, like Animal")
        self._decorate(source)
        first = cursor.take(QUOTED)
        found = cursor.take(RELATION)
        if found is None:
            if first:
                cursor.fail("a relation after the cardinality", 'write A "1" --> "*" B')
            if member := cursor.take(COLON):
                self.boxes.add_member(source, member.group(1).strip())
            return
        second = cursor.take(QUOTED)
        target = self._name("a class after the relation")
        self._decorate(target)
        label = cursor.take(COLON)
        self.boxes.connect(
            Relation(
                source=source,
                target=target,
                label=plain(label.group(1).strip("; \t")) if label else "",
                line=Line.SOLID if found.group(2) == "--" else Line.DOTTED,
                ends=(_end(found.group(1)), _end(found.group(3))),
                cardinalities=(plain(first.group(1)) if first else "", plain(second.group(1)) if second else ""),
            )
        )

    def _fail_after(self) -> None:
        cursor = self.cursor
        cursor.skip_blanks()
        for wrong, right in (("->", "-->"), ("=>", "-->"), ("<-", "<--"), ("→", "-->"), ("-", "--")):
            if cursor.starts_with(wrong):
                cursor.fail("a relation or a new line", f"did you mean {right}?")
        if cursor.starts_with("{"):
            cursor.fail("a new line", "write class Name { to open a class")
        cursor.fail("a relation like --> or a new line", "one statement on each line; names have no spaces")


def _end(text: str | None) -> RelationEnd:
    return ENDS[text] if text else RelationEnd.NONE
