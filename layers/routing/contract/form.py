"""Clauses about the form of the whole answer: case, language, frame, start and end, title, JSON. Sentences in."""

from __future__ import annotations

import re

from layers.routing.contract.languages import CODES
from layers.routing.contract.reading import QUOTED, TIMES, Request, Sentence, quoted
from layers.routing.contract.rule import Found, Rule, clause
from layers.routing.contract.types import Kind

LOWER = re.compile(
    r"(?:all|only|entirely|in|use|using|every\w*|be|letters?|english|and|with)\b[^.]{0,25}?\blower[- ]?case|"
    r"lower[- ]?cased?\b(?: letters)?(?: only)?|"
    r"(?:no|without|not|n't|avoid|never|zero)\b[^.]{0,30}\b(?:capital letter|capitals|capitali[sz]|"
    r"upper[- ]?case)|(?:capital|upper[- ]?case) letters? (?:is|are|should|must)[^.]{0,10} (?:not|forbidden)"
)
UPPER = re.compile(
    r"\b(?:all|only|entirely|in|entire\w*|full|every)\b[^.]{0,20}?\b(?:capital(?:s|i[sz]ed)\b|"
    r"capital letters?|caps\b|upper[- ]?case)|\b(?:capital|upper[- ]?case) letters? only|"
    r"\bcapitali[sz]e (?:every|all|each|your entire)|no lower[- ]?case"
)
PARTLY = re.compile(r"\bwords?\b|first letter|heading|title|at least \w+ (?:words?|capital)|less than|more than")
TITLE = re.compile(r"angular bracket|<<[^<>\n]{1,80}>>|double angle")
JSON = re.compile(r"\bjson\b")
JSON_OWN = re.compile(r"\b(?:your|the|entire|whole)\s+(?:\w+\s+){0,2}?(?:answer|response|reply|output|message)\b")
JSON_ASKED = re.compile(
    r"\b(?:wrap\w*|respond|reply|answer|return|output|give|provide|present|format|produce|generate|write|list|describe|"
    r"use|using|want|need|in|as)\b[^.]{0,60}\bjson\b|\bjson\b[^.]{0,20}\b(?:format|output|only|block|object)\b"
)
JSON_CODE = re.compile(
    r"\b(?:functions?|endpoints?|apis?|methods?|class|script|server|files?|parse\w*|parser|python|javascript|library|"
    r"code(?! block)|database|sort|vs|explain|convert|what is|xml)\b"
)
"""With these JSON is what the talk is about."""
POSTSCRIPT = re.compile(r"\bp\.?\s?p\.?\s?s\b\.?|\bp\.\s?s\b\.?|\bpostscripts?\b|\bpost script\b|\bps:")
ADDED = re.compile(
    r"\b(?:add\w*|includ\w*|contain\w*|end\w*|write|with|put|should|must|has|have|start\w*|insert|append|give)\b"
)
MARKER = re.compile(r"\b[Pp]\.[ ]?[Pp]\.[ ]?[Ss]\.?|\b[Pp]\.[ ]?[Ss]\b\.?|\bPPS\b|\bPS\b")
QUOTES = re.compile(r"(?:double )?quotation(?: marks?)?|double quotes?|\"\"|double-quotes?|in quotes\b|quote marks?")
WRAP = re.compile(
    r"\bwrap|\bput\b|\benclos|\bsurround|\binside|\bstart and end|\bwithin|\bin double|\bin quot|\bplaced?\b|"
    r"with double|begin and end"
)
WHOLE = re.compile(
    r"\b(?:entire|whole|full|complete|all of)\b|\b(?:wrap|enclose|surround|put|place) (?:it|everything)\b|"
    r"\b(?:response|answer|reply|output|letter|essay|poem|song|story|message|email)\b"
)
ENDING = re.compile(
    r"\b(?:end|ends|ending|finish\w*|conclude\w*|close|closing|last (?:sentence|phrase|words?|line|thing)|"
    r"very end|final (?:sentence|phrase|words?|line)|very last)\b"
)
UNQUOTED_END = re.compile(
    r"(?:exact phrase|exactly|with|like|phrase|sentence|words?)(?:: ?|(?<=exact phrase) )(?!the\b|"
    r"of\b)([^\"'`\n]{6,150}[.!?])\s*$"
)
STARTING = re.compile(
    r"\b(?:start|starts|begin|begins|open|opens)\b[^.\x01]{0,40}?\bwith\b(?: the)?(?: exact)?(?: words?|"
    r" phrase| sentence)?:?\s*(?=[\"'`])"
)
NOT_REPEATED = re.compile(r"(?:not|n't|never|without) repeat")
OTHER_SUBJECT = re.compile(
    r"\b(?:(?:that|which|who) |(?:files?|names?|lines?|strings?|functions?|urls?|rows?|columns?|keys?|variables?|"
    r"branches|commands?|numbers?|values?|each \w+|every \w+) (?:\w+ )?)(?:start|begin|end|finish|conclud|clos)\w*"
)
"""Something other than the answer begins or ends so: `all files that begin with "test"`."""
START_AND_END = re.compile(r"start\w* and end")
PART = re.compile("paragraph|section|postscript|each|line|every|bullet")
REPEATED = re.compile(
    r"request|word[- ]for[- ]word|without (?:any )?chang|sentence above|exact|prompt|question|verbatim|"
    r"first line|instruction|above|this sentence"
)
TWO = re.compile(r"\b(?:two|2|both)\b|\balternative|\bother\b|\banother\b")
SIX_STARS = re.compile(r"\*\s?\*\s?\*\s?\*\s?\*\s?\*|(?:six|6) (?:asterisk|star)")
OPTION = re.compile(r"(?:my )?answer is \w+\.?")
CHOOSE = re.compile(
    r"choose (?:one|from|between|exactly)|one of(?: the following|:)|pick (?:one|from)|exactly one of|"
    r"from the following|select (?:one|from)|following (?:options|phrases|choices)|either|"
    r"one of (?:these|them)|only (?:say|answer|reply|respond)|just say|answer with"
)
ANSWERED = re.compile("answer|respon|reply|say|phrase|option|choose|choice")
NAMES = "|".join(sorted(CODES, key=len, reverse=True))
NOT_NOUN = (
    r"(?=\s*(?:[^\w\s]|$)|\s+(?:language|only|please|and|with|using|so|but|for|to|about|on|that|which|because|when|now|"
    r"from|of|at|as|no|instead|too|unless|if|without|in|by|not|while|where|or|i|it|this|then|what|how|why|is|are)\b)"
)
"""What may follow a language's name; `in German history` is about something else."""
LANGUAGE = re.compile(
    rf"(?:\b(?:only|entire(?:ly)?|completely|solely|exclusively|respond|response|responses|answer|answers|"
    rf"reply|replies|write|written|output|say|use|using|speak)\b)"
    rf"(?:(?![.;\x01]).){{0,60}}?\b(?:in|use|using|only|be|speak)\s+(?:only\s+|just\s+|the\s+|"
    rf"entirely\s+)*(?P<a>{NAMES})\b{NOT_NOUN}|\b(?P<b>{NAMES}) language\b"
    rf"|\bin (?P<c>{NAMES})(?: only\b|\s*[,.!]| and (?:only|no other))|(?P<d>{NAMES}) only\b"
)
NOT_IN = re.compile(
    r"(?:not|n't|never|without) (?:\w+ )?(?:in|use|using|speak)\b|how (?:do|does|would|can|could|should|to) (?:\w+ )?"
    r"(?:say|write|spell|pronounce|call)\b"
)
ENGLISH_ONLY = re.compile(r"english (?:language|only)|only (?:in )?english|in only english")
WITHOUT = {
    "emoji": re.compile(r"(?:no|without|not|n't|avoid|never)\b[^.]{0,30}\bemojis?\b"),
    "bullets": re.compile(r"(?:no|without|not|n't|avoid|never)\b[^.]{0,30}\bbullet(?:s| points?| lists?)?\b"),
    "markdown": re.compile(r"(?:no|without|not|n't|avoid|never)\b[^.]{0,30}\bmarkdown\b"),
    "exclamation marks": re.compile(r"(?:no|without|not|n't|avoid|never)\b[^.]{0,30}\bexclamation (?:mark|point)s?\b"),
    "questions": re.compile(r"(?:no|without|not|n't|avoid|never)\b[^.]{0,30}\bquestion marks?\b"),
    "links": re.compile(r"(?:no|without|not|n't|avoid|never)\b[^.]{0,30}\b(?:links?|urls?)\b"),
    "tables": re.compile(r"(?:no|without|not|n't|avoid|never)\b[^.]{0,20}\btables?\b"),
    "code": re.compile(r"(?:no|without|not|n't|avoid|never)\b[^.]{0,20}\bcode blocks?\b"),
}


