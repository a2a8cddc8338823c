"""The recognizer for programs in Python."""

from pathlib import Path

import numpy as np
import pytest

from edge import Recognizer
from edge.annotation.tables import flatten
from edge.errors import BundleError, UsageError
from edge.sources.demo import MOODS, face, voice
from edge.wire.messages import Prediction


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer(backend="onnxruntime", threads=1, hop_s=0.25)


@pytest.fixture(scope="module")
def clip(tmp_path_factory, make_clip) -> Path:
    images, samples = np.stack([face(MOODS[0])] * 10), np.int16(voice(MOODS[0], 16_000)[:16_000] * 32767)
    return make_clip(tmp_path_factory.mktemp("clip") / "talk.mkv", images, samples)


def test_it_says_what_it_is_and_takes(recognizer: Recognizer) -> None:
    assert recognizer.labels == ("angry", "happy", "neutral", "sad")
    assert (recognizer.audio_rate_hz, recognizer.video_rate_hz, recognizer.window_s) == (16_000, 5.0, 6.0)
    assert "onnxruntime-cpu" in recognizer.about


def test_a_recording_is_annotated_by_its_settings(recognizer: Recognizer, clip: Path) -> None:
    rows = recognizer.annotate(str(clip)).rows
    assert [row.end_s for row in rows] == [0.25, 0.5, 0.75, 1.0]
    assert {row.video for row in recognizer.annotate(clip, video=False).rows} == {"off"}
    assert {row.audio for row in recognizer.annotate(clip, audio=False).rows} == {"off"}


def test_a_table_for_pandas_has_the_columns_of_the_csv_file(recognizer: Recognizer, clip: Path) -> None:
    pytest.importorskip("pandas", reason="pandas is no dependency")
    annotation = recognizer.annotate(clip)
    table = annotation.to_pandas()
    assert list(table.columns) == list(flatten(annotation.rows[0]))
    assert table["p_happy"].tolist() == [row.probs["happy"] for row in annotation.rows]


def test_one_window_is_predicted(recognizer: Recognizer) -> None:
    row = recognizer.predict([face(MOODS[0])] * 5, voice(MOODS[0], 16_000)[:16_000])
    assert row.label == max(row.probs, key=row.probs.__getitem__)
    assert row.frames == 5


def test_a_live_run_gives_its_messages(recognizer: Recognizer) -> None:
    with recognizer.live(demo=True) as messages:
        first = next(message for message in messages if isinstance(message, Prediction))
    assert first.seq == 0


def test_what_makes_no_sense_is_refused(recognizer: Recognizer) -> None:
    with pytest.raises(UsageError, match="Recognizer: 'hop' is none of"):
        Recognizer(hop=1)
    with pytest.raises(BundleError, match="no bundle at nonsense"):
        Recognizer("nonsense")
    with pytest.raises(UsageError, match="live: 'microphone' is none of"):
        recognizer.live(microphone="default")
    with pytest.raises(UsageError, match="camera off and mic off"):
        recognizer.live(camera="off", mic="off")
