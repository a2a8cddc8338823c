"""Recording of the demo's face and voice, for machines that have none: 640 x 480 pixels at 25 frames per second."""

import itertools
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from ..preprocess.media import Samples
from ..sources import demo

FRAME_RATE_HZ, WIDTH, HEIGHT = 25, 640, 480
AUDIO_HZ = 48_000
SAMPLES = 1024
"""Number of samples in an AAC frame."""


def write(path: Path, seconds: float) -> None:
    """Write a recording: H.264, or MPEG-4 where this FFmpeg has no H.264 encoder, and AAC."""
    codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=FRAME_RATE_HZ)
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        if codec == "libx264":
            video.options = {"preset": "veryfast"}
        audio = container.add_stream("aac", rate=AUDIO_HZ, layout="mono")
        voices = [demo.voice(mood, AUDIO_HZ) for mood in demo.MOODS]
        for second in range(round(seconds)):
            write_second(container, video, audio, second, voices[second // 4 % len(voices)])
        for stream in (video, audio):
            container.mux(stream.encode(None))


def write_second(
    container: av.container.OutputContainer, video: av.VideoStream, audio: av.AudioStream, second: int, voice: Samples
) -> None:
    """Encode one second of frames with the noise of a camera, and of audio."""
    draw = np.random.default_rng(second)
    mood = demo.MOODS[second // 4 % len(demo.MOODS)]
    image = cv2.resize(demo.face(mood), (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR).astype(np.int16)
    for index in range(FRAME_RATE_HZ):
        noisy = np.clip(image + draw.integers(-4, 5, image.shape, np.int16), 0, 255).astype(np.uint8)
        frame = av.VideoFrame.from_ndarray(noisy, "rgb24")
        frame.pts, frame.time_base = second * FRAME_RATE_HZ + index, Fraction(1, FRAME_RATE_HZ)
        container.mux(video.encode(frame))
    samples = voice[second % 4 * AUDIO_HZ :][:AUDIO_HZ]
    for start in itertools.count(0, SAMPLES):
        piece = samples[start : start + SAMPLES]
        if not len(piece):
            break
        block = av.AudioFrame.from_ndarray(np.ascontiguousarray(piece[None], np.float32), "fltp", "mono")
        block.sample_rate, block.pts, block.time_base = AUDIO_HZ, second * AUDIO_HZ + start, Fraction(1, AUDIO_HZ)
        container.mux(audio.encode(block))
