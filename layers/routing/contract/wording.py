"""Clauses about which words: keywords, forbidden words, how often one occurs, letters, capitals. Sentences in."""

from __future__ import annotations

import re

from layers.routing.contract.reading import (
    BEFORE,
    NUM,
    TIMES,
    Amount,
    Request,
    Sentence,
    amount,
    amounts,
    between,
    bounds,
    listed,
    quantity,
    quoted,
)
from layers.routing.contract.rule import Found, Rule, clause
from layers.routing.contract.types import Kind, Relation

NO = (
    r"(?:\bnot\b|n't\b|\bwithout\b|\bavoid\w*|\brefrain\w*|\bnever\b|\bno\b|\bexclud\w+|\bcannot\b|\bzero\b|"
    r"\bomit\w*|forbidden|banned|\bnor\b|\bfree of\b)"
)
NOT = re.compile(NO)
NO_COMMA = re.compile(rf"{NO}[^.,;\x01]{{0,60}}\bcommas?\b|\bcommas? (?:is|are|be) (?:not|forbidden|banned)|comma-free")
SOME_COMMA = re.compile(r"comma[- ]separated|separated? (?:\w+ ){0,3}(?:by|with) (?:a )?commas?")
FORBID = re.compile(
    rf"{NO}[^.;\x01]{{0,50}}?"
    r"(?:\b(?:key)?words?\b(?! (?:or|and) (?:more|less|few))|\bkeywords?\b|\bphrases?\b|\bterms?\b|"
    r"\b(?:say|mention|use|using|include|including|contain)\b)"
)
FORBID_NOUN = re.compile(
    rf"{NO}[^.;\x01\"]{{0,70}}?\b(?:key ?)?(?:words?|phrases?|terms?)\b(?! (?:or|and) (?:more|less|few))"
)
OTHER_WORDS = re.compile(
    r"\b(?:more|less|fewer|longer) than\b|\bother words?\b|\bno other\b|any words? (?:or|before)"
)
TOOLISH = re.compile(
    r"\b(?:tools?|capabilit\w+|commands?|functions?|librar\w+|variables?|methods?|modules?|packages?|files?)\b"
)
"""What is quoted in such a sentence is a thing's name, not a word of the answer: ``do not use the `edit` tool``."""
UNSAID = re.compile(
    r"[,\s]*(?:please |also |and )*(?:you (?:must|should) )?(?:never|do not|don't|avoid) (?:ever )?(?:mention|"
    r"say)(?:ing)?\s+(?=[a-z])"
)
FORBID_VALUE = re.compile(
    r"(?:any (?:of )?(?:the )?|the |these |this |following |specific |actual |single |(?:key ?)?words?\b ?|"
    r"phrases?\b ?|terms?\b ?|such as |like |say |of |name |:|use |using |mention |include |including |contain |"
    r"forbidden |in (?:the |your )?(?:response|answer|reply|output)|list(?:ed)? |below|\s)*"
)
NAMES_WORDS = re.compile(r"words?\b|phrase")
BAD_WORDS = re.compile(
    r"(?:words?|keywords?|phrases?|terms?)\b(?P<list>[^.\x01]{1,160}?)\b(?:should not|shouldn't|doesn't|"
    r"does not|don't|do not|never|cannot|can't|can not|must not|mustn't|may not|"
    r"(?:is|are) (?:not allowed|forbidden|banned|prohibited)|(?:is|are) not)"
)
FORBIDDEN_LIST = re.compile(r"(?:forbidden|banned|prohibited|taboo) (?:key)?words?")
KEEP = re.compile(
    r"\b(?:includ\w+|contain\w*|us(?:e|ing)|mention\w*|incorporat\w+|add(?:ing)?|ha(?:s|ve|ving)|with|need|"
    r"put|insert|feature)\b"
    r"(?P<between>[^.;\x01\"]{0,40}?)\b(?P<what>key ?words?|words?|phrases?|terms?)\b"
)
KEEP_QUOTED = re.compile(
    r"\b(?:includ\w+|mention\w*|incorporat\w+|contain\w*)\s+(?:the (?:exact )?(?:\w+ )?)?(?=[\"'`])"
)
MUST_APPEAR = re.compile(
    r"\b(?:words?|keywords?|phrases?|terms?)\b(?P<list>[^.\x01]{1,160}?)\b(?:should|must|need|has to|have to|"
    r"appears?|is included)\b"
)
OF_OTHERS = re.compile(
    r"\b(?:files?|lines?|rows?|commits?|strings?|functions?|messages|records?|entries|issues|tickets|emails|pages) "
    r"(?:that|which|where|with|containing|who)\b"
)
"""Something other than the answer has the word: `all files that contain "TODO"`."""
LEAD = re.compile(r"^(?:\s|:|of|such as|like|listed below|in (?:the|your) \w+)*", re.IGNORECASE)
ONE_LETTER = re.compile(r"\bletter [\"']?[a-z]\b")
OTHER_DEMAND = re.compile(
    rf"{ONE_LETTER.pattern}|\bone of\b|\beither\b|repeat|capital|\b(?:start|begin|end|finish|conclude|wrap)\w*\b"
)
"""Of a sentence with these the words are no keywords."""
NOT_A_WORD = frozenset(
    (
        *("the", "a", "an", "it", "that", "this", "which", "each", "all", "some", "any", "anything", "more", "so"),
        *("in", "of", "or", "and", "your", "my", "you", "me", "him", "them", "how", "why", "what", "who", "where"),
        *("are", "is", "was", "were", "be", "total", "count", "exact", "most", "least", "following", "response"),
        *("answer", "word", "words", "keyword", "keywords", "phrases", "company", "name"),
    )
)
WORD_NAMED = re.compile(
    r"\b(?:key ?word|word|phrase|term|name|names|term)s?\s+(?:of\s+)?(?:the\s+|"
    r"named?\s+)?(?:[\"'`*]+(?P<q>[^\"'`*]{1,60})[\"'`*]+|(?P<b>[\w#@'-]+(?:\s[\w'-]+)?))"
)
AFTER_WORD = re.compile(
    r"\s(?:should|must|appears?|at|in|for|to|is|more|less|only|no|exactly|twice|once|needs?|with|"
    r"and|or|as|throughout|each|can|has|have|somewhere)\b"
)
QUOTED_THING = re.compile(r"(?<![\w])[\"'`]([^\"'`\x01]{1,40})[\"'`](?!\w)")
OCCUR = re.compile(
    r"appear|occur|\bus(?:e|ed|ing)\b|mention|includ|contain|\bsay|show|repeat|incorporat|\bput\b|must|should|"
    r"need|have"
)
LETTER = re.compile(
    r"\bletters?\s+(?:of\s+|\()?(?:(?<=letter )|(?=[\"'`*(]))[\"'`*(]*(?P<letter>[a-z#!?&])(?![\w])[\"'`*)]*|"
    r"[\"'`](?P<q>[a-z!?#&])[\"'`]\s+letters?\b"
    r"|[\"'`](?P<s>[!#?&])[\"'`]|\b(?P<name>hashtag|exclamation (?:mark|point)|question mark)s?\b"
)
SIGN = re.compile(r"symbol|sign|mark|character|hashtag|appear|times")
LETTER_NAMES = {"hashtag": "#"}
LETTER_AMOUNT = quantity(
    r"(?:[\"'`(]?[a-z#!?][\"'`)]?\s)?(?:letters?|hashtags?|exclamation marks?|question marks?|[a-z]'?s)\b"
)
CAPITAL = re.compile(
    r"(?:words?[^.]{0,30}?(?:all |in )*(?:capital|caps|upper ?case|capitali[sz]ed)|"
    r"(?:capitali[sz]ed|all[- ]caps?|all[- ]capital(?: letters?)?|upper-?case|capital(?:-letter)?|full capital) words?|"
    r"(?:letters?)? ?capitali[sz]ed words?|capital letters? (?:should|words|at least|less|only)|capitali[sz]e|all cap)"
)
CAPITAL_RANGE = between(r"[\w\s-]{0,20}(?:words|times)\b")
BARE = re.compile(rf"\b{BEFORE}\s+(?P<n>{NUM})\b")
SOME_CAPITALS = re.compile(
    r"\b(?:some|few|certain|use|several|include) (?:of the |key )?words (?:with|in) (?:all|full)"
)
CAPITAL_WORDS = quantity(r"(?:words?|times?|capitali[sz]ed|capitals?|capital letter words?)\b")


