"""Frozen image embeddings of clips, computed once and kept on disk: one small file for each utterance.

Dimensions: Tv frames of an utterance, Dv the embedding's width, H and W the height and width of the encoder's input.
"""

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from edge.errors import SourceError, UsageError
from edge.sources.base import source_error

from ..config import Clip, Config, clips
from ..corpora.utterance import Utterance
from ..folders import make_writable
from ..log import console, progress
from ..processes import Processes
from ..tensors import fingerprint, read_tensors, write_tensors
from .speaker import ASSOCIATION_VERSION, SpeakerCrop, speaker_crops, speaker_segment

BATCH = 64
EMBEDDING_BYTES, TIME_BYTES, HEADER_BYTES = 2, 8, 300
"""Bytes of one number of an embedding (fp16), of one time in nanoseconds, and at most of a file's header."""

DECODING_VERSION = "framed as decoded"
"""Version of the decoding: a new one has all embeddings computed again, as training must see what the runtime sees."""


class FrameEmbeddings(NamedTuple):
    """Image encoder's embeddings of an utterance's frames."""

    embedding: Tensor
    """fp16 `[Tv, Dv]`."""
    time_ns: Tensor
    """int64 `[Tv]`, time from the utterance's begin."""


class EmbeddingStore:
    """Store of the embeddings by one encoder, framing and frame rate, in a folder of their own."""

    def __init__(self, folder: Path, config: Config, encoder: nn.Module, rate_hz: float) -> None:
        self.config, self.encoder, self.rate_hz = config, encoder, rate_hz
        video = config.video
        half = "speaker-half" if clips(config).speaker_half else "whole-picture"
        self._people = clips(config).people
        speaker = f"speaker-of-{self._people}" if self._people > 1 else half
        part = config.image_encoder
        architecture = part.architecture.replace("/", "-") if isinstance(part, Clip) else "nano"
        made_of = f"{architecture}-{fingerprint(encoder)[:12]}"
        size = f"{video.framing}-{video.height}x{video.width}"
        self.folder = folder / f"{made_of}-{size}-{speaker}-{rate_hz:g}hz-{config.audio.window_s:g}s"

    def path(self, utterance: Utterance) -> Path:
        """Return the path of an utterance's embeddings, which depends on its segment and on its file's size.

        Whose they are of several people depends on the audio, too.
        """
        cut = speaker_segment(self.config, utterance)
        source = f"{cut.path.name} {size_of(cut.path)} {cut.begin_s} {cut.end_s} {cut.half} {DECODING_VERSION}"
        if self._people > 1:
            audio = utterance.path
            source += f" {audio.name} {size_of(audio)} {self.config.audio.rate_hz} {ASSOCIATION_VERSION}"
        digest = hashlib.sha256(source.encode()).hexdigest()[:8]
        return self.folder / utterance.corpus / f"{utterance.name}-{digest}.safetensors"

    def read(self, utterance: Utterance) -> FrameEmbeddings:
        """Read an utterance's embeddings; UsageError if they are missing."""
        if not self.has(utterance):
            raise UsageError(f"no embeddings of {utterance.name} in {self.folder}; python -m train embed makes them")
        tensors, _ = read_tensors(self.path(utterance))
        return FrameEmbeddings(tensors["embedding"], tensors["time_ns"])

    def fill(self, utterances: Sequence[Utterance], processes: Processes) -> None:
        """Compute the missing embeddings; an interrupted call loses at most one utterance of each process."""
        if processes.is_main:
            self.announce(len(utterances), sum(not self.has(utterance) for utterance in utterances))
        # Shared out before the existing files are listed: other processes may already be writing.
        mine = [utterance for utterance in utterances[processes.index :: processes.count] if not self.has(utterance)]
        self.encoder.to(processes.device)
        lost: list[str] = []
        for utterance in progress(mine, "embedding frames", processes.is_main):
            try:
                self.embed(utterance, processes.device)
            except SourceError as error:
                lost.append(str(error))
        self.encoder.cpu()
        processes.wait()
        refuse_lost(lost, len(mine))
        if processes.is_main:
            self.tell_of_unseen(utterances)

    def embed(self, utterance: Utterance, device: torch.device) -> None:
        """Write an utterance's embeddings, by the encoder that is on `device`; SourceError if it cannot be decoded."""
        try:
            crops = speaker_crops(self.config, utterance, self.rate_hz)
        except Exception as error:  # a decoder may raise anything: one clip is lost, not the table
            raise source_error(utterance.name, error) from error
        embeddings = self._embed(crops, device)
        write_tensors(self.path(utterance), embeddings._asdict(), {"utterance": utterance.name})

    def has(self, utterance: Utterance) -> bool:
        """Return whether an utterance's embeddings exist."""
        return self.path(utterance).is_file()

    def announce(self, wanted: int, missing: int) -> None:
        """Make the folder and say how much is to be written into it; nothing where nothing is missing."""
        if not missing:
            return
        frames_at_most = round(self.rate_hz * self.config.audio.window_s)
        a_frame = self.config.image_encoder.width * EMBEDDING_BYTES + TIME_BYTES
        megabytes = missing * (frames_at_most * a_frame + HEADER_BYTES) / 1e6
        make_writable(self.folder, "--embeddings")
        free_gigabytes = shutil.disk_usage(self.folder).free / 1e9
        console.print(
            f"embeddings of {missing:,} of {wanted:,} utterances are to be made in {self.folder}: "
            f"at most {megabytes:,.1f} MB, {free_gigabytes:,.0f} GB are free"
        )

    def tell_of_unseen(self, utterances: Sequence[Utterance]) -> None:
        """Print how many utterances have no frames where several people are followed.

        Those that another process could not embed are not counted.
        """
        if self._people == 1:
            return
        found = [len(self.read(utterance).time_ns) for utterance in utterances if self.has(utterance)]
        if unseen := found.count(0):
            console.print(
                f"{unseen:,} of {len(found):,} utterances have no frames: of up to {self._people} people, "
                "nobody's mouth is seen to go with the voice"
            )

    @torch.no_grad()
    def _embed(self, crops: Sequence[SpeakerCrop], device: torch.device) -> FrameEmbeddings:
        if not crops:
            return FrameEmbeddings(
                torch.zeros(0, self.config.image_encoder.width, dtype=torch.float16), torch.zeros(0).long()
            )
        parts = torch.from_numpy(np.stack([crop.image for crop in crops])).split(BATCH)
        embedding = torch.cat([self.encoder(part.to(device)).half().cpu() for part in parts])
        return FrameEmbeddings(embedding, torch.tensor([crop.time_ns for crop in crops]))


def size_of(path: Path) -> int:
    """Return a file's size in bytes; 0 where there is none."""
    return path.stat().st_size if path.is_file() else 0


def refuse_lost(lost: Sequence[str], count: int) -> None:
    """Raise SourceError where some of `count` utterances could not be embedded, for the reasons given."""
    if lost:
        listed = [f"  {reason}" for reason in lost]
        raise SourceError("\n".join([f"{len(lost)} of {count} utterances could not be embedded:", *listed]))
