"""What gives a task's shape away: the words and phrases that `rules` looks for, with their weights. Data only.

Weights are by hand, chosen on IFEval's prompts, half of GSM8K and the everyday messages of tests/routing/test_rules.py,
which also holds the figures. The published ceiling for guessing from a prompt alone is low, so the table stays small.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from layers.routing.types import Shape

FIRST_WORD = re.compile(r"[a-z']+(?=[ .-])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Words and phrases that say the same thing. Each hit weighs, up to `most` of them."""

    name: str
    shape: Shape
    weight: float
    most: int = 1
    words: frozenset[str] = frozenset()
    phrases: tuple[tuple[str, str], ...] = ()
    """(first word, phrase): the text is searched for the phrase only where it has that word. Empty: always."""


def split(words: str) -> frozenset[str]:
    """The words of a string."""
    return frozenset(words.split())


def keyed(*phrases: str) -> tuple[tuple[str, str], ...]:
    """Each phrase behind its first whole word."""
    return tuple((match[0] if (match := FIRST_WORD.match(phrase)) else "", phrase) for phrase in phrases)


FAMILIES = (
    Family(
        name="limit",
        shape=Shape.OBEDIENCE,
        weight=2,
        most=2,
        words=split("exactly"),
        phrases=keyed(
            "at least",
            "at most",
            "less than",
            "more than",
            "fewer than",
            "no more than",
            "no longer than",
            "or less",
            "or more",
            "maximum of",
            "up to",
        ),
    ),
    Family(
        name="unit of text",
        shape=Shape.OBEDIENCE,
        weight=1.5,
        most=2,
        words=split(
            "bullet bullets capital caps characters heading keyword keywords letter letters lines paragraph "
            "paragraphs section sections sentence sentences stanzas title word words"
        ),
    ),
    Family(
        name="format",
        shape=Shape.OBEDIENCE,
        weight=1.5,
        most=2,
        words=split(
            "asterisk asterisks bold brackets capitalized comma commas csv divider highlight highlighted italic "
            "italics json lowercase markdown placeholder placeholders postscript quotation quotes separated "
            "uppercase wrapped xml yaml"
        ),
        phrases=keyed(
            "p.s",
            "p.p.s",
            "***",
            "bullet point",
            "all caps",
            "double quot",
            "<<",
        ),
    ),
    Family(
        name="prohibition",
        shape=Shape.OBEDIENCE,
        weight=1.5,
        most=2,
        words=split("avoid forbidden never refrain without"),
        phrases=keyed(
            "do not",
            "don't",
            "not allowed",
            "not use",
            "no other",
            "not include",
            "not contain",
            "must not",
            "shouldn't",
            "should not",
            "not say",
        ),
    ),
    Family(
        name="demand",
        shape=Shape.OBEDIENCE,
        weight=1,
        most=2,
        words=split("always contain ensure include mention must only"),
        phrases=keyed(
            "make sure",
            "should contain",
            "be sure to",
            "should be",
            "every time",
            "from now on",
        ),
    ),
    Family(
        name="the answer itself",
        shape=Shape.OBEDIENCE,
        weight=1.5,
        most=2,
        phrases=keyed(
            "your response",
            "your answer",
            "your reply",
            "your entire",
            "entire response",
            "entire reply",
            "entire output",
            "respond with",
            "respond in",
            "answer with",
            "answer in",
            "reply with",
            "start with",
            "end with",
            "finish with",
            "end your",
            "begin with",
            "repeat the",
            "the response should",
            "word for word",
            "and nothing else",
            "in the style of",
            "use the following",
            "one of the following",
        ),
    ),
    Family(
        name="quantity question",
        shape=Shape.DEPTH,
        weight=1.5,
        most=1,
        phrases=keyed(
            "how many",
            "how much",
            "how long",
            "how old",
            "how far",
            "how fast",
            "what percentage",
            "what fraction",
            "what is the total",
            "what's the total",
            "calculate",
            "in total",
        ),
    ),
    Family(
        name="arithmetic",
        shape=Shape.DEPTH,
        weight=0.75,
        most=3,
        words=split(
            "altogether average cost costs dollars double dozen each earns half hours miles minutes pays per "
            "percent price quarter ratio remaining sells sum third thrice times total triple twice"
        ),
    ),
    Family(
        name="reasoning",
        shape=Shape.DEPTH,
        weight=2,
        most=2,
        words=split(
            "deduce derive diagnose equation equations evaluate hypothesis infer integral optimal optimize "
            "probability proof prove theorem tradeoff tradeoffs"
        ),
        phrases=keyed(
            "step by step",
            "trade-off",
            "pros and cons",
            "root cause",
            "why does",
            "why do",
            "why is",
            "why did",
            "what would happen",
            "reason about",
            "think through",
            "weigh up",
            "compare and",
            "work out",
            "figure out",
        ),
    ),
    Family(
        name="analysis",
        shape=Shape.DEPTH,
        weight=1.25,
        most=2,
        words=split(
            "analyse analyze architecture argue assess compare consequences contrast design estimate explain "
            "implications justify plan strategy"
        ),
    ),
    Family(
        name="program text",
        shape=Shape.CODE,
        weight=3,
        most=1,
        phrases=keyed(
            "```",
            "def ",
            "import ",
            "();",
            "){",
            ") {",
            "=>",
            "#include",
            "public static",
            "select * from",
            "traceback (most",
            "</",
            "git ",
            "self.",
            "stderr",
            "stdout",
            "console.log",
            "$ ",
        ),
    ),
    Family(
        name="language",
        shape=Shape.CODE,
        weight=1.25,
        most=2,
        words=split(
            "bash css django dockerfile golang haskell html java javascript kotlin makefile numpy pandas perl php "
            "postgres powershell python react regex ruby rust sql sqlite typescript"
        ),
        phrases=keyed(
            "c++",
            "c#",
        ),
    ),
    Family(
        name="programming for certain",
        shape=Shape.CODE,
        weight=2,
        most=1,
        words=split(
            "bug compiler keyerror linter nullpointerexception pytest refactor segfault stacktrace traceback "
            "typecheck typeerror unittest valueerror"
        ),
        phrases=keyed(
            "unit test",
            "stack trace",
            "pull request",
        ),
    ),
    Family(
        name="programming",
        shape=Shape.CODE,
        weight=1.25,
        most=3,
        words=split(
            "algorithm api class code commit compile deadlock debug diff endpoint exception function loop merge "
            "method migration patch program repository script variable"
        ),
        phrases=keyed(
            "error message",
            "null pointer",
        ),
    ),
    Family(
        name="file name",
        shape=Shape.CODE,
        weight=1.5,
        most=1,
        phrases=keyed(
            ".py",
            ".js",
            ".ts",
            ".rs",
            ".go",
            ".java",
            ".sql",
            ".sh",
            ".toml",
            ".yaml",
            ".c ",
        ),
    ),
)
