"""Conditions of sound: what a room, a line and a codec do to a voice. Samples are float32 `[n]`, full scale 1."""

import io

import av
import numpy as np

from edge.preprocess.media import Samples

from ..simulation.noise import repeated
from .noises import rms

TELEPHONE_BAND_HZ = (300.0, 3400.0)
"""Band of a telephone line (ITU-T G.712)."""
TELEPHONE_RATE_HZ = 8000
MU = 255.0
OPUS_BITS_A_SECOND = 16_000
DIRECT_TO_REVERBERANT_DB = 0.0
"""Energy of the direct sound over that of the reverberation, as at two metres or so in a living room."""


def mixed(voice: Samples, noise: Samples, snr_db: float) -> Samples:
    """Return a voice with noise of the same length, the powers of both over that length in the ratio `snr_db`.

    Where the sum would leave full scale both are lowered together.
    """
    level = rms(noise)
    if level == 0 or rms(voice) == 0:
        return voice
    return within_full_scale(voice + noise * (rms(voice) / level * 10 ** (-snr_db / 20)))


def within_full_scale(samples: np.ndarray) -> Samples:
    """Return samples lowered until none leaves full scale."""
    return (samples / max(1.0, float(np.abs(samples).max(initial=0)))).astype(np.float32)


def babble(rng: np.random.Generator, voices: list[Samples], count: int) -> Samples:
    """Return several voices at once, each at the same level and from a random place on."""
    parts = [repeated(voice, count, rng) / max(rms(voice), 1e-9) for voice in voices]
    return np.sum(parts, axis=0).astype(np.float32)


def impulse_response(rng: np.random.Generator, rt60_s: float, rate_hz: int) -> Samples:
    """Return the direct sound and noise that decays by 60 dB in `rt60_s` (Moorer 1979)."""
    time_s = np.arange(round(1.2 * rt60_s * rate_hz)) / rate_hz
    tail = rng.standard_normal(len(time_s)) * 10 ** (-3 * time_s / rt60_s)
    tail[0] = 0
    tail *= 10 ** (-DIRECT_TO_REVERBERANT_DB / 20) / np.sqrt(np.square(tail).sum())
    tail[0] = 1
    return tail.astype(np.float32)


def reverberant(voice: Samples, response: Samples) -> Samples:
    """Return a voice in the room of an impulse response, as long and as loud as before, in time with it."""
    response = response[int(np.abs(response).argmax()) :]
    size = len(voice) + len(response) - 1
    wet = np.fft.irfft(np.fft.rfft(voice, size) * np.fft.rfft(response, size), size)[: len(voice)]
    return within_full_scale(wet * (rms(voice) / max(rms(wet), 1e-12)))


def telephone(voice: Samples, rate_hz: int) -> Samples:
    """Return a voice through a telephone: 300 to 3,400 Hz, 8 kHz, eight bits by the mu-law (ITU-T G.711)."""
    count = round(len(voice) * TELEPHONE_RATE_HZ / rate_hz)
    narrow = resampled(band_limited(voice, rate_hz, *TELEPHONE_BAND_HZ), count).clip(-1, 1)
    code = np.round(127.5 * (1 + np.sign(narrow) * np.log1p(MU * np.abs(narrow)) / np.log1p(MU)))
    level = code / 127.5 - 1
    decoded = np.sign(level) * np.expm1(np.abs(level) * np.log1p(MU)) / MU
    return resampled(decoded, len(voice)).astype(np.float32)


def band_limited(samples: np.ndarray, rate_hz: int, low_hz: float, high_hz: float) -> np.ndarray:
    """Return samples without what lies outside a band; the edges are a tenth of their frequency wide."""
    hz = np.fft.rfftfreq(len(samples), 1 / rate_hz)
    gain = ((hz - 0.9 * low_hz) / (0.1 * low_hz)).clip(0, 1) * ((1.1 * high_hz - hz) / (0.1 * high_hz)).clip(0, 1)
    return np.fft.irfft(np.fft.rfft(samples) * gain, len(samples))


def resampled(samples: np.ndarray, count: int) -> np.ndarray:
    """Return samples at another rate, `count` of them, by their spectrum."""
    spectrum = np.fft.rfft(samples)[: count // 2 + 1]
    return np.fft.irfft(spectrum, count) * (count / max(len(samples), 1))


def opus(voice: Samples, rate_hz: int) -> Samples:
    """Return a voice through Opus at 16 kbit/s, as long as before."""
    stored = io.BytesIO()
    with av.open(stored, "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=rate_hz, layout="mono")
        stream.bit_rate = OPUS_BITS_A_SECOND
        stream.format = "s16"
        frame = av.AudioFrame.from_ndarray(
            np.round(voice.clip(-1, 1) * 32767).astype(np.int16)[None], format="s16", layout="mono"
        )
        frame.rate = rate_hz
        splitter = av.AudioResampler("s16", "mono", rate_hz, frame_size=stream.codec_context.frame_size)
        for part in (*splitter.resample(frame), *splitter.resample(None)):
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    stored.seek(0)
    resampler = av.AudioResampler("flt", "mono", rate_hz)
    with av.open(stored) as container:
        parts = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    parts += resampler.resample(None)
    decoded = np.concatenate([np.zeros(0, np.float32), *(part.to_ndarray()[0] for part in parts)])
    return np.pad(decoded[: len(voice)], (0, max(0, len(voice) - len(decoded))))


def louder(voice: Samples, gain_db: float) -> Samples:
    """Return a voice with another gain, cut off at full scale."""
    return (voice * 10 ** (gain_db / 20)).clip(-1, 1).astype(np.float32)
