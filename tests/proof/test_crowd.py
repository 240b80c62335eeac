"""Twenty clients for ten minutes of real time, good and bad, beside a busy disk: metering is as without them (C-3)."""

from __future__ import annotations

import pytest

from tests.rig.jitter_bench import pulse_jitter

SECONDS = 600.0


@pytest.mark.slow
def test_a_crowd_of_clients_is_nothing_to_the_edges() -> None:
    """No edge lost; memory flat; the daemon's processor time within 2 % of a core of the run without them.

    The jitter of both is printed: on a shared machine it says more of the neighbours than of the clients.
    """
    alone = pulse_jitter(SECONDS)
    crowd = pulse_jitter(SECONDS, crowd=True)
    for name, figures in (("alone", alone), ("crowd", crowd)):
        print(name, {key: round(value, 3) for key, value in figures.items()})
    assert (alone["lost"], crowd["lost"]) == (0, 0)
    assert crowd["cpu_percent"] - alone["cpu_percent"] <= 2
    assert crowd["memory_kb"] <= 4096  # Python's own, settling; a leak of one message a second would be 10 MB
