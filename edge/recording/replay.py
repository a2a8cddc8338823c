"""Replay of a recorded run: its inputs through the same loop, or its messages as they were sent."""

import hashlib
import logging
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from ..backends.registry import get_published_entry
from ..backends.select import open_backend
from ..backends.tensorrt.builder import EngineBuilder
from ..bundle.load import MANIFEST, SHIPPED, Bundle, load, read_manifest, sha256
from ..bundle.manifest import encode_manifest
from ..clock import Clock
from ..errors import BundleError, FoalError, SourceError, UsageError
from ..live.pipeline import build_pipeline
from ..live.recognizer import Recognizer
from ..preprocess.framing import threads_for
from ..validation import UNREADABLE, explain
from ..wire.messages import Message, decode
from .compare import Comparison
from .metadata import RunMetadata
from .reader import read_inputs, read_messages
from .records import End, Gap, SentMessage

Wait = Callable[[int], bool]
"""Function that waits until a time of the recording and returns whether the replay is to stop."""

log = logging.getLogger(__name__)


def find_bundle(about: RunMetadata, named: Path | None, *, exactly: bool) -> Bundle:
    """Load the recorded bundle, from its folder or as shipped; another only if `named` and not `exactly` required.

    UsageError says which manifest was expected.
    """
    wanted = about.bundle.manifest_sha256
    for folder in [named] if named else [Path(about.bundle.folder), SHIPPED]:
        if is_recorded(folder, wanted):
            return load(folder)
    if named and not exactly:
        bundle = load(named)
        log.warning("%s is another bundle than the recorded %s %s", named, about.bundle.name, about.bundle.version)
        return bundle
    raise UsageError(
        f"{named or 'what is here'} is not the recorded bundle {about.bundle.name} {about.bundle.version}, whose "
        f"{MANIFEST} has sha256 {wanted}; give it by --bundle, or replay with another one without --compare"
    )


def is_recorded(folder: Path, wanted: str) -> bool:
    """Return whether a folder's manifest has that hash, with or without what an earlier export left out."""
    if not (folder / MANIFEST).is_file():
        return False
    if sha256(folder / MANIFEST) == wanted:
        return True
    try:
        manifest = read_manifest(folder)
    except BundleError:
        return False
    before = (replace(manifest, video_head=None), replace(manifest, video_head=None, golden_probabilities=None))
    return wanted in [hashlib.sha256(encode_manifest(each)).hexdigest() for each in before]


def open_recognizer(about: RunMetadata, bundle: Bundle, engine_builder: EngineBuilder) -> Recognizer:
    """Open the bundle on the recorded backend, with as many threads; EngineError where that is not available."""
    entry = get_published_entry(about.backend)
    return Recognizer(bundle.manifest, open_backend(bundle, entry.name, about.threads, engine_builder).backend)


@dataclass(frozen=True)
class Replay:
    """Replay of one recording."""

    folder: Path
    about: RunMetadata
    wait: Wait
    """Wait before each input or message."""

    def run(
        self, recognizer: Recognizer, publish: Callable[[Message], None], on_gap: Callable[[Gap], None] | None = None
    ) -> bool:
        """Run the loop on the recorded inputs; return whether they are complete, to the run's end."""
        pipeline = build_pipeline(self.about.run_spec, recognizer, publish)
        with threads_for(len(self.about.run_spec.stream_specs)), closing(pipeline.loop):
            for record in read_inputs(self.folder):
                if isinstance(record, End):
                    return True
                if isinstance(record, Gap):
                    (on_gap or warn)(record)
                elif self.wait(record.now_ns):
                    break
                else:
                    pipeline.loop.run_once(record)
        return False

    def messages(self, publish: Callable[[Message], None]) -> None:
        """Publish the recorded messages."""
        for record in read_messages(self.folder):
            if isinstance(record, Gap):
                warn(record)
            elif isinstance(record, SentMessage):
                if self.wait(record.mono_ns):
                    break
                publish(self._decode(record))

    def _decode(self, record: SentMessage) -> Message:
        try:
            return decode(record.body)
        except UNREADABLE as error:
            raise SourceError(
                f"{self.folder} has a message of topic {record.topic!r} that this program does not know "
                f"({explain(error, record.body, Message)}); replay it with foal-edge {self.about.software}"
            ) from error

    def compare(self, recognizer: Recognizer, tolerance: float = 0) -> Comparison:
        """Run and compare; FoalError at the first difference, and where inputs are missing."""
        comparison = Comparison(read_messages(self.folder), self.about.wire_format, tolerance)
        is_complete = self.run(recognizer, comparison.check, on_gap=refuse)
        comparison.finish(is_complete=is_complete)
        return comparison


def warn(gap: Gap) -> None:
    """Warn of a gap; the records after it are still replayed."""
    log.warning("%d records are missing here: the disk was too slow when this was recorded", gap.lost)


def refuse(gap: Gap) -> None:
    """Raise FoalError for a gap: the records after it cannot be compared."""
    raise FoalError(
        f"{gap.lost} steps are missing from the recording, whose disk was too slow: "
        "what follows them cannot be compared"
    )


def at_once(stop: threading.Event) -> Wait:
    """Return a wait that takes no time."""
    return lambda _: stop.is_set()


def in_its_own_time(clock: Clock, stop: threading.Event) -> Wait:
    """Return a wait that keeps the recorded distances in time."""
    begin_ns: list[int] = []

    def wait(time_ns: int) -> bool:
        if not begin_ns:
            begin_ns.append(clock.now_ns() - time_ns)
        return clock.wait_until(begin_ns[0] + time_ns, stop)

    return wait
