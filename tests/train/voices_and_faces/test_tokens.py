"""The encoders' tokens, kept on disk."""

from dataclasses import replace as changed
from pathlib import Path

import numpy as np
import pytest
import torch
from msgspec.structs import replace
from torch import Tensor

from edge.bundle.manifest import VoiceSpec
from tests.train import made
from train.config import Config
from train.corpora import ravdess
from train.encoders.nano_audio import NanoAudioEncoder
from train.encoders.nano_image import NanoImageEncoder
from train.simulation.noise import Beds
from train.simulation.streams import recording
from train.voices_and_faces import faces, voices
from train.voices_and_faces.audio_stage import LabelledVoices
from train.voices_and_faces.tokens import encode_faces, encode_voices
from train.voices_and_faces.voices import Simulator

LABELS = torch.tensor([0, 3, 1])
SHARES = torch.nn.functional.one_hot(LABELS, 4).float()


@pytest.fixture(scope="module")
def heard(corpora: Path) -> LabelledVoices:
    """Three voices of the labels and one of another class between them."""
    sounds = [made.tone(hz, seconds) for hz, seconds in ((200, 0.6), (440, 1.2), (300, 1.0), (900, 2.5))]
    voices = [recording(sound, np.ones(-(-len(sound) // 250), np.float32)) for sound in sounds]
    beds = Beds([], sounds, made.RATE_HZ, np.random.default_rng(0))
    utterances = [changed(ravdess.utterances(corpora)[0], speaker=str(number)) for number in range(4)]
    labels = torch.tensor([0, 3, 5, 1])
    speakers = [each.speaker for each in utterances]
    return LabelledVoices(voices, labels, speakers, Simulator(utterances, voices, beds, made.RATE_HZ))


@pytest.fixture(scope="module")
def crops() -> Tensor:
    return torch.randint(256, (3, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def with_moving_layers(config: Config) -> Config:
    return replace(config, recipe=replace(config.recipe, moving_layers=True))


def audio_encoder(config: Config, seed: int) -> NanoAudioEncoder:
    torch.manual_seed(seed)
    return NanoAudioEncoder(config.audio_encoder.width, config.audio.rate_hz).eval()


def image_encoder(config: Config, seed: int) -> NanoImageEncoder:
    torch.manual_seed(seed)
    return NanoImageEncoder(config.image_encoder.width).eval()


def test_one_view_is_the_recording_as_it_is(tiny: Config, heard: LabelledVoices, tmp_path: Path) -> None:
    encoder = audio_encoder(tiny, 0)
    found = encode_voices(tiny, encoder, heard, 1, tmp_path / "t.safetensors")
    windows = voices.pad([heard.voices[row] for row in (0, 1, 3)], tiny.audio.samples)
    with torch.no_grad():
        tokens, mask, _ = encoder(windows.waveform, windows.length)
    assert torch.equal(found.tokens[:, 0], tokens.half())
    assert torch.equal(found.mask[:, 0], mask)
    assert torch.equal(found.labels, LABELS)


def test_more_views_are_varied_copies(tiny: Config, heard: LabelledVoices, tmp_path: Path) -> None:
    encoder = audio_encoder(tiny, 0)
    found = encode_voices(tiny, encoder, heard, 3, tmp_path / "t.safetensors")
    assert found.tokens.shape == (3, 3, 16, tiny.audio_encoder.width)
    assert found.mask.shape == (3, 3, 16)
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert (found.tokens[:, one] != found.tokens[:, other]).flatten(1).any(dim=1).all()
    rows, rng = [0, 0, 0, 1, 1, 1, 3, 3, 3], np.random.default_rng(tiny.seed)
    windows = heard.simulator.windows(rows, tiny.audio.samples, rng)
    with torch.no_grad():
        tokens = encoder(windows.waveform, windows.length)[0]
    assert torch.equal(found.tokens.flatten(0, 1), tokens.half())


@pytest.mark.parametrize("voice", [VoiceSpec(0.5, 0.25), VoiceSpec(0.5, 1.0), VoiceSpec(0.9999, 0.25)])
def test_a_window_with_too_little_voice_has_no_tokens(
    tiny: Config, heard: LabelledVoices, tmp_path: Path, voice: VoiceSpec
) -> None:
    """Of an encoder for which the first 0.75 s of a window are a voice, of 0.6, 1.2 and 2.0 s of sound."""
    config = replace(tiny, audio_encoder=replace(tiny.audio_encoder, voice=voice))
    encoder = audio_encoder(config, 0)
    probability = torch.where(torch.arange(16) < 6, 0.9, 0.1)
    encoder.register_forward_hook(lambda _, __, output: (*output[:2], probability * output[1]))
    found = encode_voices(config, encoder, heard, 1, tmp_path / "t.safetensors")
    expected = [5, 10, 16] if voice == VoiceSpec(0.5, 0.25) else [0, 0, 0]
    assert found.mask[:, 0].sum(dim=1).tolist() == expected
    assert found.tokens[0, 0, 0].any()


@pytest.mark.parametrize("views", [1, 3])
def test_where_layers_move_the_tokens_are_those_before_them(
    tiny: Config, heard: LabelledVoices, tmp_path: Path, views: int
) -> None:
    """Those in context are not taken for them; of what a voice is, both judge alike."""
    moving, encoder, path = with_moving_layers(tiny), audio_encoder(tiny, 0), tmp_path / "t.safetensors"
    known = encode_voices(tiny, encoder, heard, views, path)
    found = encode_voices(moving, encoder, heard, views, path)
    again = encode_voices(tiny, encoder, heard, views, path)
    with torch.no_grad():
        local, mask = (part.flatten(0, 1) for part in (found.tokens, found.mask))
        expected = encoder.in_context(local.float(), mask).half().unflatten(0, (3, views))
    assert found.mask.any()
    assert torch.equal(found.mask, known.mask)
    # fp16 before the layers and after them
    torch.testing.assert_close(expected[found.mask], known.tokens[known.mask], atol=1e-2, rtol=0)
    assert not torch.equal(found.tokens, known.tokens)
    assert torch.equal(again.tokens, known.tokens)


@pytest.mark.parametrize("voice", [VoiceSpec(0.5, 0.25), VoiceSpec(0.5, 1.0)])
def test_a_window_with_too_little_voice_has_no_local_tokens_either(
    tiny: Config, heard: LabelledVoices, tmp_path: Path, voice: VoiceSpec
) -> None:
    """Of an encoder that hears a voice in every token, in 0.6, 1.2 and 2.0 s of sound."""
    config = replace(with_moving_layers(tiny), audio_encoder=replace(tiny.audio_encoder, voice=voice))
    encoder = audio_encoder(config, 0)
    torch.nn.init.constant_(encoder.voice_head[-1].bias, 9.0)
    found = encode_voices(config, encoder, heard, 1, tmp_path / "t.safetensors")
    assert found.mask[:, 0].sum(dim=1).tolist() == ([5, 10, 16] if voice.least_s == 0.25 else [0, 10, 16])


def test_another_judgement_of_voice_makes_other_tokens(tiny: Config, heard: LabelledVoices, tmp_path: Path) -> None:
    strict = replace(tiny, audio_encoder=replace(tiny.audio_encoder, voice=VoiceSpec(0.9999, 2.0)))
    one, other = (
        encode_voices(config, audio_encoder(tiny, 0), heard, 1, tmp_path / "t.safetensors") for config in (tiny, strict)
    )
    assert one.mask.any()
    assert not other.mask.any()


def test_one_view_of_a_face_is_its_crop(tiny: Config, crops: Tensor, tmp_path: Path) -> None:
    encoder = image_encoder(tiny, 0)
    seen = encode_faces(tiny, encoder, crops, SHARES, 1, tmp_path / "t.safetensors")
    with torch.no_grad():
        assert torch.equal(seen.tokens[:, 0], encoder(faces.rgb(crops)).half())
    assert torch.equal(seen.labels, LABELS)


def test_views_of_a_face_stand_for_the_frames_of_a_window(tiny: Config, crops: Tensor, tmp_path: Path) -> None:
    encoder = image_encoder(tiny, 0)
    seen = encode_faces(tiny, encoder, crops, SHARES, 4, tmp_path / "t.safetensors")
    varied = faces.augment(crops.repeat_interleave(4, dim=0), torch.Generator().manual_seed(tiny.seed))
    with torch.no_grad():
        assert torch.equal(seen.tokens.flatten(0, 1), encoder(faces.rgb(varied)).half())


def test_tokens_are_made_once(tiny: Config, heard: LabelledVoices, crops: Tensor, tmp_path: Path) -> None:
    audio, image = audio_encoder(tiny, 0), image_encoder(tiny, 0)
    runs = []
    for encoder in (audio, image):
        encoder.register_forward_hook(lambda *_: runs.append(1))
    made_of = [
        (
            encode_voices(tiny, audio, heard, 2, tmp_path / "voices.safetensors"),
            encode_faces(tiny, image, crops, SHARES, 2, tmp_path / "faces.safetensors"),
        )
        for _ in range(2)
    ]
    assert len(runs) == 2
    for first, second in zip(*made_of, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_tokens_of_other_faces_are_not_taken_for_theirs(tiny: Config, crops: Tensor, tmp_path: Path) -> None:
    encoder, path = image_encoder(tiny, 0), tmp_path / "faces.safetensors"
    first = encode_faces(tiny, encoder, crops, SHARES, 1, path)
    turned = encode_faces(tiny, encoder, crops.flip(0), SHARES.flip(0), 1, path)
    # batched products may differ in their last bits with the place of a row
    torch.testing.assert_close(turned.tokens, first.tokens.flip(0), atol=2e-3, rtol=0)


def test_tokens_of_another_encoder_are_not_taken_for_its_own(
    tiny: Config, heard: LabelledVoices, crops: Tensor, tmp_path: Path
) -> None:
    for seed in (0, 1):
        found = encode_voices(tiny, audio_encoder(tiny, seed), heard, 1, tmp_path / "voices.safetensors")
        seen = encode_faces(tiny, image_encoder(tiny, seed), crops, SHARES, 1, tmp_path / "faces.safetensors")
    expected_heard = encode_voices(tiny, audio_encoder(tiny, 1), heard, 1, tmp_path / "fresh-voices.safetensors")
    expected_seen = encode_faces(tiny, image_encoder(tiny, 1), crops, SHARES, 1, tmp_path / "fresh-faces.safetensors")
    assert torch.equal(found.tokens, expected_heard.tokens)
    assert torch.equal(seen.tokens, expected_seen.tokens)
