"""A bundle whose audio encoder knows a voice: exported, proved and used as the runtime does."""

from copy import deepcopy
from pathlib import Path
from shutil import copy

import msgspec
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from edge.backends.onnxruntime import OrtBackend
from edge.backends.proof import prove
from edge.bundle import golden
from edge.bundle.load import Bundle, load
from edge.bundle.manifest import VoiceSpec
from edge.live.recognizer import Recognizer
from edge.wire.messages import UNCERTAIN
from export import bundle as module
from export.bundle import examples, write
from export.compare import EncodedWindow
from export.graphs import Graph, make_graphs, write_onnx
from export.torch_backend import TorchBackend
from tests.export.conftest import Exported
from train.checkpoint import Checkpoint

VOICE = VoiceSpec(threshold=0.5, least_s=0.4)
LOUD = 0.1
"""Mean magnitude from which the made encoder says voice."""


class LoudIsVoice(nn.Module):
    """An audio encoder beside which a token is a voice as far as it is loud."""

    has_voice = True

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, waveform: Tensor, length: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        tokens, mask = self.encoder(waveform, length)[:2]
        levels = waveform.abs().unflatten(1, (tokens.shape[1], -1)).mean(dim=2)
        return tokens, mask, torch.sigmoid(100 * (levels - LOUD)) * mask


class KnowsNoVoice(nn.Module):
    """An audio encoder of tokens alone, as WavLM is."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, waveform: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
        tokens, mask = self.encoder(waveform, length)[:2]
        return tokens, mask


@pytest.fixture(scope="module")
def knowing(loaded: Checkpoint) -> Checkpoint:
    model, config = deepcopy(loaded.model), loaded.config
    model.audio_encoder = LoudIsVoice(model.audio_encoder)
    part = msgspec.structs.replace(config.audio_encoder, voice=VOICE)
    return loaded._replace(model=model, config=msgspec.structs.replace(config, audio_encoder=part))


@pytest.fixture(scope="module")
def bundle(knowing: Checkpoint, exported: Exported, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The image encoder's graph is as it was."""

    def write_others(graph: Graph, path: Path) -> None:
        if graph.name == "image_encoder":
            copy(exported.folder / path.name, path)
        else:
            write_onnx(graph, path)

    folder: Path = tmp_path_factory.mktemp("voice") / "knowing"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "write_onnx", write_others)
        write(knowing, folder, lambda _: None)
    return load(folder)


def test_the_manifest_says_how_a_voice_is_judged_and_the_graph_has_its_output(bundle: Bundle) -> None:
    assert bundle.manifest.voice == VOICE
    outputs = bundle.manifest.graphs.audio_encoder.outputs
    assert [(tensor.name, tensor.dtype, tensor.shape) for tensor in outputs][-1] == ("voice", "float32", ["batch", 16])
    said = " ".join((bundle.folder / "README.md").read_text().split())
    assert "a window with less than 0.4 s of it, at a probability of 0.5 or more, counts as one without audio." in said


def test_its_voice_is_proved_like_the_other_outputs(bundle: Bundle, knowing: Checkpoint) -> None:
    arrays = golden.load(bundle)["audio_encoder"]
    expected = {graph.name: graph for graph in make_graphs(knowing, *examples(knowing))}["audio_encoder"].expected
    np.testing.assert_array_equal(arrays["voice"], expected["voice"].numpy())
    assert all(proof.is_within_tolerance for proof in prove(bundle, OrtBackend(bundle, threads=1)))
    assert all(proof.is_within_tolerance for proof in prove(bundle, TorchBackend(knowing, "cpu", False, threads=1)))


@pytest.mark.parametrize(("level", "is_heard"), [(0.3, True), (0.01, False)])
def test_the_runtime_leaves_out_what_is_no_voice(bundle: Bundle, level: float, is_heard: bool) -> None:
    manifest = bundle.manifest
    samples = level * np.sign(np.random.default_rng(0).normal(size=manifest.audio.samples)).astype(np.float32)
    nobody = np.zeros((0, int(manifest.graphs.image_encoder.outputs[0].shape[1])), np.float32)
    recognizer = Recognizer(manifest, OrtBackend(bundle, threads=1))
    found = recognizer.recognize([EncodedWindow(samples, nobody)])[0]
    assert found.is_heard == is_heard
    assert (found.label(manifest.labels) == UNCERTAIN) == (not is_heard)


def test_one_whose_encoder_does_not_know_it_says_nothing_of_voice(loaded: Checkpoint) -> None:
    deaf = deepcopy(loaded.model)
    deaf.audio_encoder = KnowsNoVoice(deaf.audio_encoder)
    assert make_graphs(loaded, *examples(loaded))[1].outputs == ["tokens", "frames", "voice"]
    assert make_graphs(loaded._replace(model=deaf), *examples(loaded))[1].outputs == ["tokens", "mask"]
