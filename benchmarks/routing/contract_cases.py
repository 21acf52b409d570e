"""Answers by hand that keep a clause and answers that break it, for every kind that is checked without a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from layers.routing.contract import Kind, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One clause with answers to it."""

    kind: Kind
    args: Mapping[str, Value] = field(default_factory=dict)
    good: tuple[str, ...]
    bad: tuple[str, ...]


LEAST, LESS, SAME = "at least", "less than", "exactly"
PROSE = "The river rose in the night. Nobody slept until the rain stopped, and then everybody did."
GERMAN = "Der Fluss ist in der Nacht gestiegen und wir haben nicht geschlafen, weil es die ganze Zeit geregnet hat."
FRENCH = "La rivière est montée dans la nuit et nous avons mal dormi, parce que la pluie ne cessait pas sur le toit."
HINDI = "यह एक अच्छा दिन है और हम सब बाजार जा रहे हैं, लेकिन बारिश के लिए छाता भी ले लिया है।"
MARATHI = "हा एक चांगला दिवस आहे आणि आम्ही सर्व बाजारात जात आहोत, पण पाऊस येत आहे हे मला माहीत नाही."
RUSSIAN = "Ночью река поднялась, и никто не спал, пока не закончился дождь. Это был тяжёлый день."
BULGARIAN = "През нощта реката се покачи и никой не спа, докато дъждът не спря. Беше тежък ден."
JAPANESE = "昨夜は雨が降って川の水かさが増えました。"
CHINESE = "河水在夜里上涨了，没有人睡觉。"
SCHEMA = {
    "type": "object",
    "required": ["name", "age"],
    "additionalProperties": False,
    "properties": {"name": {"type": "string", "minLength": 1}, "age": {"type": "integer", "minimum": 0}},
}

