"""The tree of errors. Vendor errors become one of these in the vendor's file.

BulkheadError
|-- Misconfigured   the operator must act; the text says what to set
|   `-- InUse           another process has the database, which one process can have
|-- Refused         a rule said no; the text goes to the person as it stands
|   `-- BadInput    what was sent cannot be read: line, column, what was expected
|-- Unavailable     something outside failed; a retry may help
|   |-- NotReached      it surely did not get the request: nothing can have happened
|   |-- NotWritten      the database did not take it (disk full, connection lost); nothing was changed
|   |-- RateLimited     the provider says when to come back
|   `-- AccountTrouble  something is wrong with the account itself: its owner must know
`-- LeaseLost       another worker owns the turn now; stop silently
"""

from __future__ import annotations

from enum import StrEnum


class BulkheadError(Exception):
    """One clear sentence: what was refused, the value, what to do."""


class Misconfigured(BulkheadError):
    """The operator must act: a setting, a file or the machine is not as needed."""


class InUse(Misconfigured):
    """Another process has the database, which only one can have."""


class Refused(BulkheadError):
    """A rule said no. The text is shown to the person who asked."""


class BadInput(Refused):
    """What was sent cannot be read.

    `line` and `column` count from 1; 0 means the whole input.
    """

    def __init__(self, text: str, *, line: int = 0, column: int = 0, expected: str = "") -> None:
        super().__init__(text)
        self.line = line
        self.column = column
        self.expected = expected


class Unavailable(BulkheadError):
    """Something outside failed; the same request may work later."""


class NotReached(Unavailable):
    """The request surely did not arrive (no connection, no name, not sent at all): nothing can have come of it."""


class RateLimited(Unavailable):
    """The provider asks to wait. `bucket` names what is closed: a channel (`slack`), or anything narrower."""

    def __init__(self, text: str, *, retry_after_s: float, bucket: str) -> None:
        super().__init__(text)
        self.retry_after_s = retry_after_s
        self.bucket = bucket


class AccountState(StrEnum):
    """How an account at a provider is."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    """Slow or failing; it is still called."""
    CONFLICT = "conflict"
    """Somebody else uses the same token."""
    CHALLENGED = "challenged"
    """The provider wants to see a human being."""
    SUSPENDED = "suspended"
    REVOKED = "revoked"


class AccountTrouble(Unavailable):
    """Something is wrong with the account itself. The text is for its owner."""

    def __init__(self, text: str, *, state: AccountState) -> None:
        super().__init__(text)
        self.state = state


class NotWritten(Unavailable):
    """The database did not take a transaction: whoever has to go on with it tries again."""


class LeaseLost(BulkheadError):
    """Another worker took the conversation: whatever this turn wanted to write is refused."""
