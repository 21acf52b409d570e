"""The statement `direction LR`, the same in class, ER and state diagrams."""

from __future__ import annotations

import re

from layers.presentation.mermaid.cursor import Cursor
from layers.presentation.spec import Direction

STATEMENT = re.compile(r"direction\s+(TB|TD|BT|RL|LR)\b[^\n]*", re.IGNORECASE)
DIRECTIONS = {"BT": Direction.UP, "LR": Direction.RIGHT, "RL": Direction.LEFT}


def take_direction(cursor: Cursor) -> Direction | None:
    """What the statement here says, moving past it; None and no move where there is none."""
    found = cursor.take(STATEMENT)
    return DIRECTIONS.get(found.group(1).upper(), Direction.DOWN) if found else None
