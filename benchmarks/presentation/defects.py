"""The section `lint`: drawings spoilt in ways the lint knows nothing of, at five severities; and clean ones.

A seeded defect counts as found when the lint says something that it does not say of the same drawing unspoilt. False
alarms are errors on drawings that nobody spoilt, in both themes: none of them is left out, so a real defect counts too.
"""

from __future__ import annotations

import random
import warnings
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from benchmarks.presentation.section import Measured, Section, missed
from benchmarks.presentation.spoiling import CLASSES
from benchmarks.presentation.stage import Stage, Take, takes
from layers.presentation import Finding
from layers.presentation.drawing.theme import DARK, LIGHT

SEVERITIES = (1, 2, 3, 4, 5)
TAKES, FEW_TAKES = 24, 7
CLEAN, FEW_CLEAN = 120, 12
LEAST_RECALL, MOST_ALARMS = 0.95, 0.02


def run(_folder: Path, is_quick: bool) -> Measured:
    """Recall by class, from severity 1 to 5, and false alarms per clean picture."""
    warnings.simplefilter("ignore", UserWarning)
    stages = takes(FEW_CLEAN if is_quick else CLEAN)
    spoilt = stages[: FEW_TAKES if is_quick else TAKES]
    recall = recall_of(spoilt)
    alarms = [alarm for take in stages for theme in (LIGHT, DARK) for alarm in errors_of(Stage(take, theme))]
    rate = round(len(alarms) / (2 * len(stages)), 4)
    shares = [share for found in recall.values() for share in found]
    mean = round(sum(shares) / len(shares), 4)
    worst = {name: found for name, found in recall.items() if found and min(found) < LEAST_RECALL}
    return Measured(
        printed={"lint": {"recall": recall, "recall_mean": mean, "false_alarms": rate, "clean": 2 * len(stages)}},
        misses=missed(
            {
                f"the lint finds at least {LEAST_RECALL:.0%} of every class, and not of {worst}": not worst,
                f"at most {MOST_ALARMS} false alarms per clean picture, not {rate}: {_rules(alarms)}": (
                    rate <= MOST_ALARMS
                ),
            }
        ),
    )


def recall_of(stages: list[Take]) -> dict[str, list[float]]:
    """Share of the spoilt pictures that are found out, by class and severity."""
    tried: dict[tuple[str, int], list[bool]] = defaultdict(list)
    for number, take in enumerate(stages):
        clean = Stage(take)
        unspoilt = clean.shot()
        known = _said(clean.judged(unspoilt))
        for name, spoil in CLASSES.items():
            for severity in SEVERITIES:
                dice = random.Random(f"{number} {name} {severity}")
                stage = Stage(take)
                if (picture := spoil(stage, dice, severity)) is not None and stage.is_changed(picture, unspoilt):
                    tried[name, severity].append(bool(_said(stage.judged(picture)) - known))
    return {
        name: [round(sum(found) / len(found), 3) for severity in SEVERITIES if (found := tried[name, severity])]
        for name in CLASSES
    }


def errors_of(stage: Stage) -> list[Finding]:
    """What keeps an unspoilt drawing from being posted."""
    return [finding for finding in stage.judged(stage.shot()) if finding.severity == "error"]


def _said(findings: tuple[Finding, ...]) -> set[tuple[str, tuple[str, ...]]]:
    return {(finding.rule, finding.elements) for finding in findings}


def _rules(alarms: list[Finding]) -> list[str]:
    return sorted({alarm.rule for alarm in alarms})


SECTIONS: Mapping[str, Section] = {"lint": Section(keys=("lint",), run=run)}
