"""The meter's face as one SVG that stands by itself: no fonts, pictures or scripts from elsewhere (D-1).

A round socket-base meter: the glass of the display, the nameplate, the optical port with the test LED in it, SCROLL,
TEST and RESET; outside its cover the magnet, the contacts, and what every result must say of itself.
"""

from __future__ import annotations

from drivers.gpio import Position
from rig.face.drawing import document, element, number, writing
from rig.face.face import Face
from rig.face.lcd_drawing import HEIGHT, WIDTH, definitions, glass
from rig.meter.display.lcd import ALL_SEGMENTS
from rig.meter.front.switches import Switch
from rig.meter.markings import UNMARKED, Markings

_ACROSS, _DOWN = 640.0, 780.0
_X, _Y = 320.0, 362.0
"""The middle of the meter."""
_COVER, _PLATE = 296.0, 268.0

_INK, _QUIET, _PAPER = "#2b2d31", "#77797c", "#f6f5f2"
_PRESSED, _LED, _AMBER = "#c8841a", "#ff3b30", "#a85b00"

_PLATE_TOP, _PLATE_ROW = 398.0, 15.5
_BUTTONS_Y = 556.0
_CONTACTS_Y = 716.0
_MARKINGS_Y = 602.0
_LABELS_BOTTOM, _LABEL_WIDTH = 672.0, 112.0
"""Of the labels on the sides, below and outside the cover."""


def svg(face: Face, markings: Markings = UNMARKED) -> str:
    """The picture, with what is marked on the meter beside its plate. The same face gives the same text."""
    said = " ".join(filter(None, (face.lcd.ident, face.lcd.text, face.lcd.unit)))
    said = "all segments" if face.lcd == ALL_SEGMENTS else said or "blank"
    return document(
        _ACROSS,
        _DOWN,
        f"Electricity meter, display: {said}",
        element("defs", definitions(), *_DEFINITIONS),
        element("rect", width=_ACROSS, height=_DOWN, rx=18, fill=_PAPER),
        _body(Switch.COVER in face.operated),
        _header(face),
        _display(face),
        _nameplate(face.plate),
        _front_markings(markings),
        _port(face.led_lit),
        _buttons(face.operated),
        _shine(Switch.COVER in face.operated),
        _magnet() if Switch.MAGNET in face.operated else "",
        _contacts(face.contacts),
        _side_labels(markings),
        _marks(face),
    )


def _gradient(name: str, *stops: tuple[str, str]) -> str:
    inner = [element("stop", offset=offset, stop_color=colour) for offset, colour in stops]
    return element("linearGradient", *inner, id=name, x1="0", y1="0", x2="0", y2="1")


_DEFINITIONS = (
    _gradient("rim", ("0", "#e9ebee"), ("0.5", "#c3c7cc"), ("1", "#9ea3aa")),
    _gradient("base", ("0", "#8d9298"), ("1", "#6c7177")),
    _gradient("plate", ("0", "#fdfcf9"), ("1", "#efede7")),
    _gradient("bezel", ("0", "#3c4045"), ("1", "#54595f")),
    _gradient("button", ("0", "#f3f3f1"), ("1", "#d2d2ce")),
    element(
        "radialGradient",
        *(
            element("stop", offset=o, stop_color=_LED, stop_opacity=a)
            for o, a in (("0", 0.9), ("0.3", 0.55), ("1", 0.0))
        ),
        id="glow",
    ),
)


def _body(cover_off: bool) -> str:
    radius = _COVER - 12 if cover_off else _COVER
    disc = [element("circle", cx=_X, cy=_Y + 3, r=radius, fill="#000000", fill_opacity=0.1)]
    if cover_off:
        disc += [
            element("circle", cx=_X, cy=_Y, r=radius, fill="url(#base)"),
            element(
                "circle", cx=_X, cy=_Y, r=_COVER, fill="none", stroke=_QUIET, stroke_width=1.5, stroke_dasharray="3 7"
            ),
        ]
    else:
        disc += [
            element("circle", cx=_X, cy=_Y, r=radius, fill="url(#rim)"),
            element(
                "circle", cx=_X, cy=_Y, r=_COVER - 10, fill="none", stroke="#ffffff", stroke_width=1.5, opacity=0.7
            ),
        ]
    plate = element(
        "circle", cx=_X, cy=_Y, r=_PLATE, fill="url(#plate)", stroke="#000000", stroke_opacity=0.2, stroke_width=1
    )
    return element("g", *disc, plate)


