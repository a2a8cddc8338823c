"""Crops of an utterance's speaker, framed as the runtime does: of several people, those of the active speaker."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from heapq import merge
from itertools import takewhile
from typing import NamedTuple

import numpy as np

from edge.clock import to_ns
from edge.live.active_speaker import MOUTH_RATE_HZ, SLOT_NS, UNCLEAR, ActiveSpeaker
from edge.live.people import most_common
from edge.live.voice_level import VoiceLevel
from edge.preprocess.framing import make_framing
from edge.preprocess.images import Image
from edge.preprocess.media import Block, Discontinuity, Frame
from edge.preprocess.people_tracker import TrackedFace
from edge.preprocess.rings import SampleRing
from edge.preprocess.windowing import FrameGrid, HopGrid
from edge.session.config import HOP_S
from edge.sources.media import probe, read_blocks

from ..config import Config, clips
from ..corpora.utterance import Utterance, VideoSegment
from .decode import decode_frames

ASSOCIATION_VERSION = "mouth and voice, turns"
"""Version of the association of faces with voices: a new one has the embeddings of several people computed again."""


class SpeakerCrop(NamedTuple):
    """Crop of one frame."""

    image: Image
    """uint8 `[H, W, 3]` of the encoder's size."""
    time_ns: int
    """Time of the frame from the utterance's begin."""


def speaker_crops(config: Config, utterance: Utterance, rate_hz: float) -> list[SpeakerCrop]:
    """Return the crops of an utterance's speaker at a frame rate, without the frames in which no face is found.

    Of several people they are those of the one whose mouth goes with the voice; none where nobody's does.
    """
    if clips(config).people > 1:
        return active_speaker_crops(config, utterance, rate_hz)
    video = config.video
    framing = make_framing(video.framing, video.height, video.width)
    crops = []
    for frame in decode_frames(speaker_segment(config, utterance), rate_hz, config.audio.window_s):
        crop = framing(frame.framed).crop
        if crop is not None:
            crops.append(SpeakerCrop(crop, frame.end_ns))
    return crops


def speaker_segment(config: Config, utterance: Utterance) -> VideoSegment:
    """Return the segment that shows an utterance: the speaker's half of its frames, or all of them."""
    assert utterance.video is not None, "a corpus of clips"
    return utterance.video if clips(config).speaker_half else replace(utterance.video, half="whole")


def active_speaker_crops(config: Config, utterance: Utterance, rate_hz: float) -> list[SpeakerCrop]:
    """Return the crops of the person who has most of the voiced time, judged hop by hop as in a live run."""
    video, audio = config.video, config.audio
    framing = make_framing(video.framing, video.height, video.width, people=clips(config).people)
    speaker, ring = ActiveSpeaker(), SampleRing(audio.rate_hz, audio.samples)
    hops, grid = HopGrid(0, to_ns(HOP_S)), FrameGrid(rate_hz)
    faces: list[TrackedFace] = []
    crops: defaultdict[int, list[SpeakerCrop]] = defaultdict(list)  # by person
    for item in media(config, utterance, max(rate_hz, MOUTH_RATE_HZ)):
        while hops.next_ns < item.end_ns:
            speaker.judge(ring, hops.next_ns)
            hops.advance()
        if isinstance(item, Block):
            ring.extend(item)
        elif isinstance(item, Discontinuity):
            ring.clear()
        else:
            picture = item.framed
            if grid.wants(item.end_ns):
                people = framing(picture).people
                faces = [TrackedFace(each.person, each.face) for each in people]
                for each in people:
                    crops[each.person].append(SpeakerCrop(each.crop, item.end_ns))
            speaker.see(picture, faces, item.end_ns)
    speaker.judge(ring, hops.next_ns)
    return crops.get(active_speaker(speaker, ring, hops.next_ns), [])


def media(config: Config, utterance: Utterance, rate_hz: float) -> Iterator[Frame | Block | Discontinuity]:
    """Yield an utterance's frames and audio in the order of their times from its begin."""
    segment, window_s = speaker_segment(config, utterance), config.audio.window_s
    return merge(
        decode_frames(segment, rate_hz, window_s),
        blocks(utterance, config.audio.rate_hz, to_ns(window_s)),
        key=lambda item: item.end_ns,
    )


def blocks(utterance: Utterance, rate_hz: int, end_ns: int) -> Iterator[Block | Discontinuity]:
    """Yield an utterance's audio that ends by a time; nothing if its file has none."""
    has_audio, _ = probe(utterance.path)
    if has_audio:
        yield from takewhile(lambda item: item.end_ns <= end_ns, read_blocks(utterance.path, rate_hz))


def active_speaker(speaker: ActiveSpeaker, ring: SampleRing, end_ns: int) -> int:
    """Return the number of the person who has most of the voiced time; NOBODY where no face speaks in half of it.

    Time in which it is unclear who speaks does not count.
    """
    voice = VoiceLevel(ring, end_ns)
    middles_ns = range(SLOT_NS // 2, end_ns, SLOT_NS)
    owners = speaker.owners(np.array([each for each in middles_ns if voice.is_voiced(each)], np.int64))
    return most_common(owners[owners != UNCLEAR])
