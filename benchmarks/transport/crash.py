"""Every named crash point, at every provider: the server killed there, or the provider's next answer lost."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from benchmarks.figures import Figure
from benchmarks.transport.bench import Bench, Section
from layers.failpoint import Point
from tests.crash.providers import SURFACES, WAYS, Case, Count, Sweep, passes
from tests.fakes import model_server
from tests.fakes.nursery import nursery

AT_ONCE = 4
"""Cases; each is a server and a provider of its own, and most of its time is waiting."""
SAMPLE = (Point.ACCEPT_AFTER_COMMIT, Point.DELIVER_AFTER)
"""Points that are visited when only some are."""


def crash_points(bench: Bench) -> Section:
    """All of them; what was lost, doubled and left behind, at the provider's side."""
    points = SAMPLE[: bench.scale.points] or tuple(Point)
    triples = itertools.product(points, SURFACES, WAYS)
    cases = [Case(point=point, surface=name, way=way) for point, name, way in triples if passes(point, name)]
    with nursery() as opened, model_server.running() as model:
        sweep = Sweep(nursery=opened, folder=bench.folder, shared=bench.shared, model_url=model.base_url)
        sweep.prepare()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            counts = list(pool.map(lambda case: attempt(sweep, case), cases))
    for found in counts:
        bench.violations += found.violations if isinstance(found, Count) else ()
    return told(dict(zip(cases, counts, strict=True)))


def attempt(sweep: Sweep, case: Case) -> Count | str:
    """One case; why it could not be carried out, where that is so."""
    try:
        found = sweep.run(case)
    except (AssertionError, OSError) as error:
        return f"{case}: {error}"
    return found if found.was_reached else f"{case}: the point was never reached"


def told(found: dict[Case, Count | str]) -> Section:
    """The sums, and the table of all cases; null stands for one that was not carried out."""
    counts = [count for count in found.values() if isinstance(count, Count)]
    failures = [count for count in found.values() if isinstance(count, str)]
    points: dict[str, dict[str, dict[str, object]]] = {}
    for case, count in found.items():
        cell = (
            {"lost": count.lost, "doubled": count.doubled, "orphans": count.orphans}
            if isinstance(count, Count)
            else None
        )
        points.setdefault(case.point.value, {}).setdefault(case.surface, {})[case.way] = cell
    lost, doubled = sum(count.lost for count in counts), sum(count.doubled for count in counts)
    orphans = max((count.orphans for count in counts), default=0)
    wrong = [
        f"{c}: {n.lost} lost, {n.doubled} doubled"
        for c, n in found.items()
        if isinstance(n, Count) and n.lost + n.doubled
    ]
    return Section(
        value={"lost": lost, "doubled": doubled, "orphans_max": orphans, "points": points},
        figures=[
            figure("lost", lost, wrong),
            figure("doubled", doubled, ()),
            Figure(
                key="crash_orphans",
                title="crash points: placeholders left by one crash",
                value=orphans,
                unit="",
                at_most=1,
            ),
            figure("not carried out", len(failures), failures),
        ],
    )


def figure(what: str, value: int, notes: Iterable[str]) -> Figure:
    """One that must be 0."""
    key = f"crash_{what.replace(' ', '_')}"
    return Figure(key=key, title=f"crash points: {what}", value=value, unit="", at_most=0, note="; ".join(notes))
