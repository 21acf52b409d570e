"""The nouns of a contract: a `Clause` is one thing an answer must hold to, a `Violation` says how it did not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

Value = str | int | bool | Sequence[str] | Mapping[str, object]


class Kind(StrEnum):
    """What a clause is about. The first 25 names and their arguments are IFEval's, the field's own vocabulary."""

    WORDS = "length_constraints:number_words"
    SENTENCES = "length_constraints:number_sentences"
    PARAGRAPHS = "length_constraints:number_paragraphs"
    NTH_PARAGRAPH = "length_constraints:nth_paragraph_first_word"
    KEYWORDS = "keywords:existence"
    FORBIDDEN = "keywords:forbidden_words"
    FREQUENCY = "keywords:frequency"
    LETTERS = "keywords:letter_frequency"
    LANGUAGE = "language:response_language"
    PLACEHOLDERS = "detectable_content:number_placeholders"
    POSTSCRIPT = "detectable_content:postscript"
    BULLETS = "detectable_format:number_bullet_lists"
    CHOICE = "detectable_format:constrained_response"
    HIGHLIGHTS = "detectable_format:number_highlighted_sections"
    SECTIONS = "detectable_format:multiple_sections"
    JSON = "detectable_format:json_format"
    TITLE = "detectable_format:title"
    TWO_RESPONSES = "combination:two_responses"
    REPEAT_PROMPT = "combination:repeat_prompt"
    END = "startend:end_checker"
    QUOTATION = "startend:quotation"
    CAPITAL_WORDS = "change_case:capital_word_frequency"
    UPPERCASE = "change_case:english_capital"
    LOWERCASE = "change_case:english_lowercase"
    NO_COMMA = "punctuation:no_comma"

    START = "startend:start_checker"
    CHARACTERS = "length_constraints:number_characters"
    LINES = "length_constraints:number_lines"
    WITHOUT = "detectable_format:without"
    JSON_SCHEMA = "detectable_format:json_schema"
    TOOL_ARGUMENTS = "tools:arguments"
    TOOL_NEVER = "tools:never"


class Relation(StrEnum):
    """How a number counts."""

    AT_LEAST = "at least"
    LESS_THAN = "less than"
    EXACTLY = "exactly"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One thing that an answer must hold to."""

    kind: Kind
    args: Mapping[str, Value] = field(default_factory=dict)
    is_hard: bool = True
    """A broken hard clause makes the answer unfit to be shown; a soft one ("if possible") only counts against it."""
    is_standing: bool = False
    """Holds for every answer of the chat, not for the next one alone."""

    def as_json(self) -> dict[str, object]:
        """For programs."""
        return {"type": self.kind.value, "args": dict(self.args), "hard": self.is_hard}


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A clause that an answer breaks."""

    clause: Clause
    found: str
    """What the answer does instead, in a few words for the model and for people: `212 words`."""

    def as_json(self) -> dict[str, object]:
        """For programs."""
        return {**self.clause.as_json(), "found": self.found}
