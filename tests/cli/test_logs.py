"""Events with fields, for people and for collectors."""

from __future__ import annotations

import json
import logging
import re
import sys

from bot.cli.logs import JsonFormatter, TextFormatter


def record(message: str = "turn.ended", with_error: bool = False, **fields: object) -> logging.LogRecord:
    error = None
    if with_error:
        try:
            raise ValueError("why")
        except ValueError:
            error = sys.exc_info()
    made = logging.LogRecord("bot.x", logging.WARNING, __file__, 1, message, (), error)
    vars(made).update(fields)
    return made


def test_a_line_for_people_has_the_time_the_level_the_event_and_its_fields() -> None:
    line = TextFormatter().format(record(turn=12, name_of="a\nb"))
    assert re.fullmatch(r"\d\d:\d\d:\d\d warning turn\.ended turn=12 name_of='a\\nb'", line)


def test_an_object_for_collectors_is_one_line_whatever_is_in_it() -> None:
    line = JsonFormatter().format(record(turn=12, what={1, 2}.__class__, text="a\nb", with_error=True))
    assert "\n" not in line
    event = json.loads(line)
    assert (event["level"], event["event"], event["logger"], event["turn"]) == ("warning", "turn.ended", "bot.x", 12)
    assert "ValueError: why" in event["traceback"]


def test_an_error_is_told_with_its_traceback() -> None:
    assert "ValueError: why" in TextFormatter().format(record(with_error=True))
