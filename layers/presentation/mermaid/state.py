"""Mermaid's `stateDiagram` to `StateDiagram`. Open composite states are kept on a list, so no input is too deep."""

from __future__ import annotations

import re

from layers.presentation.mermaid.accents import Accents
from layers.presentation.mermaid.cursor import Cursor
from layers.presentation.mermaid.labels import plain
from layers.presentation.mermaid.meta import Meta
from layers.presentation.mermaid.states import States
from layers.presentation.nearest import nearest
from layers.presentation.spec import Direction, StateDiagram, StateNote, StateType

HEADER = re.compile(r"stateDiagram(?:-v2)?(?![\w-])")
SEPARATORS = re.compile(r"(?:\s|;|#[^\n]*|%%[^\n]*)+")
DIRECTION = re.compile(r"direction\s+(TB|TD|BT|RL|LR)\b[^\n]*", re.IGNORECASE)
IGNORED = re.compile(
    r"(?:classDef[^\S\n]+[^\n]*|hide[^\S\n]+empty[^\S\n]+description|scale[^\S\n]+\d+[^\S\n]+width"
    r"|click[^\S\n]+[^\n]*)",
    re.IGNORECASE,
)
CLASS = re.compile(r"class[^\S\n]+(\w+(?:[^\S\n]*,[^\S\n]*\w+)*)[^\S\n]+(\w+)[^\S\n;]*", re.IGNORECASE)
STYLE = re.compile(r"style[^\S\n]+(\w+(?:[^\S\n]*,[^\S\n]*\w+)*)[^\S\n]+([^\n]*)", re.IGNORECASE)
STATE = re.compile(r"state[^\S\n]+", re.IGNORECASE)
NOTE = re.compile(
    r"note[^\S\n]+(?:(left|right)[^\S\n]+of[^\S\n]+([^:\n\s-]+)|\"([^\"]*)\"[^\S\n]+as[^\S\n]+([^\n]*))",
    re.IGNORECASE,
)
NOTE_AHEAD = re.compile(r"note[^\S\n]+(?:left|right|\"|of)", re.IGNORECASE)
NOTE_LINE = re.compile(r"[^\S\n]*:[^\S\n]*([^\n]*)")
NOTE_END = re.compile(r"\bend[^\S\n]+note\b", re.IGNORECASE)
SPECIAL = re.compile(r"([^\s{<\[]+)\s*(?:<<|\[\[|&lt;&lt;)(fork|join|choice)(?:>>|\]\]|&gt;&gt;)", re.IGNORECASE)
SPECIAL_OTHER = re.compile(r"([^\s{<\[]+)[^\S\n]*<<([\w ]+)>>")
DESCRIBED = re.compile(r"\"([^\"]*)\"\s*as\s+([^\n{]*)", re.IGNORECASE)
NAMED = re.compile(r"([^\n\s{:]+)")
AS = re.compile(r"[^\S\n]+as[^\S\n]+([^\n{]+)", re.IGNORECASE)
OPEN = re.compile(r"\s*\{")
ID = re.compile(r"\[\*\]|(?:(?!:::)[^:\n\s{};-])+")
ARROW = re.compile(r"[^\S\n]*-->[^\S\n]*")
COLON = re.compile(r"[^\S\n]*:(?!::)[^\S\n]*")
DESCRIPTION = re.compile(r"(?:#\w+;|[^\n;])*+")
STYLED = re.compile(r":::(\w+)")
NEAREST_ARROW = ("->", "=>", "--", "→", "==>", "-.->", "- >")
KEYWORDS = ("state", "note", "direction", "class", "classDef", "style")
DIRECTIONS = {"BT": Direction.UP, "LR": Direction.RIGHT, "RL": Direction.LEFT}


def parse_state(cursor: Cursor, meta: Meta) -> StateDiagram:
    """Read the whole diagram that starts at `cursor`.

    Raises:
        BadInput: with line, column and what was expected.
    """
    cursor.take(HEADER)
    return _Parser(cursor, meta).parse()


