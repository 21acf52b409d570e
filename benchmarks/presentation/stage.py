"""A drawing on the stage: the figure with its artists, for a benchmark to spoil before, or after, it becomes pixels."""

from __future__ import annotations

import gzip
import io
import json
import os
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from layers.errors import BulkheadError
from layers.presentation import DiagramSpec, Finding, Flowchart, parse_mermaid
from layers.presentation.drawing import paint, plan
from layers.presentation.drawing.pen import Pen, as_drawn
from layers.presentation.drawing.theme import LIGHT, Theme
from layers.presentation.graph import Graph, graph_of
from layers.presentation.layout import lay_out
from layers.presentation.lint import lint
from layers.presentation.lint.pixels import inspect
from layers.presentation.rules import refuse_undrawable
from layers.presentation.scene import Scene

ROOT = Path(__file__).parents[2]
SCALE = 2.0
VISIBLE, LEAST_CHANGED = 40, 40
"""Steps of a colour channel, and how many pixels must differ by that much: a tenth of a letter."""
SAMPLES = (
    "flowchart TD\nU([Person]) -->|message| G[Gateway]\nG --> A{Allowed?}\nA -->|no| R[/Refusal/]\n"
    "A -->|yes| Q[(Inbox)]\nQ --> W[[Turn worker]]\nW -.->|asks| M((Model))\nW ==> C{{Approval}}\nC -->|denied| R\n"
    "C -->|approved| X[Executor]",
    "flowchart LR\nsubgraph edge[Edge]\nS[Slack] --> I[(inbox)]\nT[Telegram] --> I\nend\nsubgraph core[Core]\n"
    "D[Dispatcher] --> A[Agent]\nA -->|draw| P[Presentation]\nend\nI --> D\nD --> O[(outbox)]",
    "stateDiagram-v2\n[*] --> Idle\nIdle --> Running: start\nRunning --> Idle: stop\nRunning --> [*]",
    "classDiagram\nclass Animal{\n+String name\n+eat()\n}\nclass Dog{\n+bark()\n}\nAnimal <|-- Dog",
    "erDiagram\nCUSTOMER ||--o{ ORDER : places\nORDER ||--|{ LINE : contains\nCUSTOMER {\nstring name\n}",
    "sequenceDiagram\nparticipant A as Anna\nparticipant B as Bulkhead\nA->>B: please deploy\nNote right of B: policy\n"
    "B-->>A: a card\nloop until decided\nB->>B: wait\nend\nA->>B: approve",
)


@dataclass(frozen=True, slots=True)
class Take:
    """A scene as it was planned, and what it must show."""

    scene: Scene
    wanted: Graph | DiagramSpec


class Stage:
    """A take on paper, its artists still movable."""

    def __init__(self, take: Take, theme: Theme = LIGHT) -> None:
        self.take = take
        self.figure: Figure = paint._figure(take.scene, SCALE, theme)
        self.canvas = FigureCanvasAgg(self.figure)
        self.pen = Pen(self.figure, SCALE, theme)
        paint._paint(self.pen, take.scene)

    def tagged(self, start: str, *, texts: bool | None = None) -> list[Artist]:
        """Artists whose tag begins so; only texts, or none of them."""
        return [
            artist
            for artist in self.figure.get_children()
            if str(artist.get_gid() or "").startswith(start) and (texts is None or isinstance(artist, Text) is texts)
        ]

    def shot(self) -> Image.Image:
        """What it looks like now."""
        self.canvas.draw()  # type: ignore[no-untyped-call]
        return Image.fromarray(np.asarray(self.canvas.buffer_rgba())).convert("RGB")  # type: ignore[no-untyped-call]

    def is_changed(self, picture: Image.Image, clean: Image.Image) -> bool:
        """True when somebody could see the difference: what changed only white paper is no defect."""
        if picture.size != clean.size:
            return True
        one, other = (np.asarray(each, dtype=np.int16) for each in (picture, clean))
        return int((np.abs(one - other).max(axis=2) > VISIBLE).sum()) >= LEAST_CHANGED

    def judged(self, picture: Image.Image) -> tuple[Finding, ...]:
        """What the lint says of it."""
        rgba = np.asarray(picture.convert("RGBA"))
        scene = replace(as_drawn(self.pen, self.take.scene), pixels=paint._pixels(rgba, {}))
        out = io.BytesIO()
        picture.save(out, "PNG", compress_level=1)
        return (*lint(scene, self.take.wanted), *inspect(out.getvalue(), scene))


def takes(count: int, seed: int = 5) -> list[Take]:
    """The samples, then real flowcharts where the corpus is: `count` of them all together."""
    sources = [*SAMPLES, *corpus(count * 4, seed)]
    found: list[Take] = []
    for source in sources:
        if len(found) >= count:
            break
        try:
            spec = parse_mermaid(source)
            refuse_undrawable(spec)
        except BulkheadError:
            continue
        graph = graph_of(spec)
        if isinstance(spec, Flowchart) and len(spec.edges) > 30:
            continue
        found.append(Take(lay_out(graph), graph) if graph else Take(plan(spec, is_paged=False)[0], spec))
    return found


def corpus(count: int, seed: int) -> list[str]:
    """Real flowcharts with 5 to 20 edges; none where there is no corpus."""
    shared = Path(os.environ.get("BULKHEAD_SHARED", ROOT.parent / "shared"))
    path = shared / "data" / "mermaid" / "corpus.jsonl.gz"
    if not path.exists():
        return []
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    charts = [row for row in rows if row["kind"] == "flowchart" and row["valid"] and row.get("edges")]
    texts = [row["text"] for row in charts if 5 <= len(row["edges"]) <= 20]
    texts = [text for text in texts if text.isascii()]  # the machine may have no font for the others
    random.Random(seed).shuffle(texts)
    return texts[:count]


Spoil = Callable[[Stage, random.Random, int], Image.Image | None]
"""(stage, dice, severity 1 to 5) -> the picture; None where there is nothing of that kind to spoil."""
