"""XML from anyone, read by the standard library's expat within limits; no tree is built.

A document type is refused where it begins, and with it every entity that could be expanded or fetched. Bounded are
the text of an element, the depth of elements, their number and that of their attributes; the size of a document is its
caller's. Memory is that of what the caller keeps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol
from xml.parsers import expat

from rig.files.strict_toml import ConfigError, shown

MOST_DEPTH = 64
MOST_ELEMENTS = 2_500_000
"""A reading of a Green Button feed has five or six; in 64 MB are at most 2 000 000 of these."""

MOST_TEXT = 4096
MOST_ATTRIBUTES = 64
MOST_NAMES = 1000
"""Of elements: expat keeps each; the schema has some 300."""

_CHUNK = 1 << 20


class WrongXml(ConfigError):
    """A document that is no XML, or none that is read; the sentence goes on after the file's name."""


class XmlHandler(Protocol):
    """Takes a document's elements as they come; names are without their prefix."""

    def start(self, name: str, attributes: dict[str, str], line: int) -> None: ...

    def end(self, name: str, text: str) -> None:
        """Take an element's end, with the text in it since its begin or its last child, without blanks around."""
        ...


def read_xml(document: str | bytes, handler: XmlHandler) -> None:
    """Read a document; bytes are in the encoding that it declares. Raises WrongXml, and what the handler raises."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    reading = _Reading(handler, lambda: parser.CurrentLineNumber)
    parser.StartElementHandler = reading.start
    parser.EndElementHandler = reading.end
    parser.CharacterDataHandler = reading.text
    parser.StartDoctypeDeclHandler = reading.doctype
    try:
        for begin in range(0, len(document), _CHUNK):
            parser.Parse(document[begin : begin + _CHUNK], False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        text = expat.errors.messages.get(error.code, "not well-formed")
        raise WrongXml(f"line {error.lineno}: it is no XML, {text}: get the file once more") from None
    except (LookupError, ValueError) as error:  # of an encoding that Python has not, or that is none of text
        raise WrongXml(f"line 1: its encoding cannot be read ({error}): save it in UTF-8") from None


class _Reading:
    """A document on its way to its handler."""

    def __init__(self, handler: XmlHandler, line: Callable[[], int]) -> None:
        self._handler, self._line = handler, line
        self._names: dict[str, str] = {}
        self._text: list[str] = []
        self._length = self._depth = self._elements = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise WrongXml(f"line {self._line()}: elements are in one another more than {MOST_DEPTH} deep")
        if self._elements > MOST_ELEMENTS or len(attributes) > MOST_ATTRIBUTES:
            what = f"{MOST_ELEMENTS} elements" if self._elements > MOST_ELEMENTS else f"{MOST_ATTRIBUTES} attributes"
            raise WrongXml(f"line {self._line()}: it has more than {what}")
        local = self._names.get(name)
        if local is None:
            local = name.rpartition(":")[2]
            self._names[name] = local
            if len(self._names) > MOST_NAMES:
                raise WrongXml(f"line {self._line()}: its elements have more than {MOST_NAMES} different names")
        self._text, self._length = [], 0
        self._handler.start(local, attributes, self._line())

    def end(self, name: str) -> None:
        self._depth -= 1
        text, self._text, self._length = "".join(self._text).strip(), [], 0
        self._handler.end(self._names[name], text)

    def text(self, text: str) -> None:
        if text.isspace() and not self._text:
            return
        self._length += len(text)
        if self._length > MOST_TEXT:
            raise WrongXml(f"line {self._line()}: the text of an element is longer than {MOST_TEXT} characters")
        self._text.append(text)

    def doctype(self, name: str, system: str | None, public: str | None, internal: bool) -> None:
        raise WrongXml(
            f"line {self._line()}: it has a document type, {shown(name)}, which is not read for safety: a Green Button "
            "feed has none"
        )
