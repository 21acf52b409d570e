"""The figure table: what was drawn from which source, what people said of it, and their cases for the lint.

Functions on a transaction, but for the list of cases, which only reads. The picture's bytes are in the media table,
under `KeptFigure.media`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import TypeAdapter

from layers.errors import Refused
from layers.presentation.types import Verdict
from layers.store import ReadStore, Store, Tx
from layers.types import Person

VERDICT = TypeAdapter(Verdict)
Review = Literal["approved", "redone", "changed"]
MOST_CASES = 200
LONGEST_COMMENT = 2000
"""Characters."""


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
    reviewed_at: float | None = None
    """Epoch seconds."""
    comment: str | None = None
    """The change that was asked for."""
    root: str = ""
    """Id of version 1, which all versions share; empty on version 1 itself before it is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Something that a person saw in a picture and the lint did not."""

    id: str
    figure_id: str
    conversation_id: str
    reported_by: str
    """`Person.id`."""
    comment: str
    created_at: float = 0.0
    """Epoch seconds."""
    source: str = ""
    """The Mermaid text."""
    media: str | None = None
    """sha256 of the PNG."""
    rules: tuple[str, ...] = ()
    """What the lint did find."""


def keep_figure(tx: Tx, figure: KeptFigure) -> None:
    """Insert the row; nothing happens when its id is there already."""
    tx.run(
        "presentation.keep_figure",
        id=figure.id,
        root=figure.root or figure.id,
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
        reviewed_at=row["reviewed_at"],
        comment=row["comment"],
        root=row["root"],
    )


def review(tx: Tx, figure_id: str, verdict: Review, person: Person, comment: str = "") -> KeptFigure:
    """Record what `person` says of the figure, once.

    Raises:
        Refused: there is no such figure, or somebody said something before.
    """
    said = _capped(comment)
    won = tx.run(
        "presentation.review_figure", id=figure_id, review=verdict, person=person.id, comment=said, now=tx.now
    )
    figure = figure_by_id(tx, figure_id)
    if figure is None:
        raise Refused(f"there is no picture {figure_id!r}; ask for it again with /diagram")
    if won != 1:
        raise Refused(
            f"this picture was already {figure.review} by {figure.reviewed_by}; ask for a new one with /diagram"
        )
    return figure


def add_case(tx: Tx, case: Case) -> None:
    """Keep a case; nothing happens when its id is there already."""
    tx.run(
        "presentation.add_case",
        id=case.id,
        figure_id=case.figure_id,
        conversation_id=case.conversation_id,
        reported_by=case.reported_by,
        comment=_capped(case.comment),
        now=tx.now,
    )


async def cases(store: Store | ReadStore, most: int = MOST_CASES) -> list[Case]:
    """The newest first."""
    return [
        Case(
            id=row["id"],
            figure_id=row["figure_id"],
            conversation_id=row["conversation_id"],
            reported_by=row["reported_by"],
            comment=row["comment"],
            created_at=row["created_at"],
            source=row["source"],
            media=row["media"],
            rules=tuple(finding.rule for finding in VERDICT.validate_json(row["verdict"]).findings),
        )
        for row in await store.fetch_all("presentation.cases", most=most)
    ]


def next_version(tx: Tx, figure: KeptFigure) -> int:
    """The number that a further version of it gets."""
    versions = [row["version"] for row in tx.all("presentation.versions_of", root=figure.root or figure.id)]
    return max(versions, default=figure.version) + 1


def _capped(text: str) -> str:
    return text if len(text) <= LONGEST_COMMENT else text[: LONGEST_COMMENT - 1] + "…"
