"""The operator's policy.cedar: read at start and whenever it changes. A file that fails never replaces a good one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from layers.control.catalog import Catalog
from layers.control.cedar import SHIPPED, CedarPolicies, Known, load_policies
from layers.control.golden import check_golden, parse_golden
from layers.control.policy import NO_POLICY, Member, Question, Verdict
from layers.errors import Misconfigured

log = logging.getLogger(__name__)

POLICY = "policy.cedar"
GOLDEN = "policy.golden.toml"
TEMPLATES = {POLICY: "policy.cedar", GOLDEN: "golden.toml"}

Stamp = tuple[tuple[int, int, int], ...]


def shipped_policy() -> tuple[str, str]:
    """The policy that is shipped, and its golden decisions."""
    return (SHIPPED / TEMPLATES[POLICY]).read_text("utf-8"), (SHIPPED / TEMPLATES[GOLDEN]).read_text("utf-8")


def install_policy(home: Path) -> list[str]:
    """Write the shipped policy and its golden decisions where there are none; returns what was written."""
    missing = [name for name in TEMPLATES if not (home / name).exists()]
    for name in missing:
        (home / name).write_bytes((SHIPPED / TEMPLATES[name]).read_bytes())
    return missing


def read_policy(file: Path, golden: Path, people: tuple[Member, ...], known: Known) -> CedarPolicies:
    """Read, parse, validate, and ask the golden questions.

    Raises:
        Misconfigured: the file, and the first thing that is wrong.
    """
    try:
        text, questions = file.read_text("utf-8"), golden.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"the policy cannot be read ({error}); put {POLICY} and {GOLDEN} back") from None
    try:
        policies = load_policies(text, known)
        check_golden(policies, parse_golden(questions), people)
    except Misconfigured as error:
        raise Misconfigured(f"the policy {str(file)!r} is refused: {error}") from None
    return policies


class PolicyFile:
    """The policy in force. Implements `PolicyEngine`."""

    def __init__(self, home: Path, people: Callable[[], tuple[Member, ...]], catalog: Callable[[], Catalog]) -> None:
        """`people` and `catalog` tell the names that a policy may speak of."""
        self.problem = ""
        """Why the file as it is now was not taken; empty when it was."""
        self._files = (home / POLICY, home / GOLDEN)
        self._people = people
        self._catalog = catalog
        self._policies: CedarPolicies | None = None
        self._stamp: Stamp = ()

    @property
    def summary(self) -> str:
        """What is in force, for `/status`."""
        if self._policies is None:
            return NO_POLICY.reason
        ids = ", ".join(self._policies.ids[:12]) + (", ..." if len(self._policies.ids) > 12 else "")
        return f"{len(self._policies.ids)} policies ({ids}), sha256 {self._policies.sha[:12]}"

    def load(self) -> None:
        """Take the file as it is.

        Raises:
            Misconfigured: it is refused; what was in force stays.
        """
        stamp = self._look()
        people, catalog = self._people(), self._catalog()
        self._policies = read_policy(*self._files, people, Known.of(people, catalog.scopes, catalog.patch_scopes))
        self._stamp, self.problem = stamp, ""

    def refresh(self) -> bool:
        """Take the file if it changed; whether anything is different now. One that fails is told, not taken."""
        stamp = self._look()
        if stamp == self._stamp:
            return False
        try:
            self.load()
        except Misconfigured as error:
            self._stamp, self.problem = stamp, str(error)
            log.error("policy.refused", extra={"why": self.problem})
        else:
            log.info("policy.loaded", extra={"policy": self.summary})
        return True

    def judge(self, question: Question, people: tuple[Member, ...]) -> Verdict:
        """What the policy in force says."""
        return NO_POLICY if self._policies is None else self._policies.judge(question, people)

    def _look(self) -> Stamp:
        """What would be different if a file had changed."""
        stamps = []
        for file in self._files:
            try:
                found = file.stat()
            except OSError:
                stamps.append((0, 0, 0))
            else:
                stamps.append((found.st_mtime_ns, found.st_size, found.st_ino))
        return tuple(stamps)
