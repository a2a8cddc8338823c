"""Sequence numbers of received messages: which have come already, and how many never came."""

from collections import Counter

SequenceKey = tuple[str, str]
"""Session and topic of a message: `seq` counts the messages that share both."""
MOST_SEQUENCES = 10_000
"""Number of sequences whose last number is known, those of the newest messages: people and sessions come and go."""


class Sequences:
    """Last number of each sequence."""

    def __init__(self) -> None:
        self.missed: Counter[SequenceKey] = Counter()
        """Number of messages that never came (gaps in `seq`), by session and topic."""
        self._last: dict[SequenceKey, int] = {}

    def is_new(self, sequence: SequenceKey, seq: int) -> bool:
        """Take a number; return whether it is later than all of its sequence so far."""
        last = self._last.get(sequence)
        if last is not None and seq <= last:
            return False
        if last is not None and seq > last + 1:
            self.missed[sequence] += seq - last - 1
        self._last.pop(sequence, None)  # so that the sequence heard of longest ago stands first
        self._last[sequence] = seq
        if len(self._last) > MOST_SEQUENCES:
            del self._last[next(iter(self._last))]
        return True
