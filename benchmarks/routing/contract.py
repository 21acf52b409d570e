"""The instruction contract on IFEval's prompts and on answers by hand: what is read rightly, how fast, what is refused.

A constraint counts as read when its type is named, `precision` and `recall` are over all of them. `with_arguments` asks
for the same values too. Prompts whose key hashes to an even number were looked at while the rules were written; the
other half, `held_out`, was only ever counted. Clauses of types that IFEval does not label are left out of precision and
counted as `unlabelled`. `exactly n` of ours stands for IFEval's pair of `at least n` and `less than n + 1`.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import statistics
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.routing.contract_cases import CASES
from benchmarks.routing.fit import data
from benchmarks.routing.section import Measured, Section, missed
from layers.routing.contract import Clause, Kind, extract, verify

PRECISION, RECALL, EXTRACT_US, VERIFY_US = 0.92, 0.90, 300.0, 1000.0
NOT_COMPARED = {"prompt_to_repeat", "options", "divider"}
"""Texts that are copied from the prompt, and our own arguments."""
ALWAYS_EXACT = ("num_paragraphs", "num_bullets")
"""IFEval names no relation for these."""
ANSWER = "The river rose in the night, and nobody slept until the rain stopped. *Then* everybody did. " * 22
"""About 2,000 characters, 370 words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A prompt with its labels."""

    key: int
    prompt: str
    wanted: tuple[tuple[str, Mapping[str, object]], ...]

    @property
    def is_held_out(self) -> bool:
        """Whether the rules were written without a look at it."""
        return int(hashlib.sha256(str(self.key).encode()).hexdigest(), 16) % 2 == 1


@dataclass(slots=True)
class Score:
    """Counts over constraints."""

    right: int = 0
    extra: int = 0
    absent: int = 0
    same_arguments: int = 0
    unlabelled: int = 0

    def as_json(self) -> dict[str, object]:
        """The shares."""
        return {
            "precision": round(self.right / max(1, self.right + self.extra), 4),
            "recall": round(self.right / max(1, self.right + self.absent), 4),
            "with_arguments": {
                "precision": round(self.same_arguments / max(1, self.right + self.extra), 4),
                "recall": round(self.same_arguments / max(1, self.right + self.absent), 4),
            },
            "unlabelled": self.unlabelled,
        }


def rows() -> list[Row]:
    """IFEval's prompts."""
    found = []
    for line in (data() / "ifeval-prompts.jsonl").read_text("utf-8").splitlines():
        item = json.loads(line)
        wanted = tuple(zip(item["instruction_id_list"], item["kwargs"], strict=True))
        found.append(Row(key=item["key"], prompt=item["prompt"], wanted=wanted))
    return found


def folded(args: Mapping[str, object]) -> dict[str, object]:
    """Arguments as they are compared: without case and order."""
    kept: dict[str, object] = {}
    for name, value in args.items():
        if name in NOT_COMPARED or (name == "relation" and any(exact in args for exact in ALWAYS_EXACT)):
            continue
        if isinstance(value, str):
            kept[name] = value.lower().strip()
        else:
            kept[name] = sorted(str(each).lower() for each in value) if isinstance(value, Sequence) else value
    return kept


def expanded(clauses: Iterable[Clause]) -> list[tuple[str, dict[str, object]]]:
    """Clauses as IFEval writes them: `exactly` is a pair of limits."""
    found = []
    for clause in clauses:
        args = folded(clause.args)
        relation = next((name for name in ("relation", "let_relation", "capital_relation") if name in args), "")
        number = next((name for name, value in args.items() if isinstance(value, int)), "")
        if relation and args[relation] == "exactly" and number:
            count = args[number]
            assert isinstance(count, int)
            found.append((clause.kind.value, args | {relation: "at least"}))
            found.append((clause.kind.value, args | {relation: "less than", number: count + 1}))
        else:
            found.append((clause.kind.value, args))
    return found


def count(row: Row, clauses: Sequence[Clause], labelled: frozenset[str], score: Score) -> None:
    """Compare what was read with the labels."""
    got = expanded(clause for clause in clauses if clause.kind.value in labelled)
    score.unlabelled += sum(clause.kind.value not in labelled for clause in clauses)
    left = list(got)
    for kind, wanted in row.wanted:
        same = next((each for each in left if each == (kind, folded(wanted))), None)
        near = same or next((each for each in left if each[0] == kind), None)
        if near is None:
            score.absent += 1
            continue
        left.remove(near)
        score.right += 1
        score.same_arguments += same is not None
    kinds_wanted = Counter(kind for kind, _ in row.wanted)
    # half of an `exactly` whose other half was wanted is no invention
    score.extra += sum(1 for kind, args in left if not (kinds_wanted[kind] and _is_half(args, got, kind)))


