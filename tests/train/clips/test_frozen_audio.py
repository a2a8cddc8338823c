"""The frozen audio encoder: the runtime's tokens and its judgement by voice, whatever the network around it does."""

import numpy as np
import pytest
import torch
from msgspec.structs import replace

from edge.bundle.manifest import VoiceSpec
from edge.sources.demo import MOODS, voice
from tests.train import made
from train import config
from train.clips.frozen_audio import FrozenAudioEncoder
from train.config import Config, NanoAudio
from train.encoders.nano_audio import NanoAudioEncoder
from train.origin import open_origin


@pytest.fixture(scope="module")
def own() -> Config:
    return config.load(made.SHIPPED.with_name("own-clips.yaml"))


@pytest.fixture(scope="module")
def encoder(own: Config) -> NanoAudioEncoder:
    origin = open_origin(own, "foal-nano")
    assert origin is not None
    assert isinstance(origin.model.audio_encoder, NanoAudioEncoder)
    return origin.model.audio_encoder


def windows(own: Config) -> tuple[torch.Tensor, torch.Tensor]:
    """A voice, faint noise, and nothing."""
    waveform = torch.zeros(3, own.audio.samples)
    spoken = torch.from_numpy(voice(MOODS[1], own.audio.rate_hz))
    noise = torch.from_numpy(np.random.default_rng(0).normal(0, 1e-3, len(spoken)).astype(np.float32))
    waveform[0, : len(spoken)], waveform[1, : len(noise)] = spoken, noise
    return waveform, torch.tensor([len(spoken), len(noise), 0])


def test_a_window_without_a_voice_has_no_tokens(own: Config, encoder: NanoAudioEncoder) -> None:
    waveform, length = windows(own)
    tokens, mask = FrozenAudioEncoder(own, encoder)(waveform, length)
    expected, whole, _ = encoder(waveform, length)
    assert torch.equal(tokens, expected)
    assert torch.equal(mask[0], whole[0])
    assert mask.any(dim=1).tolist() == [True, False, False]


def test_how_much_voice_is_asked_for_is_the_configurations(own: Config, encoder: NanoAudioEncoder) -> None:
    assert isinstance(own.audio_encoder, NanoAudio)
    demanding = replace(own, audio_encoder=replace(own.audio_encoder, voice=VoiceSpec(0.5, 5.5)))
    assert not FrozenAudioEncoder(demanding, encoder)(*windows(own))[1].any()


def test_it_stays_as_it_is_in_a_network_that_is_trained(own: Config, encoder: NanoAudioEncoder) -> None:
    network = torch.nn.Sequential(FrozenAudioEncoder(own, encoder)).train()
    assert not any(module.training for module in network[0].modules())
    assert not any(parameter.requires_grad for parameter in network.parameters())
    tokens, _ = network[0](*windows(own))
    assert not tokens.requires_grad
