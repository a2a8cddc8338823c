"""Configurations: the shipped one loads, what is wrong with another is said."""

from pathlib import Path

import msgspec
import pytest
import yaml

from edge.errors import UsageError
from tests.train import made
from train.config import Config, load
from train.corpora.registry import VOICES
from train.encoders.nano_audio import TOKEN_SAMPLES


@pytest.fixture(scope="module")
def shipped() -> Config:
    return load(made.SHIPPED)


def test_the_shipped_configuration_is_what_its_file_says(shipped: Config) -> None:
    written = yaml.safe_load(made.SHIPPED.read_text())
    decoded = msgspec.to_builtins(shipped)
    for stage in ("faces", "voices", "fusion"):
        decoded[stage] = {key: decoded[stage][key] for key in written[stage]}
    assert decoded == written


def test_nobody_is_both_validated_on_and_tested_on(shipped: Config) -> None:
    named = [*shipped.data.validation_speakers, *shipped.data.test_speakers]
    assert len(named) == len(set(named))


def test_every_corpus_of_voices_is_known_and_held_out_in_part(shipped: Config) -> None:
    assert set(shipped.data.voices) <= set(VOICES)
    for speakers in (shipped.data.validation_speakers, shipped.data.test_speakers):
        assert {speaker.partition("-")[0] for speaker in speakers} == set(shipped.data.voices)


def test_windows_are_whole_tokens(shipped: Config) -> None:
    assert shipped.sound.samples % TOKEN_SAMPLES == 0
    assert round(shipped.voice_crop_s * shipped.sound.rate_hz) % TOKEN_SAMPLES == 0
    assert shipped.widths.audio % shipped.widths.heads == shipped.widths.video % shipped.widths.heads == 0


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("seed: 1234", "seed: soon", r"Expected `int`, got `str` - at `\$\.seed`"),
        ("seed: 1234", "sed: 1234", "unknown field `sed`|missing required field `seed`"),
        ("framing: face", "framing: nose", r"Invalid enum value 'nose' - at `\$\.picture\.framing`"),
        ("fusion: {epochs: 20, ", "fusion: {", r"missing required field `epochs` - at `\$\.fusion`"),
        ("labels: [", "labels: [[", "YAML|flow sequence|parsing"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "wrong.yaml"
    text = made.SHIPPED.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(UsageError, match=rf"wrong\.yaml: (.|\n)*({message})"):
        load(path)


def test_a_missing_file_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no configuration at .*none\.yaml; the shipped ones are in configs/"):
        load(tmp_path / "none.yaml")