def case(sentence: Sentence, _request: Request) -> Found:
    """All in small letters, or all in capital ones."""
    low = sentence.low
    if LOWER.search(low):
        yield clause(Kind.LOWERCASE)
        return
    match = UPPER.search(low)
    if match and not TIMES.search(low) and not PARTLY.search(low, max(0, match.start() - 30), match.end() + 10):
        yield clause(Kind.UPPERCASE)


def title(sentence: Sentence, _request: Request) -> Found:
    """`a title wrapped in double angular brackets`."""
    if TITLE.search(sentence.low):
        yield clause(Kind.TITLE)


def as_json(sentence: Sentence, _request: Request) -> Found:
    """`the entire output in JSON format`."""
    low = sentence.low
    if JSON.search(low) and JSON_ASKED.search(low) and (JSON_OWN.search(low) or not JSON_CODE.search(low)):
        yield clause(Kind.JSON)


def postscript(sentence: Sentence, request: Request) -> Found:
    """`add a postscript starting with P.S.`."""
    if POSTSCRIPT.search(sentence.low) and ADDED.search(sentence.low):
        marker = MARKER.search(request.raw)
        yield clause(Kind.POSTSCRIPT, postscript_marker=marker[0] if marker else "P.S.")


def quotation(sentence: Sentence, _request: Request) -> Found:
    """`wrap your entire response with double quotation marks`."""
    if QUOTES.search(sentence.low) and WRAP.search(sentence.low) and WHOLE.search(sentence.low):
        yield clause(Kind.QUOTATION)


