"""Whether an answer holds to its clauses. Clauses and an answer in, violations out; no model, less than 1 ms."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from layers.routing.contract import counts
from layers.routing.contract.languages import NAMES, refuted
from layers.routing.contract.schema import faults
from layers.routing.contract.types import Clause, Kind, Relation, Value, Violation

Args = Mapping[str, Value]
Check = Callable[[str, Args], str]
"""What the answer does instead; empty when the clause holds."""

PLAIN_QUOTES = str.maketrans({"\u201c": '"', "\u201d": '"', "\u2018": "'", "\u2019": "'"})
FENCE = re.compile(r"```[A-Za-z]*")
PLACEHOLDER = re.compile(r"\[[^\[\]\n]+\]")
TITLE = re.compile(r"<<(?=[^\n<>]*[^\s<>])[^\n<>]+>>")
SIX_STARS = re.compile(r"\*{6,}")
SPACE = re.compile(r"\s+")
FORMS = {
    "emoji": re.compile("[\U0001f300-\U0001faff\u2600-\u27bf\U0001f1e6-\U0001f1ff]"),
    "bullets": counts.BULLET,
    "markdown": re.compile(
        r"^#{1,6} |\*\*[^*\n]+\*\*|```|^[ \t]*[*+-] \S|\[[^\[\]\n]{1,300}\]\([^)\n]|^\|.+\|", re.MULTILINE
    ),
    "exclamation marks": re.compile("!"),
    "questions": re.compile(r"\?"),
    "links": re.compile(r"https?://|\bwww\.\w|\]\([^)\n]"),
    "tables": re.compile(r"^\s*\|.+\|\s*$", re.MULTILINE),
    "code": re.compile("```"),
}


def verify(clauses: Iterable[Clause], answer: str) -> tuple[Violation, ...]:
    """The clauses about the text that `answer` breaks. Those about tools are `tools.refused`'s."""
    text = answer.strip().translate(PLAIN_QUOTES)
    found = []
    for clause in clauses:
        if (check := CHECKS.get(clause.kind)) and (instead := check(text, clause.args) if text else "nothing was said"):
            found.append(Violation(clause=clause, found=instead))
    return tuple(found)


def whole(args: Args, name: str) -> int:
    """A whole number among the arguments."""
    value = args.get(name, 0)
    return value if isinstance(value, int) else 0


def told(args: Args, name: str) -> str:
    """A text among the arguments, with plain quotes."""
    return str(args.get(name, "")).translate(PLAIN_QUOTES)


def several(args: Args, name: str) -> list[str]:
    """A list among the arguments."""
    value = args.get(name, ())
    return [value] if isinstance(value, str) else [str(each) for each in value] if isinstance(value, Sequence) else []


def limited(count: Callable[[str], tuple[int, ...]], name: str, unit: str) -> Check:
    """A check of a number against its limit."""

    def check(text: str, args: Args) -> str:
        found = count(text)
        relation = str(args.get("relation", Relation.AT_LEAST))
        return "" if counts.holds(found, relation, whole(args, name)) else f"{found[0]} {unit}"

    return check


def paragraphs(text: str, args: Args) -> str:
    """So many paragraphs."""
    found = counts.paragraphs(text, str(args.get("divider", "***")))
    relation = str(args.get("relation", Relation.EXACTLY))
    return "" if counts.holds(found, relation, whole(args, "num_paragraphs")) else f"{found[0]} paragraphs"


def nth_paragraph(text: str, args: Args) -> str:
    """A paragraph's first word."""
    blocks, nth, total = counts.blocks(text), whole(args, "nth_paragraph"), whole(args, "num_paragraphs")
    if total and len(blocks) != total:
        return f"{len(blocks)} paragraphs"
    if not 0 < nth <= len(blocks):
        return f"only {len(blocks)} paragraphs"
    first = blocks[nth - 1].split()[0].strip("\"'*_#.,:;!?()[]<>")
    is_held = first.lower() == told(args, "first_word").strip("\"'").lower()
    return "" if is_held else f"paragraph {nth} begins with {first!r}"


def keywords(text: str, args: Args) -> str:
    """All of these words."""
    missing = [word for word in several(args, "keywords") if not max(counts.occurrences(text, word))]
    return f"without {', '.join(map(repr, missing))}" if missing else ""


def forbidden(text: str, args: Args) -> str:
    """None of these words."""
    used = [word for word in several(args, "forbidden_words") if counts.occurrences(text, word)[0]]
    return f"uses {', '.join(map(repr, used))}" if used else ""


def frequency(text: str, args: Args) -> str:
    """A word so often."""
    word = told(args, "keyword")
    found = counts.occurrences(text, word)
    relation = str(args.get("relation", Relation.AT_LEAST))
    return "" if counts.holds(found, relation, whole(args, "frequency")) else f"{word!r} {found[0]} times"


