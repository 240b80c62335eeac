"""Identity of the board that answers now: whether a meter can continue with it, or why not, in a sentence."""

from __future__ import annotations

from drivers.spi_link import Identity
from rig.service.tick_count import Verdict


def difference(known: Identity, found: Identity) -> str | None:
    """Say why a meter that began on one board cannot go on with another; None: it can.

    What its measurement is made for must be equal: clock, decimation, sums, delay of the td products. The build's
    digest and the number of its record banks may be others.
    """
    for what, before, now in (
        ("its modulator clock is", f"{float(known.tick_hz):.12g} Hz", f"{float(found.tick_hz):.12g} Hz"),
        ("its clock goes", f"{known.clocks_per_tick} times a tick", f"{found.clocks_per_tick} times a tick"),
        ("its samples take", f"{known.ticks_per_sample} ticks", f"{found.ticks_per_sample} ticks"),
        ("its build has", _parts(known), _parts(found)),
        ("its td products are delayed by", f"{known.quarter} samples", f"{found.quarter} samples"),
    ):
        if before != now:
            return (
                f"the FPGA board was replaced or reloaded in service: {what} {now}, and was {before}; "
                "put the previous board back, or restart the meter"
            )
    return None


def change(known: Identity, found: Identity, verdict: Verdict) -> str:
    """Say what became of a board with which the meter goes on, by its build and its count."""
    if known.build != found.build:
        what = f"the FPGA board holds build {found.build:08x} in place of {known.build:08x}"
    elif verdict is Verdict.BEGAN_ANEW:
        what = "the FPGA board was reset or reloaded"
    else:
        what = "the FPGA board was replaced by another of its build, or its tick count jumped"
    return f"{what}: its settings were written again, and metering goes on"


def _parts(identity: Identity) -> str:
    return ", ".join(str(each.name).lower() for each in identity.capabilities) or "no sums"