def no_comma(sentence: Sentence, _request: Request) -> Found:
    """`do not use any commas`."""
    if NO_COMMA.search(sentence.low) and not SOME_COMMA.search(sentence.low):
        yield clause(Kind.NO_COMMA)


def forbidden(sentence: Sentence, request: Request) -> Found:
    """`do not use the words a, b and c`."""
    low, raw = sentence.low, sentence.raw
    if match := BAD_WORDS.search(low):
        values = listed(raw[match.start("list") : match.end("list")])
        if values:
            yield clause(Kind.FORBIDDEN, forbidden_words=tuple(value.lower() for value in values))
            return
    if match := FORBIDDEN_LIST.search(low):
        rest = raw[match.end() :].lstrip(" :s")
        if values := listed(rest):
            yield clause(Kind.FORBIDDEN, forbidden_words=tuple(value.lower() for value in values))
        return
    if (match := UNSAID.match(low)) and (values := listed(raw[match.end() :])):
        if all(len(value.split()) < 3 and value.lower().split()[0] not in NOT_A_WORD for value in values):
            yield clause(Kind.FORBIDDEN, forbidden_words=tuple(value.lower() for value in values))
        return
    match = FORBID_NOUN.search(low) or (FORBID.search(low) if not TOOLISH.search(low) else None)
    if not match or OTHER_WORDS.search(low):
        return
    value = FORBID_VALUE.match(low, match.end())
    start = value.end() if value else match.end()
    rest = raw[start:]
    if rest[:1] in "\"'`" or NAMES_WORDS.search(low, match.start(), start):
        values = listed(rest) or (listed(following(sentence, request)) if not rest.strip(" :.\n") else [])
        values = [value for value in values if value.lower() not in NOT_A_WORD]
        if values:
            yield clause(Kind.FORBIDDEN, forbidden_words=tuple(value.lower() for value in values))


