"""The skew of recordings whose skew is known."""

import numpy as np
import pytest

from edge.bundle.manifest import AudioSpec, VideoSpec
from edge.errors import SourceError
from edge.sources.adapters import ShiftedRecording
from edge.sources.media import MediaFile
from edge.sync.onsets import OnsetDetector
from edge.sync.skew import Skew, measure_skew, pair
from tests.edge.sync.made_claps import as_media, claps, flashes, record

SOUND, EVERY_FRAME = AudioSpec(16000, 6.0), VideoSpec(240.0, 8, 8, "whole")
LOSSLESS = ("ffv1", "pcm_s16le")
CONTAINERS = [("clip.mkv", LOSSLESS), ("clip.mp4", ("mpeg4", "aac")), ("clip.webm", ("libvpx", "libopus"))]
FRAME_MS = 40


def skew_of(media) -> Skew:
    detector = OnsetDetector()
    for item in media:
        detector.add(item)
    return measure_skew(detector, SOUND.rate_hz)


@pytest.mark.parametrize("late_ms", [0, 80, -120])
@pytest.mark.parametrize(("file", "codecs"), CONTAINERS)
def test_a_recordings_skew_is_measured_and_compensated(
    tmp_path, make_clip, file, codecs, late_ms: int, record_property
) -> None:
    clip = record(make_clip, tmp_path / file, late_ms / 1000, codecs)
    media = MediaFile(clip, SOUND, EVERY_FRAME)
    skew = skew_of(media.read())
    record_property(
        "measured", f"{file} {codecs}: clap {late_ms:+} ms after the flash, measured {skew.skew_ms:+.1f} ms"
    )
    assert skew.skew_ms == pytest.approx(late_ms, abs=1 if codecs == LOSSLESS else FRAME_MS / 2)
    assert (skew.pairs, skew.spread_ms < 5, skew.frame_ms) == (5, True, FRAME_MS)
    mended = skew_of(ShiftedRecording(media, round(skew.av_offset_ms * 1e6)).read())
    assert mended.skew_ms == pytest.approx(0, abs=0.1)
    assert mended.pairs == 5


def test_claps_and_flashes_of_their_own_are_left_out() -> None:
    at_s = np.arange(1.0, 10, 2)
    heard = claps(np.sort([*(at_s + 0.03), 2.2]), 12, 16000)
    seen = flashes(np.array([*at_s, 11.0]), 12)[:, 0, 0, 0]
    skew = skew_of(as_media(heard, seen))
    assert skew.skew_ms == pytest.approx(30, abs=0.5)
    assert skew.pairs == 5


def test_the_nearest_are_pairs_within_a_second() -> None:
    claps_ns, flashes_ns = np.array([10, 3000, 9000]) * 10**6, np.array([0, 100, 2500, 7000]) * 10**6
    assert pair(claps_ns, flashes_ns).tolist() == [10 * 10**6, 500 * 10**6]


def test_one_event_is_not_enough() -> None:
    media = as_media(claps(np.array([1.0]), 4, 16000), flashes(np.array([1.0]), 4)[:, 0, 0, 0])
    with pytest.raises(SourceError, match="1 claps and 1 flashes make 1 pairs within a second; at least 3 are needed"):
        skew_of(media)


def test_claps_and_flashes_that_have_nothing_to_do_with_each_other_are_refused() -> None:
    at_s = np.arange(1.0, 12, 2)
    heard = claps(at_s + np.array([0, 0.3, -0.4, 0.5, -0.2, 0.7]), 14, 16000)
    with pytest.raises(
        SourceError, match=r"6 claps and flashes differ by \d+ ms among themselves; expected at most 50"
    ):
        skew_of(as_media(heard, flashes(at_s, 14)[:, 0, 0, 0]))
