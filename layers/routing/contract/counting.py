"""Clauses about how much: words, sentences, paragraphs, bullets, sections, highlights, placeholders. Sentences in."""

from __future__ import annotations

import re

from layers.routing.contract.reading import (
    NUM,
    NUMBERED,
    TIMES,
    Amount,
    Request,
    Sentence,
    amount,
    amounts,
    between,
    bounds,
    number,
    quantity,
)
from layers.routing.contract.rule import Found, Rule, clause, counted
from layers.routing.contract.types import Clause, Kind, Relation

WORDS = quantity(r"words?\b(?!\s+(?:of wisdom|per|in all cap|with all cap|starting|that|which|containing|like))")
SENTENCES = quantity(r"sentences?\b(?!\s+(?:per|in each|each))")
IN_SENTENCES = re.compile(rf"\bin (?:just |only )?({NUM}) (?:short |simple |complete |brief )?sentences?\b")
PARAGRAPHS = quantity(r"paragraphs?\b(?!\s+per)")
PARTS = quantity(r"(?:sections|parts|verses|stanzas|pieces|segments|essays)\b")
WORD_RANGE, SENTENCE_RANGE = between(r"words\b"), between(r"sentences\b")
BULLETS = quantity(r"(?:bullet(?:ed)?(?:[\s-]+(?:points?|lists?|items?))?|bullets|bulletpoints?)\b")
GUNS = re.compile(r"\b(?:fire[ds]?|firing|guns?|shots?|shoot\w*|rifles?|pistols?|ammunition)\b")
EXACT = re.compile(rf"\bexactly ({NUM})\b")
HIGHLIGHTS = quantity(
    r"(?:sections?|parts?|phrases?|words?|titles?|areas?|pieces?|portions?|terms?|highlights?|texts?|"
    r"sentences?|points)\b"
)
SECTIONS = quantity(r"(?:sections?|parts?|chapters?|days?|paragraphs?|scenes?|acts?|rounds?|sessions?|verses?)\b")
PLACEHOLDERS = quantity(r"(?:place[\s-]?holders?|square brackets)\b")
EXAMPLE = re.compile(r"(?<![\w\])])\[[A-Za-z][\w ]*\]|square bracket")
CHARACTERS = quantity(r"(?:characters|chars)\b")
LINES = quantity(r"lines\b(?!\s+(?:each|per|break))")
TOTAL = re.compile(
    rf"(?:number of|total|count of)\s+(?P<what>words|sentences)[^.]{{0,40}}?(?:is|be|of)\s+{NUMBERED}"
)
DIVIDER = re.compile(
    r"(?<!\*)(?<!\* )\*\s?\*\s?\*(?!\s?\*)|three (?:asterisk|star)|3 (?:asterisk|star)|markdown divider"
)
ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8}
ORDINALS |= {"ninth": 9, "tenth": 10, "last": -1, "final": -1}
NTH = re.compile(
    rf"(?:(?P<nth>{'|'.join(ORDINALS)}|\d{{1,2}}(?:st|nd|rd|th))\s+paragraph|paragraph (?:number )?(?P<n>{NUM}))"
    r"(?:(?! paragraph).){0,40}?\b(?:start|begin|open|first word)"
)
START_NTH = re.compile(
    rf"(?:start|begin)\w* (?:the |your )?(?:(?P<nth>{'|'.join(ORDINALS)}|\d{{1,2}}(?:st|nd|rd|th))\s+"
    rf"paragraph|paragraph (?:number )?(?P<n>{NUM}))"
)
FIRST_WORD = re.compile(r"(?:with|word|by|is|be)\s+(?:the )?(?:words? )?[\"'`*]?([^\s\"'`*,.]+)")
SECTION_X = re.compile(
    r"\b(SECTION|[Ss]ection|PARAGRAPH|[Pp]aragraph|CHAPTER|[Cc]hapter|PART|[Pp]art|DAY|[Dd]ay|[Ss]cene|SCENE|"
    r"Act|Audience|Round|Session|Verse|[Ss]tep|STEP|Episode|Point) ?[\"'`]?(?:X|x|1|#|\[X\]|I|N)(?![\w*])"
)
MARKED = re.compile(r"\bmark|start|begin|label|indicat|like|format|as\b")
HIGHLIGHT = re.compile(r"highlight\w*|italic\w*|bold\w*|emphasi[sz]e\w*")
NO_HIGHLIGHT = re.compile(r"(?:no|not|n't|without|never|avoid)\b[^.]{0,15}(?:highlight|bold|italic)")
DEMANDS_HIGHLIGHT = re.compile(r"highlight|italici[sz]e|emphasi[sz]e|highlighting")
EACH = re.compile(r"\b(?:each|every|all)\b")
HARD_HIGHLIGHT = re.compile(r"markdown|\*[^*\n]+\*|\*|bold|italic|asterisk")
DIVIDER_LINE = re.compile(r"^\s*\*\*\*\s*$", re.MULTILINE)
PER = re.compile(
    r"\b(?:each|every)\s+(?:\w+\s+)?(?:sentence|paragraph|section|stanza|line|bullet|verse|point|one|part|"
    r"chapter)\w*\s+(?:should|must|has|have|contain|with|is|to|needs|can|of)|"
    r"\bper\s+\w+|\b(?:in|for|of|with) (?:each|every)\b|\beach (?:with|of|having|contain)"
)