def _shine(cover_off: bool) -> str:
    """The light on the glass cover, while it is on."""
    if cover_off:
        return ""
    r = _PLATE + 9
    begin, end = (f"{number(_X - r * east)},{number(_Y - r * north)}" for east, north in ((0.82, 0.57), (0.3, 0.954)))
    arc = f"M{begin}A{number(r)},{number(r)} 0 0 1 {end}"
    return element("path", d=arc, fill="none", stroke="#ffffff", stroke_width=5, stroke_linecap="round", opacity=0.85)


def _header(face: Face) -> str:
    """Type and approval number, large, on either side of the port."""
    plate = dict(face.plate)
    words = [(192, plate["Type"])] if "Type" in plate else []
    words += [(448, f"AE-{plate['AE']}")] if "AE" in plate else []
    return "".join(writing(word, x, 178, 22, _INK, anchor="middle", weight="700", spacing=0.6) for x, word in words)


def _display(face: Face) -> str:
    frame, scale = 9.0, 0.92
    x, y = _X - WIDTH / 2 * scale, 238.0
    return element(
        "g",
        element(
            "rect", x=-frame, y=-frame, width=WIDTH + 2 * frame, height=HEIGHT + 2 * frame, rx=11, fill="url(#bezel)"
        ),
        glass(face.lcd, 0, 0),
        transform=f"translate({number(x)} {number(y)}) scale({number(scale)})",
    )


def _nameplate(plate: tuple[tuple[str, str], ...]) -> str:
    """The lines in two columns. Type and approval number stand above; a remark is no line of a plate."""
    lines = [line for line in plate if line[0] not in ("Type", "AE", "Remark")]
    rows = (len(lines) + 1) // 2
    parts = []
    for k, (label, text) in enumerate(lines):
        x = _X - 186 if k < rows else _X + 14
        y = _PLATE_TOP + (k % rows) * _PLATE_ROW
        parts.append(writing(label, x, y, 10.5, _QUIET))
        parts.append(writing(text, x + 100, y, 11.5, _INK, weight="600"))
    return "".join(parts)


def _front_markings(markings: Markings) -> str:
    """Words below the switches, where the plate grows narrow."""
    words = enumerate(markings.front)
    return "".join(writing(w, _X, _MARKINGS_Y + 10 * k, 7.5, _INK, anchor="middle", spacing=0.5) for k, w in words)


def _side_labels(markings: Markings) -> str:
    """The relay board's label on the left-hand side, the firmware's on the right-hand one."""
    left = markings.relay_board.lines() if markings.relay_board else ()
    right = (f"FIRMWARE {markings.firmware}",) if markings.firmware is not None else ()
    return _label_at(12, left) + _label_at(_ACROSS - 12 - _LABEL_WIDTH, right)


def _label_at(x: float, lines: tuple[str, ...]) -> str:
    if not lines:
        return ""
    height = 9.0 * len(lines) + 6
    y = _LABELS_BOTTOM - height
    return element(
        "g",
        element("rect", x=x, y=y, width=_LABEL_WIDTH, height=height, rx=3, fill="#ffffff", stroke="#a5a5a0"),
        *(writing(line, x + 5, y + 10 + 9 * k, 6.5, _INK) for k, line in enumerate(lines)),
    )


def _port(lit: bool) -> str:
    """The optical port with the test LED, which they share."""
    x, y = _X, 164.0
    return element(
        "g",
        element("circle", cx=x, cy=y, r=33, fill="#3a3d42"),
        element("circle", cx=x, cy=y, r=33, fill="none", stroke="#8c9096", stroke_width=2.5),
        element("circle", cx=x + 11, cy=y, r=6.5, fill="#17181a"),
        element("circle", cx=x - 11, cy=y, r=26, fill="url(#glow)") if lit else "",
        element("circle", cx=x - 11, cy=y, r=6.5, fill=_LED if lit else "#5a2323"),
        element("circle", cx=x - 13, cy=y - 2.2, r=1.8, fill="#ffffff", opacity=0.9 if lit else 0.25),
        writing("TEST LED", x, y - 42, 8.5, _QUIET, anchor="middle", spacing=1),
    )


def _buttons(operated: frozenset[Switch]) -> str:
    return element(
        "g",
        _button("SCROLL", _X - 104, Switch.SCROLL in operated),
        _slide("TEST", _X, Switch.TEST in operated),
        _button("RESET", _X + 104, Switch.RESET in operated),
    )


