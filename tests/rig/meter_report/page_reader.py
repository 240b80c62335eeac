"""Pages of a report read back by Python's own parser of HTML: headings, and tables with their cells."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"meta", "col"}


class PageReader(HTMLParser):
    """`tables` in order, each the heading above it and its rows of cells; `text` of all; `tags` that there are."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.tables: list[tuple[str, list[list[str]]]] = []
        self.text: list[str] = []
        self.tags: set[str] = set()
        self.language = ""
        self._open: list[str] = []
        self._heading = ""
        self.feed(data.decode("utf-8"))
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "html":
            self.language = str(dict(attrs)["lang"])
        if tag in VOID:
            return
        self._open.append(tag)
        if tag in ("h1", "h2"):
            self._heading = ""
        elif tag == "table":
            self.tables.append((self._heading, []))
        elif tag == "tr":
            self.tables[-1][1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][1][-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        where = self._open[-1] if self._open else ""
        if where in ("h1", "h2"):
            self._heading += data
        elif where in ("td", "th"):
            self.tables[-1][1][-1][-1] += data

    def under(self, heading: str, place: int = 0) -> list[list[str]]:
        """Give the rows of a table under a heading, its head first."""
        return [rows for above, rows in self.tables if above == heading][place]