def end(sentence: Sentence, _request: Request) -> Found:
    """`end your response with this exact phrase "..."`."""
    match = ENDING.search(sentence.low)
    if not match or OTHER_SUBJECT.search(sentence.low):
        return
    if START_AND_END.search(sentence.low):
        return
    if told := UNQUOTED_END.search(sentence.raw, match.end()):
        yield clause(Kind.END, end_phrase=told[1].strip())
        return
    found = QUOTED.search(sentence.raw, match.end())
    values = quoted(found[0]) if found else []
    if found and len(values[0]) > 3 and not POSTSCRIPT.search(sentence.low):
        between = sentence.low[match.end() : found.start()]
        if len(between) < 90 and "start" not in between and "paragraph" not in between:
            yield clause(Kind.END, end_phrase=values[0])


def start(sentence: Sentence, _request: Request) -> Found:
    """`start your answer with "..."`."""
    match = STARTING.search(sentence.low)
    if not match or PART.search(sentence.low, 0, match.end()) or OTHER_SUBJECT.search(sentence.low):
        return
    if values := quoted(sentence.raw[match.end() :]):
        yield clause(Kind.START, start_phrase=values[0])


def repeat_prompt(sentence: Sentence, request: Request) -> Found:
    """`first repeat the request above word for word`."""
    if REPEATED.search(sentence.low) and not NOT_REPEATED.search(sentence.low):
        before, after = request.raw[: sentence.at].strip(), request.raw[sentence.at + len(sentence.raw) :].strip()
        yield clause(Kind.REPEAT_PROMPT, prompt_to_repeat=before or after)


def two_responses(sentence: Sentence, request: Request) -> Found:
    """`two different responses, separated by 6 asterisks`."""
    if SIX_STARS.search(sentence.low) and (TWO.search(request.low) or "separat" in sentence.low):
        yield clause(Kind.TWO_RESPONSES)


def choice(sentence: Sentence, request: Request) -> Found:
    """`answer with one of: "yes", "no"`."""
    if OPTION.search(sentence.low):
        options = tuple(dict.fromkeys(match[0] for match in re.finditer(r"(?i)\bmy answer is \w+\.?", request.raw)))
        if len(options) > 1:
            yield clause(Kind.CHOICE, options=options)
            return
    if match := CHOOSE.search(sentence.low):
        options = tuple(dict.fromkeys(quoted(sentence.raw[match.end() :])))
        if len(options) > 1 and ANSWERED.search(sentence.low):
            yield clause(Kind.CHOICE, options=options)


def language(sentence: Sentence, _request: Request) -> Found:
    """`respond only in Korean`."""
    if NOT_IN.search(sentence.low):
        return
    if match := LANGUAGE.search(sentence.low):
        name = next(group for group in match.groups() if group)
        if name != "english" or ENGLISH_ONLY.search(sentence.low):
            yield clause(Kind.LANGUAGE, language=CODES[name])


def without(sentence: Sentence, _request: Request) -> Found:
    """`no emojis`, `do not use bullet points`."""
    for what, pattern in WITHOUT.items():
        if pattern.search(sentence.low):
            yield clause(Kind.WITHOUT, what=what)


RULES = (
    Rule(needs=("lower", "capital", "upper", "caps"), read=case),
    Rule(needs=("angular", "<<", "angle b"), read=title),
    Rule(needs=("json",), read=as_json),
    Rule(needs=("p.s", "p. s", "postscript", "post script", "p.p", "ps:"), read=postscript),
    Rule(needs=("quot", '""'), read=quotation),
    Rule(needs=("end", "finish", "conclu", "clos", "last", "final"), read=end),
    Rule(needs=("start", "begin", "open"), read=start),
    Rule(needs=("repeat",), read=repeat_prompt),
    Rule(needs=("***", "asterisk", "* *"), read=two_responses),
    Rule(needs=("answer is", "choose", "one of", "pick", "either", "select", "options", "following"), read=choice),
    Rule(needs=tuple(CODES), read=language),
    Rule(
        needs=("emoji", "bullet", "markdown", "exclamation", "question mark", "link", "url", "table", "code"),
        read=without,
    ),
)
