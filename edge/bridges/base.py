"""Bridge: where the messages of a subscriber go, and what of them was lost."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import UsageError
from ..wire.addresses import is_local
from ..wire.messages import Message


class Bridge:
    """Way out of foal-edge into another protocol; one thread calls its methods."""

    def __init__(self) -> None:
        self.dropped: Counter[str] = Counter()
        """Number of messages that the other side never got, by reason, as far as this side can know."""

    def send(self, message: Message) -> None:
        """Hand a message over without waiting. Raises FoalError if no further one can be."""
        raise NotImplementedError

    def check(self) -> None:
        """Raise the FoalError of a server that refuses this bridge; called at least twice a second."""

    def publisher_lost(self) -> None:
        """Tell the other side that foal-edge is not heard any more."""

    def publisher_back(self) -> None:
        """Tell the other side that foal-edge is heard, for the first time or again."""

    def node_lost(self, name: str) -> None:
        """Tell the other side that a node behind a proxy is not heard any more; its next messages say that it is."""

    def close(self) -> None:
        """Hand over what waits, for two seconds at most, and close."""
        raise NotImplementedError


@contextmanager
def needs_extra(extra: str) -> Iterator[None]:
    """Raise UsageError that names the extra if what is imported in the block is not installed."""
    try:
        yield
    except (ImportError, RuntimeError) as error:  # pylsl raises RuntimeError without its library
        raise UsageError(
            f"this bridge needs packages that are missing ({error}); pip install 'foal-edge[{extra}]'"
        ) from error


def check_remote(host: str, what: str, *, insecure: bool) -> None:
    """Raise UsageError if predictions would leave this machine unencrypted without the user's word."""
    if not insecure and not is_local(f"tcp://{host}:0"):
        raise UsageError(
            f"{host} may be another machine, and {what} is not encrypted, so that others in the network could read the "
            "predictions; give --insecure if the network is trusted, or a server on this machine like 127.0.0.1"
        )


def safe_name(text: str) -> str:
    """Return a name of letters, digits, - and _: other characters mean something in topics and addresses."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", text)
