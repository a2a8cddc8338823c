"""Settings from a file and from the command line, and what cannot be meant."""

from pathlib import Path
from typing import Any

import pytest

from edge.bundle.load import SHIPPED
from edge.errors import UsageError
from edge.live.steady_state_config import SteadyStateConfig
from edge.session.config import Config, StreamConfig, check_stream, checked, load_config, parse_stream


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "edge.yaml"
    path.write_text(text)
    return path


def test_without_a_word_it_is_the_first_camera_and_the_default_microphone() -> None:
    config = load_config(None, {})
    assert config == Config()
    assert (config.streams, config.hop_s, config.bundle) == (
        (StreamConfig("main", "default", "default"),),
        0.5,
        str(SHIPPED),
    )


def test_a_file_says_everything_and_the_command_line_wins(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
        streams:
          - {name: lobby, camera: 0, mic: USB Audio, av_offset_ms: -40}
          - {name: door, camera: "rtsp://127.0.0.1/live", mic: off}
          - {name: clip, file: talk.mp4}
        hop_s: auto
        bind: tcp://127.0.0.1:7000
        control: off
        metrics_port: 9100
        events: {dwell_s: 3}
        """,
    )
    config = load_config(path, {"bind": "tcp://127.0.0.1:8000", "threads": "1"})
    lobby, door, clip = config.streams
    assert (lobby.camera, lobby.mic, lobby.av_offset_ms) == (0, "USB Audio", -40)
    assert (door.mic, door.wants_video, door.wants_audio, door.is_recorded, clip.is_recorded) == (
        "off",
        True,
        False,
        False,
        True,
    )
    assert config.control == "off"
    assert (config.hop_s, config.bind, config.metrics_port, config.threads) == ("auto", "tcp://127.0.0.1:8000", 9100, 1)
    assert config.events == SteadyStateConfig(dwell_s=3)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lobby", StreamConfig("lobby")),
        ("name=lobby,camera=0,mic=default", StreamConfig("lobby", "0", "default")),
        ("name=a, camera=/dev/video2 , mic=off", StreamConfig("a", "/dev/video2", "off")),
        ("camera=off,mic=USB, 2 channels", StreamConfig("main", "off", "USB, 2 channels")),
        ("name=a,file=a=b,c.mp4", StreamConfig("a", file="a=b,c.mp4")),
        ("name=a,camera=rtsp://h/x?a=1&b=2,mic=off", StreamConfig("a", "rtsp://h/x?a=1&b=2", "off")),
        ("name=a,demo=true,av_offset_ms=-12.5", StreamConfig("a", demo=True, av_offset_ms=-12.5)),
        (
            "name=gst,camera=v4l2src ! video/x-raw,width=640,rate=5 ! appsink,mic=off",
            StreamConfig("gst", "v4l2src ! video/x-raw,width=640,rate=5 ! appsink", "off"),
        ),
    ],
)
def test_streams_on_the_command_line(text: str, expected: StreamConfig) -> None:
    assert parse_stream(text, {}) == expected


@pytest.mark.parametrize("said", ["audio_track=1", "video_track=0,demo=true", "camera=0,video_track=1"])
def test_a_track_without_a_recording_is_refused(said: str) -> None:
    stream = parse_stream(f"name=a,{said}", {})
    with pytest.raises(UsageError, match=r"stream a: --(audio|video)-track \d is one of a recording's; give --file"):
        check_stream(stream)


def test_what_a_stream_does_not_say_is_as_the_other_options_say() -> None:
    assert parse_stream("name=a,camera=2", {"camera": "1", "mic": "off"}) == StreamConfig("a", "2", "off")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("name=a,name=b", "gives name twice"),
        ("colour=red", "'colour' is none of name, camera"),
        ("name=a,fil=x", "'fil' is none of name, camera"),
        ("name=a,camera=0,hop=1", "'hop' is none of name, camera"),
        ("name=a.b", "--stream 'name=a.b'"),
        ("a.b", "--stream 'a.b'"),
        ("", "--stream ''"),
        ("-_", "--stream '-_'"),
        ("name=a,av_offset_ms=much", "av_offset_ms"),
        ("name=a,av_offset_ms=nan", "av_offset_ms"),
        ("name=a,av_offset_ms=9000", "av_offset_ms"),
        ("name=a,demo=perhaps", "demo"),
        ("name=a,file=x,audio_track=-1", "audio_track"),
        ("name=a,file=x,video_track=first", "video_track"),
    ],
)
def test_streams_that_cannot_be_meant(text: str, reason: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_stream(text, {})
    assert reason in str(refused.value)


@pytest.mark.parametrize("name", ["main", "cam-1", "cam_1", "7"])
def test_names_of_streams(name: str) -> None:
    assert parse_stream(name, {}).name == name


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("streams: []", "streams"),
        ("streams: [{name: a}, {name: a}]", "2 streams are called 'a'"),
        ("streams: [{name: a, colour: red}]", "colour"),
        ("hop: 1", "hop"),
        ("hop_s: 0.01", "hop_s"),
        ("hop_s: .nan", "hop_s"),
        ("hop_s: often", "hop_s"),
        ("threads: -1", "threads"),
        ("metrics_port: 70000", "metrics_port"),
        ("events: {dwell_s: -1}", "dwell_s"),
        ("- a list", "holds list"),
        ("a: [", "is no YAML"),
        ("\x00", "is no YAML"),
        ("!!python/object/apply:os.system [true]", "is no YAML"),
        ("streams: [{camera: on}]", "streams[0].camera: found true, expected text or a whole number"),
        ("streams: [{camera: off, mic: off}]", "leave nothing to go by"),
        ("streams: [{demo: true, file: a.mp4}]", "two recordings"),
        ("streams: [{loop: true}]", "--loop is for recordings"),
        ("{streams: [{demo: true, loop: true}], fast: true}", "--fast would never end with --loop"),
        ("streams: [{file: ''}]", "the name of its file is empty"),
        ("{streams: [{demo: true}], record: ''}", "the folder of --record is empty"),
        ("fast: true", "--fast is for recordings"),
        ("fast: true\nhop_s: auto\nstreams: [{demo: true}]", "--hop auto"),
        ("record_media: true", "--record DIR"),
        ("{bind: 'off', show_picture: true}", "--show-picture publishes, but --bind is off"),
        ("{bind: 'off', view: true}", "--view shows what is published, and nothing is"),
    ],
)
def test_files_that_cannot_be_meant(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(UsageError) as refused:
        load_config(written(tmp_path, text), {})
    assert reason in str(refused.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read --config .*No such file"):
        load_config(tmp_path / "gone.yaml", {})


@pytest.mark.parametrize("changes", [{"streams": (StreamConfig(demo=True),), "fast": True}, {"hop_s": "auto"}])
def test_what_can_be_meant_is_left_as_it_is(changes: dict[str, Any]) -> None:
    config = Config(**changes)
    assert checked(config) is config


def test_the_shipped_configuration_says_the_defaults() -> None:
    config = load_config(Path(__file__).parents[3] / "configs" / "edge.yaml", {})
    assert config.streams == (StreamConfig("lobby", 0),)
    assert (config.hop_s, config.bind, config.control, config.events) == (
        Config().hop_s,
        Config().bind,
        Config().control,
        SteadyStateConfig(),
    )
