"""Buffer of received messages, which removes duplicates and counts gaps in their sequence numbers."""

from collections import Counter

from ..errors import FoalError
from ..validation import UNREADABLE, explain
from .messages import Message, decode
from .sequences import SequenceKey, Sequences


class ReceiveBuffer:
    """Buffer between a subscriber's socket and its user: new messages, or with `latest` the newest of each topic."""

    def __init__(self, latest: bool) -> None:
        self.skipped: Counter[SequenceKey] = Counter()
        """Number of messages that arrived and were replaced by a newer one before they were read, by session and
        topic."""
        self._latest = latest
        self._sequences = Sequences()
        self._waiting: dict[object, tuple[SequenceKey, Message]] = {}
        self._count = 0

    @property
    def missed(self) -> Counter[SequenceKey]:
        """Number of messages that never arrived (gaps in `seq`), by session and topic."""
        return self._sequences.missed

    def add(self, frames: list[bytes]) -> None:
        """Add the message in the frames unless it is a duplicate. Raises FoalError if they hold no message of ours."""
        topic, *parts = frames
        try:
            message = decode(b"".join(parts))
            name = topic.decode()
        except UNREADABLE as error:
            reason = f"a message on {topic!r} is not of this version ({explain(error, b''.join(parts), Message)})"
            raise FoalError(f"{reason}; is it foal-edge that publishes there?") from error
        sequence = message.session, name
        if self._sequences.is_new(sequence, message.seq):  # else the last message, repeated for a new subscriber
            self._keep(sequence, message)

    def _keep(self, sequence: SequenceKey, message: Message) -> None:
        self._count += 1
        key = sequence[1] if self._latest else self._count
        if key in self._waiting:
            self.skipped[self._waiting[key][0]] += 1
        # A newer message takes the older one's position: no topic has to wait for a busier one.
        self._waiting[key] = sequence, message

    def pop(self) -> Message | None:
        """Remove and return the message that has waited longest; None if the buffer is empty."""
        if not self._waiting:
            return None
        return self._waiting.pop(next(iter(self._waiting)))[1]
