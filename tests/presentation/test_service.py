"""The presenter with its real worker process: drawn, killed, over budget, looked at."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from layers import failpoint
from layers.errors import BadInput, Refused, Unavailable
from layers.failpoint import Point
from layers.presentation import Diagram, Presenter, badge, parse_mermaid
from layers.presentation.process import ROOT, Worker, WorkerDied
from layers.presentation.wire import Job, frame
from tests.presentation.samples import MANY, TEN_NODES

PNG = b"\x89PNG\r\n\x1a\n"
TEN = Diagram(source=TEN_NODES)
AGAIN = Diagram(source=TEN_NODES, version=2)
"""The next best layout of the same, so that nothing kept from the first is shown."""


@pytest.fixture
async def presenter() -> AsyncIterator[Presenter]:
    made = Presenter(budget_s=20)
    yield made
    await made.close()


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_diagram_becomes_a_picture_with_a_verdict_and_an_alt_text(presenter: Presenter) -> None:
    figure = await presenter.present(Diagram(source=TEN_NODES, title="Turns"))
    assert figure.png.startswith(PNG)
    assert figure.verdict.ok
    assert badge(figure.verdict) == "✓ geometry checked · no model looked (none configured)"
    assert figure.alt.startswith("Turns: 10 nodes, 10 edges.")
    assert figure.width > 500
    assert figure.spec.title == "Turns"


async def test_pictures_are_made_two_at_a_time_and_the_same_bytes_come_out(presenter: Presenter) -> None:
    figures = await asyncio.gather(*(presenter.present(TEN) for _ in range(5)))
    assert len({figure.png for figure in figures}) == 1
    assert len(presenter._idle) == 2


async def test_what_was_drawn_for_a_surface_is_kept_and_drawn_anew_for_another(presenter: Presenter) -> None:
    first = await presenter.present(TEN)
    worker = presenter._idle[0]
    assert (await presenter.present(TEN)).png == first.png
    assert worker.jobs == 1
    await presenter.present(Diagram(source=TEN_NODES, surface="print"))
    assert worker.jobs == 2


async def test_what_no_phone_can_show_comes_as_pages_with_the_whole_as_a_file(presenter: Presenter) -> None:
    figure = await presenter.present(Diagram(source=MANY, surface="telegram"))
    assert 2 <= len(figure.further) <= 9
    assert all(page.png.startswith(PNG) and page.width < 1200 and page.alt for page in figure.further)
    assert b"<svg" in figure.svg
    assert "(page 2)" in figure.alt
    whole = await presenter.present(Diagram(source=MANY, surface="print"))
    assert (whole.further, whole.svg) == ((), b"")


async def test_the_crash_points_are_reached_around_the_drawing(
    presenter: Presenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached: list[Point] = []
    monkeypatch.setattr(failpoint, "hook", reached.append)
    await presenter.present(TEN)
    assert reached == [Point.DRAW_STARTED, Point.DRAW_DONE]


async def test_a_drawing_over_its_budget_is_stopped_with_its_process_and_the_next_one_works(
    presenter: Presenter,
) -> None:
    await presenter.present(TEN)
    pid = presenter._idle[0].pid
    presenter._budget_s = 0.01
    with pytest.raises(Refused, match=r"10 nodes and 10 edges took longer than 0.01 s"):
        await presenter.present(AGAIN)
    assert not is_running(pid)
    presenter._budget_s = 20
    assert (await presenter.present(AGAIN)).verdict.ok


async def test_a_worker_that_was_killed_while_idle_is_replaced_without_a_word(presenter: Presenter) -> None:
    await presenter.present(TEN)
    os.kill(presenter._idle[0].pid, signal.SIGKILL)
    assert (await presenter.present(AGAIN)).verdict.ok


async def test_a_worker_killed_in_the_middle_of_a_job_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = await Worker.start()

    def kill(point: Point) -> None:
        os.kill(worker.pid, signal.SIGKILL)

    monkeypatch.setattr(failpoint, "hook", kill)
    with pytest.raises(WorkerDied):
        await worker.run(Job(spec=parse_mermaid(TEN_NODES), budget_s=20))
    assert not worker.is_alive


async def test_a_job_that_kills_every_worker_ends_in_one_sentence(
    presenter: Presenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = Worker.start

    async def stillborn() -> Worker:
        worker = await start()
        os.kill(worker.pid, signal.SIGKILL)
        return worker

    monkeypatch.setattr(Worker, "start", stillborn)
    with pytest.raises(Unavailable, match="ended in the middle"):
        await presenter.present(TEN)


async def test_a_cancelled_drawing_leaves_no_process(presenter: Presenter) -> None:
    await presenter.present(TEN)
    pid = presenter._idle[0].pid
    task = asyncio.create_task(presenter.present(AGAIN))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not is_running(pid)


async def test_a_worker_ends_by_itself_when_its_stdin_closes() -> None:
    worker = await Worker.start()
    stdin = worker._process.stdin
    assert stdin
    stdin.close()
    assert await asyncio.wait_for(worker._process.wait(), 10) == 0
    await worker.kill()


@pytest.mark.parametrize("setting", ["IDLE_S = 0.2", "GRACE_S = 0.001"])
def test_a_worker_ends_by_itself_when_idle_and_when_nobody_kills_it(setting: str) -> None:
    program = f"from layers.presentation import worker; worker.{setting}; worker.main()"
    job = frame(Job(spec=parse_mermaid(TEN_NODES), budget_s=0).model_dump_json().encode())
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as process:
        assert process.stdin
        if setting.startswith("GRACE"):
            process.stdin.write(job)
            process.stdin.flush()
        assert process.wait(20) == -signal.SIGALRM


async def test_what_cannot_be_read_or_drawn_never_starts_a_worker(presenter: Presenter) -> None:
    with pytest.raises(BadInput, match="Line 2"):
        await presenter.present(Diagram(source="flowchart TD\nA -> B"))
    with pytest.raises(BadInput, match="at most 500 nodes"):
        await presenter.present(Diagram(source="flowchart TD\n" + "\n".join(f"a{i}-->b{i}" for i in range(2500))))
    pairs = "\n".join(f"n{i} --> n{(i + j) % 80}" for i in range(80) for j in range(5))
    with pytest.raises(Refused, match="160 stay legible"):
        await presenter.present(Diagram(source="flowchart TD\n" + pairs))
    assert presenter._idle == []


def test_importing_the_layer_loads_no_drawing_library() -> None:
    program = "import sys, layers.presentation; print({'matplotlib', 'pygraphviz', 'numpy', 'PIL'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_the_worker_gets_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")

    async def environment() -> bytes:
        worker = await Worker.start()
        text = Path(f"/proc/{worker.pid}/environ").read_bytes()
        await worker.kill()
        return text

    if not Path("/proc/self/environ").exists():
        pytest.skip("no /proc here")
    assert b"sk-secret" not in asyncio.run(environment())


@pytest.mark.slow
async def test_what_no_phone_shows_legibly_on_any_number_of_pages_is_refused_with_the_figure() -> None:
    lines = [f'n{a}["A node with a long name {a}"] -->|says {b}| n{b}' for a in range(9) for b in range(a + 1, 9)]
    presenter = Presenter(budget_s=120)
    try:
        with pytest.raises(Refused, match=r"would be \d\.\d pixels high and must be 7"):
            await presenter.present(Diagram(source="\n".join(["flowchart TD", *lines]), surface="telegram"))
    finally:
        await presenter.close()