def _button(name: str, x: float, pressed: bool) -> str:
    y = _BUTTONS_Y
    return element(
        "g",
        element("circle", cx=x, cy=y + 1.5, r=17, fill="#000000", fill_opacity=0.13),
        element(
            "circle", cx=x, cy=y, r=15 if pressed else 16.5, fill="#b9b9b4" if pressed else "url(#button)",
            stroke=_PRESSED if pressed else "#a5a5a0", stroke_width=3 if pressed else 1.2,
        ),
        _label(name, x, pressed),
    )  # fmt: skip


def _slide(name: str, x: float, test: bool) -> str:
    y, half = _BUTTONS_Y, 21.0
    at = x + (half - 10 if test else 10 - half)
    return element(
        "g",
        element("rect", x=x - half, y=y - 9, width=2 * half, height=18, rx=9, fill="#dcdad4", stroke="#a5a5a0"),
        element(
            "rect", x=at - 8, y=y - 12, width=16, height=24, rx=4, fill="url(#button)",
            stroke=_PRESSED if test else "#a5a5a0", stroke_width=3 if test else 1.2,
        ),
        _label(name, x, test),
    )  # fmt: skip


def _label(name: str, x: float, operated: bool) -> str:
    colour = _AMBER if operated else _QUIET
    return writing(name, x, _BUTTONS_Y + 33, 9, colour, anchor="middle", weight="700" if operated else "400", spacing=1)


def _magnet() -> str:
    """A bar magnet at twelve o'clock."""
    y, width, height = _Y - _COVER - 15, 104.0, 26.0
    return element(
        "g",
        element("rect", x=_X - width / 2, y=y, width=width / 2, height=height, fill="#c0392b"),
        element("rect", x=_X, y=y, width=width / 2, height=height, fill="#34567a"),
        writing("N", _X - width / 4, y + 18, 14, "#ffffff", anchor="middle", weight="700"),
        writing("S", _X + width / 4, y + 18, 14, "#ffffff", anchor="middle", weight="700"),
    )


def _contacts(contacts: tuple[tuple[str, Position], ...]) -> str:
    each = _ACROSS / (len(contacts) + 1)
    return "".join(_contact(name, position, each * (k + 1)) for k, (name, position) in enumerate(contacts))


def _contact(name: str, position: Position, x: float) -> str:
    """The common K on the left, Y and Z on the right, and the lever between."""
    y, apart = _CONTACTS_Y, 12.0
    left, right = x - 15, x + 15
    towards = {Position.OPEN: 0.0, Position.KY: -apart, Position.KZ: apart}[position]
    closed = position is not Position.OPEN
    lever = element(
        "line", x1=left, y1=y, x2=right if closed else right - 7, y2=y + towards, stroke=_INK if closed else _QUIET,
        stroke_width=2.6, stroke_linecap="round",
    )  # fmt: skip
    wires = [(left - 12, left, y), (right, right + 12, y - apart), (right, right + 12, y + apart)]
    ends = [(left, y), (right, y - apart), (right, y + apart)]
    return element(
        "g",
        *(element("line", x1=x1, y1=at, x2=x2, y2=at, stroke=_INK, stroke_width=1.6) for x1, x2, at in wires),
        lever,
        *(element("circle", cx=cx, cy=cy, r=2.8, fill=_PAPER, stroke=_INK, stroke_width=1.4) for cx, cy in ends),
        writing("K", left - 17, y + 3.5, 9.5, _QUIET, anchor="end"),
        writing("Y", right + 17, y - apart + 3.5, 9.5, _QUIET),
        writing("Z", right + 17, y + apart + 3.5, 9.5, _QUIET),
        writing(name, x, y - 25, 10.5, _INK, anchor="middle", weight="600"),
        writing(position.value, x, y + 34, 9.5, _QUIET, anchor="middle", spacing=0.5),
    )


def _marks(face: Face) -> str:
    """Draw what stands outside the LCD: marks on the left, the cover's absence on the right."""
    parts = []
    if face.marks:
        parts.append(writing(" · ".join(face.marks.split("  ")), 22, 36, 15, _AMBER, weight="700", spacing=1.2))
    if Switch.COVER in face.operated:
        parts.append(writing("COVER OFF", _ACROSS - 22, 36, 12, _QUIET, anchor="end", weight="700", spacing=1.2))
    return "".join(parts)