def following(sentence: Sentence, request: Request) -> str:
    """What stands after a sentence that ends with a colon."""
    return request.raw[sentence.at + len(sentence.raw) :].split("\n\n", 1)[0].replace("\n", ", ")


def keywords(sentence: Sentence, request: Request) -> Found:
    """`include the keywords a, b and c`."""
    low, raw = sentence.low, sentence.raw
    if NOT.search(low) or TIMES.search(low) or OTHER_DEMAND.search(low) or OF_OTHERS.search(low):
        return
    if match := KEEP_QUOTED.search(low):
        values = quoted(raw[match.end() :])
    elif match := KEEP.search(low):
        rest = LEAD.sub("", raw[match.end() :])
        values = quoted(rest)
        is_named = match["what"].startswith("key") or re.search("following|the", match["between"])
        if not values and is_named:
            values = listed(rest) if rest else listed(following(sentence, request))
    elif match := MUST_APPEAR.search(low):
        values = quoted(raw[match.start("list") : match.end("list")])
    else:
        return
    values = [value for value in values if value.lower() not in NOT_A_WORD]
    if values:
        yield clause(Kind.KEYWORDS, keywords=tuple(values))


def frequency(sentence: Sentence, _request: Request) -> Found:
    """`the word x should appear at least twice`."""
    low, raw = sentence.low, sentence.raw
    if ONE_LETTER.search(low) or "capital" in low or " caps" in low or "hashtag" in low:
        return
    match = TIMES.search(low)
    if not match or not OCCUR.search(low):
        return
    said = amount(match)
    word = word_of(low, raw, match)
    if word and word.lower().split()[0] not in NOT_A_WORD:
        relation = said.relation or Relation.AT_LEAST
        yield clause(Kind.FREQUENCY, keyword=word, frequency=said.number, relation=relation.value)


