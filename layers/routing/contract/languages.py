"""Which language a text is in, as far as its letters and small words tell. Text in; whether a claim is refuted out."""

from __future__ import annotations

import re

CODES = {
    "english": "en", "german": "de", "french": "fr", "spanish": "es", "italian": "it", "portuguese": "pt",
    "dutch": "nl", "swahili": "sw", "finnish": "fi", "vietnamese": "vi",
    "swedish": "sv", "danish": "da", "norwegian": "no",
    "polish": "pl", "czech": "cs", "turkish": "tr", "indonesian": "id", "hungarian": "hu", "romanian": "ro",
    "croatian": "hr", "russian": "ru", "bulgarian": "bg", "ukrainian": "uk", "serbian": "sr", "greek": "el",
    "arabic": "ar", "persian": "fa", "farsi": "fa", "urdu": "ur", "hebrew": "he", "hindi": "hi", "marathi": "mr",
    "nepali": "ne", "bengali": "bn", "bangla": "bn", "punjabi": "pa", "gujarati": "gu", "tamil": "ta", "telugu": "te",
    "kannada": "kn", "malayalam": "ml", "thai": "th", "korean": "ko", "japanese": "ja", "chinese": "zh",
    "mandarin": "zh",
}  # fmt: skip
"""A language's English name -> ISO 639-1."""

SCRIPTS = {
    "latin": re.compile("[A-Za-z\u00c0-\u024f\u1e00-\u1eff]"),
    "greek": re.compile("[\u0370-\u03ff\u1f00-\u1fff]"),
    "cyrillic": re.compile("[\u0400-\u04ff]"),
    "hebrew": re.compile("[\u0590-\u05ff]"),
    "arabic": re.compile("[\u0600-\u06ff\u0750-\u077f]"),
    "devanagari": re.compile("[\u0900-\u097f]"),
    "bengali": re.compile("[\u0980-\u09ff]"),
    "gurmukhi": re.compile("[\u0a00-\u0a7f]"),
    "gujarati": re.compile("[\u0a80-\u0aff]"),
    "tamil": re.compile("[\u0b80-\u0bff]"),
    "telugu": re.compile("[\u0c00-\u0c7f]"),
    "kannada": re.compile("[\u0c80-\u0cff]"),
    "malayalam": re.compile("[\u0d00-\u0d7f]"),
    "thai": re.compile("[\u0e00-\u0e7f]"),
    "hangul": re.compile("[\u1100-\u11ff\uac00-\ud7af]"),
    "kana": re.compile("[\u3040-\u30ff]"),
    "han": re.compile("[\u4e00-\u9fff]"),
}
WRITTEN_IN = {
    "el": "greek", "ru": "cyrillic", "bg": "cyrillic", "uk": "cyrillic", "he": "hebrew", "ar": "arabic",
    "fa": "arabic", "ur": "arabic", "hi": "devanagari", "mr": "devanagari", "ne": "devanagari", "bn": "bengali",
    "pa": "gurmukhi", "gu": "gujarati", "ta": "tamil", "te": "telugu", "kn": "kannada", "ml": "malayalam", "th": "thai",
    "ko": "hangul",
}  # fmt: skip
"""Every other one: Latin letters, but for Chinese, Japanese (Han and kana) and Serbian (both alphabets)."""

