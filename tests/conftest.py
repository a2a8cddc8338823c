"""Fakes and fixtures that the tests share: a clock, a source, a backend in numpy, recordings, the command line."""

import json
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import msgspec
import numpy as np
import pytest

from edge.backends.onnxruntime import OrtBackend
from edge.bundle.load import SHIPPED, load, sha256
from edge.bundle.manifest import (
    AudioSpec,
    Batch,
    File,
    GraphEntry,
    Graphs,
    Licences,
    Manifest,
    Tensor,
    VideoSpec,
    VoiceSpec,
)
from edge.cli import main as commands
from edge.live.recognizer import Recognizer
from edge.preprocess.media import Media
from edge.wire.messages import Message

CLIPS_VARIABLE = "FOAL_CLIPS"

# As in train/__main__.py, which tests do not come through.
os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX512_CORE_BF16")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests have measured: each `record_property("measured", line)`."""
    reports = terminalreporter.getreports("passed")
    lines = [str(line) for report in reports for name, line in report.user_properties if name == "measured"]
    if lines:
        terminalreporter.section("measured")
        terminalreporter.write("\n".join(lines) + "\n")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Where pytest-xdist is given processes (`-n 2`), its scheduler."""
    from tests.scheduler import SharedFixtures

    return SharedFixtures(config, log)


@dataclass
class SteppedClock:
    """Stands still until it is told, or waited for."""

    time_ns: int = 0
    suspended_ns: int = 0
    unix_ahead_ns: int = 1_000_000_000_000
    waited: list[int] = field(default_factory=list)

    def now_ns(self) -> int:
        return self.time_ns

    def boot_ns(self) -> int:
        return self.time_ns + self.suspended_ns

    def unix_ns(self, monotonic_ns: int) -> int:
        return monotonic_ns + self.unix_ahead_ns

    def wait_until(self, monotonic_ns: int, stop: threading.Event) -> bool:
        self.waited.append(monotonic_ns)
        self.time_ns = max(self.time_ns, monotonic_ns)
        return stop.is_set()


class ScriptedSource:
    """Each `events` plays the next act, in which an exception is raised; each `open` raises the next of `refusals`."""

    name = "scripted source"

    def __init__(self, *acts: list[Media | BaseException], refusals: tuple[BaseException, ...] = ()) -> None:
        self._acts, self._refusals = list(acts), list(refusals)
        self.opened = self.closed = 0

    def open(self) -> None:
        self.opened += 1
        if self._refusals:
            raise self._refusals.pop(0)

    def read(self) -> Iterator[Media]:
        for item in self._acts.pop(0):
            if isinstance(item, BaseException):
                raise item
            yield item

    def close(self) -> None:
        self.closed += 1


class NumpyBackend:
    """Graphs whose outputs follow from their inputs by hand; `calls` keeps what they were given."""

    name = "numpy"
    about = "this test"

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def image_encoder(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        self.calls.append(("image_encoder", dict(inputs)))
        return {"embedding": inputs["frames"].mean(axis=(1, 2)).astype(np.float32)}

    def audio_encoder(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        self.calls.append(("audio_encoder", dict(inputs)))
        pieces = inputs["waveform"].reshape(len(inputs["waveform"]), 4, -1)
        mask = np.arange(4) * pieces.shape[2] < inputs["length"][:, None]
        voice = np.abs(pieces).max(axis=2) * mask
        return {"tokens": pieces.mean(axis=2)[..., None].repeat(2, axis=2), "mask": mask, "voice": voice}

    def fusion(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        self.calls.append(("fusion", dict(inputs)))
        heard, seen = inputs["audio_mask"].sum(axis=1), inputs["video_mask"].sum(axis=1)
        embedding = np.tile(np.float32([0.6, 0.8]), (len(heard), 1))
        logits = np.stack([heard, seen], axis=1).astype(np.float32)
        return {"logits": logits, "audio_embedding": embedding, "video_embedding": embedding[:, ::-1]}


def graph(name: str, inputs: list[Tensor], outputs: list[Tensor]) -> GraphEntry:
    file, batch = File(f"{name}.onnx", "0" * 64), Batch(1, 32)
    return GraphEntry(file, None, "fp32", [], 1e-3, batch, inputs, outputs)


@pytest.fixture
def manifest() -> Manifest:
    """Of a bundle small enough to reckon by hand: 2 s at 1 kHz, 5 frames of 8 x 8 a second, two labels."""
    tokens = [
        Tensor("audio_tokens", "float32", ["batch", 4, 2]),
        Tensor("audio_mask", "bool", ["batch", 4]),
        Tensor("video_tokens", "float32", ["batch", 10, 3]),
        Tensor("video_mask", "bool", ["batch", 10]),
    ]
    heard = [Tensor("waveform", "float32", ["batch", 2000]), Tensor("length", "int64", ["batch"])]
    audible = [Tensor("tokens", "float32", ["batch", 4, 2]), Tensor("mask", "bool", ["batch", 4])]
    names = ("logits", "audio_embedding", "video_embedding")
    fused = [Tensor(name, "float32", ["batch", 2]) for name in names]
    frames, embedding = Tensor("frames", "uint8", ["batch", 8, 8, 3]), Tensor("embedding", "float32", ["batch", 3])
    return Manifest(
        schema=1,
        name="tiny",
        version="0.0.1",
        labels=["calm", "glad"],
        audio=AudioSpec(1000, 2.0),
        video=VideoSpec(5.0, 8, 8, "whole"),
        graphs=Graphs(
            graph("image_encoder", [frames], [embedding]),
            graph("audio_encoder", heard, audible),
            graph("fusion", tokens, fused),
        ),
        golden=File("golden.npz", "0" * 64),
        compared=None,
        temperature=2.0,
        trained_on=["nothing"],
        licences=Licences("Apache-2.0", "Apache-2.0"),
        measured={"test both": {"ua": 0.5}},
    )


def with_voice(manifest: Manifest) -> Manifest:
    """The same with a voice output: what is as loud as a voice, from 0.4 on, is one, and 1 s of it is asked for."""
    entry = manifest.graphs.audio_encoder
    outputs = [*entry.outputs, Tensor("voice", "float32", ["batch", 4])]
    graphs = msgspec.structs.replace(manifest.graphs, audio_encoder=msgspec.structs.replace(entry, outputs=outputs))
    return msgspec.structs.replace(manifest, graphs=graphs, voice=VoiceSpec(threshold=0.4, least_s=1.0))


@pytest.fixture
def voice_manifest(manifest: Manifest) -> Manifest:
    """Of a bundle that knows a voice; its four tokens of half a second are."""
    return with_voice(manifest)


@pytest.fixture
def bundle_folder(tmp_path: Path, manifest: Manifest) -> Path:
    """That manifest on disk, with files that have the hashes it gives; its graphs are ONNX models without nodes."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    document = msgspec.to_builtins(manifest)
    for file in (*(entry["file"] for entry in document["graphs"].values()), document["golden"]):
        (folder / file["path"]).write_bytes(b":\0" if file["path"].endswith(".onnx") else file["path"].encode())
        file["sha256"] = sha256(folder / file["path"])
    (folder / "manifest.json").write_text(json.dumps(document))
    return folder


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
def scripted_source() -> type[ScriptedSource]:
    return ScriptedSource


