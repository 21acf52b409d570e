"""What a plan may touch besides its workspace and the system's programs: network, sockets, files, processes.

Everything is a leaf of the plan and on the card. Nothing of it is there by default, and Landlock gives none of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from layers.control.types import Plan
from layers.errors import Refused

NAMESPACES = ("--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try")
NETWORKS = ("none", "host")
RESOLVING = ("/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/ssl", "/etc/ca-certificates", "/etc/pki")
"""What a program needs to find a host and to know it; none of it is secret. /etc/ssl/private stays unreadable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Nothing, unless said."""

    network: str = "none"
    sockets: tuple[str, ...] = ()
    readable: tuple[str, ...] = ()
    sees_processes: bool = False

    @classmethod
    def of(cls, plan: Plan) -> Reach:
        """A plan's."""
        return cls(
            network=plan.network, sockets=plan.sockets, readable=plan.readable, sees_processes=plan.sees_processes
        )

    @property
    def needs_bubblewrap(self) -> bool:
        """Whether Landlock, which refuses every socket, cannot give it."""
        return self.network != "none" or bool(self.sockets)

    @property
    def namespaces(self) -> list[str]:
        """bwrap's options: everything unshared but, where the plan says so, the network."""
        return [*NAMESPACES, *([] if self.network == "host" else ["--unshare-net"])]

    @property
    def proc(self) -> list[str]:
        """bwrap's options for /proc. The other processes' secrets stay closed: they live in another user namespace."""
        return ["--ro-bind", "/proc", "/proc"] if self.sees_processes else ["--proc", "/proc", "--remount-ro", "/proc"]

    @property
    def mounts(self) -> list[str]:
        """bwrap's options for the files."""
        wanted = [*(RESOLVING if self.network == "host" else ()), *self.readable, *self.sockets]
        return [option for path in wanted for option in ("--ro-bind-try", path, path)]


NOTHING = Reach()


def check_reach(plan: Plan) -> None:
    """Refuse what no sandbox gives.

    Raises:
        Refused: an unknown network, or a path that is not absolute.
    """
    if plan.network not in NETWORKS:
        raise Refused(f"{plan.capability} asks for the network {plan.network!r}; there is {' and '.join(NETWORKS)}")
    if not all(path.startswith("/") and ".." not in path.split("/") for path in (*plan.sockets, *plan.readable)):
        raise Refused(f"{plan.capability} asks for a place that is no absolute path; nothing was run")
