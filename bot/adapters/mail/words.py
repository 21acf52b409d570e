"""A mail's body -> what the person wrote. Pure; any text in, never more text out than came in.

HTML is read by selectolax (lexbor, MIT): the standard library's HTMLParser took 33 s for 200 kB of `<!--`; inscriptis
drops whatever lies deeper than 256 elements and makes 1 MB of ten elements with a wide padding; html2text is GPL.
Quoted history and signatures are trimmed by the few rules below: mail-parser-reply, the library for it, needed 121 s
for 20,000 empty lines and takes a list of bullets for a signature. A rule that is not sure leaves the text alone.
"""

from __future__ import annotations

import re
from html import unescape

from selectolax.lexbor import LexborHTMLParser, LexborNode

HTML_CHARS = 500_000
DEEPEST = 1500
"""Elements within each other: lexbor looks through all that are open at each new one (40,000 took 4 s)."""
TAG = re.compile(r"<(/?)[a-zA-Z]")
WHOLE_TAG = re.compile(r"<[^<>]{0,500}>")
UNSEEN = frozenset(("head", "style", "script", "title", "template", "noscript", "object", "svg", "math", "iframe"))
BLOCKS = frozenset(
    (
        *("address", "article", "aside", "blockquote", "body", "center", "dd", "div", "dl", "dt", "fieldset"),
        *("figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "html", "li"),
        *("main", "nav", "ol", "p", "pre", "section", "table", "tbody", "tfoot", "thead", "tr", "ul"),
    )
)
APART = frozenset(("blockquote", "dl", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "pre", "table", "ul"))
"""Blocks with an empty line around them."""
QUOTES = (
    'blockquote[type="cite"], .gmail_quote, .gmail_quote_container, .yahoo_quoted, .moz-cite-prefix, #divRplyFwdMsg'
)
AFTER = "#divRplyFwdMsg, #appendonsend, #mail-editor-reference-message-container, .gmail_quote_container"
"""Outlook puts the history behind such a mark and not into it."""


def html_to_text(html: str) -> str:
    """The words of an HTML mail, with its paragraphs, lists and links, and without the history it quotes."""
    html = html[:HTML_CHARS]
    if depth(html) > DEEPEST:  # nobody wrote that: its words without any order
        return " ".join(unescape(WHOLE_TAG.sub(" ", html)).split())
    tree = LexborHTMLParser(html)
    text = laid_out(without_history(tree)) if tree.css_first(QUOTES) is not None else ""
    return text or laid_out(LexborHTMLParser(html))


def depth(html: str) -> int:
    """At most how many elements are open at once."""
    level = deepest = 0
    for found in TAG.finditer(html):
        level = max(0, level - 1) if found[1] else level + 1
        deepest = max(deepest, level)
    return deepest


def without_history(tree: LexborHTMLParser) -> LexborHTMLParser:
    """The tree without what mail programs mark as quoted."""
    for mark in tree.css(AFTER):
        while (after := mark.next) is not None:
            after.decompose()
    for quote in tree.css(QUOTES):
        quote.decompose()
    return tree


def laid_out(tree: LexborHTMLParser) -> str:
    """The text nodes in lines."""
    pieces: list[str] = []
    node, is_down = tree.root, True
    while node is not None:  # by hand: recursion ends at a thousand levels
        if is_down and node.tag not in UNSEEN:
            pieces.append(opening(node))
            if node.first_child is not None:
                node = node.first_child
                continue
        if node.tag not in UNSEEN:
            pieces.append(closing(node))
        if node.next is not None:
            node, is_down = node.next, True
        else:
            node, is_down = node.parent, False
    lines = [re.sub(r"[ \t\xa0]+", " ", line).strip() for line in "".join(pieces).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def opening(node: LexborNode) -> str:
    """What an element, or a text, begins with."""
    tag = node.tag or ""
    if tag == "-text":
        text = node.text_content or ""
        is_pre = node.parent is not None and node.parent.tag in ("pre", "code", "textarea")
        return text if is_pre else re.sub(r"\s+", " ", text)
    if tag == "br":
        return "\n"
    if tag == "hr":
        return "\n---\n"
    if tag == "li":
        return "\n- "
    if tag == "img":
        alt = " ".join((node.attributes.get("alt") or "").split())
        return f"[{alt}]" if alt else ""
    return "\n\n" if tag in APART else "\n" if tag in BLOCKS else ""


def closing(node: LexborNode) -> str:
    """What an element ends with. A link's target stays visible."""
    tag = node.tag or ""
    if tag == "a":
        target = (node.attributes.get("href") or "").strip()
        is_web = target.startswith(("https://", "http://")) and len(target) <= 500
        return f" ({target})" if is_web and target.rstrip("/") not in (node.text() or "") else ""
    if tag in ("td", "th"):
        return " "
    if tag == "li":
        return ""
    return "\n\n" if tag in APART else "\n" if tag in BLOCKS else ""


# --- plain text ------------------------------------------------------------------------------------------------------

ORIGINAL = re.compile(r"^\s*[-_]{3,}\s?[^\s\-_][^\n]{2,60}[^\s\-_]\s?[-_]{3,}\s*$")
"""`----- Original Message -----`, in any language."""
SENDER_FIELD = re.compile(
    r"^\s*\*?(From|Von|De|Da|Van|Från|Fra|Od|Lähettäjä|От|发件人|寄件者|差出人|보낸 사람)\s?:\*?\s", re.IGNORECASE
)
FIELD = re.compile(r"^\s*\*?[^\W\d_][^:\n]{0,24}\s?:\*?(\s|$)")
WHEN = re.compile(r"\d{1,2}[:.h]\d\d|\d{4}")
SIGNATURE = re.compile(r"^--\s?$")
SIGNATURE_LINES = 15
FROM_PHONE = re.compile(
    r"^(Sent from (my|Outlook|Mail|Yahoo|Proton)|Get Outlook for|Von meinem .{1,40} gesendet|Gesendet (von|mit|aus)"
    r"|Envoyé (de|depuis) |Inviato da|Enviado (desde|do) |Verzonden vanaf|Wysłane z)[^\n]{0,80}$",
    re.I,
)


def what_was_written(text: str) -> str:
    """The text without the history below (or above) it and without the signature; all of it where nothing would stay.

    Quotes with answers between them stay: there the quote is what the answer means.
    """
    lines = text.split("\n")
    for trim in (without_original, without_quote_below, without_quote_above, without_signature):
        shorter = trim(lines)
        if any(line.strip() for line in shorter):
            lines = shorter
    return "\n".join(lines).strip()


def without_original(lines: list[str]) -> list[str]:
    """Without what follows `--- Original Message ---` or a block of header lines as Outlook makes it."""
    for n, line in enumerate(lines):
        if ORIGINAL.match(line) and any(FIELD.match(each) for each in lines[n + 1 : n + 4]):
            return lines[:n]
        if SENDER_FIELD.match(line) and sum(FIELD.match(each) is not None for each in lines[n : n + 6]) >= 3:
            return lines[: n - 1] if n and not lines[n - 1].strip(" _-") else lines[:n]
    return lines


def is_quote(line: str) -> bool:
    """Whether a line is quoted."""
    return line.startswith(">")


def without_quote_below(lines: list[str]) -> list[str]:
    """Without a quote at the end, and the line that says whose words those are."""
    end = len(lines)
    while end and (is_quote(lines[end - 1]) or not lines[end - 1].strip()):
        end -= 1
    if not any(is_quote(line) for line in lines[end:]):
        return lines
    return lines[: attribution(lines, end)]


def without_quote_above(lines: list[str]) -> list[str]:
    """Without a quote at the beginning, where it is the only one: somebody who writes below it."""
    start = next((n for n, line in enumerate(lines) if is_quote(line)), len(lines))
    end = start
    while end < len(lines) and (is_quote(lines[end]) or not lines[end].strip()):
        end += 1
    is_first = not any(line.strip() for line in lines[: attribution(lines, start)])
    return lines[end:] if is_first and not any(is_quote(line) for line in lines[end:]) else lines


def attribution(lines: list[str], end: int) -> int:
    """Where the one to three lines before `end` begin that say `On Monday Anna wrote:`; `end` where there are none.

    In every language they end with a colon and name a time or an address.
    """
    while end and not lines[end - 1].strip():
        end -= 1
    by_address = end
    for n in range(end - 1, max(-1, end - 4), -1):
        said = " ".join(lines[n:end]).strip()
        if not lines[n].strip() or not said.endswith((":", "：")) or len(said) > 400:
            break
        if WHEN.search(said):
            return n
        by_address = n if "@" in said and by_address == end else by_address
    return by_address


def without_signature(lines: list[str]) -> list[str]:
    """Without a signature: behind `-- ` as RFC 3676 has it, or the advertisement of a phone in the last line."""
    for n in range(max(0, len(lines) - SIGNATURE_LINES), len(lines)):
        is_patch = any(line.startswith(("+", "-", "@@")) for line in lines[n + 1 :])
        if SIGNATURE.match(lines[n]) and not is_patch:  # in a diff `-- ` is a removed line
            return lines[:n]
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    return lines[: end - 1] if end and FROM_PHONE.match(lines[end - 1].strip()) else lines


def unflowed(text: str, *, deletes_space: bool) -> str:
    """`format=flowed` (RFC 3676): a line that ends in a space goes on in the next one of the same depth of quoting."""
    joined: list[str] = []
    goes_on = False
    for line in text.split("\n"):
        marks = len(line) - len(line.lstrip(">"))
        bare = line[marks:].removeprefix(" ") if marks or line.startswith(" ") else line
        is_signature = bare == "-- "
        if goes_on and joined and not is_signature and quoted(joined[-1]) == marks:
            joined[-1] += bare
        else:
            joined.append(f"{'>' * marks} {bare}" if marks else bare)
        goes_on = bare.endswith(" ") and not is_signature
        if goes_on and deletes_space:
            joined[-1] = joined[-1][:-1]
    return "\n".join(joined)


def quoted(line: str) -> int:
    """How deep a line is quoted."""
    return len(line) - len(line.lstrip(">"))