@pytest.fixture
def numpy_backend() -> NumpyBackend:
    return NumpyBackend()


@pytest.fixture
def published() -> list[Message]:
    """Where a test's messages go: give its `append` as `publish`."""
    return []


@pytest.fixture(scope="session")
def shipped() -> Recognizer:
    """The bundle that comes with the package, on ONNX Runtime."""
    bundle = load(SHIPPED)
    return Recognizer(bundle.manifest, OrtBackend(bundle, threads=1))


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str


@pytest.fixture
def edge_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Ended]]:
    """`foal-edge` with these arguments, in this process; how it logged is forgotten."""
    package, handlers = logging.getLogger("edge"), logging.root.handlers
    before = package.level, list(handlers)

    def run(*arguments: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["foal-edge", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            commands.run_command()
        return Ended(int(ended.value.code or 0), *capsys.readouterr())

    yield run
    package.setLevel(before[0])
    handlers[:] = before[1]


def write_clip(
    path: Path,
    images: np.ndarray | None = None,
    samples: np.ndarray | None = None,
    *,
    fps: int = 10,
    rate_hz: int = 16000,
    codecs: tuple[str, str] = ("ffv1", "pcm_s16le"),
) -> Path:
    """A recording of uint8 `[n, H, W, 3]` RGB and int16 `[n]` mono; with the default codecs nothing is lost."""
    with av.open(str(path), "w") as container:
        tracks = []
        if images is not None:
            track = container.add_stream(codecs[0], rate=fps)
            track.height, track.width = images.shape[1:3]
            track.pix_fmt = "bgr0" if codecs[0] == "ffv1" else "yuv420p"
            frames = [av.VideoFrame.from_ndarray(image, format="rgb24") for image in images]
            tracks.append((track, frames, Fraction(1, fps), 1))
        if samples is not None:
            track = container.add_stream(codecs[1], rate=rate_hz, layout="mono")
            pieces = [samples[i : i + 1024] for i in range(0, len(samples), 1024)]
            waveforms = [av.AudioFrame.from_ndarray(piece[None], format="s16", layout="mono") for piece in pieces]
            for audio in waveforms:
                audio.sample_rate = rate_hz
            tracks.append((track, waveforms, Fraction(1, rate_hz), 1024))
        for track, items, time_base, step in tracks:
            for index, item in enumerate(items):
                item.pts, item.time_base = index * step, time_base
                container.mux(track.encode(item))
            container.mux(track.encode(None))
    return path


@pytest.fixture(scope="session")
def make_clip() -> Callable[..., Path]:
    return write_clip


@pytest.fixture(scope="session")
def tone() -> Callable[..., np.ndarray]:
    """A 440 Hz sine of so many seconds, int16."""
    return lambda seconds, rate_hz=16000: np.int16(
        9000 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate_hz)) / rate_hz)
    )


@pytest.fixture
def recordings() -> list[Path]:
    """Real clips of a talking face."""
    folder = os.environ.get(CLIPS_VARIABLE)
    if not folder:
        pytest.skip(f"{CLIPS_VARIABLE} names no folder of .flv clips of a talking face")
    return sorted(Path(folder).glob("*.flv"))