def letters(text: str, args: Args) -> str:
    """A letter so often."""
    letter = told(args, "letter").lower()
    found = text.lower().count(letter) if letter else 0
    relation = str(args.get("let_relation", Relation.AT_LEAST))
    return "" if counts.holds((found,), relation, whole(args, "let_frequency")) else f"{letter!r} {found} times"


def capital_words(text: str, args: Args) -> str:
    """So many words in capitals."""
    found = counts.capital_words(text)
    relation = str(args.get("capital_relation", Relation.AT_LEAST))
    is_held = counts.holds(found, relation, whole(args, "capital_frequency"))
    return "" if is_held else f"{found[1]} words in capitals"


def language(text: str, args: Args) -> str:
    """All in one language."""
    return refuted(text, told(args, "language"))


def at_least(count: Callable[[str], int], name: str, unit: str) -> Check:
    """A check of a least number."""

    def check(text: str, args: Args) -> str:
        found = count(text)
        return "" if found >= whole(args, name) else f"{found} {unit}"

    return check


def postscript(text: str, args: Args) -> str:
    """A postscript behind the text."""
    letters_only = re.sub(r"[^a-z]", "", told(args, "postscript_marker").lower())
    pattern = r"(?:^|[\s*_(])" + r"\.?\s?".join(letters_only) + r"\b"
    return "" if re.search(pattern, text.lower()) else "no postscript"


def bullets(text: str, args: Args) -> str:
    """So many bullets."""
    found = counts.bullets(text)
    relation = str(args.get("relation", Relation.EXACTLY))
    return "" if counts.holds((found,), relation, whole(args, "num_bullets")) else f"{found} bullets"


def choice(text: str, args: Args) -> str:
    """One of these answers."""
    options = several(args, "options") or ["My answer is yes.", "My answer is no.", "My answer is maybe."]
    given = [option for option in options if counts.occurrences(text, option.rstrip("."))[0]]
    return "" if given else "none of the choices"


def sections(text: str, args: Args) -> str:
    """So many marked sections."""
    mark = re.escape(told(args, "section_spliter"))
    found = len(set(re.findall(rf"(?<!\w){mark}[ \t]*(\d+|[ivx]+\b|[a-z]\b)", text, re.IGNORECASE)))
    return "" if found >= whole(args, "num_sections") else f"{found} marked sections"


def parsed(text: str) -> object:
    """The JSON in an answer, which may stand in a code fence.

    Raises:
        ValueError: it is none.
    """
    fence = FENCE.match(text)
    return json.loads(text[fence.end() :].removesuffix("```") if fence else text)


def as_json(text: str, _args: Args) -> str:
    """JSON and nothing else."""
    try:
        parsed(text)
    except (ValueError, RecursionError):
        return "no valid JSON"
    return ""


def json_schema(text: str, args: Args) -> str:
    """JSON as a schema says."""
    schema = args.get("schema")
    try:
        value = parsed(text)
    except (ValueError, RecursionError):
        return "no valid JSON"
    return "; ".join(faults(value, schema)) if isinstance(schema, Mapping) else ""


def title(text: str, _args: Args) -> str:
    """A title in angular brackets."""
    return "" if TITLE.search(text) else "no <<title>>"


def two_responses(text: str, _args: Args) -> str:
    """Two answers that differ."""
    parts = [part.strip() for part in SIX_STARS.split(text) if part.strip()]
    if len(parts) != 2:
        return f"{len(parts)} answers between ******"
    return "" if parts[0] != parts[1] else "twice the same answer"


def repeat_prompt(text: str, args: Args) -> str:
    """The request first."""
    wanted = SPACE.sub(" ", told(args, "prompt_to_repeat")).strip().lower()
    is_held = SPACE.sub(" ", text).lower().lstrip("\"'> ").startswith(wanted.strip("\"' "))
    return "" if is_held else "the request is not repeated"


def end(text: str, args: Args) -> str:
    """Last words."""
    wanted = told(args, "end_phrase").strip().strip('"').lower()
    return "" if text.rstrip("\"'*_ \n").lower().endswith(wanted.rstrip("\"'*_ \n")) else f"ends with {text[-40:]!r}"


def start(text: str, args: Args) -> str:
    """First words."""
    wanted = told(args, "start_phrase").strip().strip('"').lower()
    return "" if text.lstrip("\"'*_# \n").lower().startswith(wanted.lstrip("\"'*_# ")) else f"begins with {text[:40]!r}"


def quotation(text: str, _args: Args) -> str:
    """All in double quotes."""
    return "" if len(text) > 1 and text[0] == text[-1] == '"' else "no quotation marks around it"


def uppercase(text: str, _args: Args) -> str:
    """No small letters."""
    small = next((word for word in text.split() if any(char.islower() for char in word)), "")
    return f"small letters, as in {small[:30]!r}" if small else refuted(text, "en")


def lowercase(text: str, _args: Args) -> str:
    """No capitals."""
    capital = next((word for word in text.split() if any(char.isupper() for char in word)), "")
    return f"capitals, as in {capital[:30]!r}" if capital else refuted(text, "en")


