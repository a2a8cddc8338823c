"""Bridge to a bag of ROS 2: messages in MCAP, written without ROS."""

import logging
import time
from pathlib import Path
from typing import Any, Final, cast

from rosbags.interfaces import Connection
from rosbags.rosbag2 import StoragePlugin, Writer, WriterError
from rosbags.rosbag2.storage_mcap import McapWriter

from ..errors import FoalError, UsageError
from ..wire.messages import Message, PersonPrediction, Prediction, Status
from . import ros_messages as ros
from .base import Bridge

VERSION: Final = 8
"""Version of the bag's metadata: ROS 2 Iron's, which later ones read too."""
FLUSH_EVERY_S = 10.0
"""Time after which what was written is given to the system: rosbags alone would keep a MiB, minutes of messages."""
IS_FOLLOWED = frozenset({"online", "degraded"})
"""States of a stream whose face is followed."""

log = logging.getLogger(__name__)


class RosbagBridge(Bridge):
    """Bridge that writes every message as JSON, predictions as Expression too, and the list of faces on its changes.

    A face in that list is a stream, or each of the people who are there once a stream has told of several.

    The time of a message in the bag is that of its publishing, the stamp in its header that of the capture. A bag that
    was not closed is read after `mcap recover`; what came since the last flush is missing.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._store = ros.typestore()
        self._connections: dict[str, Connection] = {}
        self._followed: dict[str, list[str]] = {}
        """Identifiers of the faces that are followed, by the stream's name."""
        self._has_people: set[str] = set()
        """Streams that have told of people."""
        self._flushed_s = time.monotonic()
        try:
            self._writer = Writer(folder, version=VERSION, storage_plugin=StoragePlugin.MCAP)
            self._writer.open()
        except (WriterError, OSError) as error:
            raise UsageError(f"cannot make the bag {folder}: {error}; give a new folder") from error

    def send(self, message: Message) -> None:
        """Write a message. Raises FoalError if the disk takes no more."""
        try:
            self._write(ros.json_topic(message), ros.TEXT, message.t_publish, ros.text(self._store, message))
            if isinstance(message, Prediction | PersonPrediction):
                person = message.person if isinstance(message, PersonPrediction) else None
                topic = ros.expression_topic(ros.face_id(message.stream, person))
                self._write(topic, ros.EXPRESSION, message.t_publish, ros.expression(self._store, message))
            elif isinstance(message, Status):
                self._write_followed(message)
            if time.monotonic() - self._flushed_s >= FLUSH_EVERY_S:
                self._flush()
        except OSError as error:
            raise self._cannot_write(error) from error

    def _write(self, topic: str, kind: str, t_ns: int, made: Any) -> None:
        if topic not in self._connections:
            self._connections[topic] = self._writer.add_connection(topic, kind, typestore=self._store)
        self._writer.write(self._connections[topic], t_ns, self._store.serialize_cdr(made, kind))

    def _write_followed(self, message: Status) -> None:
        stream = message.stream
        if message.people or message.came or message.left:
            self._has_people.add(stream)
        faces = [ros.face_id(stream, person) for person in message.people]
        if stream not in self._has_people:
            faces = [ros.face_id(stream)]
        if message.state not in IS_FOLLOWED:
            faces = []
        if faces != self._followed.get(stream, []):
            self._followed[stream] = faces
            listed = [face for name in sorted(self._followed) for face in self._followed[name]]
            self._write(ros.TRACKED, ros.IDS, message.t_publish, ros.ids(self._store, message.t_publish, listed))

    def _flush(self) -> None:
        storage = cast(McapWriter, self._writer.storage)
        storage.close_chunk()
        storage.bio.flush()
        self._flushed_s = time.monotonic()

    def _cannot_write(self, error: OSError) -> FoalError:
        return FoalError(f"cannot write the bag {self._folder}: {error.strerror}; make room, and give a new folder")

    def close(self) -> None:
        """Finish the bag. Raises FoalError if the disk takes no more."""
        try:
            self._writer.close()
        except OSError as error:
            raise self._cannot_write(error) from error
        log.info("wrote the bag %s", self._folder)
