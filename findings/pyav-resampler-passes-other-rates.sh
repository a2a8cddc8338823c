#!/usr/bin/env bash
# PyAV's AudioResampler stops resampling for ever once its first frame needs none.
#
# Expected: a resampler that was asked for 16 kHz gives 16 kHz, or refuses a frame of another form with a ValueError, as
#   it does where its first frame needed work.
# Happens: where the first frame has the form that is asked for, every later one is handed back as it is, at whatever
#   rate (48 kHz here), unsaid. A stream that changes its rate midway is then heard three times too slow.
# Versions: av 18.1.0, numpy 2.4.6.
# Known since: found here; the cause is the flag is_passthrough in av/audio/resampler.py, set by the first frame alone.
# How we live with it: a new resampler for each form of sound, and none where no work is to be done.
set -euo pipefail
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check av==18.1.0 numpy==2.4.6
"$room/venv/bin/python" - <<'PYTHON'
import sys

import av
import numpy as np


def frame(rate_hz: int) -> av.AudioFrame:
    made = av.AudioFrame.from_ndarray(np.zeros((1, rate_hz // 10), np.int16), "s16", "mono")
    made.sample_rate = rate_hz
    return made


def second_rates(first_hz: int, second_hz: int) -> object:
    resampler = av.AudioResampler(format="s16", layout="mono", rate=16000)
    resampler.resample(frame(first_hz))
    try:
        return [part.sample_rate for part in resampler.resample(frame(second_hz))]
    except ValueError as error:
        return f"ValueError: {error}"


seen = {
    "44100, then 48000": second_rates(44100, 48000),
    "16000, then 48000": second_rates(16000, 48000),
}
print("av", av.__version__, "numpy", np.__version__)
for what, result in seen.items():
    print(f"{what}: {result}")
expected = {
    "44100, then 48000": "ValueError: Frame does not match AudioResampler setup.",
    "16000, then 48000": [48000],
}
if seen != expected:
    sys.exit("this is no longer so: a frame of another rate is not passed through")
print("a frame of 48 kHz came through a resampler to 16 kHz as it was")
PYTHON
