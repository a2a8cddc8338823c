"""Failures that end one stream before its time: said when they happen, raised once all others have ended too."""

import logging
from collections.abc import Sequence

from ..errors import FoalError

log = logging.getLogger(__name__)


class Failures:
    """The errors of a run's streams, in the order in which they came."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._errors: dict[int, Exception] = {}

    def add(self, stream: int, error: Exception) -> None:
        """A stream has ended by an error; said at once where there are others to go on."""
        self._errors[stream] = error
        if not isinstance(error, FoalError):
            log.error("stream %s has ended by an error of foal-edge itself", self._names[stream], exc_info=error)
        elif len(self._names) > 1:
            log.warning("stream %s has ended: %s", self._names[stream], error)

    def __contains__(self, stream: int) -> bool:
        return stream in self._errors

    def raise_any(self) -> None:
        """Raise the only error there is; of several, one with the first one's exit status that tells them all."""
        if not self._errors:
            return
        first, *others = self._errors.values()
        if not others:
            raise first
        together = FoalError("\n".join(f"{self._names[stream]}: {error!s}" for stream, error in self._errors.items()))
        together.exit_status = getattr(first, "exit_status", FoalError.exit_status)
        raise together from first
