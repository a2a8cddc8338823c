#!/usr/bin/env bash
# A MCAP file whose program was killed reads as empty with every default of the package mcap, though all of it is there.
#
# Expected: MCAP is made to be read after a crash, so each message of the chunks that were written comes before an error
#   that says that the end is missing.
# Happens: make_reader takes the last bytes of the file for a footer, and raises RecordLengthLimitExceeded with a length
#   that stands nowhere, or another error, as the bytes have it. NonSeekingReader sorts by log time, for which it reads
#   everything first, so that the missing end raises EndOfFile before the first message. With log_time_order=False all
#   messages come, then EndOfFile.
# Versions: mcap 1.6.0 (lz4 4.4.5, zstandard 0.25.0).
# Known since: the command `mcap recover` is there for such files; of the package's defaults no report was found.
# How we live with it: recordings are read in the order in which they were written; a missing end is a warning.
set -euo pipefail
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check mcap==1.6.0 lz4==4.4.5 zstandard==0.25.0
"$room/venv/bin/python" - <<'PYTHON'
import io
import sys
from importlib.metadata import version

from mcap.reader import NonSeekingReader, make_reader
from mcap.writer import Writer

file = io.BytesIO()
writer = Writer(file)
writer.start()
channel = writer.register_channel("a", "json", 0)
for number in range(1000):
    writer.add_message(channel, number, b'{"number": %d}' % number, number)
    if number % 100 == 99:
        writer.flush()
content = file.getvalue()  # and here the program is killed


def count(messages) -> tuple[int, str]:
    found = 0
    try:
        for _ in messages():
            found += 1
    except Exception as error:
        return found, f"{type(error).__name__} {error}".strip()
    return found, "no error"


print("mcap", version("mcap"), "1000 messages in 10 chunks, without an end")
seeking = count(lambda: make_reader(io.BytesIO(content)).iter_messages())
default = count(lambda: NonSeekingReader(io.BytesIO(content)).iter_messages())
in_order = count(lambda: NonSeekingReader(io.BytesIO(content)).iter_messages(log_time_order=False))
print("make_reader:", *seeking)
print("NonSeekingReader:", *default)
print("NonSeekingReader, log_time_order=False:", *in_order)
print("expected: 1000 messages of each, then an error")
if not (seeking[0] == default[0] == 0 and in_order[0] == 1000):
    sys.exit("this is no longer so: see whether the page on recordings still has to say how they are read")
PYTHON
