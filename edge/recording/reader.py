"""Reader of a recording's metadata, messages and inputs; a torn tail is logged, gaps are given, damage is refused."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec
from mcap.records import Attachment, Channel, Message

from ..errors import SourceError
from ..live.inbox import LoopInput
from ..system.files import is_there
from ..validation import UNREADABLE, explain
from ..wire.messages import TOPICS
from . import schema_1
from .mcap_records import damaged, read_file
from .metadata import METADATA, RunMetadata, decode_metadata, file_name, suggest
from .records import End, Gap, Mark, SentMessage, Step
from .unpacking import Pictures, to_input

MARKS = "recording."
STEPS = "steps."
PICTURES = "video."

T = TypeVar("T")

log = logging.getLogger(__name__)


class Published(msgspec.Struct):
    """Field that every message has."""

    mono_publish: int


class Found(NamedTuple):
    """A message of an MCAP file, and where it stands."""

    path: Path
    offset: int
    topic: str
    sequence: int
    body: bytes

    def decode(self, kind: type[T]) -> T:
        """Return the content; SourceError where it is none of this kind."""
        try:
            return msgspec.json.decode(self.body, type=kind)
        except UNREADABLE as error:
            problem = f"the content cannot be decoded ({explain(error, self.body, kind)})"
            raise damaged(self.path, self.offset, problem) from error


def is_schema_1(recording: Path) -> bool:
    """Return whether a recording is one of 0.1.0."""
    return is_there(recording / METADATA, SourceError)


def read_metadata(recording: Path) -> RunMetadata:
    """Read a recording's metadata; SourceError where it is no recording, is damaged or of another version."""
    if is_schema_1(recording):
        return schema_1.read_metadata(recording)
    first = files_of(recording)[0]
    for _, record in read_file(first):
        if isinstance(record, Attachment) and record.name == METADATA:
            return decode_metadata(record.data, f"{METADATA} in {first}")
        if isinstance(record, Message):
            break
    raise SourceError(f"{first} is no recording of foal-edge: it has no {METADATA}; foal-edge --record makes one")


def has_inputs(recording: Path) -> bool:
    """Return whether audio and video were recorded."""
    return schema_1.has_inputs(recording) if is_schema_1(recording) else read_metadata(recording).media


def read_messages(recording: Path) -> Iterator[SentMessage | Gap | End]:
    """Yield each message as sent, a `Gap` where some are missing, and the `End` unless the recording breaks off."""
    if is_schema_1(recording):
        yield from schema_1.read_messages(recording)
        return
    for found in read_found(recording, "messages", lambda topic: topic.split(".")[0] in TOPICS.values()):
        if isinstance(found, Found):
            yield SentMessage(found.decode(Published).mono_publish, found.topic.encode(), found.body)
        else:
            yield found


def read_inputs(recording: Path) -> Iterator[LoopInput | Gap | End]:
    """Yield each input of the loop, arrays bit by bit; `Gap` and `End` as in `read_messages`."""
    names = [spec.name for spec in read_metadata(recording).run_spec.stream_specs]
    if not has_inputs(recording):
        raise SourceError(f"{recording} holds no audio and no video: it was recorded without --record-media")
    if is_schema_1(recording):
        yield from schema_1.read_inputs(recording, len(names))
        return
    pictures, topics = Pictures(), {STEPS, *(f"{PICTURES}{name}." for name in names)}
    for found in read_found(recording, "steps", topics.__contains__):
        if not isinstance(found, Found):
            yield found
            continue
        try:
            if found.topic == STEPS:
                yield to_input(found.decode(Step), names, pictures)
            else:
                pictures.add(found.topic, found.sequence, found.body)
        except ValueError as error:
            raise damaged(found.path, found.offset, str(error)) from error


def read_found(recording: Path, track: str, is_wanted: Callable[[str], bool]) -> Iterator[Found | Gap | End]:
    """Yield the messages of wanted topics from all files in the order of writing, the gaps of a track, and the end.

    A missing end is logged.
    """
    is_over = False
    for path in files_of(recording):
        topics: dict[int, str] = {}
        for offset, record in read_file(path):
            if isinstance(record, Channel):
                topics[record.id] = record.topic
            elif isinstance(record, Message):
                if is_over or record.channel_id not in topics:
                    problem = (
                        "there should be none after the end" if is_over else f"no channel {record.channel_id} is there"
                    )
                    raise damaged(path, offset, problem)
                found = Found(path, offset, topics[record.channel_id], record.sequence, record.data)
                mark = found.decode(Mark) if found.topic == MARKS else None
                is_over = mark is not None and mark.kind == "end"
                if mark is not None and mark.kind == f"{track}_lost":
                    yield Gap(mark.lost)
                elif is_wanted(found.topic):
                    yield found
    if is_over:
        yield End()
    else:
        log.warning(
            "the %s of %s break off: the program was killed, is still running, or the disk was full; "
            "what is there is read",
            track,
            recording,
        )


def files_of(recording: Path) -> list[Path]:
    """Return the files of a recording, given as its folder or as its file; SourceError where there are none."""
    if recording.is_file():
        return [recording]
    files = sorted(recording.glob("*.mcap"))
    if not files:
        raise SourceError(f"no recording at {recording}; {suggest(recording)}")
    for number, path in enumerate(files):
        if path.name != file_name(number):
            raise SourceError(f"{recording} is incomplete: {file_name(number)} is missing, {path.name} is there")
    return files
