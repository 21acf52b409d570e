"""The three encodings inside a git patch: quoted names, base85 lines, the head of a binary delta. Pure.

Written here because git has no command that decodes them without applying the patch.
"""

from __future__ import annotations

import base64
import re
import zlib

_ESCAPES = {"a": 7, "b": 8, "t": 9, "n": 10, "v": 11, "f": 12, "r": 13, '"': 34, "\\": 92}
_QUOTED = re.compile(r'"((?:[^"\\]|\\[0-3][0-7]{2}|\\[abtnvfr"\\])*)"')
_PIECE = re.compile(r'([^"\\]+)|\\([0-3][0-7]{2})|\\(.)')


def unquote(name: str) -> str:
    """A name as git means it: plain, or C escapes between double quotes. Raises `ValueError` when they do not match."""
    if not name.startswith('"'):
        return name
    body = _QUOTED.fullmatch(name)
    if body is None:
        raise ValueError(name)
    out = bytearray()
    for plain, octal, letter in _PIECE.findall(body[1]):
        if plain:
            out += plain.encode("utf-8", "surrogateescape")
        else:
            out.append(int(octal, 8) if octal else _ESCAPES[letter])
    return out.decode("utf-8", "surrogateescape")


def unpack_line(line: str) -> bytes:
    """The bytes of one base85 line: a letter for their number, then five characters for each four."""
    return base64.b85decode(line[1:].encode("ascii"))


def delta_sizes(packed: bytes) -> tuple[int, int]:
    """Bytes of the file before and after a delta whose compressed form starts with `packed`.

    A delta of 100 bytes can build a file of gigabytes: these numbers are known before git allocates it.
    What cannot be unpacked counts as nothing; git refuses it.
    """
    try:
        plain = zlib.decompressobj().decompress(packed, 32)
    except zlib.error:
        return 0, 0
    sizes, shift = [0], 0
    for byte in plain:
        sizes[-1] |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            sizes.append(0)
            shift = 0
    return (sizes[0], sizes[1]) if len(sizes) > 2 else (0, 0)
