"""Reader of a recording's messages and inputs; a torn tail is logged, gaps are given, damage is refused."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from ..errors import SourceError
from ..live.inbox import LoopInput
from ..system.files import is_there
from ..validation import UNREADABLE, explain
from .metadata import INPUTS, MESSAGES, read_metadata
from .record_file import damaged, read_records
from .records import End, Gap, LoopInputRecord, SentMessage, unpack_input

log = logging.getLogger(__name__)


def has_inputs(folder: Path) -> bool:
    """Return whether audio and video were recorded."""
    return is_there(folder / INPUTS, SourceError)


def read_messages(folder: Path) -> Iterator[SentMessage | Gap | End]:
    """Yield each message as sent, a `Gap` where some are missing, and the `End` unless the recording breaks off."""
    for _, record in decode_records(folder / MESSAGES, SentMessage | Gap | End):
        yield record


def read_inputs(folder: Path) -> Iterator[LoopInput | Gap | End]:
    """Yield each input of the loop, arrays bit by bit; `Gap` and `End` as in `read_messages`."""
    path = folder / INPUTS
    streams = len(read_metadata(folder).run_spec.stream_specs)
    if not is_there(path, SourceError):
        raise SourceError(f"{folder} holds no audio and no video: it was recorded without --record-media")
    for offset, record in decode_records(path, LoopInputRecord | Gap | End):
        if isinstance(record, Gap | End):
            yield record
            continue
        if len(record.dropped) != streams or any(delivery.stream >= streams for delivery in record.deliveries):
            raise damaged(path, offset, f"it is not a step of {streams} streams, as the session has")
        try:
            yield unpack_input(record)
        except ValueError as error:
            raise damaged(path, offset, str(error)) from error


def decode_records(path: Path, kinds: Any) -> Iterator[tuple[int, Any]]:
    """Yield offset and content of each record; a missing `End`, which is the last record, is logged."""
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
