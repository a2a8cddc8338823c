"""Corpora and a configuration small enough to train on in a test, in the layouts of the real ones."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import av
import msgspec
import numpy as np
import pytest
import torch
from click.testing import CliRunner

from edge.bundle.manifest import VoiceSpec
from train import config
from train.cli.main import main
from train.config import Config
from train.corpora.fer2013 import EMOTIONS
from train.simulation import noise

RATE_HZ = 16_000
SHIPPED = Path(__file__).parents[2] / "configs" / "nano.yaml"
PITCHES_HZ = {"angry": 900, "happy": 500, "neutral": 200, "sad": 120}
RAVDESS = {"angry": "05", "happy": "03", "neutral": "01", "sad": "04", "calm": "02"}
EMODB = {"angry": "W", "happy": "F", "neutral": "N", "sad": "T", "bored": "L"}
NEMO = {"angry": "anger", "happy": "happiness", "neutral": "neutral", "sad": "sadness", "afraid": "fear"}
FACES = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
TRAIN_FACES, VALIDATION_FACES = 5, 4
"""Of each class."""
HARDLY_A_VOICE = VoiceSpec(threshold=0.02, least_s=0.25)
"""What an encoder that has hardly learnt says of a tone is a voice."""


class Trained(NamedTuple):
    """What a run of `python -m train fit` left."""

    run: Path
    checkpoint: Path
    output: str
    command: list[str]


@pytest.fixture(scope="session", autouse=True)
def few_beds() -> Iterator[None]:
    """A stock of a few short beds: drawing the whole one takes a minute."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(noise, "PIECES", 6)
        patch.setattr(noise, "PIECE_S", 3.0)
        yield


@pytest.fixture(scope="session", autouse=True)
def one_core() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@contextmanager
def shared_folder(factory: pytest.TempPathFactory, name: str) -> Iterator[tuple[Path, bool]]:
    """A folder of all processes of pytest-xdist, and whether this one is the first there, which fills it."""
    root = factory.getbasetemp()
    folder = (root.parent if "PYTEST_XDIST_WORKER" in os.environ else root) / name
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        filled = folder.with_suffix(".filled")
        yield folder, not filled.exists()
        filled.touch()


def shared_corpora(factory: pytest.TempPathFactory) -> Path:
    with shared_folder(factory, "corpora") as (root, is_first):
        if is_first:
            corpora(root)
    return root


def shared_training(factory: pytest.TempPathFactory) -> Trained:
    """One training of the tiny configuration, by the command, for all tests that only read what it leaves."""
    data = shared_corpora(factory)
    with shared_folder(factory, "training") as (folder, is_first):
        path, said = folder / "tiny.yaml", folder / "said.txt"
        command = ["fit", "--config", str(path), "--data", str(data), "--run", str(folder / "run")]
        if is_first:
            folder.mkdir(exist_ok=True)
            write_config(path, tiny_config())
            result = CliRunner().invoke(main, command, catch_exceptions=False)
            assert result.exit_code == 0, result.output
            said.write_text(result.output, encoding="utf-8")
    output = said.read_text(encoding="utf-8")
    return Trained(folder / "run", folder / "run" / "checkpoint.safetensors", output, command)


def corpora(root: Path) -> None:
    """Three speakers of each corpus of voices, one recording an emotion, and some faces."""
    for path, pitch_hz in recordings(root):
        write_sound(path, tone(pitch_hz))
    write_faces(root)


def recordings(root: Path) -> Iterator[tuple[Path, float]]:
    for number, (actor, speaker, name) in enumerate([("02", "03", "SM0"), ("18", "15", "TP0"), ("14", "13", "WR0")]):
        for label, code in RAVDESS.items():
            yield root / f"ravdess/Actor_{actor}/03-01-{code}-01-01-01-{actor}.flac", pitch(label, number)
        for label, code in EMODB.items():
            yield root / f"emodb/{speaker}a01{code}a.flac", pitch(label, number)
        for label, code in NEMO.items():
            yield root / f"nemo/{name}_{code}_1.opus", pitch(label, number)


def pitch(label: str, speaker: int) -> float:
    return PITCHES_HZ.get(label, 300) * (1 + speaker / 10)


def tone(pitch_hz: float, seconds: float = 1.2) -> np.ndarray:
    """A pulsing tone, float32."""
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return (0.4 * np.sin(2 * np.pi * pitch_hz * time_s) * np.sin(np.pi * time_s / seconds)).astype(np.float32)


def write_sound(path: Path, samples: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("flac" if path.suffix == ".flac" else "libopus", rate=RATE_HZ, layout="mono")
        stream.format = "s16"
        integers = np.round(samples * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(integers[None], format="s16", layout="mono")
        frame.rate = RATE_HZ
        for made in av.AudioResampler("s16", "mono", RATE_HZ, frame_size=stream.codec_context.frame_size).resample(
            frame
        ):
            container.mux(stream.encode(made))
        container.mux(stream.encode(None))


def write_faces(root: Path) -> None:
    """Noise of a class's own lightness; the last training face is a copy of the first validation face."""
    generator = np.random.default_rng(0)
    parts = {}
    for part, count in (("train", TRAIN_FACES), ("val", VALIDATION_FACES)):
        labels = np.repeat(np.arange(len(FACES)), count)
        centres = 20 * labels[:, None, None] + 40
        parts[f"{part}_labels"] = labels
        parts[f"{part}_images"] = generator.normal(centres, 15, (len(labels), 48, 48)).clip(0, 255).astype(np.uint8)
        write_votes(root, part, np.array([votes(FACES[label]) for label in labels]))
    parts["train_images"][-1] = parts["val_images"][0]
    np.savez(root / "fer2013.npz", classes=np.array(FACES), **parts)


def write_votes(root: Path, part: str, counts: np.ndarray) -> None:
    (root / "ferplus").mkdir(exist_ok=True)
    np.savez(root / "ferplus" / f"ferplus_{part}.npz", votes=counts.astype(np.uint8))


def votes(emotion: str, raters: int = 8) -> np.ndarray:
    """Ten raters' votes: so many for one emotion, one for another, the rest do not know."""
    of = EMOTIONS.index(emotion)
    counts = np.zeros(10)
    counts[[of, (of + 1) % len(EMOTIONS), 8]] = raters, 1, 9 - raters
    return counts


def tiny_config() -> Config:
    """`configs/nano.yaml` with small widths, short sound and one or two epochs."""
    replace = msgspec.structs.replace
    shipped = config.load(SHIPPED)
    recipe = config.voices_and_faces(shipped)
    return replace(
        shipped,
        name="foal-tiny",
        audio=replace(shipped.audio, window_s=2.0),
        audio_encoder=config.NanoAudio(width=16, voice=HARDLY_A_VOICE),
        image_encoder=config.NanoImage(width=24),
        fusion=replace(shipped.fusion, embedding=32),
        recipe=replace(
            recipe,
            validation_speakers=["ravdess-18", "emodb-15", "nemo-TP0"],
            test_speakers=["ravdess-14", "emodb-13", "nemo-WR0"],
            voices={"ravdess": 2.0, "emodb": 1.0, "nemo": 2.0},
            views=2,
            imitation=0.0,
            faces_stage=replace(recipe.faces_stage, epochs=2, batch=16, draws=160),
            voices_stage=replace(recipe.voices_stage, epochs=2, batch=16, draws=320),
            fusion_stage=replace(recipe.fusion_stage, epochs=2, batch=16, draws=480, learning_rate=3e-3),
        ),
    )


def write_config(path: Path, chosen: Config) -> Path:
    path.write_bytes(msgspec.yaml.encode(chosen))
    return path
