"""Work spread over real workers: every piece once, whatever dies, and what is said where there is nobody to work."""

import os
import signal
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event, Thread, Timer

import pytest

pytest.importorskip("distributed", reason="the extra spread is not installed")

from edge.cluster import cluster as clusters
from edge.cluster import node
from edge.cluster.cluster import TRIES, Cluster, GivenUp
from edge.errors import FoalError, UsageError
from tests.dask_cluster import MOST_WORKERS, Started, cube, cube_or_die, lose_a_process, start_cluster


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    with start_cluster(tmp_path_factory.mktemp("cluster"), workers=2) as started:
        yield started


@pytest.fixture(scope="module")
def cluster(started: Started) -> Iterator[Cluster]:
    with closing(Cluster(started.address, ["edge"])) as cluster:
        cluster._client.wait_for_workers(2)
        yield cluster


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    folder = tmp_path / "calls"
    folder.mkdir()
    return folder


def calls_of(folder: Path) -> Counter[str]:
    return Counter(path.name.partition("-")[0] for path in folder.iterdir())


def test_every_piece_is_done_once_though_a_worker_is_killed(cluster: Cluster, calls: Path) -> None:
    numbers = range(12)
    killed = None
    done = []
    for outcome in cluster.spread(cube, [(n, (n, calls, 0.1)) for n in numbers], Event()):
        done.append(outcome)
        if len(done) == 3:
            killed = next(iter(cluster.on_each(os.getpid).values()))
            os.kill(killed, signal.SIGKILL)
    assert sorted(done) == [(n, n**3) for n in numbers]
    begun = calls_of(calls)
    assert set(begun) == {str(n) for n in numbers}
    twice = [number for number, count in begun.items() if count > 1]
    assert all((calls / f"{number}-{killed}").exists() for number in twice)


def test_what_kills_every_worker_is_given_up_and_the_others_are_done(cluster: Cluster, calls: Path) -> None:
    work = [(n, (n, 2, calls)) for n in range(5)]
    done = dict(cluster.spread(cube_or_die, work, Event()))
    given_up = done.pop(2)
    assert isinstance(given_up, GivenUp)
    assert f"{MOST_WORKERS} workers that were given it have died" in given_up.why
    assert calls_of(calls) == {"2": MOST_WORKERS}
    assert done == {n: n**3 for n in (0, 1, 3, 4)}


def test_what_ends_its_process_is_tried_a_few_times(cluster: Cluster, calls: Path) -> None:
    ((_, given_up),) = cluster.spread(lose_a_process, [("a", (calls,))], Event())
    assert isinstance(given_up, GivenUp)
    assert "(SIGSEGV) (on the worker at " in given_up.why
    assert given_up.why.endswith(f"it was tried {TRIES} times")
    assert calls_of(calls) == {"lost": TRIES}


def test_a_stop_ends_it_early(cluster: Cluster, calls: Path) -> None:
    stop = Event()
    Timer(0.3, stop.set).start()
    done = list(cluster.spread(cube, [(n, (n, calls, 0.1)) for n in range(1000)], stop))
    assert stop.is_set()
    assert len(done) < 1000


def test_a_worker_without_a_package_is_said(cluster: Cluster) -> None:
    with pytest.raises(UsageError, match=r"cannot import what it is to do .*install the same on all"):
        list(cluster.spread(missing_there, [("a", ())], Event()))


def missing_there() -> None:
    raise ImportError("no such package")


def test_other_code_on_the_workers_is_refused(started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "fingerprint", lambda _: "0123456789ab")
    with pytest.raises(UsageError, match=r"the worker tcp://\S+ has foal-edge .*, this machine \S+, code 01234567"):
        Cluster(started.address, ["edge"])


def test_a_worker_of_other_code_that_comes_later_is_refused(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "_code", "9.9.9, code 0123456789ab")
    with pytest.raises(UsageError, match=r"that has come last has foal-edge .*, this machine 9\.9\.9"):
        list(cluster.spread(os.getpid, [("a", ())], Event()))


def test_other_versions_of_what_computes_are_told(
    started: Started, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    here = clusters.installed(["edge"])
    other = here._replace(packages={**here.packages, "numpy": "0.1"})
    monkeypatch.setattr(Cluster, "on_each", lambda *_: {"tcp://10.0.0.7:40000": other})
    Cluster(started.address, ["edge"]).close()
    assert f"numpy differs between the machines (0.1, {here.packages['numpy']})" in caplog.text


@pytest.mark.parametrize(
    ("said", "problem"),
    [(b"", "what is there has not answered as Dask does"), (b"HTTP/1.0 400 Bad Request\r\n\r\n" + bytes(300), ".+")],
    ids=["nothing", "http"],
)
def test_another_program_is_no_scheduler(said: bytes, problem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "CONNECT_S", 0.5)
    monkeypatch.setattr(clusters, "GREET_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"

        def answer() -> None:
            with server.accept()[0] as connection:
                connection.sendall(said)
                while connection.recv(4096):
                    pass

        answering = Thread(target=answer)
        answering.start()
        with pytest.raises(UsageError, match=rf"no Dask scheduler answers at {address} \({problem}\); start one"):
            Cluster(address, ["edge"])
        answering.join()


def test_without_a_scheduler_or_a_worker_it_is_said_what_to_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(clusters, "CONNECT_S", 0.5)
    monkeypatch.setattr(clusters, "WORKER_S", 0.5)
    with pytest.raises(UsageError, match=r"no Dask scheduler answers at tcp://127.0.0.1:9 .*`dask scheduler`"):
        Cluster("tcp://127.0.0.1:9", ["edge"])
    with pytest.raises(UsageError, match=r"tls://127.0.0.1:9 needs certificates, and Dask's configuration"):
        Cluster("tls://127.0.0.1:9", ["edge"])
    monkeypatch.setattr(clusters, "CONNECT_S", 30.0)
    with (
        start_cluster(tmp_path, workers=0) as alone,
        pytest.raises(UsageError, match=rf"has no workers; start some: dask worker {alone.address}"),
    ):
        Cluster(alone.address, ["edge"])
    assert f"the scheduler at {alone.address} has no workers yet: waiting" in caplog.text


def test_a_cluster_whose_workers_are_gone_is_not_waited_for(
    cluster: Cluster, calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clusters, "ALONE_S", 0.5)
    monkeypatch.setattr(cluster, "_threads", lambda: 0)
    with pytest.raises(FoalError, match="no worker has been there"):
        list(cluster.spread(cube, [(1, (1, calls, 0.0))], Event()))
