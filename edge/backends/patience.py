"""Patience with a server: how long a request is waited for, and what becomes of it if no result comes."""

from collections.abc import Iterator
from contextlib import contextmanager

REQUEST_S = 30.0
"""Seconds for which a request is waited for where nothing is live."""
OUTAGE_S = 60.0
"""Seconds for which a server that has stopped answering is waited for where nothing is live."""
HOP_SHARE = 0.5
"""Share of a hop for which a live run waits for a request: its windows are followed by others a hop later."""


class Patience:
    """Times for which the user of a server waits; those of work on recordings, unless a live run is on."""

    def __init__(self) -> None:
        self.request_s = REQUEST_S
        """Seconds for which one request is waited for, with all repetitions of it."""
        self.outage_s = OUTAGE_S
        """Seconds for which a server that does not answer is waited for before a request is given up."""

    @contextmanager
    def live(self, hop_s: float) -> Iterator[None]:
        """Wait for half a hop and no longer in this context: what comes later is of no use to a live run."""
        self.request_s, self.outage_s = HOP_SHARE * hop_s, 0.0
        try:
            yield
        finally:
            self.request_s, self.outage_s = REQUEST_S, OUTAGE_S
