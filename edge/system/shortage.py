"""Lack of memory, threads or descriptors, in whose words ever: it passes, and says nothing about what was asked for."""

import errno
import re

from ..errors import FoalError

NUMBERS = frozenset({errno.ENOMEM, errno.EMFILE, errno.ENFILE})
WORDS = re.compile(
    r"bad_alloc|failed to allocate memory|cannot allocate memory|out of memory|can't start new thread"
    r"|failed to map segment|pthread_create|PosixThread|resource temporarily unavailable",
    re.IGNORECASE,
)
"""Of Python, the C library and ONNX Runtime, whose errors share no class."""


def shortage(error: BaseException) -> FoalError | None:
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
