"""Files, sockets and devices that the process may hold open at once: as many as the system allows it."""

import logging
import resource

log = logging.getLogger(__name__)


def raise_limit() -> None:
    """Raise the soft limit to the hard one, which needs no right.

    Systems begin with 1024, for programs that wait with select(2), which knows no higher descriptor. OpenCV's camera
    does so too: what keeps ours low is that all ports together take fewer connections.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == hard:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError) as error:  # a hard limit above what the kernel gives anybody
        log.warning("%d files, sockets and devices may be open at once, no more: %s", soft, error)
