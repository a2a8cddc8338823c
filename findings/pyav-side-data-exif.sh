#!/usr/bin/env bash
# PyAV 18 gives none of a frame's side data where the picture has EXIF data.
#
# Expected: `frame.side_data.get("DISPLAYMATRIX")` of a photo that a telephone took upright is its display matrix, or
#   None where it has none, as with PyAV 14 to 17.
# Happens: ValueError, "31 is not a valid Type", before anything can be asked for. FFmpeg 8.1, which PyAV 18 carries,
#   attaches EXIF data to decoded JPEG, PNG, WebP, TIFF and HEIC pictures (AV_FRAME_DATA_EXIF, 31); PyAV's list of types
#   ends before it, and one unknown type loses them all. `frame.rotation` still works, but tells no mirrored picture
#   from one that is not.
# Versions: av 18.0.0 and 18.1.0; Python 3.11 or later. Its main branch skips unknown types since August 2026.
# How we live with it: edge/sources/image_conversion.py gives unknown types a name.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet av==18.1.0 numpy==2.2.6
"$work/venv/bin/python" - "$work/photo.jpg" <<'PYTHON'
import struct
import sys
from fractions import Fraction

import av
import numpy as np

path = sys.argv[1]
encoder = av.CodecContext.create("mjpeg", "w")
encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = 64, 48, "yuvj420p", Fraction(1)
frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 90, np.uint8), "rgb24").reformat(format="yuvj420p")
still = b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])
turned_right = struct.pack("<2sHIHHHIHHI", b"II", 42, 8, 1, 0x0112, 3, 1, 6, 0, 0)
said = b"Exif\0\0" + turned_right
with open(path, "wb") as file:
    file.write(still[:2] + b"\xff\xe1" + struct.pack(">H", len(said) + 2) + said + still[2:])

with av.open(path) as container:
    decoded = next(container.decode(video=0))
print("PyAV", av.__version__, "with FFmpeg", av.ffmpeg_version_info)
print("frame.rotation:", decoded.rotation)
try:
    found = decoded.side_data.get("DISPLAYMATRIX")
except ValueError as error:
    print("frame.side_data:", repr(error))
    print("expected: the display matrix, which frame.rotation was read from")
else:
    sys.exit(f"changed: frame.side_data gives {found!r}")
PYTHON
