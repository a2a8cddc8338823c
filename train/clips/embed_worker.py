"""Part of a cluster's worker in `embed`: it builds the encoder once, and embeds one utterance after the other."""

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from edge.cluster.shared_folder import check_recording
from edge.errors import SourceError, UsageError

from ..config import Config
from ..corpora.utterance import Utterance
from ..packages import AMX_AT_MOST

if TYPE_CHECKING:
    from .embed import EmbeddingStore


class There(NamedTuple):
    """Message that is the same for all utterances of one command."""

    config: bytes
    """Configuration, in JSON."""
    place: str | None
    """Network whose image encoder is taken, as `--from` names it."""
    embeddings: str
    """Folder of all embeddings."""
    rate_hz: float
    threads: int
    """CPU cores of each worker."""


def embed_there(there: There, utterance: Utterance, path: str, size_bytes: int | None) -> str | None:
    """Embed an utterance into the file at `path`; return why it could not be decoded, None where it could.

    UsageError where this worker does not see the recording, which has `size_bytes`, or has another encoder.
    """
    assert utterance.video is not None, "a corpus of clips"
    check_recording(utterance.video.path, size_bytes)
    store = open_store(there)
    if str(store.path(utterance)) != path:
        raise UsageError(
            f"a worker would write {store.path(utterance)}, not {path}: its image encoder has other weights; install "
            "the same there, and give --from a folder that all share"
        )
    if store.has(utterance):  # by a worker that died before it could say so
        return None
    import torch

    try:
        store.embed(utterance, torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    except SourceError as error:
        return str(error)
    return None


@cache
def open_store(there: There) -> "EmbeddingStore":
    """Return the store with its encoder, built once in this process."""
    os.environ.setdefault(*AMX_AT_MOST)
    import torch

    from ..origin import open_origin
    from .compare import make_store

    torch.set_num_threads(there.threads)
    config = msgspec.json.decode(there.config, type=Config)
    encoder, store = make_store(config, Path(there.embeddings), there.rate_hz, open_origin(config, there.place))
    encoder.to("cuda" if torch.cuda.is_available() else "cpu")
    return store
