"""The standing proof that the model is the netlist, by an engine that others wrote: CXXRTL, and no compiler of ours."""

from __future__ import annotations

import pytest
from everything_on import check_all_was_at_work, play_everything
from gateware_bench import Host, Netlist, mains

from gateware.chain import Chain
from gateware.twin.behind_bus import ModelBehindBus


def prove(chain: Chain, steps: int, seed: int) -> None:
    """Every byte that a host reads from all parts of the gateware through the SPI pins is the same."""
    host = Host(chain, mains(4000), Netlist(chain, "cxxrtl"), ModelBehindBus(chain))
    check_all_was_at_work(play_everything(host, steps, seed))


@pytest.mark.slow
def test_the_model_is_the_netlist_on_cxxrtl_with_everything_on():
    prove(Chain(), steps=40, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 4))
def test_the_model_is_the_netlist_on_cxxrtl_for_long(seed):
    prove(Chain(paired=seed % 2 == 0), steps=300, seed=seed)
