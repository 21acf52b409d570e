"""One diagram of each kind, for the gallery and for the tests that look at every kind."""

from __future__ import annotations

from layers.presentation.mermaid import parse_mermaid
from layers.presentation.spec import Axis, Chart, ChartType, DiagramSpec, Series

MERMAID = {
    "flowchart": """\
---
title: How a message travels
---
flowchart TD
    P([Person]) -->|writes| G[Gateway]
    G --> A{Allowed?}
    A -->|no| R[/One clear sentence/]
    A -->|yes| Q[(Inbox)]
    subgraph turn [One turn]
        W[[Worker]] -.->|asks| M((Model))
        W ==> C{{Approval}}
    end
    Q --> W
    C --> X[Executor]
""",
    "sequence": """\
---
title: Sign in with a passkey
---
sequenceDiagram
    autonumber
    actor P as Person
    participant B as Browser
    box Our side
    participant S as Auth server
    participant D as Accounts
    end
    P->>B: Open the page
    B->>+S: GET /login
    S->>D: find the key
    D-->>S: one row
    S-->>-B: challenge
    alt the key is known
        B->>B: sign
        B->>S: signature
        Note over S,D: compared in constant time
        S-)P: Welcome back
    else no key
        S--xB: 401
        loop at most three times
            B->>P: Try again?
        end
    end
""",
    "state": """\
---
title: An approval
---
stateDiagram-v2
    [*] --> Pending
    Pending --> Granted: a person says yes
    Pending --> Denied: a person says no
    Pending --> Expired: too late
    state Granted {
        [*] --> Running
        Running --> Unknown: killed
    }
    Granted --> [*]
    note right of Denied: nothing runs
""",
    "class": """\
---
title: Who delivers
---
classDiagram
    class Channel {
        <<interface>>
        +name str
        +send(Outbound) Receipt
    }
    class Telegram
    class Slack {
        -token str
        +upload(bytes)*
    }
    Channel <|.. Telegram
    Channel <|.. Slack
    Courier "1" o-- "many" Channel : uses
    Courier *-- Outbox
""",
    "er": """\
---
title: What is kept
---
erDiagram
    CONVERSATION ||--o{ MESSAGE : has
    CONVERSATION {
        text id PK
        text channel
    }
    MESSAGE {
        int id PK
        text conversation FK
        text body
    }
    MESSAGE }o--|| PERSON : "is from"
    PERSON ||--o| APPROVAL : decides
""",
    "gantt": """\
gantt
    title Moving the ledger
    dateFormat YYYY-MM-DD
    axisFormat %d %b
    section Prepare
    Inventory of all statements :done, a, 2026-03-02, 5d
    Write the migration :done, crit, b, after a, 9d
    Dry run signed off :milestone, m, after b, 0d
    section Move
    Copy while the old one still writes :active, c, after b, 12d
    Compare row by row :crit, d, 2026-03-22, 10d
    section After
    Watch :e, after d, 14d
    Drop the old tables :f, after e, 2d
""",
    "pie": """\
pie showData
    title Where the time of a turn goes
    "Model" : 4210
    "Network" : 512
    "Drawing" : 270
    "Layout" : 151
    "Lint" : 123
    "Database" : 38
""",
    "mindmap": """\
mindmap
  root((Bulkhead))
    Transport
      Slack
      Telegram
      Mail
    Presentation
      Layout
      Drawing
      Lint
    Control
      Policies
      Grants
    Routing
""",
    "timeline": """\
timeline
    title History of the workshop
    section Beginnings
        1998 : A garage, two benches
        2001 : First employee : A van that mostly ran
    section Growth
        Spring 2009 : Moved to the old dairy, which had a crane and no heating
        2020 : Closed for eleven weeks : Reopened
""",
}
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun")
SIZES = tuple(float(size) for size in range(4, 60, 4))
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")


def _series(name: str, *values: float | None) -> Series:
    return Series(name=name, values=values)


CHARTS: dict[str, DiagramSpec] = {
    "line": Chart(
        type=ChartType.LINE,
        title="Crossings in 239 drawings",
        x=Axis(title="release", categories=MONTHS),
        y=Axis(title="crossings"),
        series=(
            _series("plain dot", 97, 95, 94, 90, 91, 88),
            _series("search", 97, 80, 71, None, 62, 58),
            _series("in a browser", 95, 95, 95, 94, 94, 95),
        ),
    ),
    "bar": Chart(
        type=ChartType.BAR,
        title="Diagrams that are read",
        x=Axis(categories=("flowchart", "sequence", "state", "class", "ER")),
        y=Axis(title="percent"),
        series=(_series("", 99.4, 99.2, 98.1, 97.1, 98.0),),
    ),
    "stacked bar": Chart(
        type=ChartType.STACKED_BAR,
        title="Where a turn spends its time",
        x=Axis(categories=("p50", "p95", "p99")),
        y=Axis(title="ms"),
        series=(_series("model", 820, 1900, 4100), _series("layout", 151, 700, 900), _series("drawing", 270, 300, 420)),
    ),
    "scatter": Chart(
        type=ChartType.SCATTER,
        title="Size and time",
        x=Axis(title="nodes"),
        y=Axis(title="ms"),
        series=tuple(
            Series(name=name, at=SIZES, values=tuple(slope * size + 37 * ((size * slope) % 3 - 1) for size in SIZES))
            for name, slope in (("dot", 6.2), ("graphlay", 9.1), ("builtin", 3.3))
        ),
    ),
    "histogram": Chart(
        type=ChartType.HISTOGRAM,
        title="How long a turn takes",
        x=Axis(title="ms"),
        y=Axis(title="turns"),
        series=(Series(values=tuple(300 + 900 * ((n * 37 % 101) / 101) ** 2.2 for n in range(240))),),
    ),
    "heat map": Chart(
        type=ChartType.HEAT_MAP,
        title="Messages by hour",
        x=Axis(categories=("8:00", "10:00", "12:00", "14:00", "16:00", "18:00")),
        series=tuple(
            Series(name=day, values=tuple(float((row * 29 + hour * 17) % 80) for hour in range(6)))
            for row, day in enumerate(DAYS, 1)
        ),
    ),
}


def specimens() -> dict[str, DiagramSpec]:
    """Name -> spec, in the order of the gallery."""
    return {name: parse_mermaid(text) for name, text in MERMAID.items()} | CHARTS
