#!/usr/bin/env bash
# mcap's Writer, told once that the disk is full, loses the chunk that it could not write and says nothing of it.
#
# Expected: a program that catches the OSError of a full disk, makes room and goes on, or calls finish() to save what is
#   there, gets a file with the messages of the chunk that failed, or another error.
# Happens: the chunk's bytes are taken out of their builder before they are written, and are gone; the index of its
#   messages and their count stay, and come with the next chunk. The file reads without an error, with CRCs checked, while
#   its statistics count messages that are in no chunk, and an index lists them.
# Versions: mcap 1.6.0 (lz4 4.4.5, zstandard 0.25.0).
# Known since: found here; no report of it was found.
# How we live with it: after the first OSError nothing more is asked of the writer; the file is closed, and read as one
#   whose end is missing.
set -euo pipefail
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check mcap==1.6.0 lz4==4.4.5 zstandard==0.25.0
"$room/venv/bin/python" - <<'PYTHON'
import errno
import io
import sys
from importlib.metadata import version

from mcap.reader import make_reader
from mcap.writer import Writer


class Disk(io.BytesIO):
    """A disk that is full for one write of more than a few bytes, and writes nothing of it."""

    is_full = False

    def write(self, data):
        if self.is_full and len(data) > 20:
            self.is_full = False
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)


disk = Disk()
writer = Writer(disk)
writer.start()
channel = writer.register_channel("a", "json", 0)
for number in range(30):
    writer.add_message(channel, number, b"%d" % number, number)
    if number % 10 == 9:
        disk.is_full = number == 19
        try:
            writer.flush()
        except OSError as error:
            print("the second ten messages:", error)
writer.finish()

reader = make_reader(io.BytesIO(disk.getvalue()), validate_crcs=True)
found = [int(message.data) for _, _, message in reader.iter_messages()]
summary = reader.get_summary()
print("mcap", version("mcap"))
print("messages by the statistics:", summary.statistics.message_count)
print("messages read:", len(found), "missing:", sorted(set(range(30)) - set(found)))
print("chunks by the index:", len(summary.chunk_indexes))
print("expected: as many read as the statistics say, or an error")
if len(found) == summary.statistics.message_count:
    sys.exit("this is no longer so: see whether a recording may go on after a full disk")
PYTHON
