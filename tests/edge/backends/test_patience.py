"""Patience: a live run waits for half a hop, everything else for the server."""

from contextlib import suppress

from edge.backends.patience import Patience


def test_a_live_run_waits_for_half_a_hop_and_for_no_outage_until_it_is_over() -> None:
    patience = Patience()
    before = patience.request_s, patience.outage_s
    with suppress(InterruptedError), patience.live(0.5):
        assert (patience.request_s, patience.outage_s) == (0.25, 0.0)
        raise InterruptedError
    assert (patience.request_s, patience.outage_s) == before == (30.0, 60.0)
