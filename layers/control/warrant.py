"""Warrants: a decision in, signed text out; and in the executor signed text in, permission for one run out.

A warrant is signed in the transaction that decides and kept in the approval's row. Whoever can edit that row can drop
or swap a warrant, but not make one: the executor demands that it was signed by the key it has pinned, that it names
this run and this plan, and that its nonce was never used.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, fields
from typing import Protocol

from layers.control.types import Plan, Signer, Warrant, digest_of
from layers.errors import Refused

KIND = "warrant"
LASTS_S = 3600.0
"""From the decision to the start of the run. A server that was down for longer has to ask again."""
NONCE_DIGITS = 32


class Verifier(Protocol):
    """The public half of control's key."""

    def is_signed(self, kind: str, text: str, signature: str) -> bool:
        """Whether the private half signed `text`."""


def warrant_for(run_id: str, plan: Plan, *, now: float, decisions: tuple[str, ...] = (), policy: str = "") -> Warrant:
    """What allows `run_id` to begin within the hour."""
    return Warrant(
        run_id=run_id,
        plan_digest=plan.digest,
        capability=plan.capability,
        version=plan.version,
        argv_digest=argv_digest(plan),
        scope=plan.scope,
        decisions=decisions,
        policy_digest=policy,
        not_after=now + LASTS_S,
        nonce=secrets.token_hex(NONCE_DIGITS // 2),
    )


def argv_digest(plan: Plan) -> str:
    """sha256 of the argv as canonical JSON."""
    return digest_of(json.dumps(plan.argv, separators=(",", ":")))


def canonical(warrant: Warrant) -> str:
    """The one JSON text of a warrant: sorted keys, no spaces, ASCII."""
    return json.dumps(asdict(warrant), sort_keys=True, separators=(",", ":"))


def sign_warrant(signer: Signer, warrant: Warrant) -> str:
    """The warrant and its signature, as one text."""
    text = canonical(warrant)
    return json.dumps({"warrant": text, "signature": signer.sign(KIND, text)}, separators=(",", ":"))


def read_warrant(signed: str, key: Verifier) -> Warrant:
    """The warrant in `signed`.

    Raises:
        Refused: it is none, or another key signed it.
    """
    try:
        raw = json.loads(signed)
        text, signature = str(raw["warrant"]), str(raw["signature"])
    except (ValueError, TypeError, KeyError):
        raise Refused("there is no warrant for this run; nothing was run, ask again") from None
    if not key.is_signed(KIND, text, signature):
        raise Refused("the warrant was not signed by the key that this executor trusts; nothing was run")
    values = json.loads(text)
    if set(values) != {item.name for item in fields(Warrant)}:
        raise Refused("the warrant was signed by another release; nothing was run, ask again")
    return Warrant(**{**values, "decisions": tuple(values["decisions"])})


def check_warrant(warrant: Warrant, run_id: str, plan: Plan, now: float) -> None:
    """Refuse a warrant that is not for this run of this plan, now.

    Raises:
        Refused: which of it does not fit.
    """
    wanted = {
        "run": (warrant.run_id, run_id),
        "plan": (warrant.plan_digest, plan.digest),
        "capability": (warrant.capability, plan.capability),
        "version": (warrant.version, plan.version),
        "argv": (warrant.argv_digest, argv_digest(plan)),
        "scope": (warrant.scope, plan.scope),
    }
    for noun, (signed, given) in wanted.items():
        if signed != given:
            raise Refused(f"the warrant is for another {noun}; nothing was run")
    if (plan.risk > 0 or plan.secrets) and not warrant.decisions:
        what = f"risk {plan.risk}" if plan.risk else "a secret"
        raise Refused(f"{plan.capability} has {what} and its warrant names nobody who decided; nothing was run")
    if plan.risk == 0 and plan.is_workspace_writable:
        raise Refused(f"{plan.capability} writes although its risk is 0; nothing was run")
    if now > warrant.not_after:
        raise Refused("the warrant has expired; nothing was run, ask again")
    if len(warrant.nonce) != NONCE_DIGITS or not set(warrant.nonce) <= set("0123456789abcdef"):
        raise Refused("the warrant has no nonce; nothing was run")
