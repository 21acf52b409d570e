"""Mermaid's `erDiagram` to `ErDiagram`. Statements need no line breaks between them, as in Mermaid."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal, cast

from layers.presentation.mermaid.accents import Accents
from layers.presentation.mermaid.cursor import Cursor
from layers.presentation.mermaid.labels import plain
from layers.presentation.mermaid.meta import Meta
from layers.presentation.spec import Attribute, Cardinality, Direction, Entity, ErDiagram, Relationship

HEADER = re.compile(r"erDiagram(?!\w)")
SEPARATORS = re.compile(r"(?:\s|%%[^\n]*)+")
TITLE = re.compile(r"title[^\S\n]+([^\n]+)")
DIRECTION = re.compile(r"direction\s+(TB|TD|BT|RL|LR)\b[^\n]*", re.IGNORECASE)
CLASS = re.compile(r"class[^\S\n]+([\w,*.\- ]+?)[^\S\n]+([\w,\-]+)[^\S\n]*(?=[;\n]|$)", re.IGNORECASE)
STYLE = re.compile(r"style[^\S\n]+([\w,*.\-]+)[^\S\n]+([^\n;]*);?", re.IGNORECASE)
CLASS_DEF = re.compile(r"classDef[^\S\n]+[\w,\-*]+[^\S\n]+[^\n;]*;?", re.IGNORECASE)
NAME = re.compile(r"\"([^\"%\r\n\v\\]+)\"|((?:\w|[^\x00-\x7f]|[-*.](?![-.]))+)")
STYLED = re.compile(r"[^\S\n]*:::\s*([\w\-*]+(?:\s*,\s*[\w\-*]+)*)")
BLOCK = re.compile(r"[^\S\n]*\{")
ALIAS = re.compile(r"[^\S\n]*\[\s*")
ROLE = re.compile(r"[^\S\n]*:[^\S\n]*(?:\"([^\"]*)\"|((?:\w|[^\x00-\x7f]|[-*.])+))")
TYPE = re.compile(r"`([^`]+)`|([^\s~]*~[^\n]*~[^\s]*?(?=\s))|([*A-Za-z_\u00C0-\uFFFF][\w\-\[\]().,*\u00C0-\uFFFF]*\??)")
KEY = re.compile(r"(PK|FK|UK)\b", re.IGNORECASE)
COMMA = re.compile(r"\s*,\s*")
COMMENT = re.compile(r"\"([^\"]*)\"")
CARDINALITIES = (
    ("one or zero", Cardinality.ZERO_OR_ONE),
    ("zero or one", Cardinality.ZERO_OR_ONE),
    ("one or more", Cardinality.ONE_OR_MORE),
    ("one or many", Cardinality.ONE_OR_MORE),
    ("zero or more", Cardinality.ZERO_OR_MORE),
    ("zero or many", Cardinality.ZERO_OR_MORE),
    ("only one", Cardinality.ONE),
    ("many(0)", Cardinality.ZERO_OR_MORE),
    ("many(1)", Cardinality.ONE_OR_MORE),
    ("many", Cardinality.ZERO_OR_MORE),
    ("one", Cardinality.ONE),
    ("1+", Cardinality.ONE_OR_MORE),
    ("0+", Cardinality.ZERO_OR_MORE),
    ("1", Cardinality.ONE),
    ("||", Cardinality.ONE),
    ("|o", Cardinality.ZERO_OR_ONE),
    ("o|", Cardinality.ZERO_OR_ONE),
    ("}o", Cardinality.ZERO_OR_MORE),
    ("o{", Cardinality.ZERO_OR_MORE),
    ("}|", Cardinality.ONE_OR_MORE),
    ("|{", Cardinality.ONE_OR_MORE),
    ("u", Cardinality.ONE),
)
_AFTER = {"1": r"(?=[^\S\n]+[\w\"']|--|\.\.|\.-|-\.)", "u": r"(?=[.\-|])", "o|": "", "|o": "", "}o": ""}
FOOT = re.compile(
    r"[^\S\n]*("
    + "|".join(
        re.escape(text) + _AFTER.get(text, r"(?!\w)" if text[-1].isalnum() else "") for text, _ in CARDINALITIES
    )
    + ")",
    re.IGNORECASE,
)
LINE = re.compile(r"[^\S\n]*(--|\.\.|\.-|-\.|optionally\s+to(?!\w)|to(?!\w))", re.IGNORECASE)
DIRECTIONS = {"BT": Direction.UP, "LR": Direction.RIGHT, "RL": Direction.LEFT}
MOST = 300
MOST_ROWS = 200


@dataclass(slots=True)
class _Growing:
    label: str = ""
    attributes: list[Attribute] = field(default_factory=list)
    accent: int = 0


def parse_er(cursor: Cursor, meta: Meta) -> ErDiagram:
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
        self.accents = Accents()
        self.entities: dict[str, _Growing] = {}
        self.relationships: list[Relationship] = []
        self.direction = Direction.DOWN

    def parse(self) -> ErDiagram:
        while True:
            self.cursor.take(SEPARATORS)
            if self.cursor.is_done:
                break
            self._statement()
        return ErDiagram(
            title=self.meta.title,
            alt=self.meta.alt,
            direction=self.direction,
            entities=tuple(
                Entity(id=id, label=one.label or plain(id) or id, attributes=tuple(one.attributes), accent=one.accent)
                for id, one in self.entities.items()
            ),
            relationships=tuple(self.relationships),
        )

    def _statement(self) -> None:
        cursor = self.cursor
        if found := cursor.take(DIRECTION):
            self.direction = DIRECTIONS.get(found.group(1).upper(), Direction.DOWN)
        elif self.meta.take(cursor) or cursor.take(CLASS_DEF):
            pass
        elif found := cursor.take(CLASS):
            self._paint(found.group(1), self.accents.of(found.group(2)))
        elif found := cursor.take(STYLE):
            self._paint(found.group(1), self.accents.of_style(found.group(2)))
        elif found := cursor.take(TITLE):
            self.meta.title = plain(found.group(1).strip())
        else:
            self._entity_or_relationship()

    def _paint(self, ids: str, accent: int) -> None:
        for id in ids.split(","):
            self._mention(id.strip()).accent = accent

    def _mention(self, id: str) -> _Growing:
        if id not in self.entities and len(self.entities) >= MOST:
            self.cursor.fail(f"at most {MOST} entities in one diagram", "split it into several")
        return self.entities.setdefault(id, _Growing())

    def _name(self, expected: str) -> str:
        cursor = self.cursor
        cursor.skip_blanks()
        found = cursor.take(NAME)
        if found is None:
            cursor.fail(expected, 'a name with spaces belongs in quotes: "LINE ITEM"')
        return found.group(1) or found.group(2)

    def _entity_or_relationship(self) -> None:
        cursor = self.cursor
        source = self._name("an entity, like CUSTOMER")
        entity = self._mention(source)
        if cursor.take(ALIAS):
            entity.label = plain(self._name("the entity's name in the brackets"))
            cursor.skip_space()
            if not cursor.starts_with("]"):
                cursor.fail("`]` after the name", 'put a name with spaces in quotes: C["LINE ITEM"]')
            cursor.at += 1
        self._styled(entity)
        if cursor.take(BLOCK):
            self._rows(source, entity)
        elif found := cursor.take(FOOT):
            self._relationship(source, _cardinality(found.group(1)))

    def _styled(self, entity: _Growing) -> None:
        if found := self.cursor.take(STYLED):
            entity.accent = self.accents.of(found.group(1))

    def _relationship(self, source: str, first: Cardinality) -> None:
        cursor = self.cursor
        line = cursor.take(LINE)
        if line is None:
            cursor.fail("`--` or `..` between the two ends", "write e.g. CUSTOMER ||--o{ ORDER : places")
        second = cursor.take(FOOT)
        if second is None:
            cursor.fail("how many there are at this end", "write one of || |o o{ |{ after the line")
        target = self._name("an entity after the relationship")
        self._styled(self._mention(target))
        role = cursor.take(ROLE)
        if role is None:
            cursor.skip_blanks()
            cursor.fail("`:` and a label", f"write e.g. {source} ||--o{{ {target} : has")
        if len(self.relationships) >= 2 * MOST:
            cursor.fail(f"at most {2 * MOST} relationships in one diagram", "split it into several")
        self.relationships.append(
            Relationship(
                source=source,
                target=target,
                label=plain(role.group(1) if role.group(1) is not None else role.group(2)),
                cardinalities=(first, _cardinality(second.group(1))),
                is_identifying=line.group(1).lower() in ("--", "to"),
            )
        )

    def _rows(self, name: str, entity: _Growing) -> None:
        cursor = self.cursor
        start = cursor.at - 1
        while True:
            cursor.take(SEPARATORS)
            if cursor.starts_with("}"):
                cursor.at += 1
                return
            if cursor.is_done:
                cursor.fail("`}`", f"close the entity {name!r}", at=start)
            if len(entity.attributes) >= MOST_ROWS:
                cursor.fail(f"at most {MOST_ROWS} attributes in one entity", "leave out those that say little")
            entity.attributes.append(self._row())

    def _row(self) -> Attribute:
        cursor = self.cursor
        type = self._word("the type of an attribute")
        cursor.skip_space()
        name = self._word(f"the name of the attribute after its type {type[:24]!r}")
        cursor.take(SEPARATORS)
        keys: list[str] = []
        while found := cursor.take(KEY):
            keys.append(found.group(1).upper())
            if cursor.take(COMMA) is None:
                break
            if not cursor.peek(KEY):
                cursor.fail("PK, FK or UK after the comma", "write e.g. PK, FK")
        cursor.take(SEPARATORS)
        comment = cursor.take(COMMENT)
        return Attribute(
            type=plain(type.replace("~", "<", 1).replace("~", ">")) if type.count("~") == 2 else plain(type),
            name=plain(name),
            keys=tuple(cast("list[Literal['PK', 'FK', 'UK']]", list(dict.fromkeys(keys)))),
            comment=plain(comment.group(1)) if comment else "",
        )

    def _word(self, expected: str) -> str:
        found = self.cursor.take(TYPE)
        if found is None:
            self.cursor.fail(expected, "an attribute is written `string name PK \"comment\"`")
        return found.group(1) or found.group(2) or found.group(3)


def _cardinality(text: str) -> Cardinality:
    return dict(CARDINALITIES)[" ".join(text.lower().split())]
