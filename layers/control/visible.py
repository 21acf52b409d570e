"""Text made visible: whatever cannot be seen, or can be taken for something else, becomes an escape. Reversible, pure.

Escaped are control, format and other invisible characters; odd spaces, and runs of spaces that could push the rest out
of sight; letters that pass for Latin ones; marks on top of ASCII; right-to-left letters beside left-to-right ones.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

INVISIBLE_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Drawn as nothing although their category says that they are letters or marks (Unicode's Default_Ignorable)."""
ESCAPES = {"\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "`": "\\x60", '"': '\\"'}
NARROW = re.compile(" {8,}")
"""So many spaces are no word break."""
ODD_LATIN = re.compile(
    "[\u0131\u01c0-\u01c3\u0237\u0250-\u02ff\u1d00-\u1dbf\u1e9f\u2c60-\u2c7f\ua720-\ua7ff\uab30-\uab6f]"
)
"""Phonetic and dotless letters: Latin by name, and mostly drawn like plain ones."""
ODD_PUNCTUATION = re.compile(
    "[\u00b4\u00b7\u02b0-\u02ff\u055a\u0589\u05c3\u05f3\u05f4\u066a-\u066d\u06d4\u2010-\u201f\u2022-\u2024\u2027"
    "\u2032-\u203a\u2041-\u2044\u204e\u204f\u2052-\u2055\u2212\u2215-\u2219\u2223\u2236\u223c\u2758\u27cb\u27cd"
    "\u29f5\u29f8\u29f9\u2e12-\u2e1b\u2e3a\u2e3b\u3003\u3014\u3015\ua4f8-\ua4ff\ua789\ua78c]"
)
"""Drawn like a dash, a slash, a quote, a colon or a dot."""
TYPOGRAPHY = frozenset("–—‘’“”„…•·")
"""What people mean in prose."""
UNLIKE_LATIN = {"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL", "BOPOMOFO", "LATIN", "ORDINAL", "MICRO"}
"""What may stand in one word with Latin letters: nobody takes it for one."""
LOOKALIKES = frozenset(
    "аеорсухіјѕһԁԛԝԍьвкмнтгпѵѡАВЕКМНОРСТУХІЈЅԌԚԜѴҮүӀ"  # Cyrillic
    "αορνικτυχϲϳΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹ"  # Greek
    "օսհոռցզաԱՍՏՕ"  # Armenian
    "ᎠᎡᎢᎥᎩᎪᎫᎬᎳᎵᎷᎻᏀᏂᏃᏏᏒᏔᏚᏞᏟᏢᏦᏧ"  # Cherokee
    "ⲀⲂⲈⲎⲒⲔⲘⲚⲞⲢⲤⲦⲨⲬⲟⲣⲥ"  # Coptic
)
"""A word of these alone passes for a Latin word."""


def visible(text: str, *, is_prose: bool = False) -> str:
    """`text` with an escape for all that cannot be seen, could end a quote, or passes for something else."""
    odd = set() if text.isascii() else set(suspicious(text, is_prose=is_prose))
    for run in NARROW.finditer(text):
        odd.update(range(*run.span()))
    return "".join(code(character) if at in odd else escape(character) for at, character in enumerate(text))


def visible_lines(text: str) -> str:
    """Like `visible` of prose, but lines stay lines and what is only a quote or a backslash stays as it is."""
    return "\n".join(visible_line(line) for line in text.split("\n"))


def visible_line(line: str) -> str:
    """One line of what a program wrote."""
    odd = set() if line.isascii() else set(suspicious(line, is_prose=True))
    kept = {"\t", '"', "\\"}
    return "".join(
        code(character) if at in odd else character if character in kept else escape(character)
        for at, character in enumerate(line)
    )


def escape(character: str) -> str:
    """One character, visibly."""
    if character in ESCAPES:
        return ESCAPES[character]
    if " " <= character <= "~":
        return character
    category = unicodedata.category(character)
    if category in INVISIBLE_CATEGORIES or category == "Zs" or INVISIBLE.match(character):
        return code(character)
    return character


def code(character: str) -> str:
    """A character by its number: `\\u{202e}`."""
    return f"\\u{{{ord(character):x}}}"


def quote(text: str, *, is_prose: bool = False) -> str:
    """One value on one line."""
    return f'"{visible(text, is_prose=is_prose)}"'


def quote_lines(text: str) -> list[str]:
    """One value, a line of its own for each of its lines; together they are exactly the value."""
    return [quote(line) for line in text.splitlines(keepends=True)] or ['""']


def suspicious(text: str, *, is_prose: bool) -> Iterator[int]:
    """Where in `text` a character stands that passes for another."""
    for at, character in enumerate(text):
        is_mark = unicodedata.category(character).startswith("M") and (at == 0 or is_latin(text[at - 1]))
        if is_mark or (not character.isascii() and is_odd(character, is_prose=is_prose)):
            yield at
    for word in re.finditer(r"[^\W\d_]+", text):
        yield from (word.start() + at for at in strange_letters(word.group()))
    directions = [unicodedata.bidirectional(character) for character in text]
    if {"L", "EN"} & set(directions):
        yield from (at for at, direction in enumerate(directions) if direction in ("R", "AL"))


def is_odd(character: str, *, is_prose: bool) -> bool:
    """Whether this one passes for an ASCII character wherever it stands."""
    plain = unicodedata.normalize("NFKC", character)
    if plain.isascii() and (len(plain) == 1 or plain.isalnum()):
        return True
    if unicodedata.category(character) == "Nd" or ODD_LATIN.match(character):
        return True
    return ODD_PUNCTUATION.match(character) is not None and not (is_prose and character in TYPOGRAPHY)


def is_latin(character: str) -> bool:
    """Whether a mark on it would make another letter of it."""
    return character.isascii() or script(character) == "LATIN" or unicodedata.category(character).startswith("M")


def strange_letters(word: str) -> Iterator[int]:
    """Where in a word the letters of another script stand that mix with Latin ones, or pass for them all together."""
    scripts = [script(letter) for letter in word]
    if "LATIN" in scripts:
        yield from (at for at, name in enumerate(scripts) if name not in UNLIKE_LATIN)
    elif all(letter in LOOKALIKES for letter in word):
        yield from range(len(word))


def script(letter: str) -> str:
    """The first word of its name, which for a letter is its script."""
    return unicodedata.name(letter, "?").split(" ")[0]
