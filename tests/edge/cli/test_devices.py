"""`foal-edge devices`: the list, and the measurement of skew on recordings and on devices of a few lines."""

from types import SimpleNamespace

import numpy as np
import pytest

from edge.cli import device_list, devices
from edge.errors import SourceError
from edge.sync.skew import Skew
from tests.edge.sync.made_claps import as_media, claps, flashes, record

LOSSLESS = ("ffv1", "pcm_s16le")


def test_devices_are_listed_as_options(edge_command, monkeypatch) -> None:
    monkeypatch.setattr(device_list, "list_cameras", lambda: [("0", "Lid camera")])
    monkeypatch.setattr(device_list, "list_microphones", list)
    ended = edge_command("devices", "--list")
    assert (ended.status, ended.out) == (0, "cameras:\n  --camera 0  Lid camera\nmicrophones: none\n")


def test_a_recordings_skew_and_its_remedy_are_printed(edge_command, tmp_path, make_clip) -> None:
    clip = record(make_clip, tmp_path / "clip.mkv", 0.08, LOSSLESS)
    measured = edge_command("devices", "--measure-sync", "--file", clip)
    assert measured.out.splitlines() == [
        "audio is 80 ms later than the video (5 claps with their flash, which differ by 0 ms; a frame is 40 ms)",
        "remedy: --av-offset-ms -80",
    ]
    mended = edge_command("devices", "--measure-sync", "--file", clip, "--av-offset-ms", "-80")
    assert mended.out.startswith("audio is 0 ms ")
    assert mended.out.splitlines()[1] == "remedy: --av-offset-ms -80"


def test_only_so_many_seconds_are_measured(edge_command, tmp_path, make_clip) -> None:
    clip = record(make_clip, tmp_path / "clip.mkv", -0.12, LOSSLESS)
    ended = edge_command("devices", "--measure-sync", "--file", clip, "--seconds", 6)
    assert ended.out.startswith("audio is 120 ms earlier than the video (3 claps")


@pytest.mark.parametrize(
    ("arguments", "status", "reason"),
    [
        (["--camera", "1"], 2, "--camera without --measure-sync; add it, or leave these options out"),
        (["--seconds", "5", "--file", "a.mkv"], 2, "--file, --seconds without --measure-sync"),
        (["--measure-sync", "--mic", "off"], 2, "give a camera and a microphone that are not off"),
        (["--measure-sync", "--audio-track", "1"], 2, "--audio-track 1 is one of a recording's; give --file"),
        (
            ["--measure-sync", "--camera", "/dev/no-such-camera"],
            3,
            "cannot open camera /dev/no-such-camera; there is no /dev/no-such-camera",
        ),
        (["--measure-sync", "--file", "nowhere.mkv"], 3, "no such file: nowhere.mkv"),
        (["--measure-sync", "--av-offset-ms", "9000"], 2, "av_offset_ms: found 9000"),
    ],
)
def test_what_cannot_be_meant_is_refused(edge_command, arguments, status: int, reason: str) -> None:
    ended = edge_command("devices", *arguments)
    assert ended.status == status
    assert reason in ended.err


def test_a_recording_without_claps_is_refused(edge_command, tmp_path, make_clip) -> None:
    grey, silence = flashes(np.array([]), 2), np.zeros(96000, np.int16)
    ended = edge_command("devices", "--measure-sync", "--file", make_clip(tmp_path / "a.mkv", grey, silence, fps=25))
    assert (ended.status, ended.out) == (3, "")
    assert "no clap was detected" in ended.err


class Playing:
    """A device that gives its events at once, then waits until it is closed or breaks."""

    def __init__(self, name: str, media: list, error: SourceError | None = None) -> None:
        self.name, self._media, self._error = name, media, error
        self.calls: list[str] = []

    def open(self) -> None:
        self.calls.append("open")

    def read(self):
        yield from self._media
        if self._error:
            raise self._error

    def close(self) -> None:
        self.calls.append("close")


@pytest.fixture
def play(monkeypatch):
    """Devices in place of those of this machine, what they give being of the time after things have settled."""

    def install(*sources: Playing) -> None:
        monkeypatch.setattr("edge.sync.observe.SETTLING_S", 0.0)
        monkeypatch.setattr(devices, "SETTLING_S", 0.0)
        monkeypatch.setattr(devices, "make_devices", lambda *_: list(sources))
        monkeypatch.setattr(devices, "SystemClock", lambda: SimpleNamespace(now_ns=lambda: 0))

    return install


def test_two_devices_are_measured_together(edge_command, play) -> None:
    at_s = np.arange(1.0, 10, 2)
    media = as_media(claps(at_s + 0.05, 10, 16000), flashes(at_s, 10)[:, 0, 0, 0])
    blocks = [item for item in media if hasattr(item, "samples")]
    frames = [item for item in media if hasattr(item, "image")]
    camera, microphone = Playing("camera 0", frames), Playing("microphone default", blocks)
    play(camera, microphone)
    ended = edge_command("devices", "--measure-sync", "--seconds", 1)
    assert ended.out.startswith("audio is 50 ms later than the video (5 claps")
    assert "clap and flash at once, every two seconds, for 1 s" in ended.err
    assert camera.calls[0] == microphone.calls[0] == "open"
    assert camera.calls[-1] == microphone.calls[-1] == "close"


def test_a_device_that_is_lost_meanwhile_ends_the_measurement(edge_command, play) -> None:
    play(Playing("microphone default", [], SourceError("microphone default gives no more audio")))
    ended = edge_command("devices", "--measure-sync", "--seconds", 100)
    assert ended.status == 3
    assert "microphone default gives no more audio" in ended.err


@pytest.mark.parametrize(
    ("skew_ms", "offset_ms", "remedy"), [(82.4, 0.0, "-82"), (-40.6, 0.0, "41"), (10.0, -70.0, "-80"), (0.2, 0.0, "0")]
)
def test_the_remedy_is_over_the_offset_that_was_in_force(skew_ms: float, offset_ms: float, remedy: str) -> None:
    assert devices.report(Skew(skew_ms, 1.0, 5, 40.0), offset_ms)[1] == f"remedy: --av-offset-ms {remedy}"