CASES = (
    Case(kind=Kind.WORDS, args={"relation": LEAST, "num_words": 4}, good=("one two three four",), bad=("one two",)),
    Case(kind=Kind.WORDS, args={"relation": LESS, "num_words": 5}, good=("I don't know it",), bad=(PROSE,)),
    Case(kind=Kind.WORDS, args={"relation": SAME, "num_words": 3}, good=("**Yes**, of course!",), bad=("Yes.", PROSE)),
    Case(kind=Kind.SENTENCES, args={"relation": LESS, "num_sentences": 3}, good=(PROSE,), bad=("A b. C d! E f? G h.",)),
    Case(
        kind=Kind.SENTENCES,
        args={"relation": SAME, "num_sentences": 2},
        good=("Dr. Smith paid 3.50 dollars. He left at 9 p.m. sharp.",),
        bad=("Only one.", "One. Two. Three."),
    ),
    Case(kind=Kind.CHARACTERS, args={"relation": LESS, "num_characters": 20}, good=("short",), bad=(PROSE,)),
    Case(kind=Kind.LINES, args={"relation": SAME, "num_lines": 2}, good=("a\n\nb",), bad=("a", "a\nb\nc")),
    Case(
        kind=Kind.PARAGRAPHS,
        args={"relation": SAME, "num_paragraphs": 2, "divider": "***"},
        good=("First.\n***\nSecond.", "First.\n\n***\n\nSecond.\n***"),
        bad=("First.\n\nSecond.", "a\n***\nb\n***\nc", "a *** *** b"),
    ),
    Case(
        kind=Kind.PARAGRAPHS,
        args={"relation": SAME, "num_paragraphs": 2, "divider": "\n\n"},
        good=("First.\n\nSecond.",),
        bad=("First.", "a\n\nb\n\nc"),
    ),
    Case(
        kind=Kind.NTH_PARAGRAPH,
        args={"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "weekend"},
        good=("Hello.\n\nWeekend plans are made.", 'Hello.\n\n"Weekend," he said.'),
        bad=("Hello.\n\nThe weekend.", "Weekend.", "a\n\nweekend\n\nc"),
    ),
    Case(kind=Kind.KEYWORDS, args={"keywords": ("rain", "river")}, good=(PROSE, "RAIN, rivers"), bad=("a rainbow",)),
    Case(
        kind=Kind.FORBIDDEN,
        args={"forbidden_words": ("rain", "very good")},
        good=("A rainbow. Good.", "very. Good"),
        bad=(PROSE, "It is Very good."),
    ),
    Case(
        kind=Kind.FREQUENCY,
        args={"relation": LEAST, "keyword": "team", "frequency": 2},
        good=("Team and team.",),
        bad=("team", "steam and teamwork"),
    ),
    Case(
        kind=Kind.FREQUENCY,
        args={"relation": LESS, "keyword": "team", "frequency": 2},
        good=("team", "none", "team and steam"),
        bad=("team, Team",),
    ),
    Case(
        kind=Kind.LETTERS,
        args={"letter": "e", "let_relation": LESS, "let_frequency": 1},
        good=("A big dog ran off.",),
        bad=("The dog.", "E"),
    ),
    Case(
        kind=Kind.LETTERS,
        args={"letter": "#", "let_relation": LEAST, "let_frequency": 2},
        good=("#one #two",),
        bad=("#one",),
    ),
    Case(
        kind=Kind.CAPITAL_WORDS,
        args={"capital_relation": LEAST, "capital_frequency": 2},
        good=("This is VERY GOOD.",),
        bad=("This is Very Good.", "ONE"),
    ),
    Case(
        kind=Kind.CAPITAL_WORDS,
        args={"capital_relation": LESS, "capital_frequency": 2},
        good=("I think A is FINE.",),
        bad=("THIS IS bad",),
    ),
    Case(kind=Kind.LANGUAGE, args={"language": "de"}, good=(GERMAN,), bad=(PROSE, FRENCH, RUSSIAN, HINDI)),
    Case(kind=Kind.LANGUAGE, args={"language": "fr"}, good=(FRENCH,), bad=(PROSE, GERMAN)),
    Case(kind=Kind.LANGUAGE, args={"language": "en"}, good=(PROSE,), bad=(FRENCH, GERMAN, RUSSIAN)),
    Case(kind=Kind.LANGUAGE, args={"language": "hi"}, good=(HINDI,), bad=(MARATHI, PROSE)),
    Case(kind=Kind.LANGUAGE, args={"language": "mr"}, good=(MARATHI,), bad=(HINDI, PROSE)),
    Case(kind=Kind.LANGUAGE, args={"language": "ru"}, good=(RUSSIAN,), bad=(PROSE, HINDI)),
    Case(kind=Kind.LANGUAGE, args={"language": "bg"}, good=(BULGARIAN,), bad=(RUSSIAN, PROSE)),
    Case(kind=Kind.LANGUAGE, args={"language": "ja"}, good=(JAPANESE,), bad=(PROSE, CHINESE)),
    Case(kind=Kind.LANGUAGE, args={"language": "zh"}, good=(CHINESE,), bad=(PROSE, JAPANESE)),
    Case(kind=Kind.PLACEHOLDERS, args={"num_placeholders": 2}, good=("[name] at [address]",), bad=("[name]", "name")),
    Case(
        kind=Kind.POSTSCRIPT,
        args={"postscript_marker": "P.S."},
        good=("Hello.\n\nP.S. Bring milk.", "Hello.\nPS: milk"),
        bad=("Hello.", "The laps are done."),
    ),
    Case(kind=Kind.POSTSCRIPT, args={"postscript_marker": "P.P.S"}, good=("Hi.\nP.P.S. Ink",), bad=("Hi.\nP.S. Ink",)),
    Case(
        kind=Kind.BULLETS,
        args={"num_bullets": 2},
        good=("* a\n* b", "List:\n- a\n- b\nDone."),
        bad=("* a", "* a\n* b\n* c", "**a**\n**b**", "- a\n---"),
    ),
    Case(
        kind=Kind.CHOICE,
        args={"options": ("My answer is yes.", "My answer is no.")},
        good=("My answer is yes.", "I thought about it. My answer is no."),
        bad=("Yes.", "My answer is maybe."),
    ),
    Case(
        kind=Kind.HIGHLIGHTS,
        args={"num_highlights": 2},
        good=("*one* and *two*", "**one**, then _two_"),
        bad=("*one* and two", "* one\n* two\n", "** and **"),
    ),
    Case(
        kind=Kind.SECTIONS,
        args={"num_sections": 2, "section_spliter": "SECTION"},
        good=("SECTION 1\na\nSECTION 2\nb",),
        bad=("SECTION 1\na", "a\n\nb"),
    ),
    Case(
        kind=Kind.JSON,
        good=('{"a": 1}', '```json\n{"a": [1, 2]}\n```', "[]"),
        bad=("{'a': 1}", 'Here: {"a": 1}', '{"a": 1', "yes"),
    ),
    Case(
        kind=Kind.JSON_SCHEMA,
        args={"schema": SCHEMA},
        good=('{"name": "Ada", "age": 36}',),
        bad=(
            '{"name": "Ada"}',
            '{"name": "", "age": 1}',
            '{"name": "A", "age": true}',
            '{"name": "A", "age": 1, "x": 0}',
            "[]",
        ),
    ),
    Case(kind=Kind.TITLE, good=("<<A title>>\nText",), bad=("<A title>", "<<>>", "<< >>")),
    Case(kind=Kind.TWO_RESPONSES, good=("a\n******\nb",), bad=("a\n***\nb", "a\n******\na", "a", "a******b******c")),
    Case(
        kind=Kind.REPEAT_PROMPT,
        args={"prompt_to_repeat": "Write a poem\nabout rain."},
        good=("Write a poem about rain.\n\nRain falls.",),
        bad=("Rain falls.", "Sure! Write a poem about rain."),
    ),
    Case(
        kind=Kind.END,
        args={"end_phrase": "Is there anything else?"},
        good=("Done. Is there anything else?", 'Done. "Is there anything else?"'),
        bad=("Is there anything else? Bye.", "Done."),
    ),
    Case(kind=Kind.START, args={"start_phrase": "Dear team"}, good=("Dear team, hello.",), bad=("Hello. Dear team",)),
    Case(kind=Kind.QUOTATION, good=('"All of it."', "\u201cAll of it.\u201d"), bad=("None.", '"Half" of it', '"')),
    Case(kind=Kind.UPPERCASE, good=("THE RIVER ROSE 3 METRES.",), bad=(PROSE, "ALMOST ALl")),
    Case(kind=Kind.LOWERCASE, good=("the river rose 3 metres.",), bad=(PROSE, "almost, but I")),
    Case(kind=Kind.NO_COMMA, good=("No pause at all.",), bad=(PROSE, ",")),
    Case(kind=Kind.WITHOUT, args={"what": "emoji"}, good=("Fine :)",), bad=("Fine \U0001f600", "\u2705 done")),
    Case(kind=Kind.WITHOUT, args={"what": "bullets"}, good=("a - b",), bad=("- a\n- b",)),
    Case(kind=Kind.WITHOUT, args={"what": "markdown"}, good=("Plain text.",), bad=("# Head", "**bold**", "```x```")),
    Case(kind=Kind.WITHOUT, args={"what": "exclamation marks"}, good=("Fine.",), bad=("Fine!",)),
    Case(kind=Kind.WITHOUT, args={"what": "questions"}, good=("Fine.",), bad=("Fine?",)),
    Case(kind=Kind.WITHOUT, args={"what": "links"}, good=("See the page.",), bad=("https://a.example", "[x](y)")),
    Case(kind=Kind.WITHOUT, args={"what": "tables"}, good=("a | b",), bad=("| a | b |\n|---|---|",)),
    Case(kind=Kind.WITHOUT, args={"what": "code"}, good=("`x`",), bad=("```\nx\n```",)),
)
