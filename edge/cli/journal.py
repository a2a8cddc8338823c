"""Journal of a run: its messages as lines that say where in time they stand, and nothing that has not changed."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from ..sources.caption import Caption
from ..wire.evidence import AudioState, VideoState
from ..wire.messages import UNCERTAIN, BasePrediction, Message, PersonPrediction, Stats, Status, SteadyState
from ..wire.present_people import PresentPeople
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
        self._people: defaultdict[str, PresentPeople] = defaultdict(PresentPeople)
        """People who are there, by the stream's name."""
        self._dropped: dict[str, str] = {}
        """Drops that were told last, by the node's name, which is empty without a proxy."""

    def lines(self, message: Message) -> Iterator[str]:
        """Yield what a message says that is new."""
        yield from self.news(message)
        if isinstance(message, BasePrediction):
            yield f"{self._times.of(message)}  {self._prediction(message)}"

    def news(self, message: Message) -> Iterator[str]:
        """Yield what has changed: what the demo shows, steady states, people, devices, drops, but no prediction."""
        at_ns = self._times.place_ns(message)
        while self._caption is not None and at_ns is not None and self._caption.time_ns <= at_ns:
            yield f"{position(self._caption.time_ns)}  the demo shows {self._caption.text}"
            self._caption = next(self._captions, None)
        for change in self._changes(message):
            yield f"{self._times.of(message)}  {change}"

    def _changes(self, message: Message) -> Iterator[str]:
        if isinstance(message, SteadyState):
            yield describe_event(message)
        elif isinstance(message, Status):
            self._people[message.stream].add(message)
            state = message.state, message.audio, message.video, message.hop_s
            before, self._told[message.stream] = self._told.get(message.stream), state
            if state != before:
                yield describe_status(message, has_new_hop=is_new_hop(before, message))
            if message.came or message.left:
                yield describe_people(message)
        elif isinstance(message, PersonPrediction):
            last = self._people[message.stream].of(message.person)
            self._people[message.stream].add(message)
            if message.steady != (last.steady if last else UNCERTAIN):
                yield f"{title(message)}  is now {message.steady}"
        elif isinstance(message, Stats):
            yield from self._drops(message)

    def _prediction(self, message: BasePrediction) -> str:
        probs = "  ".join(f"{label} {p:4.0%}" for label, p in zip(message.labels, message.probs, strict=True))
        width = max(map(len, (*message.labels, "uncertain")))
        latency = f"  {message.latency_ms.total:.0f} ms" if self._shows_latency else ""
        return f"{title(message)}  {message.label:<{width}}  {probs}  by {evidence(message)}{latency}"

    def _drops(self, message: Stats) -> Iterator[str]:
        name, dropped = message.node.name if message.node else "", describe_counts(message.dropped)
        before, self._dropped[name] = self._dropped.get(name, describe_counts({})), dropped
        if dropped != before:
            yield f"{f'{name}  ' if name else ''}dropped so far: {dropped}"


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


def describe_people(message: Status) -> str:
    """Return in words who came and left, by number, and how many people are there now."""
    came = [f"person {person} came" for person in message.came]
    left = [f"person {person} left" for person in message.left]
    return f"{message.stream}  {', '.join([*came, *left])}; {len(message.people) or 'nobody'} there"


def title(message: BasePrediction) -> str:
    """Return the stream of a prediction, with the person whom it is about where it is one of several."""
    return f"{message.stream} person {message.person}" if isinstance(message, PersonPrediction) else message.stream


def with_words(state: str, words: str | None) -> str:
    """Return a state with its explanation, if it has one."""
    return f"{state} ({words})" if words else state


def evidence(message: BasePrediction) -> str:
    """Return what a prediction is based on: voice, face, both or nothing."""
    is_heard = message.audio.speech is not None and message.audio.state != "no_speech"
    seen = "picture" if message.video.faces is None else "face"
    found = (["voice"] if is_heard else []) + ([seen] if message.video.frames else [])
    return " and ".join(found) or "nothing"
