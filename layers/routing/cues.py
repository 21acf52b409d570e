"""What gives a task's shape away: the words and phrases that `rules` looks for, with their weights. Data only.

Weights are by hand, chosen on IFEval's prompts, half of GSM8K, MMLU's mathematics and physics, the everyday messages of
tests/routing/test_rules.py, and with the misses among benchmarks/routing/labelled.tsv in view: on none of these is a
figure a test. `python -m benchmarks.routing --only shape` prints each source, also without the cues that only it has.
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
            "at least", "at most", "less than", "more than", "fewer than", "no more than", "no longer than", "or less",
            "or more", "maximum of", "up to", "in one word", "in one sentence", "in one line", "keep it under",
            "keep it to",
        ),
    ),
    Family(
        name="unit of text",
        shape=Shape.OBEDIENCE,
        weight=1.5,
        most=2,
        words=split(
            "bullet bullets caps characters heading keyword keywords letter letters lines paragraph "
            "paragraphs section sections sentence sentences stanzas title word words"
        ),
        phrases=keyed("capital letter", "all capital", "in capital"),
    ),
    Family(
        name="format",
        shape=Shape.OBEDIENCE,
        weight=1.5,
        most=2,
        words=split(
            "asterisk asterisks bold brackets capitalized comma commas csv divider emoji emojis highlight highlighted "
            "italic italics json lowercase markdown palindrome placeholder placeholders postscript quotation quotes "
            "separated syllables uppercase vowels wrapped xml yaml"
        ),
        phrases=keyed(
            "p.s", "p.p.s", "***", "bullet point", "all caps", "double quot", "<<",
        ),
    ),
    Family(
        name="prohibition",
        shape=Shape.OBEDIENCE,
        weight=1.5,
        most=2,
        words=split("avoid forbidden never refrain without"),
        phrases=keyed(
            "do not", "don't", "not allowed", "not use", "no other", "not include", "not contain", "must not",
            "shouldn't", "should not", "not say",
        ),
    ),
    Family(
        name="demand",
        shape=Shape.OBEDIENCE,
        weight=1,
        most=2,
        words=split("always contain ensure include mention must only"),
        phrases=keyed(
            "make sure", "should contain", "be sure to", "should be", "every time", "from now on",
        ),
    ),
    Family(
        name="form of the answer",
        shape=Shape.OBEDIENCE,
        weight=1.5,
        most=2,
        words=split("columns headings numbered template"),
        phrases=keyed(
            "as a table", "a table with", "as json", "as a list", "as csv", "exact phrase", "exact format",
            "format below", "following format", "no explanation", "no additional", "no introduction", "no preamble",
            "without explanation", "every reply", "every message", "every answer", "each reply", "each message",
            "each answer", "all replies", "all answers", "your replies", "your answers", "your messages", "choose from",
            "separated by", "separate your", "word limit", "no other language", "language is allowed",
            "british spelling", "american spelling",
        ),
    ),
    Family(
        name="the answer itself",
        shape=Shape.OBEDIENCE,
        weight=1.5,
        most=2,
        phrases=keyed(
            "your response", "your answer", "your reply", "your entire", "entire response", "entire reply",
            "entire output", "respond with", "respond in", "answer with", "answer in", "reply with", "start with",
            "end with", "finish with", "end your", "begin with", "repeat the", "the response should", "word for word",
            "nothing else", "yes or no", "each sentence", "every sentence", "each word", "every word", "first word",
            "last word", "alphabetical order", "in the style of", "use the following", "one of the following",
        ),
    ),
    Family(
        name="quantity question",
        shape=Shape.DEPTH,
        weight=1.5,
        most=1,
        phrases=keyed(
            "how many", "how much", "how long", "how old", "how far", "how fast", "what percentage", "what fraction",
            "what is the total", "what's the total", "calculate", "in total",
        ),
    ),
    Family(
        name="arithmetic",
        shape=Shape.DEPTH,
        weight=0.75,
        most=3,
        words=split(
            "altogether average cost costs dollars double dozen each earns half hours miles minutes pays per percent "
            "price quarter ratio remaining sells sum third thrice times total triple twice"
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
            "step by step", "trade-off", "pros and cons", "root cause", "why does", "why do", "why is", "why did",
            "what would happen", "reason about", "think through", "weigh up", "compare and", "work out", "figure out",
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
        name="mathematics",
        shape=Shape.DEPTH,
        weight=1.25,
        most=2,
        words=split(
            "abelian acceleration angle circumference cm coefficient coefficients compute coordinates cosine "
            "derivative determinant diagonal differentiable divided divisible divisor divisors eigenvalue eigenvalues "
            "enthalpy entropy equals equilibrium ev factored factorial friction graph group hamiltonian hexagon "
            "homomorphism hypotenuse hz integer integers inverse isomorphic joules kg kinetic linear logarithm "
            "matrices matrix median ml modulo mol molar moles momentum multiplied newtons nm obtuse ohms orbit "
            "parabola parallel perimeter permutation permutations polygon polynomial polynomials prime primes "
            "quadratic quantum radius reagent rectangle remainder ring sequence simplify sine slope sphere squared "
            "stoichiometric subgroup subgroups subset tangent triangle variance vector velocity vertex vertices "
            "voltage wavelength"
        ),
        phrases=keyed("standard deviation", "confidence interval", "find the value", "positive integer"),
    ),
    Family(
        name="formula",
        shape=Shape.DEPTH,
        weight=2.5,
        phrases=keyed(
            "\\frac", "\\sqrt", "\\sum", "\\cdot", "\\times", "\\mathbb", "\\angle", "\\begin{", "\\[", "^2", "^{",
            "^n", "x^", "f(x", "f(n", "\u221a", "\u222b", "\u2203", "\u2200", "\u2283",
        ),
    ),
    Family(
        name="logic",
        shape=Shape.DEPTH,
        weight=1.5,
        most=2,
        words=split("clue clues entails knave knight logically premise premises propositional puzzle valid"),
        phrases=keyed(
            "truth table", "predicate logic", "if and only if", "must be true", "true for all", "exactly one of",
        ),
    ),
    Family(
        name="program text",
        shape=Shape.CODE,
        weight=3,
        most=2,
        phrases=keyed(
            "```", "\ndef ", "\nimport ", "\nfrom typing import", ">>> ", '"""', "();", "){", ") {", "=>", "#include",
            "public static", "select * from", "traceback (most", "</", "git ", "stderr", "stdout", "console.log",
            "\n$ ",
        ),
    ),
    Family(
        name="asks for a program",
        shape=Shape.CODE,
        weight=2.5,
        phrases=keyed(
            "write a function", "a function that", "a function to", "function that takes", "python function",
            "write a program", "a program that", "a program to", "write a script", "a script that", "a script to",
            "a class that", "python class", "a method that", "write a regex", "regular expression", "write a query",
            "sql query", "source code", "write code", "the code", "this code", "my code", "you are given an array",
            "you are given a string", "you are given an integer", "given an array", "given a string",
            "return the minimum", "return the maximum", "return the number",
        ),
    ),
    Family(
        name="exercise",
        shape=Shape.CODE,
        weight=5,
        phrases=keyed(
            "\n# instructions\n", "modify the supplied files", "sample input", "standard input", "\ninput: ",
            "\nconstraints:", "your task is to implement", "you are given an integer array",
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
            "c++", "c#",
        ),
    ),
    Family(
        name="tool of programmers",
        shape=Shape.CODE,
        weight=1.5,
        most=2,
        words=split(
            "ansible awk chmod cmake curl docker eslint fastapi gcc gdb gradle graphql grep grpc jq jupyter kafka "
            "kubectl kubernetes localhost maven mongodb mypy mysql nextjs nginx nodejs npm nuget pip protobuf "
            "pydantic pytorch rabbitmq redis rsync ruff scipy sklearn sqlalchemy stdlib systemctl systemd tensorflow "
            "terraform webpack"
        ),
        phrases=keyed("github action", "gitlab ci", "pre-commit", "ci pipeline", "in ci", "vs code"),
    ),
    Family(
        name="work on code",
        shape=Shape.CODE,
        weight=1.5,
        most=2,
        words=split(
            "async await backend bisect boolean callback changelog coroutine csrf deserialize enum flexbox frontend "
            "hashmap jwt middleware mutex nullable oauth parser polymorphism rebase recursion recursive sdk semaphore "
            "serialize struct subclass subcommand submodule syntax typedef webhook"
        ),
        phrases=keyed(
            "merge conflict", "feature branch", "cherry-pick", "segmentation fault", "core dumped", "memory leak",
            "race condition", "null pointer", "type error", "type hint", "exit code", "return value", "command line",
            "command-line", "one-liner", "build failed", "build fails", "tests fail", "tests pass", "test fails",
            "failing test", "linked list", "binary tree", "binary search", "hash table", "hash map", "data structure",
            "time complexity", "log file", "foreign key", "primary key", "code review", "environment variable",
            "raise an error", "throws an", "rest api", "http request", "status code",
        ),
    ),
    Family(
        name="programming for certain",
        shape=Shape.CODE,
        weight=2,
        most=1,
        words=split(
            "bug codebase compiler goroutine keyerror linter nullpointerexception pytest refactor segfault stacktrace "
            "stdin subarray substring traceback typecheck typeerror unittest valueerror"
        ),
        phrases=keyed(
            "unit test", "stack trace", "pull request",
        ),
    ),
    Family(
        name="programming",
        shape=Shape.CODE,
        weight=1.25,
        most=3,
        words=split(
            "algorithm api array arrays class code commit compile deadlock debug diff endpoint exception function "
            "implement integers iterator loop merge method migration parameter patch program repository returns "
            "script string strings tuple variable"
        ),
        phrases=keyed(
            "error message", "null pointer",
        ),
    ),
)
