"""Devices of a machine, by V4L2 and PortAudio, and the class of each kind of camera."""

import sys
from collections import Counter
from types import SimpleNamespace

import pytest

from edge.bundle.manifest import VideoSpec
from edge.clock import SystemClock
from edge.sources import devices
from edge.sources.camera import LocalCamera
from edge.sources.network_camera import NetworkCamera


def test_cameras_are_numbered_as_v4l2_numbers_them(monkeypatch, tmp_path) -> None:
    for number, name in [(10, "Lid camera"), (2, "USB Camera"), (0, "Capture card")]:
        (tmp_path / f"video{number}").mkdir()
        (tmp_path / f"video{number}" / "name").write_text(f"{name}\n")
    monkeypatch.setattr(devices, "Path", lambda _: tmp_path)
    assert devices.list_cameras() == [("0", "Capture card"), ("2", "USB Camera"), ("10", "Lid camera")]


def test_a_machine_without_v4l2_has_no_cameras(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(devices, "Path", lambda _: tmp_path / "nowhere")
    assert devices.list_cameras() == []


def test_the_default_camera_is_the_first_and_0_where_none_is_listed(monkeypatch) -> None:
    video = VideoSpec(5.0, 64, 64, "face")
    for found, name in (([("2", "USB Camera"), ("4", "Lid camera")], "camera 2"), ([], "camera 0")):
        monkeypatch.setattr(devices, "list_cameras", lambda found=found: found)
        assert devices.make_camera("default", video, SystemClock(), Counter()).name == name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", LocalCamera),
        ("/dev/video2", LocalCamera),
        ("videotestsrc ! appsink", LocalCamera),
        ("filesrc location=rtsp://a ! appsink", LocalCamera),
        ("rtsp://10.0.0.7/stream", NetworkCamera),
        ("HTTP://10.0.0.7/video.mjpg", NetworkCamera),
    ],
)
def test_each_kind_of_camera_has_its_class(text: str, expected: type) -> None:
    assert devices.camera_class(text) is expected


def test_microphones_are_the_devices_that_record(monkeypatch) -> None:
    found = [
        {"name": "Speaker", "max_input_channels": 0, "default_samplerate": 48000.0},
        {"name": "USB Mic", "max_input_channels": 2, "default_samplerate": 44100.0},
    ]
    monkeypatch.setitem(sys.modules, "sounddevice", SimpleNamespace(query_devices=lambda: found))
    assert devices.list_microphones() == [("1", "USB Mic, 2 channels, 44100 Hz")]
