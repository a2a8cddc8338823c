"""The golden recording: the program's own drawing and speaking, small, with a covered lens and a lost microphone.

`python -m tests.edge.recording.made_golden` records it anew, which a new bundle, or a change to what is published,
asks for.
"""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from edge.backends.onnxruntime import OrtBackend
from edge.bundle.load import MANIFEST, SHIPPED, load, sha256
from edge.bundle.manifest import Manifest
from edge.clock import SECOND_NS, to_ns
from edge.live.inbox import Delivery, LoopInput
from edge.live.pipeline import RunSpec, StreamSpec, build_pipeline
from edge.live.recognizer import Recognizer
from edge.live.steady_state_config import SteadyStateConfig
from edge.preprocess.media import Block, Frame, Media
from edge.recording.metadata import BundleMetadata, RunMetadata
from edge.recording.recorder import Recorder
from edge.sources.demo import MOODS, face, voice
from edge.wire.messages import Message

GOLDEN = Path(__file__).parents[2] / "golden" / "demo"
BEGIN_NS, UNIX_AHEAD_NS = 1_000 * SECOND_NS, 1_700_000_000 * SECOND_NS
END_S = 4.0
COVERED_S = (1.6, 2.4)
"""When the lens is covered."""
UNPLUGGED_S = 3.0
"""From when on the microphone is lost."""
TURN_S = 0.06
"""How often the loop looks, give or take."""


def read(rate_hz: int) -> list[Media]:
    """Half a second of each mood in turn."""
    voices = [voice(mood, rate_hz) for mood in MOODS]
    size, half_s = round(0.02 * rate_hz), rate_hz // 2
    samples = np.concatenate([voices[k % 3][:half_s] for k in range(round(2 * END_S))])
    audio = [
        Block(samples[i : i + size], BEGIN_NS + (i + size) * SECOND_NS // rate_hz)
        for i in range(0, round(UNPLUGGED_S * rate_hz), size)
    ]
    images = []
    for k in range(round(5 * END_S)):
        image = face(MOODS[k * 2 // 5 % 3])[::2, ::2].copy()
        images.append(Frame(image * (not COVERED_S[0] <= k / 5 < COVERED_S[1]), BEGIN_NS + to_ns(k / 5)))
    return sorted([*audio, *images], key=lambda item: item.end_ns)


def loop_inputs(rate_hz: int) -> Iterator[LoopInput]:
    """As a live run would take them: some turns are short, some have nothing."""
    waiting = read(rate_hz)
    now_ns, jitter = BEGIN_NS, np.random.default_rng(0)
    while now_ns < BEGIN_NS + to_ns(END_S):
        now_ns += to_ns(float(jitter.uniform(0.2, 1.8)) * TURN_S)
        arrived = [Delivery(0, item) for item in waiting if item.end_ns <= now_ns]
        waiting = waiting[len(arrived) :]
        yield LoopInput(now_ns, UNIX_AHEAD_NS, SECOND_NS // 2, arrived, [{"frames_overload": 3}])
    yield LoopInput(now_ns, UNIX_AHEAD_NS, SECOND_NS // 2, [Delivery(0, None)], [{"frames_overload": 3}])


def about() -> RunMetadata:
    manifest: Manifest = load(SHIPPED).manifest
    return RunMetadata(
        run_spec=RunSpec(
            "golden", (StreamSpec("main", True, True),), "face", BEGIN_NS, SECOND_NS // 2, True, SteadyStateConfig()
        ),
        software="golden",
        start_unix_ns=BEGIN_NS + UNIX_AHEAD_NS,
        start_mono_ns=BEGIN_NS,
        fast=True,
        bundle=BundleMetadata(manifest.name, manifest.version, sha256(SHIPPED / MANIFEST), "foal-nano"),
        backend=OrtBackend.name,
        threads=1,
        wire_format="msgpack",
    )


def record_demo(folder: Path, recognizer: Recognizer) -> tuple[Path, list[Message]]:
    """Run it and record it; the recording, and what was published."""
    published: list[Message] = []
    of = about()
    recorder = Recorder(folder, of, media=True)

    def publish(message: Message) -> None:
        published.append(message)
        recorder.add_message(message)

    pipeline = build_pipeline(of.run_spec, recognizer, publish)
    for each in loop_inputs(recognizer.manifest.audio.rate_hz):
        recorder.add_input(each)
        pipeline.loop.run_once(each)
    pipeline.loop.close()
    recorder.close()
    return recorder.folder, published


def main() -> None:
    bundle = load(SHIPPED)
    with tempfile.TemporaryDirectory() as made:
        folder, _ = record_demo(Path(made), Recognizer(bundle.manifest, OrtBackend(bundle, threads=1)))
        shutil.rmtree(GOLDEN, ignore_errors=True)
        shutil.copytree(folder, GOLDEN)


if __name__ == "__main__":
    main()
