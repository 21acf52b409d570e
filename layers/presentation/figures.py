"""The figure table: what was drawn from which source, and what a person said of it.

Synchronous functions on a transaction. The picture's bytes are in the media table, under `KeptFigure.media`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from pydantic import TypeAdapter

from layers.errors import Refused
from layers.presentation.types import Verdict
from layers.store import Tx
from layers.types import Person

VERDICT = TypeAdapter(Verdict)
Review = Literal["approved", "redone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFigure:
    """One row."""

    id: str
    """Chosen by the caller and the same when a turn is resumed, so that keeping twice is keeping once."""
    conversation_id: str
    turn_id: int
    key: str
    """`Outbound.key` of the message that shows it."""
    source: str
    """The Mermaid text."""
    media: str | None
    """sha256 of the PNG; None when the drawing was not good enough to post."""
    verdict: Verdict
    version: int = 1
    """Grows by one with every redo."""
    review: Review | None = None
    reviewed_by: str | None = None
    """`Person.id`."""


def keep_figure(tx: Tx, figure: KeptFigure) -> None:
    """Insert the row; nothing happens when its id is there already."""
    tx.run(
        "presentation.keep_figure",
        id=figure.id,
        conversation_id=figure.conversation_id,
        turn_id=figure.turn_id,
        key=figure.key,
        source=figure.source,
        media=figure.media,
        verdict=VERDICT.dump_json(figure.verdict).decode(),
        version=figure.version,
        now=tx.now,
    )


def figure_by_id(tx: Tx, figure_id: str) -> KeptFigure | None:
    """The row, or None."""
    row = tx.one("presentation.figure_by_id", id=figure_id)
    if row is None:
        return None
    return KeptFigure(
        id=row["id"],
        conversation_id=row["conversation_id"],
        turn_id=row["turn_id"],
        key=row["key"],
        source=row["source"],
        media=row["media"],
        verdict=VERDICT.validate_json(row["verdict"]),
        version=row["version"],
        review=row["review"],
        reviewed_by=row["reviewed_by"],
    )


def review(tx: Tx, figure_id: str, verdict: Review, person: Person) -> KeptFigure:
    """Record what `person` says of the figure, once.

    Raises:
        Refused: there is no such figure, or somebody said something before.
    """
    won = tx.run("presentation.review_figure", id=figure_id, review=verdict, person=person.id, now=tx.now)
    figure = figure_by_id(tx, figure_id)
    if figure is None:
        raise Refused(f"there is no picture {figure_id!r}; ask for it again with /diagram")
    if won != 1:
        raise Refused(
            f"this picture was already {figure.review} by {figure.reviewed_by}; ask for a new one with /diagram"
        )
    return replace(figure, review=verdict, reviewed_by=person.id)
