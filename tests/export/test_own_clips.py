"""Clips of one's own, from a table through the real commands to a bundle that says what the training saw."""

import json
from dataclasses import replace as changed
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from msgspec.structs import replace

from edge.backends.onnxruntime import OrtBackend
from edge.bundle.load import Bundle
from edge.bundle.load import load as load_bundle
from edge.evaluation.score import predict
from edge.live.recognizer import Recognizer
from edge.preprocess.framing import make_framing
from edge.sources.demo import HEIGHT, MOODS, WIDTH, face, voice
from export.commands import main as export
from tests.train import made
from tests.train.made_clips import FPS, RATE_HZ, write_text, write_video
from train import checkpoint, config
from train.checkpoint import Checkpoint
from train.cli.main import main as train
from train.clips import compare
from train.clips.frozen_audio import FrozenAudioEncoder
from train.config import Schedule
from train.encoders.nano_audio import NanoAudioEncoder
from train.fusion import Tokens
from train.origin import open_origin
from train.processes import SINGLE_PROCESS

OWN = made.SHIPPED.with_name("own-clips.yaml")
LABELS = {"bored": MOODS[0], "happy": MOODS[1], "angry": MOODS[2]}
SPEAKERS = ("ann", "bob", "cem")
SECONDS = 2.0


class Made(NamedTuple):
    """What the commands left, and what they were given."""

    data: Path
    run: Path
    config: Path
    bundle: Bundle
    output: str


def write_clips(folder: Path) -> Path:
    """A clip of each label and speaker, with the demo's face and a voice of the speaker's own pitch."""
    rows = ["path,label,speaker,fold"]
    for number, speaker in enumerate(SPEAKERS):
        for label, mood in LABELS.items():
            own = changed(mood, pitch_hz=mood.pitch_hz * (1 + number / 10))
            images = [face(mood)] * round(SECONDS * FPS)
            write_video(folder / speaker / f"{label}.mp4", images, voice(own, RATE_HZ, SECONDS), size=(WIDTH, HEIGHT))
            rows.append(f"{speaker}/{label}.mp4,{label},{speaker},{speaker}")
    write_text(folder / "table.csv", "\n".join(rows) + "\n")
    return folder


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("own_clips")
    data = write_clips(folder / "my-clips")
    sample = config.load(OWN)
    stage = Schedule(epochs=2, batch=3, learning_rate=1e-3)
    chosen = replace(sample, name="foal-mine", labels=list(LABELS), recipe=replace(config.clips(sample), stage=stage))
    path = made.write_config(folder / "mine.yaml", chosen)
    command = ["fit", "--config", path, "--data", data, "--run", folder / "run", "--from", "foal-nano"]
    command += ["--embeddings", folder / "embeddings"]
    fitted = CliRunner().invoke(train, list(map(str, command)), catch_exceptions=False)
    assert fitted.exit_code == 0, fitted.output
    arguments = ["bundle", str(folder / "run" / "checkpoint.safetensors"), "-o", str(folder / "bundle")]
    exported = CliRunner().invoke(export, arguments, catch_exceptions=False)
    assert exported.exit_code == 0, exported.output
    return Made(data, folder / "run", path, load_bundle(folder / "bundle"), fitted.output)


@pytest.fixture(scope="module")
def loaded(own: Made) -> Checkpoint:
    return checkpoint.load(own.run / "checkpoint.safetensors")


def test_the_command_says_whose_terms_hold(own: Made) -> None:
    assert own.output.startswith("from foal-nano ")
    assert "whose licence holds for the new weights, too: CC BY-NC-SA 4.0" in own.output
    assert "9 utterances of table in 3 folds" in own.output


def test_the_encoders_are_those_of_the_shipped_model_and_the_fusion_has_learned(loaded: Checkpoint) -> None:
    origin = open_origin(config.load(OWN), "foal-nano")
    assert origin is not None
    before, after = origin.model.state_dict(), loaded.model.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items() if not name.startswith("fusion."))
    assert not torch.equal(after["fusion.a2v.0.attention.w_q.weight"], before["fusion.a2v.0.attention.w_q.weight"])
    assert after["fusion.single_heads.0.weight"].shape == (3, 160)


def test_the_bundle_says_what_it_is_made_of(own: Made, loaded: Checkpoint) -> None:
    manifest = own.bundle.manifest
    assert (manifest.name, manifest.labels) == ("foal-mine", list(LABELS))
    assert loaded.ancestor is not None
    assert manifest.trained_on[0].startswith("clips of one's own")
    assert manifest.trained_on[1:] == loaded.ancestor.trained_on
    card = (own.bundle.folder / "README.md").read_text()
    assert "--from foal-nano`, which prints" in card
    assert f"Both encoders are those of {loaded.ancestor.name}, frozen" in card


def test_labels_that_the_shipped_model_lacks_leave_nothing_to_compare_with(own: Made) -> None:
    figures = json.loads((own.run / "report.json").read_text())
    assert {"test both", "validation audio"} <= set(figures)
    assert "before both" not in figures


def test_the_runtime_says_of_a_clip_what_the_training_did(own: Made, loaded: Checkpoint, tmp_path: Path) -> None:
    chosen, model, video = loaded.config, loaded.model, loaded.config.video
    origin = open_origin(config.load(OWN), "foal-nano")
    examples = compare.prepare(
        chosen, own.data, tmp_path, own.run.parent / "embeddings", SINGLE_PROCESS, False, origin=origin
    )[0].examples
    batch = examples.batch(torch.arange(len(examples.labels)))
    assert isinstance(model.audio_encoder, NanoAudioEncoder)
    tokens = Tokens(*FrozenAudioEncoder(chosen, model.audio_encoder)(batch.waveform, batch.length), *batch[2:])
    assert tokens.audio_mask.any(dim=1).all()
    assert tokens.video_mask.any(dim=1).all()
    with torch.no_grad():
        expected = (model.fuse(*tokens).logits / loaded.temperature).softmax(dim=1).numpy()
    recognizer = Recognizer(own.bundle.manifest, OrtBackend(own.bundle))
    for utterance, probs in zip(examples.utterances, expected, strict=True):
        framing = make_framing(video.framing, video.height, video.width)
        found = predict(utterance.path, recognizer, framing, audio=True, video=True)
        # The training keeps embeddings in half precision.
        np.testing.assert_allclose(found.probs, probs, atol=0.01)
