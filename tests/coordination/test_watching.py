"""Hints: a save in a listened folder wakes, wherever else something is saved does not, and nothing of it is needed."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from layers.coordination import Hints


async def wakes(hints: Hints, woken: asyncio.Event, folder: Path) -> bool:
    """Whether a save there is noticed; tried again, since listening begins a moment after it is asked for."""
    for number in range(40):
        woken.clear()
        (folder / "file.txt").write_text(str(number))
        try:
            async with asyncio.timeout(0.5):
                await woken.wait()
        except TimeoutError:
            continue
        return True
    return False


async def test_saves_in_a_folder_wake_until_it_is_aimed_elsewhere(tmp_path: Path) -> None:
    woken = asyncio.Event()
    hints = Hints(woken.set)
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    await hints.aim({one})
    assert await wakes(hints, woken, one)
    draft = one / ".draft"
    draft.write_text("saved by rename")
    woken.clear()
    os.replace(draft, one / "file.txt")
    async with asyncio.timeout(10):
        await woken.wait()
    await hints.aim({other})
    assert await wakes(hints, woken, other)
    await hints.close()


async def test_a_folder_that_is_not_there_or_was_made_anew_stops_nothing(tmp_path: Path) -> None:
    woken = asyncio.Event()
    hints = Hints(woken.set)
    folder = tmp_path / "folder"
    await hints.aim({folder})
    folder.mkdir()
    async with asyncio.timeout(20):
        while not await wakes(hints, woken, folder):
            await hints.aim({folder})
    folder.joinpath("file.txt").unlink()
    folder.rmdir()
    folder.mkdir()
    await hints.close()
    await hints.aim({folder})
    assert await wakes(hints, woken, folder)
    await hints.close()
