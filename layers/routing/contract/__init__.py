"""The instruction contract: what an answer must hold to, read from what people wrote, and checked without a model.

Text in, `Clause`s out; clauses and an answer in, `Violation`s out. All of it is pure.
"""

from layers.routing.contract.carrying import Contract, contract_of
from layers.routing.contract.extracting import extract
from layers.routing.contract.repairing import confession, escalation, repair_prompt, risk
from layers.routing.contract.tools import refused
from layers.routing.contract.types import Clause, Kind, Relation, Value, Violation
from layers.routing.contract.verifying import described, verify

__all__ = [
    "Clause",
    "Contract",
    "Kind",
    "Relation",
    "Value",
    "Violation",
    "confession",
    "contract_of",
    "described",
    "escalation",
    "extract",
    "refused",
    "repair_prompt",
    "risk",
    "verify",
]
