"""Messages of a run that changes: labels, devices, faces, drops and latency, from any time on."""

import math
from collections.abc import Iterator

from edge.clock import SECOND_NS
from edge.geometry import Box
from edge.wire.evidence import AudioEvidence, Latency, VideoEvidence
from edge.wire.messages import Message
from tests.edge.made_messages import EVENT, PREDICTION, STATS, STATUS, numbered

LABELS = ["angry", "happy", "neutral", "sad"]
HOP_NS = SECOND_NS // 2
DROPPED = {"frames_overload": 0, "windows_late": 0, "messages_queue": 0}


def probabilities(number: int) -> list[float]:
    """Probabilities that wander from label to label, each at its peak every forty windows."""
    scores = [
        3 * math.cos(math.tau * (number / 160 - index / 4)) + 0.6 * math.sin(number * (index + 1)) for index in range(4)
    ]
    total = sum(math.exp(score) for score in scores)
    return [math.exp(score) / total for score in scores]


def run(count: int, begin_ns: int, stream: str = "main", session: str = "ab", first: int = 0) -> Iterator[Message]:
    """The messages of so many hops: a prediction each, a status every second, an event every twenty seconds."""
    before = None
    for number in range(first, first + count):
        end_ns = begin_ns + number * HOP_NS
        who = {"stream": stream, "session": session}
        times = {"t_publish": end_ns + 25_000_000, "mono_publish": end_ns + 25_000_000}
        probs = probabilities(number)
        label = LABELS[probs.index(max(probs))]
        dropped = DROPPED | {"windows_late": number // 200}
        heard = AudioEvidence(*audio(number))
        seen = VideoEvidence(*video(number))
        yield numbered(
            number,
            PREDICTION,
            **who,
            **times,
            t_start=end_ns - 6 * SECOND_NS,
            t_end=end_ns,
            mono_start=end_ns - 6 * SECOND_NS,
            mono_end=end_ns,
            label=label,
            labels=LABELS,
            probs=probs,
            confidence=max(probs),
            agreement=math.sin(number / 30) if seen.box and heard.speech else None,
            audio=heard,
            video=seen,
            latency_ms=Latency(7 + number % 3, 4.8, 1.9, 25 + 10 * (number % 40 == 0)),
            dropped=dropped,
            bundle="foal-nano 0.3.0",
            backend="onnxruntime-cpu",
        )
        if (calm := LABELS[(number + 20) // 40 % 4]) != before:
            steady = {"label": calm, "previous": before, "labels": LABELS, "probs": probs, "confidence": max(probs)}
            yield numbered(number, EVENT, **who, **times, t_since=end_ns, mono_since=end_ns, **steady)
            before = calm
        if number % 2 == 0:
            states = {"audio": heard.state, "video": seen.state, "state": "online"}
            yield numbered(number, STATUS, **who, **times, **states, hop_s=0.5, dropped=dropped)
            yield numbered(number, STATS, session=session, **times, uptime_s=(number + 1) / 2, predictions=number + 1)


def audio(number: int) -> tuple[str, float | None, float | None]:
    """State, level and share of speech: now and then nobody speaks, or the microphone is muted."""
    if number % 300 in range(90, 130):
        return "no_speech", -52.0, 0.02
    if number % 300 in range(200, 215):
        return "silent", None, 0.0
    return "ok", -28 + 6 * math.sin(number / 5), 0.7 + 0.2 * math.sin(number / 9)


def video(number: int) -> tuple[str, int | None, Box | None, int]:
    """State, faces, box and frames: now and then nobody is there, or the camera is lost."""
    if number % 300 in range(140, 165):
        return "no_face", 0, None, 28
    if number % 300 in range(240, 260):
        return "lost", None, None, 0
    return "ok", 1 + number // 50 % 2, Box(78 + number % 20, 46, 167, 167), 28
