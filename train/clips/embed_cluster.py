"""Embeddings made by the workers of a Dask cluster: each utterance is decoded and embedded by one of them."""

from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import msgspec

from edge.bundle.load import SHIPPED
from edge.cluster.cluster import Cluster, GivenUp
from edge.cluster.shared_folder import size_of, wait_until_seen
from edge.errors import FoalError
from edge.system.own_program import PACKAGE
from edge.system.signals import interruptible

from ..corpora.utterance import Utterance
from ..log import progress
from .embed import EmbeddingStore, refuse_lost
from .embed_worker import There, embed_there


def fill_by_cluster(
    store: EmbeddingStore, utterances: Sequence[Utterance], address: str, place: str | None, threads: int
) -> None:
    """Have the workers of a scheduler make the missing embeddings, until the command is interrupted.

    SourceError at the end for utterances that cannot be decoded or that no worker survives; FoalError, which ends the
    others, without a cluster, where its code or its encoder is another, and where it does not see the files.
    """
    missing = [absolute(utterance) for utterance in utterances if not store.has(utterance)]
    store.announce(len(utterances), len(missing))
    if not missing:
        return
    with ExitStack() as opened:
        # Before signals set an event: Dask's wait for a scheduler ends by Ctrl-C's exception alone.
        cluster = opened.enter_context(
            closing(Cluster(address, [PACKAGE, "train"], ["torch", "open-clip-torch", "timm"]))
        )
        stop = opened.enter_context(interruptible())
        there = There(
            msgspec.json.encode(store.config),
            place if place in (None, SHIPPED.name) else str(Path(place).absolute()),
            str(store.folder.parent.absolute()),
            store.rate_hz,
            threads,
        )
        here = EmbeddingStore(Path(there.embeddings), store.config, store.encoder, store.rate_hz)
        work = [(each, (there, each, str(here.path(each)), size_of(video_of(each)))) for each in missing]
        lost: list[str] = []
        with closing(cluster.spread(embed_there, work, stop)) as outcomes:
            for _, (utterance, reason) in zip(progress(missing, "embedding frames"), outcomes, strict=False):
                if isinstance(reason, GivenUp):
                    lost.append(f"{utterance.name} ({video_of(utterance)}) is given up: {reason.why}")
                elif reason is not None:
                    lost.append(reason)
                else:
                    wait_until_seen(here.path(utterance))
    if stop.is_set():
        raise FoalError("interrupted; give the command again: what is done is not done twice")
    refuse_lost(lost, len(missing))
    store.tell_of_unseen(utterances)


def video_of(utterance: Utterance) -> Path:
    """Return the video file that shows an utterance."""
    assert utterance.video is not None, "a corpus of clips"
    return utterance.video.path


def absolute(utterance: Utterance) -> Utterance:
    """Return an utterance with the whole paths of its files: workers run in folders of their own."""
    assert utterance.video is not None, "a corpus of clips"
    video = replace(utterance.video, path=utterance.video.path.absolute())
    return replace(utterance, path=utterance.path.absolute(), video=video)
