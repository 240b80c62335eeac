"""Pieces of SVG: elements, numbers and writing, with the same text for the same picture always."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

SANS = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
"""Fonts that a machine has; none is fetched."""


def number(value: float) -> str:
    """To a hundredth, without needless zeros."""
    return f"{round(value, 2) + 0.0:.2f}".rstrip("0").rstrip(".")


def element(name: str, *children: str, **attributes: str | float) -> str:
    """An element. `_` in an attribute's name stands for `-`, and one at its end for nothing."""
    said = "".join(
        f" {key.rstrip('_').replace('_', '-')}={quoteattr(value if isinstance(value, str) else number(value))}"
        for key, value in attributes.items()
    )
    return f"<{name}{said}>{''.join(children)}</{name}>" if children else f"<{name}{said}/>"


def writing(
    text: str, x: float, y: float, size: float, fill: str, *, anchor: str = "start", weight: str = "400",
    spacing: float = 0, opacity: float = 1,
) -> str:  # fmt: skip
    """A line of writing with its baseline at y."""
    extra: dict[str, str | float] = {"letter_spacing": spacing} if spacing else {}
    if opacity != 1:
        extra["opacity"] = opacity
    return element(
        "text", escape(text), x=x, y=y, font_size=size, fill=fill, text_anchor=anchor, font_weight=weight, **extra
    )


def document(width: float, height: float, title: str, *parts: str) -> str:
    """A whole SVG that says its title to those who cannot see it."""
    return (
        element(
            "svg",
            "\n" + element("title", escape(title)) + "\n",
            *(part + "\n" for part in parts),
            xmlns="http://www.w3.org/2000/svg",
            width=width,
            height=height,
            viewBox=f"0 0 {number(width)} {number(height)}",
            role="img",
            font_family=SANS,
        )
        + "\n"
    )
