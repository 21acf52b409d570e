"""Whose move it is after a failure: an error in, a `Fault` out; a task's attempts in, what people are told. Pure.

To say that one should try again is true of an outage only. A wrong key stays wrong, and so does a request that the
provider will not take.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from layers.errors import BulkheadError, Misconfigured, RateLimited, Refused
from layers.routing.protocol import TooLong, Unable
from layers.routing.types import Attempt, BadAnswer, Fault, Stopped

FAULTS: tuple[tuple[type[BulkheadError], Fault], ...] = (
    (Stopped, Fault.STOPPED),
    (TooLong, Fault.LENGTH),
    (Unable, Fault.ABILITY),
    (Refused, Fault.REQUEST),
    (Misconfigured, Fault.SETUP),
    (RateLimited, Fault.BUSY),
    (BadAnswer, Fault.ANSWER),
)
"""The first that fits."""

ADVICE = {
    Fault.REQUEST: (
        "The request itself was refused. Trying again will not help: say it in another way, and tell whoever runs "
        "Bulkhead if that is refused too."
    ),
    Fault.OUTAGE: "Try again in a minute; if that does not help, `bulkhead doctor` tells its operator more.",
    Fault.BUSY: "Try again when that time is over.",
    Fault.ANSWER: "Try again, or ask in another way: what came could not be used.",
    Fault.TIME: "Try again, or ask for less at once.",
    Fault.LENGTH: "Trying again will not help: ask for less at once, or go on in a new conversation.",
    Fault.ABILITY: (
        "Trying again will not help: whoever runs Bulkhead must name a model that can do this in routes.toml."
    ),
}
"""What the person who asked can do. The first that holds is said: who may still come back is worth waiting for."""


def fault_of(error: BulkheadError) -> Fault:
    """Whose move it is."""
    return next((fault for kind, fault in FAULTS if isinstance(error, kind)), Fault.OUTAGE)


def failed(attempts: Sequence[Attempt]) -> str:
    """Who was asked, why it came to nothing, and who can do what about it."""
    reasons = "; ".join(f"{attempt.model}: {attempt.error or 'no answer in the asked form'}" for attempt in attempts)
    return " ".join([f"No model answered ({reasons}).", *advice(attempts)])


def advice(attempts: Iterable[Attempt]) -> Iterable[str]:
    """What the person can do, by the first of `ADVICE` that holds; what only the operator can, in any case."""
    faults = {attempt.fault or Fault.ANSWER: attempt.model for attempt in reversed(tuple(attempts))}
    if told := next((ADVICE[fault] for fault in ADVICE if fault in faults), ""):
        yield told
    if Fault.SETUP in faults:
        vain = "" if told else "Trying again will not help. "
        yield f"{vain}Whoever runs Bulkhead must set right what is said of {faults[Fault.SETUP]}: `bulkhead doctor`."