def no_comma(text: str, _args: Args) -> str:
    """No comma."""
    commas = text.count(",")
    return f"{commas} commas" if commas else ""


def without(text: str, args: Args) -> str:
    """None of a form."""
    what = told(args, "what")
    return f"has {what}" if what in FORMS and FORMS[what].search(text) else ""


CHECKS: Mapping[Kind, Check] = {
    Kind.WORDS: limited(counts.words, "num_words", "words"),
    Kind.SENTENCES: limited(counts.sentences, "num_sentences", "sentences"),
    Kind.CHARACTERS: limited(lambda text: (len(text),), "num_characters", "characters"),
    Kind.LINES: limited(lambda text: (sum(map(bool, map(str.strip, text.splitlines()))),), "num_lines", "lines"),
    Kind.PARAGRAPHS: paragraphs,
    Kind.NTH_PARAGRAPH: nth_paragraph,
    Kind.KEYWORDS: keywords,
    Kind.FORBIDDEN: forbidden,
    Kind.FREQUENCY: frequency,
    Kind.LETTERS: letters,
    Kind.CAPITAL_WORDS: capital_words,
    Kind.LANGUAGE: language,
    Kind.PLACEHOLDERS: at_least(lambda text: len(PLACEHOLDER.findall(text)), "num_placeholders", "placeholders"),
    Kind.HIGHLIGHTS: at_least(counts.highlights, "num_highlights", "highlights"),
    Kind.POSTSCRIPT: postscript,
    Kind.BULLETS: bullets,
    Kind.CHOICE: choice,
    Kind.SECTIONS: sections,
    Kind.JSON: as_json,
    Kind.JSON_SCHEMA: json_schema,
    Kind.TITLE: title,
    Kind.TWO_RESPONSES: two_responses,
    Kind.REPEAT_PROMPT: repeat_prompt,
    Kind.END: end,
    Kind.START: start,
    Kind.QUOTATION: quotation,
    Kind.UPPERCASE: uppercase,
    Kind.LOWERCASE: lowercase,
    Kind.NO_COMMA: no_comma,
    Kind.WITHOUT: without,
}


def described(clause: Clause) -> str:
    """A clause for people and models: `less than 300 words`."""
    args = clause.args
    if clause.kind is Kind.LANGUAGE:
        return f"in {NAMES.get(told(args, 'language'), told(args, 'language'))} only"
    if clause.kind is Kind.TOOL_NEVER:
        return f"never calls {told(args, 'tool')} {told(args, 'value')}".replace("calls * ", "touches ").rstrip()
    template = WORDING.get(clause.kind, clause.kind.value)
    values = {
        name: ", ".join(several(args, name)) if isinstance(value, Sequence) else value for name, value in args.items()
    }
    return template.format_map({"relation": Relation.EXACTLY.value} | values)


WORDING: Mapping[Kind, str] = {
    Kind.WORDS: "{relation} {num_words} words",
    Kind.SENTENCES: "{relation} {num_sentences} sentences",
    Kind.CHARACTERS: "{relation} {num_characters} characters",
    Kind.LINES: "{relation} {num_lines} lines",
    Kind.PARAGRAPHS: "{relation} {num_paragraphs} paragraphs",
    Kind.NTH_PARAGRAPH: "paragraph {nth_paragraph} begins with the word {first_word!r}",
    Kind.KEYWORDS: "with the words {keywords}",
    Kind.FORBIDDEN: "without the words {forbidden_words}",
    Kind.FREQUENCY: "the word {keyword!r} {relation} {frequency} times",
    Kind.LETTERS: "the letter {letter!r} {let_relation} {let_frequency} times",
    Kind.CAPITAL_WORDS: "{capital_relation} {capital_frequency} words in capitals",
    Kind.PLACEHOLDERS: "at least {num_placeholders} placeholders in square brackets",
    Kind.HIGHLIGHTS: "at least {num_highlights} *highlighted* parts",
    Kind.POSTSCRIPT: "with a postscript that begins with {postscript_marker}",
    Kind.BULLETS: "{relation} {num_bullets} bullet points",
    Kind.CHOICE: "one of these answers: {options}",
    Kind.SECTIONS: "{num_sections} sections marked {section_spliter} 1, 2, ...",
    Kind.JSON: "valid JSON and nothing else",
    Kind.JSON_SCHEMA: "JSON that fits the schema",
    Kind.TITLE: "with a title in <<double angular brackets>>",
    Kind.TWO_RESPONSES: "two different answers with ****** between them",
    Kind.REPEAT_PROMPT: "the request first, word for word",
    Kind.END: "ends with {end_phrase!r} and nothing after it",
    Kind.START: "begins with {start_phrase!r}",
    Kind.QUOTATION: "all of it in double quotation marks",
    Kind.UPPERCASE: "in English and capital letters only",
    Kind.LOWERCASE: "in English and small letters only",
    Kind.NO_COMMA: "without commas",
    Kind.WITHOUT: "without {what}",
    Kind.TOOL_ARGUMENTS: "arguments of {tool} as its schema says",
}
