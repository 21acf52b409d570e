"""`eval`: the figures of routing on public data, printed by the benchmarks of the checkout."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path

from bot.config import Settings
from layers.errors import Misconfigured

CHECKOUT = Path(__file__).resolve().parents[2]
NEEDED = ("routellm/mmlu.jsonl.gz", "routellm/gsm8k.jsonl.gz", "ifeval-prompts.jsonl")


async def evaluate(parsed: argparse.Namespace, _settings: Settings) -> int:
    """Run them in a process of its own; 1 when a target was missed.

    Raises:
        Misconfigured: the benchmarks or the data are not there.
    """
    if not (CHECKOUT / "benchmarks" / parsed.area).is_dir():
        raise Misconfigured("the benchmarks are not part of an installed Bulkhead; run `bulkhead eval` in a checkout")
    environ = dict(os.environ)
    if parsed.data:
        folder = Path(parsed.data).resolve()
        if missing := next((name for name in NEEDED if not (folder / name).is_file()), ""):
            raise Misconfigured(f"--data {parsed.data!r} has no {missing}; name the folder that holds it")
        environ["BULKHEAD_DATA"] = str(folder)
    options = [*(["--json"] if parsed.json else []), *(["--quick"] if parsed.quick else [])]
    options += ["--only", parsed.only] if parsed.only else []
    command = [sys.executable, "-m", f"benchmarks.{parsed.area}", *options]
    process = await asyncio.create_subprocess_exec(*command, cwd=CHECKOUT, env=environ)
    return await process.wait()