def words(sentence: Sentence, _request: Request) -> Found:
    """`at least 300 words`; a bare number is a size people do not mean to the word."""
    if PER.search(sentence.low) or "capital" in sentence.low or " caps" in sentence.low:
        return
    if both := bounds(WORD_RANGE, sentence.low):
        for found in both:
            yield counted(Kind.WORDS, "num_words", found.number, found.relation or Relation.AT_LEAST)
        return
    for found, match in amounts(WORDS, sentence.low):
        before = sentence.low[max(0, match.start() - 12) : match.start()]
        is_meant = found.number > 3 or found.relation is not Relation.AT_LEAST  # "at least 2 words" is rarely a length
        if found.relation and is_meant and "appear" not in before:
            yield counted(Kind.WORDS, "num_words", found.number, found.relation)
    for match in TOTAL.finditer(sentence.low):
        found = amount(match)
        if found.relation:
            kind, name = (
                (Kind.WORDS, "num_words") if match["what"] == "words" else (Kind.SENTENCES, "num_sentences")
            )
            yield counted(kind, name, found.number, found.relation)


def sentence_count(sentence: Sentence, _request: Request) -> Found:
    """`less than 5 sentences`."""
    if PER.search(sentence.low):
        return
    if both := bounds(SENTENCE_RANGE, sentence.low):
        for found in both:
            yield counted(Kind.SENTENCES, "num_sentences", found.number, found.relation or Relation.AT_LEAST)
        return
    if just := IN_SENTENCES.search(sentence.low):
        yield counted(Kind.SENTENCES, "num_sentences", number(just[1]), Relation.EXACTLY)
        return
    for found, match in amounts(SENTENCES, sentence.low):
        if found.relation and not sentence.low.startswith(" or ", match.end()):
            yield counted(Kind.SENTENCES, "num_sentences", found.number, found.relation)


def paragraphs(sentence: Sentence, request: Request) -> Found:
    """`exactly 3 paragraphs`, or as many parts between dividers."""
    low = sentence.low
    by_stars = DIVIDER.search(request.low) is not None
    if "paragraph" in request.low:
        nth = NTH.search(low) or START_NTH.search(low)
        if nth and (value := FIRST_WORD.search(sentence.raw.lower(), nth.end())):
            yield nth_paragraph(nth, value[1], request)
            return
        if NTH.search(request.low) or START_NTH.search(request.low):
            return
        for found, _ in amounts(PARAGRAPHS, low):
            yield paragraph_clause(found, by_stars=by_stars)
            return
    if not by_stars or ("paragraph" in request.low and PARAGRAPHS.search(request.low)):
        return
    dividers = len(DIVIDER_LINE.findall(request.raw))
    if dividers >= 2:
        yield paragraph_clause(Amount(dividers + 1, Relation.EXACTLY), by_stars=True)
    else:
        for found, match in amounts(PARTS, low):
            if "highlight" not in low[max(0, match.start() - 30) : match.end() + 30]:
                yield paragraph_clause(found, by_stars=True)
                return


