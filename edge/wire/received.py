"""A subscriber's account: what is new, what came twice, what was missed, and the newest of each topic."""

from collections import Counter

from ..errors import FoalError
from ..validation import UNREADABLE, explain
from .messages import Message, decode

Place = tuple[str, str]
"""Session and topic: `seq` counts within both."""


class Received:
    """Takes messages as they come off the socket, and gives those that are wanted."""

    def __init__(self, latest: bool) -> None:
        self.missed: Counter[Place] = Counter()
        """Messages that never came, by session and topic: gaps in `seq`."""
        self.skipped: Counter[Place] = Counter()
        """Messages that came, and were overtaken by a newer one before anybody asked."""
        self._latest = latest
        self._seq: dict[Place, int] = {}
        self._waiting: dict[object, tuple[Place, Message]] = {}
        self._count = 0

    def take(self, frames: list[bytes]) -> None:
        """Keep a message that is new. FoalError where it is none of ours."""
        topic, *parts = frames
        try:
            message = decode(b"".join(parts))
            name = topic.decode()
        except UNREADABLE as error:
            reason = f"a message on {topic!r} is not of this version ({explain(error, b''.join(parts), Message)})"
            raise FoalError(f"{reason}; is it foal-edge there?") from error
        place = message.session, name
        before = self._seq.get(place)
        if before is not None and message.seq <= before:  # the last one, repeated for somebody who joined
            return
        if before is not None and message.seq > before + 1:
            self.missed[place] += message.seq - before - 1
        self._seq[place] = message.seq
        self._keep(place, message)

    def _keep(self, place: Place, message: Message) -> None:
        self._count += 1
        key = place[1] if self._latest else self._count
        if key in self._waiting:
            self.skipped[self._waiting[key][0]] += 1
        self._waiting[key] = place, message  # in the place of the older one: no topic waits for a busier one

    def give(self) -> Message | None:
        """The message that has waited longest, None where none waits."""
        if not self._waiting:
            return None
        return self._waiting.pop(next(iter(self._waiting)))[1]
