"""Diagrams that several tests draw."""

from __future__ import annotations

import io

from PIL import Image

from layers.presentation import DiagramSpec
from layers.presentation.graph import graph_of
from layers.presentation.layout import lay_out
from layers.presentation.scene import Scene

TEN_NODES = """\
flowchart TD
    U([Person]) -->|message| G[Gateway]
    G --> A{Allowed?}
    A -->|no| R[/Refusal in one sentence/]
    A -->|yes| Q[(Inbox)]
    Q --> W[[Turn worker]]
    W -.->|asks| M((Model))
    W ==> C{{Approval}}
    C -->|denied| R
    C -->|approved| X[Executor]
    X --> L[(Audit log)]
"""

GROUPS = """\
---
title: How a message travels
---
flowchart LR
    subgraph edge["Edge & intake"]
        S[Slack adapter] --> I[(inbox)]
        T[Telegram adapter] --> I
    end
    subgraph core[Core]
        direction TB
        subgraph turn[One turn]
            D[Dispatcher] --> A[Agent loop]
            A --> D
        end
        A -->|draw| P[Presentation]
        A -->|act| C[Control]
    end
    I --> D
    D --> O[(outbox)] --o S
    edge -.-> core
"""


def laid_out(spec: DiagramSpec) -> Scene:
    """The best layout of a spec that is a graph."""
    graph = graph_of(spec)
    assert graph
    return lay_out(graph)

MANY = "flowchart LR\n" + "\n".join(
    f"subgraph g{g}[Team number {g}]\n"
    + "\n".join(f"  s{g}x{n}[Service {g}.{n} of the company] --> s{g}x{n + 1}" for n in range(4))
    + f"\nend\ns{g}x0 -->|call {g}| s{(g + 1) % 4}x4"
    for g in range(4)
)
"""Twenty nodes in four groups: too much for one picture on a phone."""


def paper(png: bytes) -> int:
    """Grey of the picture's corner, 0 to 255."""
    with Image.open(io.BytesIO(png)) as picture:
        grey = picture.convert("L").getpixel((0, 0))
    assert isinstance(grey, int)
    return grey