class _Parser:
    def __init__(self, cursor: Cursor, meta: Meta) -> None:
        self.cursor = cursor
        self.meta = meta
        self.states = States(cursor)
        self.accents = Accents()
        self.notes: list[StateNote] = []
        self.direction = Direction.DOWN

    def parse(self) -> StateDiagram:
        while True:
            self.cursor.take(SEPARATORS)
            if self.cursor.is_done:
                break
            self._statement()
        if self.states.open:
            name, at = self.states.open[-1].id, self.states.open[-1].at
            self.cursor.fail("`}`", f"close the state {name!r} of line {self.cursor.place(at)[0]}")
        return self.states.finish(self.meta, self.direction, tuple(self.notes))

    def _statement(self) -> None:
        cursor, states = self.cursor, self.states
        start = cursor.at
        if cursor.starts_with("}"):
            cursor.at += 1
            if states.open:
                states.leave()
            else:
                cursor.tolerate("a brace that closes nothing was left out", at=start)
        elif found := cursor.take(DIRECTION):
            self._turn(DIRECTIONS.get(found.group(1).upper(), Direction.DOWN))
        elif cursor.take(IGNORED) or self.meta.take(cursor):
            pass
        elif found := cursor.take(CLASS):
            self._paint(found.group(1), self.accents.of(found.group(2)))
        elif found := cursor.take(STYLE):
            self._paint(found.group(1), self.accents.of_style(found.group(2)))
        elif cursor.peek(NOTE_AHEAD):
            self._note()
        elif cursor.peek(NOTE_END):
            cursor.fail("a state", "there is no open note for this end note; delete it")
        elif states.open and cursor.starts_with("--") and not cursor.starts_with("-->"):
            cursor.at += 2
            states.open[-1].region += 1
        elif cursor.take(STATE):
            self._state(start)
        else:
            self._relation()

    def _turn(self, direction: Direction) -> None:
        if self.states.open:
            self.states.get(self.states.open[-1].id).direction = direction
        else:
            self.direction = direction

    def _paint(self, ids: str, accent: int) -> None:
        for id in ids.split(","):
            self.states.mention(id.strip()).accent = accent

    def _state(self, start: int) -> None:
        cursor, states = self.cursor, self.states
        if found := cursor.take(SPECIAL):
            states.mention(found.group(1)).type = StateType(found.group(2).lower())
            if found.group().endswith("gt;"):
                cursor.tolerate(f"{found.group()!r} was read as <<{found.group(2)}>>", at=start)
            return
        if (found := cursor.peek(SPECIAL_OTHER)) is not None:
            meant = nearest(found.group(2), ("fork", "join", "choice"))
            fix = f"did you mean <<{meant}>>?" if meant else "use <<fork>>, <<join>> or <<choice>>"
            cursor.fail("a kind of state", fix, at=found.start(2))
        id, label = "", ""
        if found := cursor.take(DESCRIBED):
            label, (id, _, more) = plain(found.group(1).strip()), found.group(2).strip().partition(":")
            id = id.strip()
            state = states.mention(id) if id else cursor.fail("the name of the state after as", 'state "text" as name')
            state.describe(label)
            if more.strip():
                state.describe(plain(more.strip()))
        elif found := cursor.take(NAMED):
            id = found.group(1)
            state = states.mention(id)
            if other := cursor.take(AS):
                state.describe(plain(id))
                cursor.tolerate(f'`state {id} as …` was read as `state "{id}" as …`', at=start)
                id = other.group(1).strip()
                states.mention(id).describe(plain(found.group(1)))
            elif cursor.peek(COLON):
                self._description(id)
        else:
            cursor.fail("the name of a state", 'write state name, or state "long text" as name')
        self._styled(id)
        if cursor.take(OPEN):
            states.enter(id, start)

    def _styled(self, id: str) -> None:
        if found := self.cursor.take(STYLED):
            self.states.mention(id).accent = self.accents.of(found.group(1))

    def _description(self, id: str) -> None:
        self.cursor.take(COLON)
        text = (self.cursor.take(DESCRIPTION) or self.cursor.fail("a description")).group().strip()
        if text:
            self.states.mention(id).describe(plain(text))

    def _relation(self) -> None:
        cursor = self.cursor
        source = self._end(is_source=True)
        if cursor.take(ARROW) is None:
            self._no_arrow(source)
            return
        target = self._end(is_source=False)
        label = ""
        if cursor.take(COLON):
            label = plain((cursor.take(DESCRIPTION) or cursor.fail("a label")).group().strip())
        self.states.connect(source, target, label)

    def _end(self, *, is_source: bool) -> str:
        cursor = self.cursor
        found = cursor.take(ID)
        if found is None:
            expected = "a state" if is_source else "a state after the arrow"
            fix = "names have no dashes or colons: use name_with_underscores" if is_source else "write A --> B"
            cursor.fail(expected, fix)
        id = self.states.terminal(is_source=is_source) if found.group() == "[*]" else found.group()
        self.states.mention(id)
        self._styled(id)
        return id

    def _no_arrow(self, source: str) -> None:
        """One state alone, or one with a description."""
        cursor = self.cursor
        if cursor.peek(COLON):
            self._description(source)
            return
        cursor.skip_blanks()
        if any(cursor.starts_with(wrong) for wrong in NEAREST_ARROW):
            cursor.fail("an arrow -->", "a transition is written A --> B : label")
        if cursor.starts_with("-"):
            cursor.fail("an arrow --> or a new line", "names have no dashes: use name_with_underscores")
        if cursor.starts_with("{"):
            meant = nearest(source, KEYWORDS)
            cursor.fail("a new line", f"did you mean {meant}?" if meant else f"write state {source} {{")
        if cursor.starts_with('"') or source.startswith('"'):
            cursor.fail("a name without quotes", 'give the text a name first: state "long text" as name')

    def _note(self) -> None:
        cursor = self.cursor
        start = cursor.at
        found = cursor.take(NOTE)
        if found is None:
            cursor.fail("`left of` or `right of` and a state", "write e.g. note right of Idle : text")
        if found.group(3) is not None:
            return  # a floating note: Mermaid reads it and does not draw it
        id, place = found.group(2), found.group(1).lower()
        if found := cursor.take(NOTE_LINE):
            text = found.group(1).strip()
        else:
            end = NOTE_END.search(cursor.text, cursor.at)
            if end is None:
                fix = "write `: text` on the same line, or end the note with a line `end note`"
                cursor.fail("`end note`", fix, at=start)
            text = cursor.text[cursor.at : end.start()].strip()
            cursor.at = end.end()
        self.states.mention(id)
        self.notes.append(StateNote(of=id, place="left" if place == "left" else "right", text=plain(text)))
