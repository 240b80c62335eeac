"""Clients that behave as other people's do, each through two whole sessions on a meter in service (X-1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from client_styles import STYLES, Style, StyledClient, WrongAnswer
from served_port import ServedPort

from rig.communication.c1218.session import SessionState
from rig.communication.c1218.settings import OPTICAL, REMOTE

PROGRAM = '[demand]\nquantities = ["kW delivered"]\n[security]\nlevel_3 = "333333"\n'
TABLES = (0, 1, 5, 12, 16, 21, 22, 23)
STAGED = 2048
TEXT = b"[meter]\nserial = '7'\n# " + b"x" * 90


KINDS = {"optical": OPTICAL, "remote": REMOTE, "addressed": replace(REMOTE, address=2, shared_line=True)}


@pytest.fixture(scope="module")
def port(request: pytest.FixtureRequest) -> Iterator[ServedPort]:
    settings = KINDS[request.param]
    port = ServedPort(PROGRAM, settings=settings, optical=not settings.remote)
    port.served.source = "RS-232" if settings.remote else "optical port"
    yield port
    port.close()


def kind_of(style: Style) -> str:
    """The kind of port that a client of this style is at."""
    return "addressed" if style.identity else "remote" if style.remote else "optical"


@pytest.mark.parametrize(
    ("port", "name"),
    sorted(((kind_of(style), name) for name, style in STYLES.items()), key=lambda each: each[0]),
    indirect=["port"],
)
def test_two_sessions(port: ServedPort, name: str) -> None:
    style = STYLES[name]
    port.line.wait(31)
    port.line._coming.clear()
    client = StyledClient(port.line, style)
    for number in range(2):
        resets = port.served.reading().resets
        identity = client.open(b"333333")
        assert identity == bytes((2 if style.remote else 0, 2, 0, 0))
        port.served.level = 3
        for table in TABLES:
            expected = port.served.data(table)
            if len(expected) > client.most and not style.piece:
                with pytest.raises(WrongAnswer, match=r"^4$"):  # onp: it negotiates too little for this one, as it does
                    client.read(table)
            else:
                assert client.read(table) == expected
        assert client.procedure(9, 17 + number, b"\x01") == 0
        assert port.served.reading().resets == resets + 1, "once, however often its packet came"
        client.write(STAGED, TEXT)
        assert client.read(STAGED) == TEXT
        client.close()
        if not style.ends or style.ends[-1] == b"\x52":
            assert port.port.session.state is not SessionState.BASE
            port.line.wait(31 if style.remote else 7)
        else:
            port.line.wait(0.1)
        port.line.read(64, 0.1)
        assert port.port.session.state is SessionState.BASE
        assert port.port.level == 0
