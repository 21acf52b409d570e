"""Who may write where, and who is next: leases that wait and leases that are held go in, grants come out. Pure.

Leases name exact paths and folders, no patterns: whether two of them overlap is then a comparison of two names and
never a guess (of seven pairs of globs that do overlap, a matcher in use elsewhere saw one).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from layers.coordination.rules.paths import check_path
from layers.errors import Refused

MAX_PATHS = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A lease in the queue, as far as the queue looks at it."""

    id: str
    ticket: int
    """Place of arrival; smaller came earlier."""
    paths: tuple[str, ...]
    is_person: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Grants:
    """What the queue does next."""

    granted: tuple[str, ...]
    """Ids, in the order of their fences."""
    fenced: tuple[str, ...]
    """Ids of held ones that a person took over."""


def check_paths(paths: Sequence[str]) -> tuple[str, ...]:
    """The paths of a lease, each once, in order.

    Raises:
        Refused: there are none, too many, or one that no patch may touch.
    """
    if not paths:
        raise Refused("a lease needs at least one path; name files, or folders with a slash at their end")
    if len(paths) > MAX_PATHS:
        raise Refused(f"a lease of {len(paths)} paths is refused; {MAX_PATHS} is the limit, name their folder instead")
    for path in paths:
        if any(mark in path for mark in "*?["):
            raise Refused(f"a lease on {path!r} is refused: no patterns; name the file, or its folder as `folder/`")
        check_path(path.removesuffix("/"))
    return tuple(sorted(set(paths)))


def overlap(ones: Sequence[str], others: Sequence[str]) -> bool:
    """Whether two leases share a path. A file's name also shuts out everything below it: it may become a folder."""
    return any(_covers(one, other) or _covers(other, one) for one in ones for other in others)


def covers(lease: Sequence[str], paths: Sequence[str]) -> bool:
    """Whether every one of `paths` is within the lease."""
    return all(any(_covers(held, path) for held in lease) for path in paths)


def advance(waiting: Sequence[Claim], held: Sequence[Claim]) -> Grants:
    """Who gets a lease now. Disjoint ones pass each other, overlapping ones never do; a person goes before others."""
    granted: list[str] = []
    fenced: list[str] = []
    holding = list(held)
    passed: list[Claim] = []
    for claim in sorted(waiting, key=lambda claim: (not claim.is_person, claim.ticket)):
        rivals = [other for other in holding if overlap(claim.paths, other.paths)]
        in_the_way = [other for other in rivals if other.is_person or not claim.is_person]
        if in_the_way or any(overlap(claim.paths, other.paths) for other in passed):
            passed.append(claim)
            continue
        fenced += [rival.id for rival in rivals]
        holding = [*(other for other in holding if other not in rivals), claim]
        granted.append(claim.id)
    return Grants(granted=tuple(granted), fenced=tuple(fenced))


def blockers(waiting: Sequence[Claim], held: Sequence[Claim]) -> dict[str, tuple[str, ...]]:
    """For each that waits, in the order in which they are served: the ids of those that it waits behind."""
    found: dict[str, tuple[str, ...]] = {}
    earlier: list[Claim] = []
    for claim in sorted(waiting, key=lambda claim: (not claim.is_person, claim.ticket)):
        ahead = [other for other in held if other.is_person or not claim.is_person] + earlier
        found[claim.id] = tuple(other.id for other in ahead if overlap(claim.paths, other.paths))
        earlier.append(claim)
    return found


def _covers(one: str, other: str) -> bool:
    plain, inner = one.removesuffix("/"), other.removesuffix("/")
    return plain == inner or inner.startswith(f"{plain}/")
