"""What is too long to be read in a chat -> files: long code, and the whole of a very long text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from typing import TypeVar

from bot.adapters.text.tree import Block, Code, Document, File, List, Paragraph, Quote, Run, Style

EXTENSIONS = {
    "": "txt",
    "bash": "sh",
    "javascript": "js",
    "markdown": "md",
    "mermaid": "mmd",
    "python": "py",
    "ruby": "rb",
    "rust": "rs",
    "shell": "sh",
    "text": "txt",
    "typescript": "ts",
    "yaml": "yml",
}
FLOOD_PARTS = 12
"""A text of more messages than this is not read to its end, and sending it takes minutes of a chat's quota."""
Part = TypeVar("Part")


def take_long_code(blocks: Document, above: int) -> tuple[Document, list[File]]:
    """The blocks with a note where code of more than `above` characters was, and that code as files."""
    files: list[File] = []

    def without(block: Block) -> Block:
        match block:
            case Code(text, language) if len(text) > above:
                files.append(File(f"code-{len(files) + 1}.{extension(language)}", f"{text}\n".encode()))
                lines = text.count("\n") + 1
                noun = f"{language} code" if language else "text"
                name = Run(files[-1].name, Style.CODE)
                return Paragraph((Run(f"The {noun} ({lines:,} lines) is in the file "), name, Run(".")))
            case Quote(inner):
                return Quote(tuple(map(without, inner)))
            case List(items):
                return List(tuple(replace(item, blocks=tuple(map(without, item.blocks))) for item in items))
            case _:
                return block

    return tuple(map(without, blocks)), files


def dam(
    stream: Iterator[Part], files: list[File], markdown: str, note: Callable[[str], Part], *, least: int = 0
) -> list[Part | File]:
    """The parts and their files, or the first part, a note and the whole text as a file when they are too many.

    Where at `least` so many are known to come, no more than the first is made: cutting a huge text takes seconds.
    """
    parts = list(islice(stream, 1 if least > FLOOD_PARTS else FLOOD_PARTS + 1))
    if max(len(parts), least) <= FLOOD_PARTS:
        return [*parts, *files]
    whole = File("message.md", markdown.encode("utf-8", "replace"))
    return [parts[0], note(f"The message goes on in the file `{whole.name}`."), whole]


def extension(language: str) -> str:
    """A file's extension for code of this language."""
    name = language.lower()
    return EXTENSIONS.get(name, name if name.isalnum() and name.isascii() and len(name) <= 10 else "txt")
