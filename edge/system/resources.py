"""Limits of the process (descriptors, threads, memory): the soft one raised, and a lack of them put in words."""

import errno
import re
import resource
from collections.abc import Callable

from ..errors import FoalError


def raise_limit(warn: Callable[[str], None]) -> None:
    """Raise the soft limit of open descriptors to the hard one, which needs no privilege; `warn` where that fails.

    Systems start programs with 1024, for those that wait with select(2), which knows no higher descriptor. OpenCV's
    camera does so too: its descriptors stay low because all ports together accept fewer connections.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == hard:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError) as error:  # a hard limit above what the kernel gives anybody
        warn(f"{soft} files, sockets and devices may be open at once, no more: {error}")


EXHAUSTED = frozenset({errno.ENOMEM, errno.EMFILE, errno.ENFILE})
"""Error numbers of a lack of memory or descriptors."""
EXHAUSTED_TEXT = (
    r"(?i)bad_alloc|failed to allocate memory|cannot allocate memory|out of memory|can't start new thread"
    r"|failed to map segment|pthread_create|PosixThread|resource temporarily unavailable"
)
"""Texts of such a lack from Python, the C library and ONNX Runtime, whose errors share no class."""


def exhaustion(error: BaseException) -> FoalError | None:
    """Return the FoalError for a lack of memory, threads or descriptors; None if the error tells of something else."""
    if isinstance(error, OSError):
        is_short = error.errno in EXHAUSTED
    else:
        is_short = isinstance(error, MemoryError) or bool(re.search(EXHAUSTED_TEXT, str(error)))
    if not is_short:
        return None
    return FoalError(
        f"there is not enough memory, or there are not enough threads or descriptors: {error or 'no memory'}; "
        "end something else, give fewer --threads or streams, or raise the limits (ulimit -a, the service's MemoryMax)"
    )