def paragraph_clause(found: Amount, *, by_stars: bool) -> Clause:
    """So many paragraphs."""
    relation = found.relation or Relation.EXACTLY
    divider = "***" if by_stars else "\n\n"
    return clause(Kind.PARAGRAPHS, num_paragraphs=found.number, relation=relation.value, divider=divider)


def nth_paragraph(nth: re.Match[str], word: str, request: Request) -> Clause:
    """A paragraph's first word."""
    named = nth["nth"]
    total = next((found.number for found, _ in amounts(PARAGRAPHS, request.low) if found.number > 1), 0)
    n = (ORDINALS.get(named) or int(re.sub(r"\D", "", named))) if named else number(nth["n"])
    n = total or 1 if n == -1 else n
    return clause(Kind.NTH_PARAGRAPH, num_paragraphs=total, nth_paragraph=n, first_word=word)


def bullets(sentence: Sentence, _request: Request) -> Found:
    """`exactly 3 bullet points`."""
    if "no bullet" in sentence.low or ("point" not in sentence.low and GUNS.search(sentence.low)):
        return
    for found, match in amounts(BULLETS, sentence.low):
        if PER.search(sentence.low, match.end()):
            return
        relation = found.relation or Relation.EXACTLY
        yield clause(Kind.BULLETS, num_bullets=found.number, relation=relation.value)
        return
    if exact := EXACT.search(sentence.low):
        yield clause(Kind.BULLETS, num_bullets=number(exact[1]), relation=Relation.EXACTLY.value)


def highlights(sentence: Sentence, request: Request) -> Found:
    """`highlight at least 3 sections with markdown`."""
    at = HIGHLIGHT.search(sentence.low)
    if not at or not HARD_HIGHLIGHT.search(request.low) or NO_HIGHLIGHT.search(sentence.low):
        return
    where = request.low if EACH.search(sentence.low) else sentence.low
    found = [found for found, _ in amounts(HIGHLIGHTS, where) if found.number]
    if not found and (times := TIMES.search(sentence.low)):
        found = [amount(times)]
    if found or DEMANDS_HIGHLIGHT.fullmatch(at[0]):
        yield clause(Kind.HIGHLIGHTS, num_highlights=found[0].number if found else 1)


def sections(sentence: Sentence, request: Request) -> Found:
    """`4 sections marked with SECTION X`."""
    mark = SECTION_X.search(request.raw)
    if mark is None or DIVIDER.search(request.low) or not MARKED.search(request.low):
        return
    for found, _ in amounts(SECTIONS, sentence.low):
        if found.relation is not Relation.LESS_THAN:
            yield clause(Kind.SECTIONS, num_sections=found.number, section_spliter=mark[1])
            return


def placeholders(sentence: Sentence, request: Request) -> Found:
    """`at least 3 placeholders such as [address]`."""
    for found, _ in amounts(PLACEHOLDERS, sentence.low):
        yield clause(Kind.PLACEHOLDERS, num_placeholders=found.number)
        return
    if EXAMPLE.search(request.raw) and not PLACEHOLDERS.search(request.low):
        yield clause(Kind.PLACEHOLDERS, num_placeholders=1)


def characters(sentence: Sentence, _request: Request) -> Found:
    """`at most 280 characters`."""
    for found, _ in amounts(CHARACTERS, sentence.low):
        if found.relation and found.number >= 20:
            yield counted(Kind.CHARACTERS, "num_characters", found.number, found.relation)


def lines(sentence: Sentence, _request: Request) -> Found:
    """`exactly 4 lines`."""
    for found, _ in amounts(LINES, sentence.low):
        if found.relation:
            yield counted(Kind.LINES, "num_lines", found.number, found.relation)


RULES = (
    Rule(needs=("word",), read=words),
    Rule(needs=("sentence",), read=sentence_count),
    Rule(needs=("paragraph", "***", "* * *", "section", "parts", "verses", "stanzas", "divider"), read=paragraphs),
    Rule(needs=("bullet",), read=bullets),
    Rule(needs=("highlight", "italic", "bold", "emphasi"), read=highlights),
    Rule(
        needs=("section", "part", "chapter", "day", "paragraph", "scene", "round", "session", "act", "verse"),
        read=sections,
    ),
    Rule(needs=("placeholder", "place holder", "square bracket"), read=placeholders),
    Rule(needs=("character", "chars"), read=characters),
    Rule(needs=("lines",), read=lines),
)