def word_of(low: str, raw: str, times: re.Match[str]) -> str:
    """The word that a number of times is about: the named or quoted one nearest to it."""
    named = list(WORD_NAMED.finditer(low))
    best = min(named, key=lambda match: abs(match.start() - times.start()), default=None)
    if best:
        span = best.span("q") if best["q"] else best.span("b")
        found = raw[span[0] : span[1]].strip()
        if not best["q"]:
            found = AFTER_WORD.split(found)[0]
        return found.strip(" .,\"'`*")
    if quotes := list(QUOTED_THING.finditer(low)):
        best = min(quotes, key=lambda match: abs(match.start() - times.start()))
        return raw[best.start(1) : best.end(1)]
    return ""


def letters(sentence: Sentence, _request: Request) -> Found:
    """`the letter q should appear at least 3 times`, `without the letter e`."""
    low = sentence.low
    match = LETTER.search(low)
    if not match:
        return
    if match["s"] and not SIGN.search(low):
        return
    name = match["name"] or ""
    letter = match["letter"] or match["q"] or match["s"] or LETTER_NAMES.get(name) or ("!" if name[:1] == "e" else "?")
    times = TIMES.search(low)
    counts = [found for found, _ in amounts(LETTER_AMOUNT, low)]
    said = amount(times) if times else counts[0] if counts else None
    if said:
        relation = said.relation or Relation.AT_LEAST
        yield clause(Kind.LETTERS, letter=letter, let_frequency=said.number, let_relation=relation.value)
    elif name[:1] in ("e", "q"):
        return  # `without` reads these
    elif NOT.search(low, 0, match.start()) or NOT.search(low, match.end(), match.end() + 25):
        yield clause(Kind.LETTERS, letter=letter, let_frequency=1, let_relation=Relation.LESS_THAN.value)


def capital_words(sentence: Sentence, request: Request) -> Found:
    """`words in all capital letters should appear less than 10 times`."""
    low = sentence.low
    if not CAPITAL.search(low):
        return
    times = TIMES.search(low)
    counts = [found for found, _ in amounts(CAPITAL_WORDS, low) if found.relation]
    if both := bounds(CAPITAL_RANGE, low):
        for bound in both:
            relation = bound.relation or Relation.AT_LEAST
            yield clause(Kind.CAPITAL_WORDS, capital_frequency=bound.number, capital_relation=relation.value)
        return
    bare = BARE.search(low)
    said = amount(times) if times else counts[0] if counts else amount(bare) if bare else None
    if said is None and SOME_CAPITALS.search(low) and not NOT.search(low) and not CAPITAL_RANGE.search(request.low):
        said = Amount(1, Relation.AT_LEAST)
    if said:
        relation = said.relation or Relation.AT_LEAST
        yield clause(Kind.CAPITAL_WORDS, capital_frequency=said.number, capital_relation=relation.value)


RULES = (
    Rule(needs=("comma",), read=no_comma),
    Rule(
        needs=("not ", "n't", "without", "avoid", "refrain", "never", "exclud", "cannot", "forbidden", "banned"),
        read=forbidden,
    ),
    Rule(needs=("word", "includ", "mention", "phrase", "term", "incorporat", "contain"), read=keywords),
    Rule(needs=("time", "once", "twice", "thrice"), read=frequency),
    Rule(needs=("letter", "hashtag", "exclamation", "question mark", "'!'", '"!"', '"#"', "'#'"), read=letters),
    Rule(needs=("capital", "caps", "upper"), read=capital_words),
)
