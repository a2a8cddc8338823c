"""Worker: a process with a model of its own, which annotates one recording after the other until its stdin ends."""

import logging
import os
import signal
import sys
import time
from pathlib import Path
from typing import BinaryIO

import msgspec

from ..backends.tensorrt.progress import quiet_engine_builder
from ..bundle.load import load
from ..errors import FoalError
from ..models.names import find_bundle_folder
from ..preprocess.framing import threads_for
from ..session.model import open_model
from ..sources.base import source_error
from ..system.own_program import PACKAGE
from ..system.printable import as_text
from ..system.resources import exhaustion
from .annotator import Annotator
from .collection import Entry
from .protocol import Begin, Done, Failed, Job, Note, Position, Ready, Reply


class NoteHandler(logging.Handler):
    """Handler that sends each record as a note, and keeps warnings for the job at hand."""

    def __init__(self, channel: "Channel") -> None:
        super().__init__()
        self._channel = channel
        self.warnings: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Send a record."""
        text = record.getMessage()
        if record.levelno >= logging.WARNING:
            self.warnings.append(text)
        self._channel.send(Note(record.levelno, as_text(text)))


class Channel:
    """Stdout as it was when the process began: whatever else is printed goes to stderr from now on."""

    def __init__(self) -> None:
        self._file: BinaryIO = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def send(self, reply: Reply) -> None:
        """Send a line; whoever asked being gone, the process ends."""
        try:
            self._file.write(msgspec.json.encode(reply) + b"\n")
            self._file.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._file.fileno())  # what is still to be flushed goes nowhere
            sys.exit(1)


def main() -> None:
    """Load the model that the first line asks for, then do a job a line; SIGTERM ends it in order."""
    signal.signal(signal.SIGTERM, end)
    channel, lines = Channel(), sys.stdin.buffer
    notes = NoteHandler(channel)
    logging.getLogger().addHandler(notes)
    logging.getLogger(PACKAGE).setLevel(logging.INFO)
    begin = msgspec.json.decode(lines.readline(), type=Begin)
    try:
        bundle = load(find_bundle_folder(Path(begin.config.bundle)))
        annotator = Annotator(open_model(begin.config, bundle, quiet_engine_builder()), begin.config)
    except (FoalError, MemoryError, OSError, ImportError) as error:
        channel.send(failed(error))
        return
    channel.send(Ready(annotator.model.about, annotator.settings))
    with threads_for(begin.workers):
        for line in lines:
            notes.warnings.clear()
            channel.send(work(annotator, msgspec.json.decode(line, type=Job), channel, notes.warnings))


def end(number: int, _frame: object) -> None:
    """End the process, so that what is half written is removed."""
    sys.exit(128 + number)


def work(annotator: Annotator, job: Job, channel: Channel, warnings: list[str]) -> Done | Failed:
    """Do one job; an error of whatever kind is its end and not the worker's."""
    entry = Entry(Path(os.fsdecode(job.recording)), Path(os.fsdecode(job.stem)))
    started_s = time.monotonic()
    try:
        annotation = annotator.annotate(
            entry.recording, lambda time_s, duration_s: channel.send(Position(time_s, duration_s))
        )
        annotator.write(annotation, entry, job.formats, warnings)
    except Exception as error:  # a decoder may raise anything: one recording is lost, not the others
        return failed(error, str(entry.recording))
    return Done(len(annotation.rows), annotation.rows[-1].end_s, time.monotonic() - started_s)


def failed(error: Exception, name: str = "foal-edge") -> Failed:
    """Return the end by an error, which is one of the recording of that name unless it says otherwise."""
    known = error if isinstance(error, FoalError) else exhaustion(error) or source_error(name, error)
    return Failed(as_text(str(known)), known.exit_status)


if __name__ == "__main__":
    main()