def _is_half(args: Mapping[str, object], got: Sequence[tuple[str, dict[str, object]]], kind: str) -> bool:
    """Whether these arguments are one end of an `exactly`."""
    numbers = {name for name, value in args.items() if isinstance(value, int)}
    same = [other for name, other in got if name == kind and set(other) == set(args) and other != args]
    return any(
        isinstance(other[name], int) and abs(int(str(other[name])) - int(str(args[name]))) == 1
        for other in same
        for name in numbers
    )


def timed(prompts: Sequence[str], rounds: int) -> tuple[float, float]:
    """Median microseconds over the prompts, and what 19 of 20 stay below; the best of some rounds of each."""
    took = []
    for prompt in prompts:
        best = float("inf")
        for _ in range(rounds):
            began = time.perf_counter()
            extract(prompt)
            best = min(best, time.perf_counter() - began)
        took.append(best * 1e6)
    return statistics.median(took), sorted(took)[int(0.95 * len(took))]


def timed_checks(prompts: Sequence[str]) -> float:
    """Median microseconds to check an answer of 370 words against a prompt's clauses."""
    took = []
    for prompt in prompts:
        clauses = extract(prompt)
        began = time.perf_counter()
        verify(clauses, ANSWER)
        took.append((time.perf_counter() - began) * 1e6)
    return statistics.median(took)


def by_hand() -> tuple[int, list[str]]:
    """How many answers by hand there are, and those that are judged wrongly."""
    wrong = []
    total = 0
    for case in CASES:
        clause = (Clause(kind=case.kind, args=case.args),)
        total += len(case.good) + len(case.bad)
        wrong += [f"{case.kind.value} refuses {answer!r}" for answer in case.good if verify(clause, answer)]
        wrong += [f"{case.kind.value} takes {answer!r}" for answer in case.bad if not verify(clause, answer)]
    return total, wrong


def false_alarms() -> dict[str, float]:
    """Share of questions that demand nothing of the kind and in which a clause is seen all the same."""
    shares = {}
    for name in ("gsm8k", "mmlu"):
        with gzip.open(data() / "routellm" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
            prompts = [json.loads(line)["prompt"] for line in file]
        shares[name] = round(sum(bool(extract(prompt)) for prompt in prompts) / len(prompts), 4)
    return shares


def contract(_folder: Path, is_quick: bool) -> Measured:
    """Everything about the contract."""
    total, wrong = by_hand()
    cases: dict[str, object] = {"answers": total, "wrong": len(wrong)}
    held = missed(dict.fromkeys(wrong, False))
    if not (data() / "ifeval-prompts.jsonl").is_file():
        return Measured(printed={"contract": {"by_hand": cases}}, misses=held, notes=("the prompts are not there",))
    prompts = rows()
    labelled = frozenset(kind for row in prompts for kind, _ in row.wanted) & {kind.value for kind in Kind}
    scores = {"all": Score(), "held_out": Score(), "seen": Score()}
    for row in prompts:
        clauses = extract(row.prompt)
        count(row, clauses, labelled, scores["all"])
        count(row, clauses, labelled, scores["held_out" if row.is_held_out else "seen"])
    median, p95 = timed([row.prompt for row in prompts], 1 if is_quick else 5)
    verify_us = timed_checks([row.prompt for row in prompts])
    figures = {name: score.as_json() for name, score in scores.items()}
    printed: dict[str, object] = {
        **figures["all"],
        "held_out": figures["held_out"],
        "seen": figures["seen"],
        "by_hand": cases,
        "extract_us": round(median, 1),
        "extract_p95_us": round(p95, 1),
        "verify_us": round(verify_us, 1),
        "false_alarms": false_alarms(),
    }
    claims = {
        f"extract takes {median:.0f} us, over {EXTRACT_US}": median <= EXTRACT_US,
        f"verify takes {verify_us:.0f} us, over {VERIFY_US}": verify_us <= VERIFY_US,
    }
    for name, figure in figures.items():
        for share, least in (("precision", PRECISION), ("recall", RECALL)):
            claims[f"{share} ({name}) is {figure[share]}, under {least}"] = float(str(figure[share])) >= least
    return Measured(printed={"contract": printed}, misses=(*held, *missed(claims)))


SECTIONS: dict[str, Section] = {"contract": Section(keys=("contract",), run=contract)}
