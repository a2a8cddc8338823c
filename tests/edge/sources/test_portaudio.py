"""PortAudio shared by microphones: initialised again for new devices, hanging streams abandoned."""

import atexit
import logging
import subprocess
import sys
import threading
from ctypes.util import find_library
from pathlib import Path
from types import SimpleNamespace

import pytest

from edge.errors import SourceError
from edge.sources import portaudio as portaudio_module
from edge.sources.portaudio import Streams, portaudio


class PortAudioError(Exception):
    """As sounddevice's."""


class FakePortAudio(SimpleNamespace):
    """Knows the devices that were there when it was begun, as PortAudio does."""

    PortAudioError = PortAudioError

    def __init__(self, *there: str) -> None:
        super().__init__(there=list(there), listed=list(there), calls=[])

    def _terminate(self) -> None:
        self.calls.append("terminate")

    def _initialize(self) -> None:
        self.calls.append("initialize")
        self.listed = list(self.there)

    def _exit_handler(self) -> None:
        raise AssertionError("only ever registered")

    def make(self, device: str) -> SimpleNamespace:
        if device not in self.listed:
            raise ValueError(f"No input device matching {device!r}")
        if device not in self.there:
            raise PortAudioError("Device unavailable")
        return SimpleNamespace(close=lambda: self.calls.append(f"close {device}"))


def test_a_device_plugged_in_later_is_found_by_initialising_again() -> None:
    sd, streams = FakePortAudio("built-in"), Streams()
    sd.there.append("USB")
    streams.close(sd, streams.open(sd, lambda: sd.make("USB")), "USB")
    assert sd.calls == ["terminate", "initialize", "close USB"]


def test_a_device_that_is_known_is_opened_at_once() -> None:
    sd, streams = FakePortAudio("USB"), Streams()
    streams.open(sd, lambda: sd.make("USB"))
    assert sd.calls == []


@pytest.mark.parametrize("there", [["built-in"], []])
def test_a_device_that_is_gone_is_refused_after_a_second_attempt(there: list[str]) -> None:
    sd, streams = FakePortAudio("built-in", "USB"), Streams()
    sd.there = there
    with pytest.raises(ValueError, match="No input device matching 'USB'"):
        streams.open(sd, lambda: sd.make("USB"))
    assert sd.calls == ["terminate", "initialize"]


def test_while_another_stream_is_open_portaudio_goes_on(caplog) -> None:
    sd, streams = FakePortAudio("built-in"), Streams()
    first = streams.open(sd, lambda: sd.make("built-in"))
    sd.there.append("USB")
    with caplog.at_level(logging.DEBUG), pytest.raises(ValueError, match="No input device"):
        streams.open(sd, lambda: sd.make("USB"))
    assert sd.calls == []
    assert "only while no other microphone is open" in caplog.text
    streams.close(sd, first, "built-in")
    streams.open(sd, lambda: sd.make("USB"))
    assert sd.calls == ["close built-in", "terminate", "initialize"]


def test_a_stream_that_does_not_close_is_abandoned(monkeypatch, caplog) -> None:
    """As with a sound server that is stopped: others are told in bounded time, and go on once it has closed."""
    monkeypatch.setattr(portaudio_module, "CLOSE_S", 0.05)
    monkeypatch.setattr(portaudio_module, "BUSY_S", 0.05)
    forgotten: list[object] = []
    monkeypatch.setattr(atexit, "unregister", forgotten.append)
    sd, streams, answers = FakePortAudio("built-in"), Streams(), threading.Event()
    hanging = streams.open(sd, lambda: SimpleNamespace(close=lambda: answers.wait(10)))
    streams.close(sd, hanging, "microphone default")
    assert "microphone default did not close within 0.05 s and is abandoned" in caplog.text
    assert forgotten == [sd._exit_handler]
    with pytest.raises(SourceError, match="another microphone hangs while it opens or closes; restart"):
        streams.open(sd, lambda: sd.make("built-in"))
    (closing,) = (thread for thread in threading.enumerate() if thread.name == "close microphone default")
    answers.set()
    closing.join(10)
    streams.open(sd, lambda: sd.make("built-in"))
    assert sd.calls == []


def test_without_the_systems_portaudio_the_error_has_the_remedy(monkeypatch) -> None:
    class Missing:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "sounddevice":
                raise OSError("PortAudio library not found")

    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Missing(), *sys.meta_path])
    with pytest.raises(SourceError, match=r"PortAudio library not found\); install it .*libportaudio2.*--mic off"):
        portaudio()


CLOSED = """
import os
from edge.sources.portaudio import portaudio
sd = portaudio()
sd._ffi.dlclose(sd._lib)  # as where the process ends
print("portaudio" in open("/proc/self/maps").read(), flush=True)
os._exit(0)
"""


@pytest.mark.skipif(not find_library("portaudio"), reason="PortAudio is not installed")
@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="the system does not tell what is in memory")
def test_code_of_portaudio_stays_for_threads_that_are_still_in_it() -> None:
    ended = subprocess.run([sys.executable, "-c", CLOSED], capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout == "True\n"
