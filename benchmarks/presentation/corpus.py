"""The Mermaid diagrams that figures are measured on: the shared corpus where it is, else a few of our own."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import TypedDict

REPO = Path(__file__).parents[2]


class Item(TypedDict, total=False):
    """One diagram, and what Mermaid itself says of it."""

    source: str
    kind: str
    text: str
    valid: bool
    nodes: list[str]
    edges: list[list[str]]


def corpus() -> list[Item]:
    """All of it; empty where there is none."""
    shared = Path(os.environ.get("BULKHEAD_SHARED", REPO.parent / "shared"))
    path = shared / "data" / "mermaid" / "corpus.jsonl.gz"
    if not path.is_file():
        return []
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


SEEDS = (
    "flowchart LR\n  A[Start] -->|go| B{Is it?}\n  B -- yes --> C((End))\n  subgraph one [A group]\n    C & D -.-> E\n"
    "  end\n  classDef hot fill:#f00\n  class A hot\n",
    "sequenceDiagram\n  actor A as Alice\n  participant B@{ \"type\": \"database\" }\n  autonumber\n  A->>+B: Hi\n"
    "  alt good\n    B-->>-A: yes\n  else bad\n    B--xA: no\n  end\n  Note over A,B: done\n",
    "stateDiagram-v2\n  [*] --> Idle\n  state Busy {\n    [*] --> Work\n    --\n    [*] --> Wait\n  }\n"
    "  Idle --> Busy : go\n"
    "  state c <<choice>>\n  note right of Idle\n    text\n  end note\n",
    'classDiagram\n  class A~T~["label"]:::x {\n    +int a\n    +run(List~int~ b)* bool\n  }\n  A "1" <|-- "*" B : is\n'
    '  namespace N.M {\n    class C\n  }\n  <<interface>> B\n  note for A "text"\n',
    'erDiagram\n  A ||--o{ "B C" : has\n  A {\n    string name PK, FK "comment"\n    int[] ids\n  }\n'
    '  D[alias] }|..|| A : "x y"\n',
    "gantt\n  title Plan\n  dateFormat YYYY-MM-DD\n  excludes weekends\n  section One\n  A :done, a, 2024-01-01, 3d\n"
    "  B :crit, b, after a, 2024-02-01\n  C :milestone, until b\n",
    'pie showData\n  title Pets\n  "Dogs" : 38.5\n  "Cats" : 10\n',
    "mindmap\n  root((Topic))\n    A\n      B[square]\n      ::icon(fa fa-book)\n    C)cloud(\n",
    "timeline\n  title History\n  section One\n    2002 : LinkedIn\n    2004 : Facebook : Google\n",
    'xychart-beta\n  title "Sales"\n  x-axis "Month" [jan, "feb two", mar]\n  y-axis 0 --> 100\n'
    '  bar [1, 2.5, 3]\n  line a [3, 2, 1]\n',
)
"""One of each kind, for mutating where the corpus is absent, and beside it."""
