"""The folder of manifests as it stands on this machine: what can run, and what cannot and why.

One broken manifest takes only itself out. Programs are found on a fixed PATH when the folder is read, never later.
"""

from __future__ import annotations

import difflib
import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from layers.control.manifest import Manifest, parse_manifest
from layers.control.programs import file_digest
from layers.control.types import OWN_SCOPES, patch_scope
from layers.errors import Misconfigured, Refused

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
"""Only what the distribution installed; the sandbox mounts nothing else."""
SHIPPED = Path(__file__).parent / "capabilities"
HOST_NETWORK_RISK = 3
"""What `network = "host"` needs. It is everything that this machine reaches: its own services on loopback, the metadata
of its cloud, the internet. An allow-list would have to be a proxy that is the only way out of the sandbox's own network
namespace; none is built yet, and variables such as `https_proxy`, which a program may ignore, only look like one."""
WORDING = {"version", "title", "description", "scope", "timeout_s", "output_cap_bytes", "approvals", "risk"}
"""Fields of a manifest that do not change what its program does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """A manifest whose programs are there."""

    manifest: Manifest
    digest: str
    """sha256 of the file, hex."""
    programs: Mapping[str, str]
    """Name as the manifest has it -> absolute path."""
    digests: Mapping[str, str]
    """Absolute path of each program -> sha256 of its file, hex."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """Every capability of this install."""

    folder: Path
    """Where the manifests are."""
    workspace: str
    """Absolute path of the folder that capabilities work in."""
    capabilities: Mapping[str, Capability]
    unavailable: Mapping[str, str]
    """Id (or file name without `.toml`) -> why it cannot be used."""

    names: tuple[str, ...] = ()
    """What people call the workspaces that patches are for, where there are several."""

    @classmethod
    def load(cls, folder: Path, workspace: Path, names: tuple[str, ...] = ()) -> Catalog:
        """Read every `*.toml` in `folder`.

        Raises:
            Misconfigured: the folder cannot be read.
        """
        if not folder.is_dir():
            raise Misconfigured(f"the folder of capabilities {str(folder)!r} is not there; start once to have it made")
        capabilities: dict[str, Capability] = {}
        unavailable: dict[str, str] = {}
        for file in sorted(folder.glob("*.toml")):
            try:
                capability = load_capability(file)
                capabilities[capability.manifest.id] = capability
            except Misconfigured as error:
                unavailable[file.stem] = str(error)
        return cls(
            folder=folder, workspace=str(workspace.resolve()), capabilities=capabilities, unavailable=unavailable,
            names=names,
        )  # fmt: skip

    @property
    def digests(self) -> dict[str, str]:
        """Capability -> digest of its manifest: what `Rules.manifests` wants."""
        return {name: capability.digest for name, capability in self.capabilities.items()}

    @property
    def risks(self) -> dict[str, int]:
        """Capability -> its risk: what `Rules.risks` wants."""
        return {name: capability.manifest.risk for name, capability in self.capabilities.items()}

    @property
    def scopes(self) -> dict[str, str]:
        """Capability -> its scope; with those that have no manifest."""
        return OWN_SCOPES | {name: capability.manifest.scope for name, capability in self.capabilities.items()}

    @property
    def patch_scopes(self) -> tuple[str, ...]:
        """Where the patches of each of several workspaces lie."""
        return tuple(map(patch_scope, self.names))

    def renewed(self, name: str) -> Catalog:
        """This catalog with one capability as it is on the disk now: its manifest's digest and its programs'.

        Raises:
            Refused: there is none, or it is unavailable, by now.
        """
        self.find(name)
        try:
            found = load_capability(self.folder / f"{name}.toml")
        except Misconfigured as error:
            raise Refused(f"{name} is unavailable: {error}") from None
        return replace(self, capabilities={**self.capabilities, name: found})

    def find(self, name: str) -> Capability:
        """The capability called `name`.

        Raises:
            Refused: there is none (with the nearest names), or it is unavailable (with the reason).
        """
        if name in self.capabilities:
            return self.capabilities[name]
        if name in self.unavailable:
            raise Refused(f"{name} is unavailable: {self.unavailable[name]}")
        raise Refused(f"no capability is called {name!r}; {nearest(name, list(self.capabilities))}")


def nearest(name: str, known: list[str]) -> str:
    """`did you mean ...`, or all there is."""
    if near := difflib.get_close_matches(name, known, n=3, cutoff=0.5):
        return f"did you mean {' or '.join(near)}?"
    return f"there is {', '.join(sorted(known))}" if known else "there are none"


def load_capability(file: Path) -> Capability:
    """One manifest with its programs found.

    Raises:
        Misconfigured: the file cannot be read, is wrong, or names a program that is not installed.
    """
    try:
        content = file.read_bytes()
        manifest = parse_manifest(content.decode(), file.name)
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"manifest {file.name!r} cannot be read: {error}") from None
    check_network(manifest, file.name)
    programs = {command[0]: find_program(command[0], file.name) for command in manifest.commands}
    for place in (*manifest.sandbox.sockets, *manifest.sandbox.readable):
        if not Path(place).exists():
            raise Misconfigured(f"manifest {file.name!r}, sandbox: it needs {place!r}, which is not there")
    return Capability(
        manifest=manifest,
        digest=hashlib.sha256(content).hexdigest(),
        programs=programs,
        digests={path: file_digest(path) for path in programs.values()},
    )


def check_network(manifest: Manifest, file_name: str) -> None:
    """Let only what cannot be undone, and so is decided with the page's care, reach whatever this machine reaches.

    Except for what is shipped with less: its command says by itself where it goes (one address that stands on the card,
    a remote of the workspace's own configuration, the cluster of a kubeconfig), and no parameter leads it elsewhere. A
    copy keeps that as long as it does the very same at no lower risk.

    Raises:
        Misconfigured: its risk is too low for that.
    """
    if manifest.sandbox.network != "host" or manifest.risk >= HOST_NETWORK_RISK:
        return
    shipped = SHIPPED / f"{manifest.id}.toml"
    if shipped.is_file():
        ours = parse_manifest(shipped.read_text("utf-8"), shipped.name)
        if manifest.risk >= ours.risk and manifest.model_dump(exclude=WORDING) == ours.model_dump(exclude=WORDING):
            return
    raise Misconfigured(
        f'manifest {file_name!r}, sandbox: network = "host" is all that this machine reaches, so it needs risk = '
        f"{HOST_NETWORK_RISK} and this has {manifest.risk}"
    )


def find_program(name: str, file_name: str) -> str:
    """The absolute path of a program.

    Raises:
        Misconfigured: it is not installed.
    """
    found = shutil.which(name, path=PATH)
    if found is None or not found.startswith("/"):
        raise Misconfigured(f"manifest {file_name!r}, argv: the program {name!r} is not in {PATH}; install it")
    return found


def install_capabilities(folder: Path) -> list[str]:
    """Write the shipped manifests that `folder` lacks; returns their names. Existing files are the operator's own."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [file for file in sorted(SHIPPED.glob("*.toml")) if not (folder / file.name).exists()]
    for file in missing:
        (folder / file.name).write_bytes(file.read_bytes())
    return [file.stem for file in missing]
