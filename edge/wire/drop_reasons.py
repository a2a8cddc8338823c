"""Reasons for which samples, blocks, frames, windows and messages are dropped: the keys of a message's `dropped`."""

FRAMES_OVERLOAD = "frames_overload"
BLOCKS_OVERLOAD = "blocks_overload"
SAMPLES_NOT_FINITE = "samples_not_finite"
PACKETS_DAMAGED = "packets_damaged"
WINDOWS_LATE = "windows_late"
WINDOWS_EMPTY = "windows_empty"
WINDOWS_NOT_FINITE = "windows_not_finite"
WINDOWS_UNANSWERED = "windows_unanswered"
WINDOWS_STALE = "windows_stale"
FRAMES_FAILED = "frames_failed"
FRAMES_NOT_FINITE = "frames_not_finite"
FRAMES_STALE = "frames_stale"
FRAMES_UNANSWERED = "frames_unanswered"
MESSAGES_QUEUE = "messages_queue"
MESSAGES_STALE = "messages_stale"

DROP_REASONS = {
    FRAMES_OVERLOAD: "frames captured faster than they could be encoded",
    BLOCKS_OVERLOAD: "audio blocks captured faster than they could be processed",
    SAMPLES_NOT_FINITE: "audio samples that were not finite, or far beyond full scale, and were replaced by silence",
    PACKETS_DAMAGED: "packets of a recording that could not be decoded",
    WINDOWS_LATE: "windows skipped because a later window was due as well",
    WINDOWS_EMPTY: "windows without audio and video: every modality was lost",
    WINDOWS_NOT_FINITE: "windows for which the model's output or the audio level was not finite",
    WINDOWS_UNANSWERED: "windows to which the server that computes gave no result in time",
    WINDOWS_STALE: "windows passed over where a stream began again: after a stop, a pause, or the end of a looped file",
    FRAMES_FAILED: "frames that could not be framed",
    FRAMES_NOT_FINITE: "frames for which the model's embedding was not finite",
    FRAMES_STALE: "frames more than one second old when the driver delivered them",
    FRAMES_UNANSWERED: "frames to which the server that computes gave no result in time",
    MESSAGES_QUEUE: "messages of all streams produced faster than they could be sent",
    MESSAGES_STALE: "messages of all streams made stale by a stop of the program or a suspension of the machine",
}
"""Description of each reason, in the order in which messages list them."""

PER_RUN = (MESSAGES_QUEUE, MESSAGES_STALE)
"""Reasons counted by the publisher, once for all streams: the messages of every stream give the same number."""
OVERLOAD = (FRAMES_OVERLOAD, BLOCKS_OVERLOAD, WINDOWS_LATE)
"""Reasons that show a machine too slow for its streams and their hop."""
