"""Comparison of a replayed run with the recorded one: byte for byte, except fields that measure the machine.

On another machine floats may differ by a tolerance, and the label where two are as probable as that. Whole numbers
and states may not: they are computed from audio and video in integers, or lie far from their thresholds. So is
`audio.speech` of a bundle that knows voices, a count of tokens.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from ..errors import FoalError, SourceError
from ..validation import UNREADABLE, explain
from ..wire.drop_reasons import PER_RUN
from ..wire.messages import Message, WireFormat, encode
from .records import End, Gap, SentMessage

FLOATS_ALIKE = 1e-3
"""Largest difference between floats on two machines, in fp32. The order of additions causes 1e-7 to 1e-6; OpenCV on Arm
rounds a grey level of some faces (1 of 150 tried) to the other side, which causes more."""
LOWER_ALIKE = 0.05
"""Largest difference below fp32: a float that lies between two numbers of few bits may be rounded to the other one. In
int8 the golden recording differs by 6e-4 between x86-64 and Arm."""
MEASURED = frozenset({"t_publish", "mono_publish", "latency_ms"})
"""Fields that depend on the speed of the machine."""

Fields = dict[str, Any]


class Comparison:
    """Comparison of replayed messages, one by one; FoalError at the first that differs from the recorded one.

    A recording holds the messages that were sent: the publisher may have dropped others, which it counts, and the disk
    may have been too slow for others, which the recording marks. `stats.` messages measure the machine and are left
    out.
    """

    def __init__(
        self, recorded: Iterator[SentMessage | Gap | End], wire_format: WireFormat, tolerance: float = 0
    ) -> None:
        self.equal = self.unrecorded = 0
        """Number of messages that are the same, and of those that were replayed but never sent or recorded."""
        self._recorded, self._format, self._tolerance = recorded, wire_format, tolerance
        self._gaps = self._dropped = 0
        """Number of messages that the disk was too slow for, and of those that the publisher dropped."""
        self._is_whole = False
        """True once the recording's end has been read."""
        self._next = self._advance()

    def check(self, message: Message) -> None:
        """Compare one replayed message with the recorded one of its kind, stream and number."""
        replayed = read_fields(encode(message, self._format))
        if self._next is None or name(replayed) != name(self._next):
            if self._next is not None and is_later(replayed, self._next):
                raise FoalError(f"{name(self._next)} was recorded and is not replayed")
            self.unrecorded += 1
            return
        recorded = without_measured(self._next)
        replayed = with_near_label(recorded, without_measured(replayed), self._tolerance)
        problem = difference(recorded, replayed, self._tolerance)
        if problem:
            raise FoalError(f"{name(replayed)} differs: {problem}")
        self.equal += 1
        self._next = self._advance()

    def finish(self, *, is_complete: bool) -> None:
        """Raise FoalError if a recorded message was not replayed, or more were replayed than can have been lost.

        A replay of incomplete inputs may break off early.
        """
        if self._next is not None and is_complete:
            raise FoalError(f"{name(self._next)} was recorded and is not replayed")
        known = self._gaps + self._dropped
        if self._is_whole and self.unrecorded > known:
            raise FoalError(f"{self.unrecorded} messages are replayed that were not recorded; {known} may be missing")

    def _advance(self) -> Fields | None:
        for record in self._recorded:
            if isinstance(record, End):
                self._is_whole = True
            elif isinstance(record, Gap):
                self._gaps += record.lost
            else:
                fields = read_fields(record.body)
                self._dropped = max(self._dropped, count_dropped(fields))
                if fields.get("type") != "stats":
                    return fields
        return None


def read_fields(body: bytes) -> Fields:
    """Return a message's map, whatever version wrote it."""
    module = msgspec.json if body[:1] == b"{" else msgspec.msgpack
    try:
        fields: Fields = module.decode(body, type=dict[str, Any])
    except UNREADABLE as error:
        problem = explain(error, body, dict[str, Any])
        raise SourceError(f"a recorded message cannot be decoded ({problem}); take the recording again") from error
    return fields


def count_dropped(fields: Fields) -> int:
    """Return the number of messages that the publisher had dropped by then, of all streams."""
    dropped = fields.get("dropped")
    counts = [dropped.get(reason, 0) for reason in PER_RUN] if isinstance(dropped, dict) else []
    return sum(count for count in counts if isinstance(count, int))


def name(fields: Fields) -> str:
    """Return a message's name for errors, unique within a run."""
    return f"{fields.get('type')} {fields.get('seq')} of {' '.join(map(str, sender(fields)))}"


def sender(fields: Fields) -> tuple[Any, ...]:
    """Return the words for what numbers a message: its stream, or one person of it."""
    stream = "stream", fields.get("stream")
    return (*stream, "person", fields.get("person")) if fields.get("type") == "person" else stream


def is_later(one: Fields, other: Fields) -> bool:
    """Return whether a message is a later one of the other's kind and stream."""
    number, its = one.get("seq"), other.get("seq")
    is_same_kind = (one.get("type"), *sender(one)) == (other.get("type"), *sender(other))
    return is_same_kind and isinstance(number, int) and isinstance(its, int) and number > its


def without_measured(fields: Fields) -> Fields:
    """Return the fields that are the same in every replay; drop reasons counted 0 times are left out."""
    kept = {key: value for key, value in fields.items() if key not in MEASURED}
    dropped = kept.get("dropped")
    if isinstance(dropped, dict):
        kept["dropped"] = {reason: count for reason, count in dropped.items() if count}
    return kept


def with_near_label(recorded: Fields, replayed: Fields, tolerance: float) -> Fields:
    """Return the replayed message, with the recorded label where both are as probable to within the tolerance."""
    label, its = replayed.get("label"), recorded.get("label")
    try:
        probs = [recorded["probs"][recorded["labels"].index(one)] for one in (label, its)]
        is_near = abs(probs[0] - probs[1]) <= 2 * tolerance
    except (LookupError, TypeError, ValueError, AttributeError):  # it has none, or is no prediction
        return replayed
    return replayed | {"label": its} if is_near and tolerance else replayed


def difference(recorded: Any, replayed: Any, tolerance: float, place: str = "") -> str | None:
    """Return the first difference of two messages, None for none; floats within `tolerance` are equal."""
    if isinstance(recorded, dict) and isinstance(replayed, dict):
        if list(recorded) != list(replayed):
            return f"{place or 'it'} has the fields {list(replayed)}, recorded are {list(recorded)}"
        pairs = [(f"{place}.{key}".lstrip("."), recorded[key], replayed[key]) for key in recorded]
    elif isinstance(recorded, list) and isinstance(replayed, list) and len(recorded) == len(replayed):
        pairs = [(f"{place}[{i}]", *both) for i, both in enumerate(zip(recorded, replayed, strict=True))]
    elif is_equal(recorded, replayed, tolerance):
        return None
    else:
        return f"{place} is {replayed!r}, recorded is {recorded!r}"
    problems = (difference(one, other, tolerance, where) for where, one, other in pairs)
    return next(filter(None, problems), None)


def is_equal(recorded: Any, replayed: Any, tolerance: float) -> bool:
    """Return whether two single values are equal; without a tolerance the bytes decide, so that -0.0 is not 0."""
    if isinstance(recorded, float) and isinstance(replayed, float) and abs(recorded - replayed) <= tolerance > 0:
        return True
    return msgspec.msgpack.encode(recorded) == msgspec.msgpack.encode(replayed)
