"""What a worker does for `embed`: an utterance for which it is asked, once, and nothing that it sees otherwise."""

from dataclasses import replace as replaced
from pathlib import Path

import msgspec
import pytest

from edge.errors import UsageError
from tests.train.clips.conftest import RATE_HZ
from train.clips import compare, embed_worker
from train.clips.embed import EmbeddingStore
from train.clips.embed_worker import There, embed_there
from train.config import Config
from train.corpora import iemocap
from train.corpora.utterance import Utterance


@pytest.fixture
def there(dwarf: Config, tmp_path: Path) -> There:
    return There(msgspec.json.encode(dwarf), None, str(tmp_path), RATE_HZ, 1)


@pytest.fixture
def here(dwarf: Config, tmp_path: Path) -> EmbeddingStore:
    """The store as the program that asks has it."""
    return compare.make_store(dwarf, tmp_path, RATE_HZ)[1]


@pytest.fixture
def utterance(short_release: Path) -> Utterance:
    return iemocap.utterances(short_release)[0]


def size_bytes(utterance: Utterance) -> int:
    assert utterance.video is not None
    return utterance.video.path.stat().st_size


def test_an_utterance_is_embedded_once_by_one_encoder_where_it_is_asked_for(
    there: There, here: EmbeddingStore, utterance: Utterance
) -> None:
    path = here.path(utterance)
    assert embed_there(there, utterance, str(path), size_bytes(utterance)) is None
    found, made_ns = here.read(utterance), path.stat().st_mtime_ns
    assert len(found.time_ns) > 1
    assert embed_there(there, utterance, str(path), size_bytes(utterance)) is None
    assert path.stat().st_mtime_ns == made_ns
    assert embed_worker.open_store(there) is embed_worker.open_store(there)


def test_what_the_worker_sees_otherwise_is_refused(there: There, here: EmbeddingStore, utterance: Utterance) -> None:
    path, size = here.path(utterance), size_bytes(utterance)
    with pytest.raises(UsageError, match=f"has {size + 1} bytes where the command was given, here it has {size}"):
        embed_there(there, utterance, str(path), size + 1)
    with pytest.raises(UsageError, match=r"a worker would write .*: its image encoder has other weights"):
        embed_there(there._replace(rate_hz=RATE_HZ / 2), utterance, str(path), size)
    assert not here.has(utterance)


def test_an_utterance_that_cannot_be_decoded_is_told(
    there: There, here: EmbeddingStore, utterance: Utterance, tmp_path: Path
) -> None:
    assert utterance.video is not None
    damaged = tmp_path / "damaged.avi"
    damaged.write_bytes(b"RIFF" + bytes(2000))
    lost = replaced(utterance, video=replaced(utterance.video, path=damaged))
    told = embed_there(there, lost, str(here.path(lost)), 2004)
    assert told is not None
    assert told.startswith(f"{damaged} cannot be read as a recording")
    assert not here.has(lost)
