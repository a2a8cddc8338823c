"""Number of threads that decode a video track in real time."""

import av

LARGEST_RATE_PX_HZ = 1920 * 1088 * 30
"""Largest number of pixels per second that one core of a small machine decodes in real time."""
ASSUMED_RATE_HZ = 30.0
"""Frame rate of a track that states none, as of most cameras."""


def decode_in_one_thread(stream: av.VideoStream) -> bool:
    """Let one thread decode a track that is not too large for it, before its first packet; return whether it does.

    A further thread would only wait with it for the next frame, with pictures and tables of its own.
    """
    rate_hz = float(stream.average_rate or ASSUMED_RATE_HZ)
    is_light = stream.width * stream.height * rate_hz <= LARGEST_RATE_PX_HZ
    if is_light:
        stream.codec_context.thread_count = 1
    return is_light
