"""Journal of a run: its messages as lines that say where in time they stand, and nothing that has not changed."""

from collections.abc import Iterable, Iterator

from ..sources.caption import Caption
from ..wire.messages import AudioState, Message, Prediction, Stats, Status, SteadyState, VideoState
from .lines import describe_counts
from .times import Times, position

AUDIO_WORDS: dict[AudioState, str] = {
    "no_speech": "nobody speaks",
    "silent": "muted",
    "clipping": "too loud",
    "lost": "nothing arrives",
}
VIDEO_WORDS: dict[VideoState, str] = {
    "no_face": "no face in the picture",
    "dark": "lens covered, or too little light",
    "lost": "nothing arrives",
}


class Journal:
    """Lines about the messages of a run. For use by one thread."""

    def __init__(self, times: Times, captions: Iterable[Caption] = (), *, shows_latency: bool) -> None:
        """`captions` are those of the demo; `shows_latency` where the messages are made as the media arrive."""
        self._times, self._shows_latency = times, shows_latency
        self._captions = iter(captions)
        self._caption = next(self._captions, None)
        """Caption that is due next."""
        self._told: dict[str, tuple[object, ...]] = {}
        """State that was told last, by the stream's name."""
        self._dropped = describe_counts({})

    def lines(self, message: Message) -> Iterator[str]:
        """Yield what a message says that is new."""
        yield from self.news(message)
        if isinstance(message, Prediction):
            yield f"{self._times.of(message)}  {self._prediction(message)}"

    def news(self, message: Message) -> Iterator[str]:
        """Yield what has changed: what the demo shows, the steady state, devices and drops, but no prediction."""
        at_ns = self._times.place_ns(message)
        while self._caption is not None and at_ns is not None and self._caption.time_ns <= at_ns:
            yield f"{position(self._caption.time_ns)}  the demo shows {self._caption.text}"
            self._caption = next(self._captions, None)
        change = self._change(message)
        if change is not None:
            yield f"{self._times.of(message)}  {change}"

    def _change(self, message: Message) -> str | None:
        if isinstance(message, SteadyState):
            return describe_event(message)
        if isinstance(message, Status):
            state = message.state, message.audio, message.video, message.hop_s
            before, self._told[message.stream] = self._told.get(message.stream), state
            return None if state == before else describe_status(message, has_new_hop=is_new_hop(before, message))
        return self._drops(message) if isinstance(message, Stats) else None

    def _prediction(self, message: Prediction) -> str:
        probs = "  ".join(f"{label} {p:4.0%}" for label, p in zip(message.labels, message.probs, strict=True))
        width = max(map(len, (*message.labels, "uncertain")))
        latency = f"  {message.latency_ms.total:.0f} ms" if self._shows_latency else ""
        return f"{message.stream}  {message.label:<{width}}  {probs}  by {evidence(message)}{latency}"

    def _drops(self, message: Stats) -> str | None:
        before, self._dropped = self._dropped, describe_counts(message.dropped)
        return None if self._dropped == before else f"dropped so far: {self._dropped}"


def is_new_hop(before: tuple[object, ...] | None, message: Status) -> bool:
    """Return whether a stream's hop is another than in the state that was told before."""
    return before is not None and before[-1] != message.hop_s


def describe_event(message: SteadyState) -> str:
    """Return a change of the steady state in words."""
    before = f", before {message.previous}" if message.previous is not None else ""
    return f"{message.stream}  is now {message.label} ({message.confidence:.0%}){before}"


def describe_status(message: Status, *, has_new_hop: bool) -> str:
    """Return a stream's state in words."""
    if message.state == "stopped":
        return f"{message.stream}  stopped"
    audio = with_words(f"audio {message.audio}", AUDIO_WORDS.get(message.audio))
    video = with_words(f"video {message.video}", VIDEO_WORDS.get(message.video))
    hop = f", a prediction every {message.hop_s:g} s" if has_new_hop else ""
    return f"{message.stream}  {message.state}: {audio}, {video}{hop}"


def with_words(state: str, words: str | None) -> str:
    """Return a state with its explanation, if it has one."""
    return f"{state} ({words})" if words else state


def evidence(message: Prediction) -> str:
    """Return what a prediction is based on: voice, face, both or nothing."""
    is_heard = message.audio.speech is not None and message.audio.state != "no_speech"
    seen = "picture" if message.video.faces is None else "face"
    found = (["voice"] if is_heard else []) + ([seen] if message.video.frames else [])
    return " and ".join(found) or "nothing"
