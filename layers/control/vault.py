"""The executor's store of secrets: a name in, a value out, only at the moment a run has been claimed.

A value is a file of its own in the home's `keys/secrets` (0600), or a variable EXECUTOR_SECRET_<NAME> of an executor
that was started by itself. No other process reads them: they are on no card, in no plan, log, database or environment.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from layers.control.manifest import SECRET_NAME
from layers.control.masking import SHORTEST
from layers.errors import Misconfigured, Refused

VARIABLE = "EXECUTOR_SECRET_"
LONGEST = 65_536


class Vault:
    """One folder of secrets, and the variables of this process."""

    def __init__(self, home: Path, environ: Mapping[str, str] | None = None) -> None:
        """`environ` is this process's, where the executor runs by itself."""
        self._folder = home / "keys" / "secrets"
        self._environ = environ or {}

    def names(self) -> list[str]:
        """Every secret there is."""
        files = {file.name for file in self._folder.glob("[!.]*")} if self._folder.is_dir() else set()
        variables = {name.removeprefix(VARIABLE) for name in self._environ if name.startswith(VARIABLE)}
        return sorted(files | variables)

    def keep(self, name: str, value: str) -> None:
        """Set one. A newline at its end is not part of it.

        Raises:
            Refused: the name or the value cannot be one.
        """
        check(name)
        value = value.removesuffix("\n").removesuffix("\r")
        if not SHORTEST <= len(value) <= LONGEST or "\0" in value:
            raise Refused(f"the secret {name} is refused; it must have {SHORTEST} to {LONGEST} characters and no NUL")
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=self._folder, prefix=".")  # mkstemp makes it 0600
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(value)
            file.flush()
            os.fsync(file.fileno())
        os.rename(draft, self._folder / name)

    def forget(self, name: str) -> None:
        """Remove one.

        Raises:
            Refused: there is none.
        """
        check(name)
        try:
            (self._folder / name).unlink()
        except FileNotFoundError:
            raise Refused(f"there is no secret {name}; `bulkhead secret list` has them") from None

    def demand(self, names: Iterable[str]) -> None:
        """Refuse when one of them is not set.

        Raises:
            Refused: which.
        """
        known = self.names()
        for name in names:
            if name not in known:
                raise Refused(
                    f"the secret {name} is not set; `bulkhead secret set {name}` reads it from standard input"
                )

    def read(self, names: Iterable[str]) -> dict[str, str]:
        """Their values. A file wins over a variable.

        Raises:
            Refused: one is not set.
            Misconfigured: others could read it.
        """
        values = {}
        for name in names:
            check(name)
            file = self._folder / name
            if file.exists():
                if file.stat().st_mode & 0o077:
                    raise Misconfigured(f"the secret {name} can be read by others; chmod 600, and think of a new one")
                values[name] = file.read_bytes().decode()
            elif f"{VARIABLE}{name}" in self._environ:
                values[name] = self._environ[f"{VARIABLE}{name}"]
            else:
                raise Refused(
                    f"the secret {name} is not set; `bulkhead secret set {name}` reads it from standard input"
                )
            if len(values[name]) < SHORTEST:
                raise Refused(f"the secret {name} is shorter than {SHORTEST} characters and could not be masked")
        return values


def check(name: str) -> None:
    """Refuse a name that is none. It is not told: it may be the secret itself."""
    if not SECRET_NAME.fullmatch(name):
        raise Refused("that is no name of a secret; it must be capitals, digits and _, a capital first, at most 64")