SMALL_WORDS = {
    code: frozenset(words.split())
    for code, words in {
        "en": "the of and to in is that it for you with are this was be on as have not your from they we but or by an",
        "de": "der die das und ist nicht ein eine zu mit den von ich sie auf für im dem es sich auch wir werden sind",
        "fr": "le la les des et est un une dans pour que qui vous nous pas sur avec ce il elle au du ne plus sont",
        "es": "el la los las de y que en un una es por con para no se su del al lo como más pero está son",
        "it": "il la di e che è un una per non con sono del della gli le si in come più anche ma nel questo",
        "pt": "o a os as de e que em um uma é por com para não se do da no na mais como mas são você ao",
        "nl": "de het een en van is dat niet op te zijn voor met die in je ik aan ook maar er bij wordt",
        "sw": "na ya wa kwa ni katika za la kuwa hii cha hiyo kama yake lakini watu ambayo pia au sana si",
        "fi": "ja on ei se että oli hän mutta ovat kuin myös tai voi niin kun joka sen ole jos tämä",
        "vi": "và của là có không được cho một những trong các người với này đã để khi tôi bạn đến",
        "sv": "och att det som en på är av för med till den inte om ett har jag du kan vi de",
        "da": "og at det som en på er af for med til den ikke der et har jeg du kan vi de i",
        "no": "og å det som en på er av for med til den ikke et har jeg du kan vi de i",
        "pl": "i w nie na się z do jest to że jak o co ale po od przez są dla jako",
        "cs": "a se v na je že to s z do o k ale jako za by pro jsou které není",
        "tr": "ve bir bu için da de ile çok olarak daha gibi ne var en olan değil ama kadar sonra",
        "id": "yang dan di untuk dengan ini itu dari dalam tidak akan pada adalah ke juga saya anda kami bisa",
        "hu": "a az és hogy nem egy is van ez meg csak de mint ha volt már még vagy azt",
        "ro": "și de la în a cu o pe nu care este să un din pentru mai ca sunt dar au",
        "hr": "i u je na se da za su od s ne što kao ali o to koji iz ili bi",
    }.items()
}
ALIEN = {
    "ar": re.compile("[\u067e\u0686\u0698\u06af\u06cc\u0679\u0688\u0691\u06ba\u06d2]"),
    "fa": re.compile("[\u0679\u0688\u0691\u06ba\u06d2\u064a\u0629]"),
    "ur": re.compile("[\u064a\u0629\u0643]"),
    "ru": re.compile("[\u0456\u0457\u0454\u0491\u0458\u0459\u045a\u045b\u0452\u045f]"),
    "bg": re.compile("[\u044b\u044d\u0451\u0456\u0457\u0454\u0491\u0458\u0459\u045a\u045b\u0452]"),
    "uk": re.compile("[\u044b\u044d\u0451\u044a\u0458\u0459\u045a\u045b\u0452]"),
}
"""Letters that a language's own alphabet lacks and its neighbours' use."""
DEVANAGARI_WORDS = {
    code: frozenset(words.split())
    for code, words in {
        "hi": "है हैं में के की का को से और पर यह वह नहीं हो था थी ने भी लिए एक",
        "mr": "आहे आहेत आणि हे ही तो ती ते नाही मी या च्या मध्ये होते होता साठी काय करा तुम्ही आपण",
        "ne": "छ छन् हो र मा लाई यो त्यो गर्न भएको हुन्छ तपाईं पनि छैन थियो गर्नुहोस् को का हामी",
    }.items()
}
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
DEVANAGARI_WORD = re.compile("[\u0900-\u097f]+")
SAMPLE, FEWEST_LETTERS, FEWEST_WORDS = 3000, 12, 6
"""Characters that are looked at; with fewer letters or words than these nothing is claimed."""


def refuted(text: str, code: str) -> str:
    """The language or script that `text` plainly is in instead of `code`; empty where it may be in `code`."""
    text = text[:SAMPLE]
    counts = {name: len(pattern.findall(text)) for name, pattern in SCRIPTS.items()}
    total = sum(counts.values())
    if total < FEWEST_LETTERS:
        return ""
    right = _in_script(counts, code)
    if right < 0.6 * total:
        return f"{max(counts, key=counts.__getitem__)} letters"
    if (alien := ALIEN.get(code)) and len(alien.findall(text)) > 0.01 * total:
        return "letters of a neighbouring language"
    if code in DEVANAGARI_WORDS:
        return _other(DEVANAGARI_WORD.findall(text), DEVANAGARI_WORDS, code)
    if code in SMALL_WORDS:
        return _other(WORD.findall(text.lower()), SMALL_WORDS, code)
    return ""


def _in_script(counts: dict[str, int], code: str) -> int:
    """How many letters are of the script that `code` is written in."""
    if code == "ja":
        return counts["kana"] + counts["han"] if counts["kana"] else 0
    if code == "zh":
        return counts["han"] if counts["kana"] <= 0.1 * counts["han"] else 0
    if code == "sr":
        return counts["latin"] + counts["cyrillic"]
    return counts[WRITTEN_IN.get(code, "latin")]


def _other(words: list[str], known: dict[str, frozenset[str]], code: str) -> str:
    """The language whose small words prevail, where they do so plainly."""
    if len(words) < FEWEST_WORDS:
        return ""
    hits = {other: sum(word in small for word in words) for other, small in known.items()}
    best = max(hits, key=hits.__getitem__)
    is_plain = hits[best] >= max(3, 0.12 * len(words)) and hits[best] > 1.7 * hits[code]
    return NAMES.get(best, best) if best != code and is_plain else ""


NAMES = {code: name.capitalize() for name, code in CODES.items()}
