"""The encoding of a recording's text, judged once for the whole file.

Recorders write names in whatever their maker's computers used, and no file says which. UTF-8 and UTF-16 can be
recognised for certain; of the others the one is taken whose reading looks most like words.
"""

from __future__ import annotations

import re
import unicodedata
from codecs import getincrementaldecoder
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

ENCODINGS = ("cp1252", "gb18030", "cp1251", "shift_jis", "cp1250", "cp850", "cp866", "euc_kr", "big5", "latin-1")
"""Encodings of old files: those judged, and those in which a name is looked for."""

_BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_SEARCHED_BYTES = 4 << 20
_JUDGED_BYTES = 1 << 16
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
_WORD = re.compile(r"[^\W\d_]+")
_MICRO = re.compile("[µμ][AVsWF]s?")
"""A unit that begins with micro, of which one-byte encodings of other letters make a word such as ÁA."""
_COMMON_LATIN = frozenset("àáâãäåæçèéêëìíîïñòóôõöøùúûüýÿßœšžłńśżźąęćčřůěőű")
_COMMON_CYRILLIC = frozenset("абвгдежзийклмнопрстуфхцчшщъыьэюяёіїєґ")
_COMMON_SIGNS = frozenset("°µ±²³½×·–—’“”ªº§Ω«»№")
_SINGLE_BYTE = ("cp1252", "cp1251", "cp866", "cp850", "cp1250")


class Text(NamedTuple):
    """A file's text and the encoding it was read in."""

    text: str
    encoding: str


def decode(data: bytes) -> Text:
    """Read a file's bytes as text; this never fails, since latin-1 takes any byte."""
    encoding = encoding_of(data)
    return Text(data.decode(encoding, "replace"), encoding)


def encoding_of(data: bytes) -> str:
    """Give the encoding that a file's bytes are marked with, or look like."""
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return encoding
    return _sixteen_bit(data) or judge(data)


def judge(data: bytes) -> str:
    """Judge the encoding of text without a byte order mark, by all of its bytes above 127."""
    if _is_utf8(data):
        return "utf-8"
    high = b" ".join(_words_with_high_bytes(data[:_SEARCHED_BYTES]))[:_JUDGED_BYTES]
    if _is_chinese(high):
        return "gb18030"
    if _is_japanese(data[:_JUDGED_BYTES]):
        return "shift_jis"
    scores = {encoding: _score(high, encoding) for encoding in _SINGLE_BYTE}
    best = max(scores, key=lambda encoding: scores[encoding])  # of equals the first
    try:
        high.decode(best)
    except UnicodeDecodeError:
        return "latin-1"
    return best


def same_name(name: str, known: str, encoding: str) -> bool:
    """Return whether `known`, read from a file in `encoding`, is `name` when the file is read in another encoding."""
    try:
        raw = known.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return any(folded(name) == folded(raw.decode(other, "replace")) for other in ("utf-8", *ENCODINGS))


def folded(text: str) -> str:
    """Fold a name for comparing: case, the ways Unicode has to write one character, and runs of blanks."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _sixteen_bit(data: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of its ASCII is zero."""
    head = data[:4096]
    if len(head) < 8:
        return None
    even, odd = head[0::2].count(0), head[1::2].count(0)
    pairs = len(head) // 2
    if odd > 0.7 * pairs and even < 0.1 * pairs:
        return "utf-16-le"
    if even > 0.7 * pairs and odd < 0.1 * pairs:
        return "utf-16-be"
    return None


def _is_utf8(data: bytes) -> bool:
    decoder = getincrementaldecoder("utf-8")()  # piece by piece: the whole text may be four times as large
    try:
        for at in range(0, len(data), _SEARCHED_BYTES):
            decoder.decode(data[at : at + _SEARCHED_BYTES])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _words_with_high_bytes(data: bytes) -> Iterator[bytes]:
    """The runs of letters in which bytes above 127 stand, once each."""
    return iter(dict.fromkeys(match[0] for match in re.finditer(rb"[A-Za-z]*[\x80-\xff][A-Za-z\x80-\xff]*", data)))


def _is_chinese(high: bytes) -> bool:
    """GB 2312: bytes above 127 come in pairs, and most pairs are of its first level (B0 to D7) or its signs."""
    pairs = usual = 0
    for match in _HIGH_RUN.finditer(high):
        run = match[0]
        if len(run) % 2 or min(run) < 0xA1:
            return False
        for lead in run[0::2]:
            pairs += 1
            usual += lead <= 0xA9 or 0xB0 <= lead <= 0xD7
    # Two letters of a Western or a Russian word make a pair as well, but seldom of the first level, and words are odd.
    return pairs > 0 and usual >= 0.8 * pairs


def _is_japanese(head: bytes) -> bool:
    """Shift JIS: all of it decodes, and of what is no ASCII a fifth at least is kana."""
    text = head.decode("shift_jis", "replace")
    if "\ufffd" in text[:-1]:
        return False
    wide = [c for c in text if ord(c) > 0x2E80]
    kana = sum("\u3040" <= c <= "\u30ff" for c in wide)
    return len(wide) > 1 and kana >= 0.2 * len(wide)


def _score(high: bytes, encoding: str) -> float:
    """Score how much a reading looks like words: common letters among their like count for it, others against it."""
    try:
        text = high.decode(encoding)
    except UnicodeDecodeError:
        text = high.decode(encoding, "replace")
    score = -2.0 * text.count("\ufffd")
    score += sum(1 if c in _COMMON_SIGNS else -1 for c in text if ord(c) > 127 and not c.isalpha())
    for match in _WORD.finditer(text):
        score += _word_score(match[0])
    return score


def _word_score(word: str) -> float:
    foreign = [c for c in word if ord(c) > 127]
    if not foreign:
        return 0.0
    cyrillic = sum(c.lower() in _COMMON_CYRILLIC for c in foreign)
    latin = sum(c.lower() in _COMMON_LATIN for c in foreign)
    strange = len(foreign) - cyrillic - latin
    if _MICRO.fullmatch(word):
        return 2.0
    score = -float(strange)
    turns = sum(a.islower() and b.isupper() for a, b in pairwise(word))
    if cyrillic:
        # A Russian word has no Latin letters in it; one of a single letter tells nothing.
        mixed = len(word) - len(foreign)
        score += cyrillic * (1.0 if len(word) > 1 and not mixed else -0.5 if mixed else 0.2)
    if latin:
        # A Western word has accents here and there, not in a row.
        score += latin * (1.0 if len(word) > len(foreign) or len(word) == 1 else -1.0)
    return score - turns
