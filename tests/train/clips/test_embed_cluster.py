"""Embeddings by the workers of a cluster: those of one process, whatever dies in the middle."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

pytest.importorskip("distributed", reason="the extra spread is not installed")

from edge.cluster import cluster as clusters
from edge.cluster.cluster import Cluster, GivenUp, Outcome
from edge.errors import SourceError, UsageError
from tests.dask_cluster import START_S, Started, start_cluster, workers_of
from tests.train.clips.conftest import Done, do, elsewhere, files, train
from train.cli import fit
from train.clips import embed_cluster, embed_worker
from train.config import Config
from train.corpora.utterance import Utterance
from train.processes import Processes

PRELOAD = """
import open_clip
open_clip.add_model_config({!r})
"""
"""What a worker reads when it starts: it knows the tiny architecture, as this process does."""


@pytest.fixture(scope="module")
def started(architectures: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    folder = tmp_path_factory.mktemp("cluster")
    preload = folder / "architectures.py"
    preload.write_text(PRELOAD.format(str(architectures)))
    with start_cluster(folder, workers=1, preload=preload) as started:
        yield started


@pytest.fixture(scope="module")
def embedded(dwarf: Config, short_release: Path, tmp_path_factory: pytest.TempPathFactory) -> Done:
    return do("embed", dwarf, short_release, tmp_path_factory.mktemp("embedded"))


def kill_once_begun(pid: int, folder: Path, over: threading.Event) -> None:
    """Kill a process once the first embeddings are there."""
    while not over.wait(0.005):
        if list(folder.rglob("*.safetensors")):
            os.kill(pid, signal.SIGKILL)
            return


def test_embeddings_are_those_of_one_process_though_a_worker_is_killed(
    embedded: Done, started: Started, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clusters, "ALONE_S", START_S)
    (pid,) = workers_of(started)
    folder, over = tmp_path / "embeddings", threading.Event()
    command = [*elsewhere(embedded, embeddings=folder), "--workers", started.address]
    killer = threading.Thread(target=kill_once_begun, args=(pid, folder, over))
    killer.start()
    output = train(*command)
    over.set()
    killer.join()
    assert "embeddings of 30 of 30 utterances" in output
    assert files(folder, "*.*") == files(embedded.embeddings, "*.*")
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.safetensors")}
    assert "are to be made" not in train(*command)
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_an_utterance_that_no_worker_survives_is_named(
    embedded: Done, started: Started, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spread(*given: Any) -> Iterator[Outcome[Utterance]]:
        return (Outcome(utterance, GivenUp("4 workers have died")) for utterance, _ in given[2])

    monkeypatch.setattr(Cluster, "spread", spread)
    command = [*elsewhere(embedded, embeddings=tmp_path / "embeddings"), "--workers", started.address]
    with pytest.raises(SourceError, match=r"30 of 30 .*:\n  Ses01F_impro01_\w+ \(/.*\.avi\) is given up: 4 workers"):
        train(*command)


def test_another_encoder_on_a_worker_is_refused(
    embedded: Done, started: Started, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embed_cluster, "There", lambda *values: embed_worker.There(*values[:3], 5.0, values[4]))
    command = [*elsewhere(embedded, embeddings=tmp_path / "embeddings"), "--workers", started.address]
    with pytest.raises(UsageError, match=r"a worker would write .*-5hz-.*, not .*-10hz-"):
        train(*command)


def test_a_launcher_and_workers_are_not_taken_together() -> None:
    with pytest.raises(UsageError, match="start the command without a launcher"):
        fit.fill_by_workers(None, [], Processes(2, 0, torch.device("cpu")), "tcp://127.0.0.1:9", None, 1)  # type: ignore[arg-type]
