"""A request made readable for the extractors: sentences in lower case, quoted material masked, numbers as numbers.

A sentence's `low` has the length of its `raw`, so that what was found in one can be read from the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from layers.routing.contract.types import Relation

LONGEST = 20_000
"""Characters of a request that are read: the rest is material, and a rule hidden there is not a person's."""
MATERIAL_WORDS = 7
"""A quotation of more words is material to work on: nothing inside it is an instruction."""
MASK = "\x01"
CURLY = str.maketrans({"\u201c": '"', "\u201d": '"', "\u201e": '"', "\u2018": "'", "\u2019": "'"})
QUOTATION = re.compile(r'"((?:[^"\n]|\n(?!\n)){1,3000})"')
FENCED = re.compile(r"^[ \t]*(`{3,})[^`\n]*\n.*?(?:^[ \t]*\1`*[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
"""A code block, and so the text of an attached file: material, whatever it says."""
INNER = re.compile(r"[.!?\n]")
SENTENCE_END = re.compile(  # begins with a set of characters, which is what makes it fast
    r"[.!?\x02\n](?:(?<=\n)\n*|"
    r"(?<![\n])(?<!\bi\.e\.)(?<!\be\.g\.)(?<!\bp\.s\.)(?<!\betc\.)(?<!\bvs\.)(?<!\bmr\.)(?<!\bdr\.)[\"')\]]*\s+)"
)
NUMBERS = {
    word: number
    for number, word in enumerate(
        (
            *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"),
            *("twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"),
        )
    )
} | {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "a": 1, "an": 1, "once": 1, "twice": 2, "thrice": 3}
NUMBERS |= {"a single": 1, "a dozen": 12, "hundred": 100, "a hundred": 100, "no": 0, "a couple of": 2}

NUM = (
    r"(?:\d{1,3}(?:,\d{3})+|\d{1,6}|(?:one|two|three|four|five|six|seven|eight|nine) hundred|a single|a dozen|"
    r"a couple of|a hundred|one|two|three|four|five|six|seven|eight|nine|"
    r"ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|"
    r"hundred)"
)
BELOW = r"less than|fewer than|under|below|shorter than|smaller than"
AT_MOST = (
    r"at most|no more than|not more than|up to|(?:a )?max(?:imum)?(?: of)?|within|no longer than|not exceed(?:ing)?|"
    r"never exceed|limit(?:ed)? (?:\w+ ){0,3}?to|keep (?:\w+ ){1,3}?to|(?:not|n't) (?:use |write |be |have |"
    r"contain )?(?:more|longer) than"
)
ABOVE = r"more than|over|above|longer than|greater than|exceed(?:ing)?"
AT_LEAST = (
    r"at least|at minimum|(?:a )?min(?:imum)?(?: of)?|no less than|no fewer than|not less than|no shorter than|"
    r"(?:not|n't) (?:be |have )?(?:less|fewer) than"
)
EXACTLY = r"exactly|precisely|only|just"
BEFORE = rf"(?:(?P<least>{AT_LEAST})|(?P<most>{AT_MOST})|(?P<below>{BELOW})|(?P<above>{ABOVE})|(?P<same>{EXACTLY}))"
AFTER = (
    r"(?:\s*(?:words |sentences |times )?(?:(?P<plus>\+|or more|or above|minimum|at (?:the )?least|at minimum)"
    r"|(?P<minus>or less|or fewer|or under|maximum|max|at (?:the )?most|tops)))"
)
AFTER_UNIT = AFTER.replace("plus", "plus2").replace("minus", "minus2")
NUMBERED = rf"(?:\b{BEFORE}\s+(?:the \w+ |a total of )?)?(?<![\w.$-])(?P<n>{NUM}){AFTER}?"
"""A number with what stands before and after it: `at least a total of 3`, `300+`."""
LOWER_END = re.compile(rf"(?<![\w.])({NUM})\s*(?:to|or|-|–)\s*$|\bbetween ({NUM}) and\s*$")
JOIN = re.compile(
    r",?\s+(?:and|but|while)\s+(?=(?:also |then |it |that |to |please |in addition,? |for |your \w+ |you |the \w+ )?"
    r"(?:should|must|do|don't|does|not|never|avoid|refrain|includ\w+|contain\w*|us(?:e|ing)|mention|add|write|wrap|put|"
    r"highlight|end|start|finish|has|have|be|make sure|exactly|at (?:least|most)|less than|more than)\b"
    r"|the (?:entire|whole)\b|the (?:letter|word|keyword)s? \S+ (?:should|must|does|appears?|can|to)|"
    r"no (?:comma|other|more|capital))"
)
"""Where a sentence makes a second demand: `include the word x, and do not use commas`."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of the request."""

    low: str
    """Lower case, with quoted material masked."""
    raw: str
    at: int
    """Where it begins in the request."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asked for."""

    raw: str
    low: str
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class Amount:
    """`at least 3`. Without a relation the number stands alone: `3 paragraphs`."""

    number: int
    relation: Relation | None


def read(text: str) -> Request:
    """The sentences of a request."""
    raw = text[:LONGEST]
    if not raw.isascii():
        raw = raw.translate(CURLY)
    low = raw.lower()
    if len(low) != len(raw):
        low = "".join(char.lower() if len(char.lower()) == 1 else char for char in raw)
    if "```" in low:
        low = FENCED.sub(lambda block: MASK * len(block[0]), low)
    if '"' in low:
        low = QUOTATION.sub(_masked, low)
    ends = [
        (end.start() + 1, end.end())
        for end in SENTENCE_END.finditer(low)
        if end[0][0] != "\x02" or raw[end.end() : end.end() + 1].isupper()
    ]
    found, start = [], 0
    for stop, after in [*ends, (len(low), len(low))]:
        if " and " in low[start:stop] or " but " in low[start:stop] or " while " in low[start:stop]:
            for join in JOIN.finditer(low, start, stop):
                found.append(Sentence(low[start : join.start()], raw[start : join.start()], start))
                start = join.start()
        if stop > start:
            found.append(Sentence(low[start:stop], raw[start:after], start))
        start = after
    return Request(raw, low, tuple(found))


def _masked(quotation: re.Match[str]) -> str:
    inner = quotation[1]
    if inner.count(" ") >= MATERIAL_WORDS:
        return '"' + MASK * len(inner) + '"'
    return '"' + INNER.sub("\x02", inner) + '"'


def number(word: str) -> int:
    """What a number's word says."""
    if word.endswith(" hundred"):
        return 100 * NUMBERS[word.split()[0]]
    return NUMBERS[word] if word in NUMBERS else int(word.replace(",", ""))


def quantity(unit: str) -> re.Pattern[str]:
    """A pattern for numbers of `unit` (a regular expression): `at least 3 short sentences`, `300+ words`."""
    between = r"(?:[\s-]+(?:of )?(?!or\b|and\b|to\b)[a-z*]+){0,3}?[\s-]+"
    return re.compile(rf"{NUMBERED}{between}(?P<unit>{unit}){AFTER_UNIT}?")


def between(unit: str) -> re.Pattern[str]:
    """A pattern for ranges: `5 to 10 words`, `between 5 and 10 words`."""
    return re.compile(rf"\b(?P<from>{NUM})\s*(?:-|–|to|and)\s*(?P<to>{NUM})[\s-]+(?:\w+ ){{0,2}}?(?:{unit})")


def bounds(pattern: re.Pattern[str], low: str) -> tuple[Amount, ...]:
    """Both ends of the first range, or nothing."""
    if not (found := pattern.search(low)):
        return ()
    return Amount(number(found["from"]), Relation.AT_LEAST), Amount(number(found["to"]) + 1, Relation.LESS_THAN)


def amounts(pattern: re.Pattern[str], low: str) -> Iterator[tuple[Amount, re.Match[str]]]:
    """Every quantity in a sentence."""
    for found in pattern.finditer(low):
        least = LOWER_END.search(low, max(0, found.start("n") - 24), found.start("n"))
        if least:  # of a range only the lower end: `2 to 3 bullets` is not `exactly 3`
            yield Amount(number(least[1] or least[2]), Relation.AT_LEAST), found
        else:
            yield amount(found), found


DENIED = re.compile(r"\b(?:not|never|avoid\w*|cannot|refrain|without)\b|n't\b")


def amount(found: re.Match[str]) -> Amount:
    """What a match of `quantity` or `times` says."""
    group = found.groupdict()
    n = number(group["n"])
    if group["above"] and DENIED.search(found.string, max(0, found.start() - 40), found.start()):
        return Amount(n + 1, Relation.LESS_THAN)
    if group["least"] or group.get("plus") or group.get("plus2"):
        return Amount(n, Relation.AT_LEAST)
    if group["most"] or group.get("minus") or group.get("minus2"):
        return Amount(n + 1, Relation.LESS_THAN)
    if group["below"]:
        return Amount(n, Relation.LESS_THAN)
    if group["above"]:
        return Amount(n + 1, Relation.AT_LEAST)
    return Amount(n, Relation.EXACTLY if group["same"] else None)


TIMES = re.compile(
    rf"(?:\b{BEFORE}\s+)?\b(?P<n>once|twice|thrice|{NUM}(?=(?:\+| or more| or less| or fewer)?\s+(?:\w+ )?times?\b))"
    rf"{AFTER}?(?:\s+(?:\w+ )?times?\b)?{AFTER_UNIT}?"
)
QUOTED = re.compile(r"\"([^\"\n]{1,300})\"|(?<!\w)'((?:[^'\n]|(?<=\w)'(?=\w)){1,300})'(?!\w)|`([^`\n]{1,300})`")
LIST_END = re.compile(
    r"[.;:!?(\n]|\s(?:in (?:the|your|it|any|this|all)|at (?:least|most|all)|anywhere|throughout|from|for|that|"
    r"while|but|with|should|must|can|need|appear|somewhere|when|as|to|or any|is|are|so)\b"
)
LIST_SIGN = re.compile(r"\s*,\s*(?:and |or |nor )?|\s+(?:and|or|nor|&)\s+(?:the (?:key)?words? )?|\s*/\s*")
ITEM = re.compile(r"[\w'#@-]+(?: [\w'#-]+){0,2}")


def quoted(text: str) -> list[str]:
    """The quoted values of a text."""
    return [(a or b or c).strip() for a, b, c in QUOTED.findall(text)]


def listed(text: str) -> list[str]:
    """The values that a text begins with: quoted ones, or bare words between commas."""
    if found := quoted(text):
        kept = [value.strip(" ,.") for value in found if value.count(" ") < MATERIAL_WORDS - 1]
        return [value for value in kept if value]
    text = text.strip(" :")
    end = LIST_END.search(text)
    bare = text[: end.start()] if end else text
    items = [item.strip(" .,'\"*") for item in LIST_SIGN.split(bare)]
    items = [item for item in items if item]
    return items if items and all(ITEM.fullmatch(item) for item in items) and len(items) <= 30 else []
