"""What the server and the drawing worker say to each other: frames of bytes, and the values in them.

A frame is four bytes of length (big endian) and that many bytes. A job is one frame; an answer is JSON, a PNG for each
page that the JSON names, the SVG of the whole (empty where one page is it and nobody asked), the pages in the dark
theme, and what a judge needs: each page as it will be delivered, and the first one spoilt.
Neither side trusts the other to be alive, both trust it to be the same version.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

from pydantic import BaseModel, ConfigDict

from layers.presentation.spec import DiagramSpec
from layers.presentation.types import Finding

LENGTH = struct.Struct(">I")
MOST_BYTES = 64 * 1024 * 1024


class Job(BaseModel):
    """Draw this."""

    model_config = ConfigDict(frozen=True)
    spec: DiagramSpec
    rank: int = 0
    """0 takes the best layout, 1 the second best."""
    surface: str = "page"
    """`Diagram.surface`."""
    has_dark: bool = False
    """Draw the pages in the dark theme as well."""
    has_svg: bool = False
    """`Diagram.has_svg`."""
    is_judged: bool = False
    """A judge will look: what it needs comes along."""
    budget_s: float
    """After it the worker ends itself, should nobody have killed it by then."""


class DrawnPage(BaseModel):
    """One picture in numbers and words."""

    model_config = ConfigDict(frozen=True)
    width: int
    height: int
    alt: str = ""
    """Empty for the page that shows the whole: the spec's own outline says it."""
    texts: tuple[str, ...] = ()
    """What can be read on it."""
    links: tuple[tuple[str, str], ...] = ()
    """The texts at the ends of its lines."""


class Answer(BaseModel):
    """What became of a job, or that the worker is ready for the first."""

    model_config = ConfigDict(frozen=True)
    pages: tuple[DrawnPage, ...] = ()
    findings: tuple[Finding, ...] = ()
    """Of all pages."""
    engine: str = ""
    """Which layout engine placed the whole; empty where none was needed."""
    darks: int = 0
    """Pages in the dark theme that follow the SVG: all or none."""
    looks: int = 0
    """Pictures for the judge that follow those."""
    defect: str = ""
    """How the last of those was spoilt."""
    refusal: str = ""
    """Why it is not drawn, for the person who asked."""
    failure: str = ""
    """The name of the exception, when drawing raised one."""


def frame(payload: bytes) -> bytes:
    """`payload` with its length in front."""
    return LENGTH.pack(len(payload)) + payload


def length_of(prefix: bytes) -> int:
    """How many bytes follow `prefix`.

    Raises:
        ValueError: more than any picture has; the stream is out of step.
    """
    (length,) = LENGTH.unpack(prefix)
    if length > MOST_BYTES:
        raise ValueError(f"a frame of {length} bytes")
    return int(length)


def read_frame(stream: BinaryIO) -> bytes | None:
    """The next frame of a blocking stream; None at its end."""
    prefix = stream.read(LENGTH.size)
    if len(prefix) < LENGTH.size:
        return None
    payload = stream.read(length := length_of(prefix))
    return payload if len(payload) == length else None
