"""What the command line of a run comes to."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from edge.cli.run_options import read_config, run_options
from edge.errors import UsageError
from edge.session.config import Config, StreamConfig


def config_of(*arguments: str) -> Config:
    found: list[Config] = []

    @click.command()
    @run_options
    def command(**options: object) -> None:
        found.append(read_config(**options))

    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return found[0]


def test_nothing_said_is_every_default() -> None:
    assert config_of() == Config()


def test_one_stream_by_its_options() -> None:
    config = config_of("--camera", "2", "--mic", "off", "--av-offset-ms", "30", "--stream", "desk")
    assert config.streams == (StreamConfig("desk", "2", "off", av_offset_ms=30),)
    assert config_of("--demo").streams == (StreamConfig(demo=True),)
    assert config_of("--demo", "--loop").streams == (StreamConfig(demo=True, loop=True),)
    assert config_of("--stream", "name=a,file=b,loop=true").streams == (StreamConfig("a", file="b", loop=True),)


def test_the_tracks_of_a_recording() -> None:
    config = config_of("--file", "a.mp4", "--audio-track", "1", "--stream", "x", "--stream", "name=y,video_track=0")
    assert config.streams == (
        StreamConfig("x", file="a.mp4", audio_track=1),
        StreamConfig("y", file="a.mp4", audio_track=1, video_track=0),
    )


def test_many_streams_and_what_they_share() -> None:
    config = config_of("--mic", "off", "--stream", "name=a,camera=0", "--stream", "name=b,camera=1,mic=default")
    assert config.streams == (StreamConfig("a", "0", "off"), StreamConfig("b", "1", "default"))


def test_options_of_the_run() -> None:
    config = config_of("--hop", "auto", "--control", "off", "--metrics-port", "0", "--record", "kept", "--record-media")
    assert (config.hop_s, config.control, config.metrics_port) == ("auto", "off", 0)
    assert (config.record, config.record_media) == ("kept", True)
    assert config_of("--hop", "2").hop_s == 2.0


def test_the_command_line_wins_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "edge.yaml"
    path.write_text("hop_s: 1\nthreads: 1\nstreams: [{name: a, demo: true}]\n")
    config = config_of("--config", str(path), "--hop", "2")
    assert (config.hop_s, config.threads, config.streams[0].name) == (2.0, 1, "a")
    assert config_of("--config", str(path), "--stream", "name=b,demo=true").streams == (StreamConfig("b", demo=True),)


def test_a_streams_options_beside_the_streams_of_a_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "edge.yaml"
    path.write_text("streams: [{name: a, demo: true}]\n")
    with pytest.raises(UsageError, match=f"--av-offset-ms cannot be given with the streams of {path}"):
        config_of("--config", str(path), "--av-offset-ms", "3")
