"""The model card says who was kept out, what the pairs are, and the measured figures."""

import pytest

from edge.bundle import load as bundles
from export.model_card import model_card
from tests.export.conftest import Exported
from tests.train.made_talkers import for_people
from train.checkpoint import Checkpoint
from train.config import voices_and_faces


def text(exported: Exported) -> str:
    return (exported.folder / "README.md").read_text()


def test_it_names_everyone_who_was_kept_out(exported: Exported, loaded: Checkpoint) -> None:
    data = voices_and_faces(loaded.config)
    validation, test = ", ".join(data.validation_speakers), ", ".join(data.test_speakers)
    assert f"Kept out of training, for validation: {validation}; for the test: {test}." in text(exported)


def test_it_says_that_voice_and_face_are_from_different_people(exported: Exported) -> None:
    said = " ".join(text(exported).split())
    assert "Voices and faces are **from different people**" in said
    assert "never seen a person and heard the same person at once" in said


def test_its_table_has_the_measured_figures(exported: Exported, loaded: Checkpoint) -> None:
    rows = [line.strip("| ").split(" | ") for line in text(exported).splitlines() if line.startswith("| ")]
    figures = {name: [count, *map(float, shares)] for name, count, *shares in rows if name in loaded.measured}
    assert figures == {
        name: [f"{row['count']:.0f}", *(round(100 * row[key], 1) for key in ("ua", "wa", "ece"))]
        for name, row in loaded.measured.items()
    }


def test_it_names_corpora_licences_window_and_recipe(exported: Exported, loaded: Checkpoint) -> None:
    manifest = bundles.load(exported.folder).manifest
    said = text(exported)
    for corpus in manifest.trained_on:
        assert f"- {corpus}\n" in said
    assert f"Weights: {loaded.config.weights_licence}." in said
    assert f"temperature {loaded.temperature:.3f}" in said
    assert "The last 2 s of audio at 16000 Hz, and 10 frames (5 a second) of\n64 x 64 pixels" in said
    assert "--config configs/tiny.yaml" in said


@pytest.mark.parametrize(
    ("people", "said"),
    [(1, "video: the whole frame is used."), (2, "of up to 2 people in the frame, the one whose mouth goes with the")],
)
def test_of_clips_it_says_what_of_the_frames_is_used(exported: Exported, people: int, said: str) -> None:
    card = model_card(bundles.load(exported.folder).manifest, for_people(people), "9.9")
    assert said in " ".join(card.split())


def test_it_is_made_of_the_manifest_and_the_config_alone(exported: Exported, loaded: Checkpoint) -> None:
    made = model_card(bundles.load(exported.folder).manifest, loaded.config, "9.9")
    assert "Made with torch 9.9." in made
    assert "{" not in made
