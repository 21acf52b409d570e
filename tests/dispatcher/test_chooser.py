"""What a keyboard of parts shows: pages, marks, and buttons that fit every surface."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.dispatcher import chooser
from layers.coordination import Choice, Part, choice_by_key, choices, drop_choice, keep_choice
from layers.errors import Refused
from layers.store import Store

REQUEST = "0123456789abcdef"
HERE = Choice(proposal="p1", request=REQUEST, place="telegram:42", key="c7")


def part(path: str, number: int) -> Part:
    return Part(
        id=f"{path}#{number}", path=path, title=f"lines {number}0 to {number}9", diff="", added=number, removed=0
    )


PARTS = [part(f"src/file{n}.py", k) for n in range(1, 21) for k in range(1, 4)]
"""20 files of three hunks."""


def labels(screen: chooser.Screen) -> list[str]:
    return [button.label for button in screen.buttons]


def test_files_come_first_and_then_the_hunks_of_one() -> None:
    first = chooser.screen(REQUEST, PARTS, HERE)
    assert labels(first)[:4] == ["☑ src/file1.py", "Hunks", "☑ src/file2.py", "Hunks"]
    assert labels(first)[-3:] == ["Later", "Propose chosen parts", "Back"]
    assert "60 of 60 chosen, page 1 of 3" in first.text
    last = chooser.screen(REQUEST, PARTS, replace(HERE, page=99))
    assert labels(last)[-3:] == ["Earlier", "Propose chosen parts", "Back"]
    left_out = chooser.toggled(PARTS, HERE, "p5", is_on=False)
    inside = chooser.screen(REQUEST, PARTS, replace(HERE, left_out=left_out, file=2))
    assert labels(inside)[:3] == ["☑ lines 10 to 19", "☐ lines 20 to 29", "☑ lines 30 to 39"]
    assert [button.value for button in inside.buttons][:2] == [f"k:off:{REQUEST}:p4", f"k:on:{REQUEST}:p5"]
    assert "File `src/file2.py`" in inside.text
    assert "◪ src/file2.py" in labels(chooser.screen(REQUEST, PARTS, replace(HERE, left_out=left_out)))


PATHS = st.text(st.characters(exclude_characters="/\0", exclude_categories=()), min_size=1, max_size=200)


@given(st.lists(PATHS, min_size=1, max_size=40, unique=True), st.integers(0, 60), st.integers(0, 60))
def test_every_button_fits_and_nothing_in_a_name_is_hidden(paths: list[str], file: int, page: int) -> None:
    parts = [part(path, k) for path in paths for k in (1, 2)]
    shown = chooser.screen(REQUEST, parts, replace(HERE, file=file, page=page))
    assert 0 < len(shown.buttons) <= 25
    for button in shown.buttons:
        assert len(button.value.encode("ascii")) <= 64
        assert 0 < len(button.label) <= 75
        button.label.encode()
        assert "\u202e" not in button.label
    assert "\u202e" not in shown.text


def test_a_press_says_what_shall_be_so_that_it_may_come_twice() -> None:
    once = chooser.toggled(PARTS, HERE, "f2", is_on=False)
    assert once == {"src/file2.py#1", "src/file2.py#2", "src/file2.py#3"}
    assert chooser.toggled(PARTS, replace(HERE, left_out=once), "f2", is_on=False) == once
    assert chooser.toggled(PARTS, replace(HERE, left_out=once), "f2", is_on=True) == frozenset()
    for wrong in ("", "f", "f0", "f21", "p61", "p-1", "x1", "p²"):
        with pytest.raises(Refused, match="no part"):
            chooser.toggled(PARTS, HERE, wrong, is_on=True)


def test_what_was_left_out_is_named_up_to_a_few() -> None:
    said = chooser.told(PARTS, {PARTS[0].id})
    assert said.startswith("1 of its 60 parts; left out: src/file1.py (lines 20 to 29), ")
    assert said.endswith(" and 51 more")


async def test_a_choice_is_kept_for_its_place_and_person_alone(store: Store) -> None:
    mine = replace(HERE, key="c1", left_out=frozenset({"a", "b"}), file=2, page=1)
    form = replace(HERE, key="f1", chooser="slack:T0:U1")
    for choice in (mine, HERE, form, replace(HERE, place="web:main", key="c2")):
        await store.run(keep_choice, choice)
    assert await store.run(choices, "p1") == [HERE, form, replace(HERE, place="web:main", key="c2")]
    assert await store.run(choice_by_key, "f1") == form
    assert await store.run(choice_by_key, "c1") is None
    await store.run(drop_choice, "f1")
    assert [each.key for each in await store.run(choices, "p1")] == ["c7", "c2"]
    assert await store.run(choices, "p2") == []
