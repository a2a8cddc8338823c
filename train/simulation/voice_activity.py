"""Voice activity in labelled recordings, the truth that the audio encoder's voice head is taught.

Silero VAD (Silero Team, MIT; its weights come inside the package `silero-vad`) tells speech from other sounds. It calls
laughs, cries and screams no speech, so in a studio's recordings whatever is loud is voice, too.
"""

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from edge.preprocess.media import Samples

from ..packages import file_of
from .noise import to_level

RATE_HZ = 16000
STEP = 250
"""Samples of one value of activity: 1/64 s at 16 kHz, an eighth of a token of the nano audio encoder."""
FRAME, CONTEXT = 512, 64
"""Samples of one frame of Silero VAD, and of the frame before that it is given, too."""
SPEECH = 0.25
"""Probability from which a frame is speech: .91 to .98 of speech and no steady noise pass it."""
LEVEL_DBFS = -23.0
"""Level to which a recording is scaled first: Silero VAD depends on it."""
LOUD_DB = 30.0
"""Distance below a studio recording's loudest 47 ms down to which sound is voice."""

Activity = NDArray[np.float32]
"""Share of voice in each step of 250 samples, `[n]`."""


class VoiceActivity:
    """Silero VAD on ONNX Runtime."""

    def __init__(self) -> None:
        path = file_of(
            "silero-vad",
            "silero_vad/data/silero_vad_16k_sequence.onnx",
            use="voice activity is found",
            remedy="pip install 'foal-edge[train]'",
        )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def speech(self, audio: Samples) -> Activity:
        """Return 1 where speech is heard in audio at 16 kHz, else 0, for each step."""
        audio = to_level(audio, LEVEL_DBFS)
        count = -(-len(audio) // FRAME)
        padded = np.zeros(CONTEXT + count * FRAME, np.float32)
        padded[CONTEXT : CONTEXT + len(audio)] = audio
        frames = np.lib.stride_tricks.sliding_window_view(padded, CONTEXT + FRAME)[::FRAME]
        state = np.zeros((1, 1, 128), np.float32)
        probs = self._session.run(["speech_probs"], {"input": frames, "h": state, "c": state})[0]
        places = np.minimum((np.arange(-(-len(audio) // STEP)) + 0.5) * STEP // FRAME, count - 1).astype(int)
        return (probs[places] >= SPEECH).astype(np.float32)

    def voice(self, audio: Samples, is_studio: bool) -> Activity:
        """Return 1 where a voice is heard for each step: speech, and in a studio's recordings all that is loud."""
        speech = self.speech(audio)
        return np.maximum(speech, loud(audio)) if is_studio else speech


def loud(audio: Samples) -> Activity:
    """Return 1 for each step whose surroundings (47 ms) are at most 30 dB below the loudest, else 0."""
    steps = -(-len(audio) // STEP)
    power = np.square(np.pad(audio, (0, steps * STEP - len(audio))), dtype=np.float64).reshape(steps, STEP).mean(axis=1)
    smooth = np.convolve(np.pad(power, 1), np.full(3, 1 / 3), mode="valid")
    return (smooth >= smooth.max() * 10 ** (-LOUD_DB / 10)).astype(np.float32) * (smooth.max() > 0)
