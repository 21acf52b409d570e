"""What the store promises, whichever database is behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Concatenate, Literal, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

Row = Mapping[str, Any]
"""One row: column name -> value. The edge where the database's values enter; each layer turns it into its own noun."""

Dialect = Literal["sqlite", "postgresql"]


class Tx(Protocol):
    """One open write transaction, handed to plain synchronous functions `fn(tx, ...)`.

    Statements are named `<folder>.<block>`: the block of that folder's queries.sql.
    """

    dialect: Dialect
    worker: str
    """The id of the process that writes."""

    @property
    def now(self) -> float:
        """Epoch seconds by the database's clock, the same throughout the transaction."""

    def one(self, name: str, /, **params: object) -> Row | None:
        """The first row of statement `name`, or None."""

    def all(self, name: str, /, **params: object) -> list[Row]:
        """Every row of statement `name`."""

    def run(self, name: str, /, **params: object) -> int:
        """How many rows statement `name` changed: what decides whether `UPDATE ... WHERE state = :before` won."""

    def wake(self, topic: str) -> None:
        """After the commit, call everyone in every process who subscribed to `topic`."""

    def is_gone(self, worker: str) -> bool:
        """Whether the process with that id no longer runs."""


class ReadStore(Protocol):
    """One database, to look at."""

    async def fetch_one(self, name: str, /, **params: object) -> Row | None:
        """The first row of a reading statement, outside any transaction."""

    async def fetch_all(self, name: str, /, **params: object) -> list[Row]:
        """Every row of a reading statement, outside any transaction."""


class Store(ReadStore, Protocol):
    """One database."""

    dialect: Dialect
    worker: str

    async def run(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn(tx, *args)` in one write transaction, durable when this returns.

        `fn` runs off the event loop, must be short, do no I/O of its own, and be safe to run twice (on PostgreSQL a
        lost connection or a deadlock runs it again). What it raises rolls back its own writes only.
        """

    def subscribe(self, topic: str, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` on the event loop whenever `topic` was woken. Returns what ends the subscription."""

    async def close(self) -> None:
        """Finish what was handed in, then let go of the database."""
