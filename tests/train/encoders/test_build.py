"""The encoders that a configuration names."""

import subprocess
import sys
from pathlib import Path

import huggingface_hub
import pytest
from msgspec.structs import replace

from edge.bundle.manifest import AudioSpec, VideoSpec
from edge.errors import UsageError
from train import config
from train.config import Config
from train.encoders.build import audio_encoder, image_encoder

ROOT = Path(__file__).parents[3]
WAVLM = config.WavLM("microsoft/wavlm-none", width=32, layers=1, heads=4, feed_forward=64, norm="layer", stem_width=16)


@pytest.fixture(scope="module")
def nano() -> Config:
    return config.load(ROOT / "configs" / "nano.yaml")


@pytest.fixture(scope="module")
def base() -> Config:
    """With a smaller WavLM."""
    return replace(config.load(ROOT / "configs" / "base.yaml"), audio_encoder=WAVLM)


def test_the_nano_encoders_are_built(nano: Config) -> None:
    assert type(audio_encoder(nano, pretrained=True)).__name__ == "NanoAudioEncoder"
    assert type(image_encoder(nano, pretrained=True)).__name__ == "NanoImageEncoder"


def test_wavlm_and_clip_are_built_as_for_a_checkpoint(base: Config) -> None:
    assert audio_encoder(base, pretrained=False).width == 32
    assert image_encoder(base, pretrained=False).width == 512


def test_pre_trained_weights_are_looked_for_where_they_are_asked_for(
    base: Config, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    for build in (audio_encoder, image_encoder):
        with pytest.raises(UsageError, match="hf download"):
            build(base, pretrained=True)


def test_sound_and_pictures_of_the_configuration_are_checked(base: Config) -> None:
    other = replace(base, audio=AudioSpec(8000, 6.0), video=VideoSpec(5.0, height=64, width=64, framing="whole"))
    with pytest.raises(UsageError, match=r"sound\.rate_hz 8000"):
        audio_encoder(other, pretrained=False)
    with pytest.raises(UsageError, match="picture of 64 x 64"):
        image_encoder(other, pretrained=False)


def test_what_is_not_needed_is_not_imported() -> None:
    program = """
import sys
from pathlib import Path
from train.config import load
from train.encoders.build import audio_encoder, image_encoder
nano = load(Path("configs/nano.yaml"))
audio_encoder(nano, pretrained=True), image_encoder(nano, pretrained=True)
assert not {"transformers", "open_clip", "timm", "huggingface_hub"} & set(sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True).returncode == 0
