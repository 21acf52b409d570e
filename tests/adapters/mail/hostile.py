"""Mails that nobody sends by accident, by name."""

from __future__ import annotations

import base64
import zlib


def nested(depth: int) -> bytes:
    """Multiparts within each other, with a text in the innermost."""
    head = b"From: eve@example.test\r\nMessage-ID: <deep@eve>\r\nMIME-Version: 1.0\r\n"
    opened = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(depth))
    closed = b"".join(b"\r\n--b%d--\r\n" % n for n in reversed(range(depth)))
    return head + opened + b"Content-Type: text/plain\r\n\r\ninnermost words\r\n" + closed


def with_header(name: bytes, value: bytes, body: bytes = b"words\r\n") -> bytes:
    """An ordinary mail with one odd header."""
    head = b"" if name.lower() == b"from" else b"From: Eve <eve@example.test>\r\n"
    return head + b"Message-ID: <odd@eve>\r\n" + name + b": " + value + b"\r\n\r\n" + body


def html(body: bytes) -> bytes:
    """A mail that is HTML and nothing else."""
    return with_header(b"Content-Type", b"text/html; charset=utf-8", body)


def mixed(*parts: bytes) -> bytes:
    """A multipart of whole parts."""
    inside = b"".join(b"--frontier\r\n" + part + b"\r\n" for part in parts)
    return with_header(b"Content-Type", b"multipart/mixed; boundary=frontier", inside + b"--frontier--\r\n")


BOMB = base64.encodebytes(zlib.compress(b"0" * 1_000_000))

HOSTILE: dict[str, bytes] = {
    "nothing": b"",
    "a newline": b"\n",
    "no header": b"\r\n\r\nwords\r\n",
    "zeros": b"\0" * 5000,
    "400 levels": nested(400),
    "20 levels": nested(20),
    "3000 mails in mails": b"From: eve@example.test\r\n" + b"Content-Type: message/rfc822\r\n\r\n" * 3000 + b"words",
    "many parts": mixed(*[b"Content-Type: text/plain\r\n\r\nx"] * 3000),
    "many files": mixed(*[b"Content-Type: image/png; name=a.png\r\n\r\nx"] * 300),
    "unknown charset": with_header(b"Content-Type", b"text/plain; charset=klingon", b"words \xff"),
    "charset of bytes": with_header(b"Content-Type", b"text/plain; charset=zlib", zlib.compress(b"words" * 1000)),
    "punycode": with_header(b"Content-Type", b"text/plain; charset=punycode", b"words-" + b"a" * 100_000),
    "charset of a novel": with_header(b"Content-Type", b'text/plain; charset="' + b"a" * 1900 + b'"'),
    "utf-7": with_header(b"Content-Type", b"text/plain; charset=utf-7", b"+ADw-script+AD4-words"),
    "broken base64": with_header(b"Content-Transfer-Encoding", b"base64", b"====words=="),
    "unknown encoding": with_header(b"Content-Transfer-Encoding", b"x-uuencode-but-not", b"words"),
    "uuencode": with_header(b"Content-Transfer-Encoding", b"uuencode", b"begin 644 \n\xff\xff\nend"),
    "boundary of spaces": with_header(b"Content-Type", b'multipart/mixed; boundary="   "', b"--   \r\nwords"),
    "no boundary": with_header(b"Content-Type", b"multipart/mixed", b"words"),
    "boundary that never comes": with_header(b"Content-Type", b"multipart/mixed; boundary=x", b"words"),
    "long parameter": with_header(b"Content-Type", b'text/plain; name="' + b";" * 200_000 + b'"'),
    "many parameters": with_header(b"Content-Type", b"text/plain" + b"; a*0=b" * 30_000),
    "brackets in From": with_header(b"From", b"(" * 900 + b"eve@example.test"),
    "long From": with_header(b"From", b"<" * 100_000),
    "two authors": with_header(b"From", b"eve@example.test, owner@example.test"),
    "two From": b"From: eve@example.test\r\nFrom: owner@example.test\r\n\r\nwords",
    "From in a name": with_header(b"From", b'"owner@example.test" <eve@example.test>'),
    "From of bytes": with_header(b"From", b"\xff\xfe <eve@example.test>"),
    "group": with_header(b"From", b"undisclosed-recipients:;"),
    "colon in the local part": with_header(b"From", b'"a:b"@example.test'),
    "newline in an encoded subject": with_header(b"Subject", b"=?utf-8?q?a=0D=0ABcc:_all=40example.test?="),
    "encoded word of nothing": with_header(b"Subject", b"=?=?=?utf-8?b??=?=" * 100),
    "encoded word of another world": with_header(b"Subject", b"=?klingon?b?////?="),
    "long subject": with_header(b"Subject", b"a" * 500_000),
    "many headers": b"".join(b"X-%d: y\r\n" % n for n in range(50_000)) + b"\r\nwords",
    "header without end": b"Subject: " + b"a" * 5_000_000,
    "many references": with_header(b"References", b" ".join(b"<%d@eve>" % n for n in range(5000))),
    "id without end": with_header(b"References", b"<" * 100_000),
    "date of another age": with_header(b"Date", b"Fri, 99 Xyz 99999 99:99:99 +9999"),
    "date before everything": with_header(b"Date", b"Mon, 01 Jan 0001 00:00:00 +1400"),
    "date of a novel": with_header(b"Date", b"1" * 100_000),
    "deep divs": html(b"<div>" * 100_000 + b"words"),
    "deep lists": html(b"<ul><li>" * 60_000 + b"words"),
    "comments": html(b"<!--" * 100_000 + b"words"),
    "entities": html(b"&" * 300_000),
    "a script": html(b"<script>alert(1)</script><style>p{}</style>words<img src=x onerror=alert(1)>"),
    "one long line": with_header(b"X-A", b"b", b"a" * 3_000_000),
    "newlines": with_header(b"X-A", b"b", b"\n" * 1_000_000),
    "quotes": with_header(b"X-A", b"b", b">" * 200_000),
    "quoted lines": with_header(b"X-A", b"b", b"> a\n" * 100_000),
    "bomb": mixed(b"Content-Type: application/zip; name=a.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n" + BOMB),
    "file called up": mixed(b'Content-Type: text/x-c; name="../../etc/passwd"\r\n\r\nx'),
    "file called nothing": mixed(b"Content-Disposition: attachment; filename*=utf-8''%00%0a%2f\r\n\r\nx"),
    "files within mails": mixed(b"Content-Type: message/rfc822\r\n\r\nFrom: (\r\nContent-Type: a\r\n\r\nx"),
    "report of nothing": with_header(b"Content-Type", b"multipart/report; report-type=delivery-status; boundary=b"),
    "surrogates": with_header(b"Subject", b"=?utf-8?b?7aCA?=", b"\xed\xa0\x80"),
    "flowed": with_header(b"Content-Type", b"text/plain; format=flowed", b"> " * 10_000 + b"a \n" * 100_000),
}
