"""Reasons for which frames, blocks, windows and messages are dropped: the keys of a message's `dropped`."""

FRAMES_OVERLOAD = "frames_overload"
BLOCKS_OVERLOAD = "blocks_overload"
SAMPLES_NOT_FINITE = "samples_not_finite"
PACKETS_DAMAGED = "packets_damaged"
WINDOWS_LATE = "windows_late"
WINDOWS_EMPTY = "windows_empty"
WINDOWS_NOT_FINITE = "windows_not_finite"
FRAMES_FAILED = "frames_failed"
FRAMES_NOT_FINITE = "frames_not_finite"
FRAMES_STALE = "frames_stale"
MESSAGES_QUEUE = "messages_queue"
MESSAGES_STALE = "messages_stale"

DROP_REASONS = {
    FRAMES_OVERLOAD: "frames captured quicker than they could be encoded",
    BLOCKS_OVERLOAD: "sound captured quicker than it could be taken in",
    SAMPLES_NOT_FINITE: "samples that were no numbers, or far beyond full scale, and are taken for silence",
    PACKETS_DAMAGED: "pieces of a recording that could not be decoded",
    WINDOWS_LATE: "windows overtaken by a later one that was due as well",
    WINDOWS_EMPTY: "windows without any evidence: every modality lost",
    WINDOWS_NOT_FINITE: "windows of which the model, or a level, gave a number that is not finite",
    FRAMES_FAILED: "frames that could not be framed",
    FRAMES_NOT_FINITE: "frames to which the model gave an embedding that is not finite",
    FRAMES_STALE: "frames more than a second old when the driver gave them",
    MESSAGES_QUEUE: "messages produced quicker than they could be sent, of all streams",
    MESSAGES_STALE: "messages overtaken by a stop of the program or a suspension of the machine, of all streams",
}
"""Description of each reason, in the order in which messages list them."""

PER_RUN = (MESSAGES_QUEUE, MESSAGES_STALE)
"""Reasons counted by the publisher, once for all streams: the messages of every stream give the same number."""
OVERLOAD = (FRAMES_OVERLOAD, BLOCKS_OVERLOAD, WINDOWS_LATE)
"""Reasons that show a machine too slow for its streams and their hop."""
