"""What this machine has, by V4L2 and PortAudio."""

import sys
from types import SimpleNamespace

from edge.sources import devices


def test_cameras_are_numbered_as_v4l2_numbers_them(monkeypatch, tmp_path) -> None:
    for number, name in [(10, "Lid camera"), (2, "USB Camera"), (0, "Capture card")]:
        (tmp_path / f"video{number}").mkdir()
        (tmp_path / f"video{number}" / "name").write_text(f"{name}\n")
    monkeypatch.setattr(devices, "Path", lambda _: tmp_path)
    assert devices.cameras() == [("0", "Capture card"), ("2", "USB Camera"), ("10", "Lid camera")]


def test_a_machine_without_v4l2_has_no_cameras(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(devices, "Path", lambda _: tmp_path / "nowhere")
    assert devices.cameras() == []


def test_microphones_are_the_devices_that_record(monkeypatch) -> None:
    found = [
        {"name": "Speaker", "max_input_channels": 0, "default_samplerate": 48000.0},
        {"name": "USB Mic", "max_input_channels": 2, "default_samplerate": 44100.0},
    ]
    monkeypatch.setitem(sys.modules, "sounddevice", SimpleNamespace(query_devices=lambda: found))
    assert devices.microphones() == [("1", "USB Mic, 2 channels, 44100 Hz")]
