"""Writer of one MCAP file: JSON messages in channels, in chunks that are compressed, checked and indexed."""

import errno
import os
from functools import cache
from pathlib import Path

import msgspec
from mcap.well_known import MessageEncoding, SchemaEncoding
from mcap.writer import Writer

from .schemas import json_schema

CHUNK_BYTES = 1 << 15
"""Number of bytes from which on a chunk is written; what a full disk cuts off is one chunk."""
LARGEST_MESSAGE = 1 << 27
"""Largest message, in bytes: four times that of a frame of 8 million pixels."""
LARGEST_SEQUENCE = (1 << 32) - 1


class McapFile:
    """Writer of a new MCAP file that only its owner may read; OSError where the disk does not take it."""

    def __init__(self, path: Path, attached: str, content: bytes, created_ns: int) -> None:
        """Begin the file with an attachment in JSON, and hand that to the disk."""
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        self._writer = Writer(self._file, chunk_size=LARGEST_MESSAGE, enable_data_crcs=True)
        self._schemas: dict[str, int] = {}
        self._channels: dict[str, int] = {}
        self._held = self.chunks = 0
        """Number of bytes that wait for the next chunk, and of chunks written."""
        self._writer.start()
        self._writer.add_attachment(created_ns, created_ns, attached, "application/json", content)
        self.sync()

    def append(self, topic: str, name: str, message: msgspec.Struct, time_ns: int, sequence: int) -> None:
        """Add a message to the channel `topic`, whose schema is `name`; it reaches the system with the next chunk."""
        body = msgspec.json.encode(message)
        if len(body) > LARGEST_MESSAGE:
            raise OSError(errno.EFBIG, f"a message of {len(body)} bytes is more than {LARGEST_MESSAGE}")
        if len(body) >= CHUNK_BYTES:  # a picture has a chunk of its own: what stands before it is not lost with it
            self.flush()
        channel = self._channels.get(topic)
        if channel is None:
            channel = self._channels[topic] = self._register(topic, name, type(message))
        time_ns = max(0, time_ns)  # as MCAP has it
        self._writer.add_message(channel, time_ns, body, time_ns, sequence & LARGEST_SEQUENCE)
        self._held += len(body)
        if self._held >= CHUNK_BYTES:
            self.flush()

    def _register(self, topic: str, name: str, kind: type[msgspec.Struct]) -> int:
        if name not in self._schemas:
            self._schemas[name] = self._writer.register_schema(name, SchemaEncoding.JSONSchema, encoded_schema(kind))
        return self._writer.register_channel(topic, MessageEncoding.JSON, self._schemas[name])

    def flush(self) -> None:
        """End the chunk and hand everything to the system: from then on it outlives this program."""
        self.chunks += self._held > 0
        self._held = 0
        self._writer.flush()

    def sync(self) -> None:
        """Hand everything to the disk: from then on it outlives a power cut."""
        self.flush()
        os.fdatasync(self._file.fileno())

    def finish(self) -> None:
        """Write the rest and the index, and hand everything to the disk."""
        self._writer.finish()
        self._file.flush()
        os.fdatasync(self._file.fileno())

    def close(self) -> None:
        """Close the file; messages whose chunk has not been written are lost."""
        self._file.close()


@cache
def encoded_schema(kind: type[msgspec.Struct]) -> bytes:
    """Return the schema of a struct in JSON, encoded."""
    return msgspec.json.encode(json_schema(kind))
