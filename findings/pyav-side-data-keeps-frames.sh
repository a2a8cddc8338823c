#!/usr/bin/env bash
# A frame of PyAV whose side data was looked at stays in memory until Python's garbage collector runs.
#
# Expected: a decoded frame is let go with the last reference to it, its pixels and what converted them as well; that is
#   so as long as nobody reads `frame.side_data`.
# Happens: reading it once makes the container of side data and keeps it in the frame, and the container keeps the frame:
#   a circle. Frames, each with its pixels and, where it was converted, libswscale's threads, pile up until the garbage
#   collector comes by, which counts objects and not megabytes: 640 x 480 frames of a film pile up by the hundred.
# Versions: av 18.1.0, numpy 2.4.6.
# Known since: found here; no report of it was found.
# How we live with it: edge/sources/image_conversion.py makes the container of side data itself, and keeps none in the frame.
set -euo pipefail
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check av==18.1.0 numpy==2.4.6
"$room/venv/bin/python" - "$room/film.mkv" <<'PYTHON'
import gc
import sys

import av
import numpy as np

FRAMES = 100
path = sys.argv[1]
with av.open(path, "w") as container:
    stream = container.add_stream("ffv1", rate=25, width=64, height=48, pix_fmt="yuv420p")
    for number in range(FRAMES):
        picture = np.full((48, 64, 3), number, np.uint8)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24").reformat(format="yuv420p")))
    container.mux(stream.encode(None))


def kept(look: bool) -> int:
    """Frames that are still there after all have been decoded and let go, before garbage is collected."""
    gc.collect()
    gc.disable()
    with av.open(path) as container:
        for frame in container.decode(video=0):
            if look:
                _ = frame.side_data
        del frame
    count = sum(isinstance(thing, av.VideoFrame) for thing in gc.get_objects())
    gc.enable()
    gc.collect()
    return count


without, with_look = kept(look=False), kept(look=True)
print("PyAV", av.__version__, "with Python", sys.version.split()[0])
print(f"of {FRAMES} decoded frames stay in memory: {without} where nothing was looked at, {with_look} after frame.side_data")
if without or with_look < FRAMES:
    sys.exit("changed: expected 0, and all of them")
PYTHON
