"""A recording's messages and steps, as they were; a torn tail is said, gaps are given, damage is refused."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from ..errors import SourceError
from ..live.inbox import LoopInput
from ..system.files import is_there
from ..validation import UNREADABLE, explain
from .metadata import MESSAGES, STEPS, read_session
from .record_file import damaged, read_records
from .records import End, Gap, SentMessage, TakenStep, unpack_step

log = logging.getLogger(__name__)


def has_steps(folder: Path) -> bool:
    """Whether sound and pictures were recorded."""
    return is_there(folder / STEPS, SourceError)


def read_messages(folder: Path) -> Iterator[SentMessage | Gap | End]:
    """Each message as it was sent, a `Gap` where some are missing, and the `End` unless the recording breaks off."""
    for _, record in decode_records(folder / MESSAGES, SentMessage | Gap | End):
        yield record


def read_steps(folder: Path) -> Iterator[LoopInput | Gap | End]:
    """Each step as it was taken, arrays bit by bit; `Gap` and `End` as in `read_messages`."""
    path = folder / STEPS
    streams = len(read_session(folder).run_spec.stream_specs)
    if not is_there(path, SourceError):
        raise SourceError(f"{folder} holds no sound and no pictures: it was recorded without --record-media")
    for offset, record in decode_records(path, TakenStep | Gap | End):
        if isinstance(record, Gap | End):
            yield record
            continue
        if len(record.dropped) != streams or any(arrived.stream >= streams for arrived in record.deliveries):
            raise damaged(path, offset, f"it is not a step of {streams} streams, as the session has")
        try:
            yield unpack_step(record)
        except ValueError as error:
            raise damaged(path, offset, str(error)) from error


def decode_records(path: Path, kinds: Any) -> Iterator[tuple[int, Any]]:
    """Offset and content of each record, the `End` being the last; it is said where there is none."""
    decoder = msgspec.msgpack.Decoder(kinds)
    is_over, count = False, 0
    for offset, payload in read_records(path):
        try:
            record = decoder.decode(payload)
        except UNREADABLE as error:
            problem = f"the content cannot be decoded ({explain(error, payload, kinds)})"
            raise damaged(path, offset, problem) from error
        if is_over:
            raise damaged(path, offset, "there should be none after the run's end")
        is_over, count = isinstance(record, End), count + 1
        yield offset, record
    if not is_over:
        log.warning(
            "%s breaks off after %d records: the program was killed, is still running, or the disk was full; "
            "what is there is read",
            path,
            count,
        )
