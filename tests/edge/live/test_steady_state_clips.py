"""What the steady state does to real clips, one emotion after the other: less flicker, a later answer."""

import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from edge.clock import SECOND_NS, to_ns
from edge.live.recognizer import Recognizer
from edge.live.steady_state_config import SteadyStateConfig
from edge.sources.media import MediaFile
from edge.wire.messages import UNCERTAIN
from tests.edge.made_conversation import Conversation, Turn, end_of, figures, follow

TURN_S = 20
ORDER = ["angry", "happy", "sad", "angry", "sad", "happy", "angry"]
"""Each emotion after each other one."""


@pytest.fixture
def turns(recordings: list[Path], shipped: Recognizer) -> dict[str, Turn]:
    """Each emotion's clip, again and again."""
    manifest, found = shipped.manifest, {}
    for label in sorted(set(ORDER)):
        (path,) = [path for path in recordings if re.search(f"_{label[:3]}_", path.name, re.IGNORECASE)]
        piece = tuple(MediaFile(path, manifest.audio, manifest.video).read())
        found[label] = Turn(label, (piece,) * round(TURN_S * SECOND_NS / end_of(piece)))
    return found


def test_the_steady_state_flickers_less(turns: dict[str, Turn], shipped: Recognizer, record_property) -> None:
    conversation = Conversation([turns[label] for label in ORDER])
    raw, steady = follow(conversation, shipped, image=True)
    record_property("measured", figures("clips, predictions", [raw]))
    record_property("measured", figures("clips, steady state", [steady]))
    assert 0 < steady.changes <= raw.changes
    begin_ns = 0
    for end_ns in conversation.ends_ns():  # whatever the model says of a turn is what the steady state says at its end
        said = [label for at, label in zip(raw.times_ns, raw.labels, strict=True) if begin_ns < at <= end_ns]
        held = [label for at, label in zip(steady.times_ns, steady.labels, strict=True) if begin_ns < at <= end_ns]
        assert held[-1] == Counter(said[len(said) // 2 :]).most_common(1)[0][0]
        begin_ns = end_ns
    changes = [
        (time_ns, label)
        for time_ns, before, label in zip(steady.times_ns[1:], steady.labels, steady.labels[1:], strict=False)
        if label != before
    ]
    held_ns = [after - since for (since, label), (after, _) in pairwise(changes) if label != UNCERTAIN]
    assert min(held_ns) >= to_ns(SteadyStateConfig().dwell_s)
