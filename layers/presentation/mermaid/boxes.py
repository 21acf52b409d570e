"""What a class diagram's text has said so far; becomes a `ClassDiagram` at the end."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from layers.presentation.mermaid.accents import Accents
from layers.presentation.mermaid.cursor import Cursor
from layers.presentation.mermaid.labels import plain
from layers.presentation.mermaid.meta import Meta
from layers.presentation.spec import ClassBox, ClassDiagram, ClassNote, Direction, Member, Namespace, Relation

MOST_CLASSES = 300
MOST_MEMBERS = 200
MOST_RELATIONS = 1000
DEEPEST = 30
OPENS = re.compile(r"\w~\w")
ANNOTATION = re.compile(r"<<(.+)>>")


@dataclass(slots=True)
class Growing:
    """A class while the text is read."""

    id: str
    label: str = ""
    generic: str = ""
    annotations: list[str] = field(default_factory=list)
    attributes: list[Member] = field(default_factory=list)
    methods: list[Member] = field(default_factory=list)
    home: str = ""
    accent: int = 0

    def title(self) -> str:
        """What stands at the top, with the type parameters."""
        name = self.label or plain(self.id) or self.id
        return f"{name}<{generics(self.generic)}>" if self.generic else name


class Boxes:
    """Collects classes, relations and namespaces."""

    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor
        self.accents = Accents()
        self.classes: dict[str, Growing] = {}
        self.relations: list[Relation] = []
        self.spaces: dict[str, tuple[str, str]] = {}
        """Id -> title, parent."""
        self.open: list[str] = []
        self.painted: dict[str, int] = {}

    def mention(self, id: str, *, is_declared: bool = False) -> Growing:
        """The class `id` occurs here; `class id` inside a namespace puts it there."""
        if id not in self.classes:
            if len(self.classes) >= MOST_CLASSES:
                self.cursor.fail(f"at most {MOST_CLASSES} classes in one diagram", "split it into several")
            self.classes[id] = Growing(id)
        box = self.classes[id]
        if is_declared and self.open and not box.home:
            box.home = self.open[-1]
        return box

    def paint(self, id: str, accent: int) -> None:
        """Styling never makes a class."""
        self.painted[id] = accent

    def add_member(self, id: str, text: str) -> None:
        """One line of the class: an annotation, a method when it has a parenthesis, else an attribute."""
        box = self.mention(id)
        if not text:
            return
        if found := ANNOTATION.fullmatch(text.replace("&lt;", "<").replace("&gt;", ">")):
            box.annotations.append(plain(found.group(1).strip()))
            return
        if len(box.attributes) + len(box.methods) >= MOST_MEMBERS:
            self.cursor.fail(f"at most {MOST_MEMBERS} members in one class", "leave out those that say little")
        is_method = text.find(")") > 0
        sign = text[-1] if is_method or text[-1] == "$" else ""
        if is_method and sign not in "*$":
            after = text[text.rfind(")") + 1 :].lstrip()[:1]
            if after and after in "*$":  # `start()* bool` marks the method as well
                sign, cut = after, text.rfind(")") + 1
                text = text[:cut] + text[cut:].lstrip()[1:]
        elif sign and sign in "*$":
            text = text[:-1]
        member = Member(text=plain(generics(text.strip())), is_abstract=sign == "*", is_static=sign == "$")
        (box.methods if is_method else box.attributes).append(member)

    def connect(self, relation: Relation) -> None:
        """A line between two classes."""
        if len(self.relations) >= MOST_RELATIONS:
            self.cursor.fail(f"at most {MOST_RELATIONS} relations in one diagram", "split it into several")
        self.relations.append(relation)

    def enter(self, name: str, title: str, at: int) -> None:
        """The brace of a namespace opens; `A.B` lies in `A`."""
        parts = name.split(".")
        if len(self.open) + len(parts) > DEEPEST:
            self.cursor.fail(f"at most {DEEPEST} namespaces inside each other", "split it into several", at=at)
        parent = self.open[-1] if self.open else ""
        for part in parts:
            id = f"{parent}.{part}" if parent else part
            self.spaces.setdefault(id, (part, parent))
            parent = id
        if title:
            self.spaces[parent] = (title, self.spaces[parent][1])
        self.open.append(parent)

    def leave(self) -> None:
        """The innermost brace closes."""
        self.open.pop()

    def finish(self, meta: Meta, direction: Direction, notes: tuple[ClassNote, ...]) -> ClassDiagram:
        """The spec."""
        return ClassDiagram(
            title=meta.title,
            alt=meta.alt,
            direction=direction,
            classes=tuple(
                ClassBox(
                    id=box.id,
                    label=box.title(),
                    annotations=tuple(dict.fromkeys(box.annotations)),
                    attributes=tuple(box.attributes),
                    methods=tuple(box.methods),
                    accent=self.painted.get(box.id, box.accent),
                )
                for box in self.classes.values()
            ),
            relations=tuple(self.relations),
            namespaces=tuple(
                Namespace(
                    id=id,
                    title=title,
                    parent=parent,
                    members=tuple(box.id for box in self.classes.values() if box.home == id),
                )
                for id, (title, parent) in self.spaces.items()
            ),
            notes=notes,
        )


def generics(text: str) -> str:
    """`List~List~int~~` to `List<List<int>>`: a tilde opens before a letter that follows one, else it closes."""
    if text.count("~") < 2:
        return text
    made, depth = [], 0
    sign = text[:1] if text.startswith("~") else ""  # a leading tilde is the visibility `package`
    body = text[len(sign) :]
    left = body.count("~")
    for place, character in enumerate(body):
        if character != "~":
            made.append(character)
            continue
        left -= 1
        if OPENS.match(body, max(0, place - 1)) and left > depth:
            depth += 1
            made.append("<")
        elif depth:
            depth -= 1
            made.append(">")
        else:
            made.append("~")
    return sign + "".join(made)
