"""The meter that a verification is of: the one that runs, or a simulated one for as long as it takes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rig.cli.options import meter_socket
from rig.plain_text import print_error

if TYPE_CHECKING:
    from rig.daemon.client import MeterClient
    from rig.hardware.config import Config


@contextmanager
def verified_meter(
    path: Path | None, config: Config, socket: Path | None, *, own: str | None, paced: bool
) -> Iterator[tuple[MeterClient, Callable[[], None]]]:
    """The meter that runs, or the simulated rig's own for as long as this process lives; and what to call when all is
    ready.

    `own` is the option that only one of our own can have.
    """
    from rig.daemon.client import ClientError, MeterClient
    from rig.daemon.launch import Launched
    from rig.daemon.startup import Start
    from rig.terminal.start import own_socket
    from rig.verify.errors import VerifyError

    there = meter_socket(path, config, socket)
    try:
        client = MeterClient.connect(there, "verification", "rig verify")
    except ClientError:
        if socket is not None or config.hardware.kind != "sim":
            raise
    else:
        with client:
            if own is not None:
                raise VerifyError(
                    f"a meter runs already (process {client.welcome.process}), and {own} is for a new one: stop "
                    "it with rig stop, or leave the option out"
                )
            yield client, lambda: None
        return
    print_error("note: no meter runs: this starts a simulated one, and ends it")
    its_socket = own_socket()
    launched = Launched(Start(config, str(its_socket), None, paced, starter=os.getpid()))
    begun = False

    def begin() -> None:
        nonlocal begun
        begun = True
        launched.begin()

    try:
        with MeterClient.connect(its_socket, "verification", "rig verify") as client:
            yield client, begin
    finally:
        if begun:
            with suppress(ProcessLookupError):
                launched.process.terminate()
            launched.wait()
        else:
            launched.abandon()
