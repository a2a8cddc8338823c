"""Files, sockets and devices that the process may hold open at once: as many as the system allows it."""

import errno
import logging
import re
import resource

from ..errors import FoalError

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


NUMBERS = frozenset({errno.ENOMEM, errno.EMFILE, errno.ENFILE})
WORDS = re.compile(
    r"bad_alloc|failed to allocate memory|cannot allocate memory|out of memory|can't start new thread"
    r"|failed to map segment|pthread_create|PosixThread|resource temporarily unavailable",
    re.IGNORECASE,
)
"""Of Python, the C library and ONNX Runtime, whose errors share no class."""


def exhaustion(error: BaseException) -> FoalError | None:
    """What to say of an error that tells of such a lack, None where it tells of something else."""
    if isinstance(error, OSError):
        is_short = error.errno in NUMBERS
    else:
        is_short = isinstance(error, MemoryError) or bool(WORDS.search(str(error)))
    if not is_short:
        return None
    return FoalError(
        f"there is not enough memory, or there are not enough threads or descriptors: {error or 'no memory'}; "
        "end something else, give fewer --threads or streams, or raise the limits (ulimit -a, the service's MemoryMax)"
    )
