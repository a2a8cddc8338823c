"""Configurations: the shipped ones load, what is wrong with another is said."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from msgspec.structs import replace

from edge.bundle.manifest import VoiceSpec
from edge.errors import UsageError
from tests.train import made
from train import config
from train.config import Clip, Config, NanoAudio, NanoImage, Objective, Schedule, WavLM, load
from train.corpora.registry import CLIPS, VOICES
from train.encoders.nano_audio import TOKEN_SAMPLES

FILES = sorted(path for path in made.SHIPPED.parent.glob("*.yaml") if path.stem != "edge")


@pytest.fixture(scope="module", params=FILES, ids=lambda path: path.stem)
def file(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.fixture(scope="module")
def nano() -> Config:
    return load(made.SHIPPED)


@pytest.fixture(scope="module")
def base() -> Config:
    return load(made.SHIPPED.with_name("base.yaml"))


def flat(document: Any, path: str = "") -> dict[str, Any]:
    """Each value by the dotted path to it."""
    if not isinstance(document, dict):
        return {path: document}
    return {name: value for key, part in document.items() for name, value in flat(part, f"{path}.{key}").items()}


def test_a_shipped_configuration_is_what_its_file_says(file: Path) -> None:
    written, decoded = flat(yaml.safe_load(file.read_text())), flat(msgspec.to_builtins(load(file)))
    assert {name: decoded[name] for name in written} == written


def test_a_configuration_is_named_after_its_tier(file: Path) -> None:
    assert load(file).name == f"foal-{file.stem}"


def test_what_is_written_is_read_back(file: Path, tmp_path: Path) -> None:
    assert load(made.write_config(tmp_path / "again.yaml", load(file))) == load(file)


def test_widths_can_be_shared_among_the_heads_and_the_classes_are_there(file: Path) -> None:
    chosen = load(file)
    assert chosen.audio_encoder.width % chosen.fusion.heads == chosen.image_encoder.width % chosen.fusion.heads == 0
    further = ["disgust", "fear", "surprise"] if file.stem == "nano-seven" else []
    assert sorted(chosen.labels) == sorted(["angry", "happy", "neutral", "sad", *further])


def test_the_corpora_of_a_configuration_are_known(file: Path) -> None:
    recipe = load(file).recipe
    if isinstance(recipe, config.Clips):
        assert recipe.corpus in CLIPS
    else:
        assert set(recipe.voices) <= set(VOICES)


def test_nobody_is_both_validated_on_and_tested_on(nano: Config) -> None:
    recipe = config.voices_and_faces(nano)
    named = [*recipe.validation_speakers, *recipe.test_speakers]
    assert len(named) == len(set(named))
    validated, tested = (
        {speaker.partition("-")[0] for speaker in speakers}
        for speakers in (recipe.validation_speakers, recipe.test_speakers)
    )
    assert validated == tested
    assert set(recipe.voices) - tested == {"emospeech_in"}


def test_windows_are_whole_tokens(nano: Config) -> None:
    assert nano.audio.samples % TOKEN_SAMPLES == 0


def test_what_was_published_is_the_large_tier_but_for_its_slips_and_choices() -> None:
    large, published = (
        flat(msgspec.to_builtins(load(made.SHIPPED.with_name(f"{n}.yaml")))) for n in ("large", "published")
    )
    assert large.keys() == published.keys()
    differing = {name: published[name] for name in large if large[name] != published[name]}
    assert differing == {
        ".name": "foal-published",
        ".labels": ["happy", "neutral", "sad", "angry"],
        ".picture.rate_hz": 30.0,
        ".audio_encoder.normalise": False,
        ".objective.audio_only": 0.0,
        ".objective.video_only": 0.0,
        ".objective.temperature": "divides",
        ".objective.positives": "sum",
        ".objective.gather_gradient": False,
        ".recipe.stage.rate": "constant",
        ".recipe.stage.warmup_epochs": 1.0,
        ".recipe.stage.weight_decay": 0.01,
        ".recipe.stage.largest_gradient": None,
        ".recipe.stage.precision": "fp16",
    }


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("seed: 1234", "seed: soon", "seed: found 'soon', expected a whole number"),
        ("seed: 1234", "sed: 1234", "'sed' is none of|it lacks 'seed'"),
        ("framing: face", "framing: nose", r"picture\.framing: found 'nose', expected one of face, whole"),
        (
            "fusion_stage: {epochs: 20, ",
            "fusion_stage: {",
            r"recipe\.fusion_stage lacks 'epochs'",
        ),
        ("avel: 1.0", "avel: 1.0, avle: 1.0", "objective: 'avle' is none of"),
        ("views: 4", "views: 4\n  view: 4", "recipe: 'view' is none of"),
        (
            "audio_encoder: {type: nano,",
            "audio_encoder: {type: mel,",
            r"audio_encoder\.type: found 'mel', expected 'nano' or 'wavlm'",
        ),
        (
            "least_s: 1.0",
            "least_s: 7",
            r"voice: least_s 7 is above the sound's window_s 6",
        ),
        (
            ", voice: {threshold: 0.5, least_s: 1.0}",
            "",
            "audio_encoder lacks 'voice'",
        ),
        ("type: voices-and-faces", "kind: clips", "recipe lacks 'type'"),
        ("draws: 24320", "draws: 127", r"recipe\.faces_stage: batch 128 must lie between 1 and draws 127"),
        ("batch: 64", "batch: 0", r"recipe\.voices_stage: batch 0 must lie between 1 and draws 12800"),
        ("labels: [", "labels: [[", "did not find expected"),
        ("happy, neutral, sad]", "angry]", "labels angry, angry: at least two are expected, each once"),
        ("angry, happy, neutral, sad]", "sad]", "labels sad: at least two are expected, each once"),
        ("sad]", "uncertain]", "label uncertain is what the runtime says where it has no label; choose another word"),
        ("sad]", '""]', r"labels\[3\]: found '', expected text that is not empty"),
        ("name: foal-nano", 'name: ""', "name: found '', expected text that is not empty"),
        ("seed: 1234", "seed: 4294967296", "seed: found 4294967296, expected a whole number from 0 to 4294967295"),
        ("heads: 4", "heads: 0", r"fusion\.heads: found 0, expected a whole number of at least 1"),
        ("audio_only: 0.3", "audio_only: -1", r"objective\.audio_only: found -1, expected a number from 0 to 1"),
        ("epochs: 20", "epochs: 0", r"recipe\.fusion_stage\.epochs: found 0, expected a whole number of at least 1"),
        (
            "learning_rate: 3.0e-4",
            "learning_rate: 0",
            r"fusion_stage\.learning_rate: found 0, expected a number above 0",
        ),
        ("learning_rate: 3.0e-4", "learning_rate: .nan", "learning_rate: found nan, expected a number above 0"),
        ("label_smoothing: 0.1", "label_smoothing: 7", "label_smoothing: found 7, expected a number from 0 to 1"),
        ("emodb: 1.0", "emodb: -1", r"recipe\.voices.*expected a number above 0"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "wrong.yaml"
    text = made.SHIPPED.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(UsageError, match=rf"wrong\.yaml: (.|\n)*({message})"):
        load(path)


def test_a_voice_is_judged_as_the_configuration_says(tmp_path: Path) -> None:
    path, voice = tmp_path / "voice.yaml", "{threshold: 0.4, least_s: 1.5}"
    path.write_text(made.SHIPPED.read_text().replace("{threshold: 0.5, least_s: 1.0}", voice, 1))
    assert load(path).audio_encoder == NanoAudio(160, VoiceSpec(0.4, 1.5))


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"just: [text", b"- a\n- b\n", b"\x07"])
def test_what_is_no_configuration_at_all_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "wrong.yaml").write_bytes(content)
    with pytest.raises(UsageError, match=r"wrong\.yaml: "):
        load(tmp_path / "wrong.yaml")


@pytest.mark.parametrize("name", ["none.yaml", "."])
def test_a_missing_file_is_refused_with_the_remedy(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"no configuration at .*; the shipped ones are in configs/"):
        load(tmp_path / name)


def test_a_recipe_takes_the_encoders_that_it_can_train(nano: Config, base: Config) -> None:
    of_clips = "a recipe of clips takes encoders of the types wavlm and clip, or both of the type nano"
    of_both = "a recipe of voices-and-faces takes encoders of the type nano"
    for whole, parts, message in (
        (base, {"audio_encoder": NanoAudio(768, VoiceSpec(0.5, 1.0))}, of_clips),
        (base, {"image_encoder": NanoImage(512)}, of_clips),
        (nano, {"audio_encoder": base.audio_encoder}, of_both),
        (nano, {"image_encoder": base.image_encoder}, of_both),
        (base, {"recipe": nano.recipe}, of_both),
        (replace(nano, recipe=base.recipe), {"image_encoder": base.image_encoder}, of_clips),
    ):
        with pytest.raises(ValueError, match=message):
            replace(whole, **parts)


def test_several_people_are_told_apart_by_faces_and_have_no_half_of_their_own(base: Config) -> None:
    own = load(made.SHIPPED.with_name("own-clips.yaml"))
    recipe = config.clips(own)
    assert recipe.people == 1
    assert config.clips(replace(own, recipe=replace(recipe, people=8))).people == 8
    with pytest.raises(ValueError, match=r"people 2 are told apart by .* framing is whole; give framing: face"):
        replace(base, recipe=replace(recipe, people=2))
    with pytest.raises(ValueError, match=r"people 2 with speaker_half true: .*; give people: 1, or speaker_half"):
        replace(recipe, people=2, speaker_half=True)


@pytest.mark.parametrize("people", [0, 9])
def test_so_many_people_cannot_be_followed(tmp_path: Path, people: int) -> None:
    path = tmp_path / "crowd.yaml"
    text = made.SHIPPED.with_name("own-clips.yaml").read_text()
    path.write_text(text.replace("speaker_half: false", f"speaker_half: false\n  people: {people}"))
    with pytest.raises(UsageError, match=rf"recipe\.people: found {people}, expected a whole number from 1 to 8"):
        load(path)


def test_a_schedule_without_draws_takes_any_batch() -> None:
    assert Schedule(epochs=1, batch=10_000, learning_rate=1.0).draws is None
    assert Schedule(epochs=1, batch=16, learning_rate=1.0, draws=16).batch == 16
    for batch, draws in ((0, None), (-1, 5), (17, 16)):
        with pytest.raises(ValueError, match=f"batch {batch} must lie between 1 and draws {draws}"):
            Schedule(epochs=1, batch=batch, learning_rate=1.0, draws=draws)


def test_a_recipe_is_asked_for_by_its_kind(nano: Config, base: Config) -> None:
    assert config.voices_and_faces(nano) is nano.recipe
    assert config.clips(base) is base.recipe
    with pytest.raises(UsageError, match="foal-base is trained on clips; this needs a configuration of voices and f"):
        config.voices_and_faces(base)
    with pytest.raises(UsageError, match="foal-nano is trained on voices and faces; this needs a configuration of cl"):
        config.clips(nano)


def test_parts_are_told_apart_by_their_type(nano: Config, base: Config) -> None:
    parts = (nano.audio_encoder, nano.image_encoder, base.audio_encoder, base.image_encoder)
    assert [type(part) for part in parts] == [NanoAudio, NanoImage, WavLM, Clip]


def test_nothing_can_be_changed_afterwards(nano: Config) -> None:
    for part in (nano, nano.objective, nano.recipe):
        with pytest.raises(AttributeError, match="immutable"):
            part.seed = 1


def test_modalities_dropped_from_more_than_all_examples_are_refused() -> None:
    with pytest.raises(ValueError, match=r"audio_only 0\.6 and video_only 0\.5 are more than all examples"):
        Objective(avel=1.0, mem=0.1, audio_only=0.6, video_only=0.5)


def test_widths_that_the_heads_do_not_divide_are_refused(tiny: Config) -> None:
    with pytest.raises(ValueError, match="width 16 is not a multiple of the fusion's 3 heads"):
        msgspec.structs.replace(tiny, fusion=msgspec.structs.replace(tiny.fusion, heads=3))
