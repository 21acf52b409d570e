"""The sequence's own layout: who stands where, what a message touches, where pages are cut."""

from __future__ import annotations

from itertools import pairwise

import pytest

from layers.presentation import parse_mermaid
from layers.presentation.drawing import draw, plan
from layers.presentation.drawing.heads import ARROW_LENGTH
from layers.presentation.drawing.lettering import BODY
from layers.presentation.drawing.sequence.rows import rows_of
from layers.presentation.lint import css_pixels, lint, missing_text
from layers.presentation.scene import Part, PartMark, Scene
from layers.presentation.spec import Message, SequenceDiagram


def read(*lines: str) -> SequenceDiagram:
    spec = parse_mermaid("sequenceDiagram\n" + "\n".join(lines))
    assert isinstance(spec, SequenceDiagram)
    return spec


def scene(*lines: str) -> Scene:
    (only,) = plan(read(*lines))
    assert lint(draw(only)[1], read(*lines)) == ()
    return only


def parts(scene: Scene, part: Part) -> list[PartMark]:
    return [one for one in scene.parts if one.part is part]


def one(scene: Scene, id: str) -> PartMark:
    (found,) = [part for part in scene.parts if part.id == id]
    return found


def x_of(scene: Scene, who: str) -> float:
    return next(part for part in parts(scene, Part.LIFELINE) if part.of == who).box.left


def test_messages_run_from_lifeline_to_lifeline_in_the_order_in_which_they_are_sent() -> None:
    drawn = scene("A->>B: one", "B-->>A: two", "A->>C: three")
    messages = parts(drawn, Part.MESSAGE)
    assert [message.of for message in messages] == ["A->B", "B->A", "A->C"]
    assert all(upper.box.bottom > lower.box.top for upper, lower in pairwise(messages))
    assert messages[0].points[0][0] == pytest.approx(x_of(drawn, "A"))
    assert messages[0].points[-1][0] == pytest.approx(x_of(drawn, "B") - ARROW_LENGTH / 2)
    assert [message.is_dashed for message in messages] == [False, True, False]


def test_a_bar_begins_and_ends_at_its_messages_and_lines_touch_its_edge() -> None:
    drawn = scene("A->>+B: go", "B->>C: ask", "B-->>-A: done")
    (bar,) = parts(drawn, Part.ACTIVATION)
    first, _, last = parts(drawn, Part.MESSAGE)
    assert bar.box.top == pytest.approx(first.box.top)
    assert bar.box.bottom == pytest.approx(last.box.bottom)
    tips = [tip for tip in parts(drawn, Part.TIP) if tip.of == first.id]
    assert max(tip.box.right for tip in tips) == pytest.approx(bar.box.left)


def test_nested_bars_stand_beside_each_other() -> None:
    drawn = scene("A->>+B: one", "B->>+B: two", "B-->>-B: back", "B-->>-A: done")
    outer, inner = sorted(parts(drawn, Part.ACTIVATION), key=lambda bar: bar.box.left)
    assert inner.box.left > outer.box.left
    assert outer.box.top > inner.box.top
    assert outer.box.bottom < inner.box.bottom


def test_a_frame_holds_everything_that_is_said_in_it_and_inner_frames_lie_inside() -> None:
    drawn = scene(
        *("A->>B: before", "loop every day", "A->>B: a label that is rather long", "opt maybe", "B->>B: think"),
        *("end", "end", "B->>A: after"),
    )
    loop, opt = parts(drawn, Part.FRAME)
    assert (loop.id[:4], opt.id[:3]) == ("loop", "opt")
    assert loop.box.holds(opt.box)
    inside = [part for part in drawn.parts if part.part is Part.LABEL and part.id.startswith("message") and part.text]
    before, said, thought, after = (part.text.box for part in inside if part.text)
    assert loop.box.holds(said)
    assert opt.box.holds(thought)
    assert loop.box.shared_area(before) == loop.box.shared_area(after) == 0


def test_a_created_participant_stands_at_its_message_and_a_destroyed_one_ends_there() -> None:
    drawn = scene("A->>B: hi", "create participant C", "B->>C: be", "destroy C", "C-->>B: bye", "A->>B: later")
    head = one(drawn, "C")
    born = next(message for message in parts(drawn, Part.MESSAGE) if message.of == "B->C")
    assert head.box.bottom < born.box.top < head.box.top
    assert born.box.right <= head.box.left
    last = next(message for message in parts(drawn, Part.MESSAGE) if message.of == "C->B")
    assert min(line.box.bottom for line in parts(drawn, Part.LIFELINE) if line.of == "C") >= last.box.bottom - 1


def test_no_lifeline_runs_through_a_text() -> None:
    drawn = scene("A->>B: x", "B->>C: y", "A->>C: a label that is so wide that it lies over the one in the middle")
    (label,) = [part.text for part in drawn.parts if part.text and "wide" in " ".join(part.text.lines)]
    for line in parts(drawn, Part.LIFELINE):
        assert line.box.right < label.box.left or line.box.left > label.box.right or (
            line.box.top <= label.box.bottom + 1 or line.box.bottom >= label.box.top - 1
        )


def test_numbers_count_on_and_can_be_stopped() -> None:
    rows = rows_of(read("autonumber 10 5", "A->>B: a", "A->>B: b", "autonumber off", "A->>B: c"))
    assert [row.number for row in rows if isinstance(row.step, Message)] == ["10", "15", ""]


def test_those_of_one_box_stand_side_by_side() -> None:
    spec = parse_mermaid("sequenceDiagram\nA->>C: x\nC->>B: y")
    assert isinstance(spec, SequenceDiagram)
    boxed = SequenceDiagram.model_validate(
        spec.model_dump() | {"boxes": [{"title": "pair", "members": ["A", "B"]}]}
    )
    (drawn,) = plan(boxed)
    assert x_of(drawn, "B") < x_of(drawn, "C")


LONG = [
    *(f"{who}->>{other}: step {number} of the way" for number in range(8) for who, other in pairwise("ABCDEFGH")),
]


def test_what_is_too_long_for_a_phone_becomes_pages_that_lose_nothing() -> None:
    spec = read("autonumber", *LONG)
    pages = plan(spec)
    assert len(pages) > 3
    for page in pages:
        assert page.height <= 2.4 * page.width
        assert css_pixels(BODY, page.width) >= 9
    assert list(missing_text(pages, spec)) == []
    shown = [part.of for page in pages for part in page.parts if part.part is Part.MESSAGE]
    assert shown == [f"{step.source}->{step.target}" for step in spec.all_steps() if isinstance(step, Message)]
    (whole,) = plan(spec, is_paged=False)
    assert len([part for part in whole.parts if part.part is Part.MESSAGE]) == len(shown)


def test_a_page_repeats_the_heads_of_those_who_act_on_it_and_no_others() -> None:
    for page in plan(read(*LONG)):
        heads = {part.of for part in page.parts if part.part is Part.HEAD}
        acting = {id for part in page.parts if part.part is Part.MESSAGE for id in part.of.split("->")}
        assert heads == acting


def test_a_block_that_is_cut_says_on_the_next_page_that_it_continues() -> None:
    spec = read("loop all night", *LONG, "end")
    pages = plan(spec)
    assert len(pages) > 1
    for page in pages[1:]:
        words = [" ".join(part.text.lines) for part in page.parts if part.text]
        assert any("all night" in word and "continued" in word for word in words)
