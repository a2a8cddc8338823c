"""The list of devices: each with the option that selects it, and what it gives when it is tried."""

import math

import pytest

from edge.cli import device_list
from edge.cli.device_list import device_lines, meter
from edge.errors import SourceError


@pytest.mark.parametrize(
    ("level", "columns", "text"),
    [(0.0, 20, "0 dBFS"), (-20.0, 15, "-20 dBFS"), (-48.4, 8, "-48 dBFS"), (-90.0, 0, "-90 dBFS"), (3.0, 20, "3 dBFS")],
)
def test_a_meter_grows_with_the_level(level: float, columns: int, text: str) -> None:
    assert meter(level) == f"[{'#' * columns}{' ' * (20 - columns)}] {text}"


def test_digital_silence_is_told_from_a_quiet_room() -> None:
    assert meter(-math.inf).endswith("] digital silence: is it muted?")


def test_each_device_is_tried_and_one_in_use_is_told(monkeypatch) -> None:
    def size(camera: object) -> tuple[int, int]:
        if camera.name == "camera 2":
            raise SourceError("cannot open camera 2; another program may be using it")
        return 640, 480

    monkeypatch.setattr(device_list, "list_cameras", lambda: [("0", "Lid camera"), ("2", "USB Camera")])
    monkeypatch.setattr(device_list, "list_microphones", lambda: [("1", "USB Mic")])
    monkeypatch.setattr(device_list, "frame_size", size)
    monkeypatch.setattr(device_list, "level_dbfs", lambda _: -40.0)
    assert list(device_lines(tries=True)) == [
        "cameras:",
        "  --camera 0  Lid camera  640 x 480 pixels",
        "  --camera 2  USB Camera  cannot be used: cannot open camera 2; another program may be using it",
        "microphones:",
        "  --mic 1  USB Mic  [##########          ] -40 dBFS",
    ]
    assert list(device_lines(tries=False))[-1] == "  --mic 1  USB Mic"


def test_a_machine_without_devices_is_told_what_goes_without_them(monkeypatch) -> None:
    monkeypatch.setattr(device_list, "list_cameras", list)
    monkeypatch.setattr(device_list, "list_microphones", list)
    assert list(device_lines(tries=True)) == [
        "cameras: none",
        "microphones: none",
        "without devices, foal-edge --demo shows what a run is, and --file plays a recording",
    ]
