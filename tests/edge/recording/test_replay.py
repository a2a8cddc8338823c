"""The same steps give the same bytes; a golden recording gives what it gave when it was made."""

import base64
import hashlib
import shutil
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from edge.bundle.load import MANIFEST, SHIPPED, sha256
from edge.errors import BundleError, FoalError, SourceError, UsageError
from edge.live.recognizer import Recognizer
from edge.preprocess.media import Block
from edge.recording.compare import FLOATS_ALIKE
from edge.recording.reader import read_inputs, read_messages, read_metadata
from edge.recording.replay import Replay, at_once, find_bundle, in_its_own_time, is_recorded, open_recognizer
from edge.wire.messages import Message, encode
from tests.edge.made_messages import OF_PEOPLE, PERSON, numbered
from tests.edge.recording.made_golden import BEGIN_NS, GOLDEN, about, record_demo
from tests.edge.recording.made_recordings import Kept, file_of, kept_in, record, rewrite, status
from tests.edge.recording.made_recordings import about as made_about

NEVER = threading.Event()
LEFT_OUT = {("status.main.", 1), ("emotion.main.", 2)}


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, shipped: Recognizer) -> Path:
    return record_demo(tmp_path_factory.mktemp("original"), shipped)[0]


@pytest.fixture
def recording(tmp_path: Path, original: Path) -> Path:
    """A copy that may be harmed."""
    return Path(shutil.copytree(original, tmp_path / "recording"))


def replay(folder: Path) -> Replay:
    return Replay(folder, read_metadata(folder), at_once(NEVER))


def change(folder: Path, changed: Callable[[list[Kept]], list[Kept]]) -> None:
    """Replace what is kept in a recording."""
    path = file_of(folder)
    rewrite(path, changed(kept_in(path)))


def is_step(kept: Kept) -> bool:
    return kept[0] == "steps."


def sent_in(folder: Path) -> list[bytes]:
    """The messages of a recording, encoded."""
    return [record.body for record in read_messages(folder) if hasattr(record, "body")]


def test_what_is_replayed_is_what_was_sent_byte_for_byte(original: Path, shipped: Recognizer) -> None:
    compared = replay(original).compare(shipped)
    sent, published = sent_in(original), []
    assert (compared.equal, compared.unrecorded) == (len(sent), 0)
    assert replay(original).run(shipped, published.append)
    pairs = [(body, one) for body, one in zip(sent, published, strict=True) if not hasattr(one, "latency_ms")]
    assert len(pairs) == len(sent) - 8, "all but the predictions, two a second"
    assert [body for body, _ in pairs] == [encode(one, "json") for _, one in pairs]


def test_the_golden_recording_gives_what_it_gave(shipped: Recognizer) -> None:
    assert is_recorded(SHIPPED, read_metadata(GOLDEN).bundle.manifest_sha256), (
        "the bundle is another: python -m tests.edge.recording.made_golden records it anew"
    )
    # made on one processor, with one version of each library: floats differ a little on another
    compared = replay(GOLDEN).compare(shipped, tolerance=FLOATS_ALIKE)
    sent = [msgspec.json.decode(body) for body in sent_in(GOLDEN)]
    assert (compared.equal, compared.unrecorded) == (len(sent), 0)
    kinds = Counter(fields["type"] for fields in sent)
    assert (kinds["prediction"], kinds.keys()) == (8, {"prediction", "status", "event"})
    states = {(fields["audio"], fields["video"]) for fields in sent if fields["type"] == "status"}
    # until a second of voice was heard there is none for a bundle that knows voices
    assert states - {("no_speech", "ok")} == {("ok", "ok"), ("ok", "dark"), ("lost", "ok")}
    assert sum(path.stat().st_size for path in GOLDEN.iterdir()) < 450_000


def test_the_golden_recording_is_the_demos(original: Path) -> None:
    drawn, kept = (
        [each for each in read_inputs(folder) if hasattr(each, "deliveries")] for folder in (original, GOLDEN)
    )
    for one, other in zip(drawn, kept, strict=True):
        assert (one.now_ns, len(one.deliveries)) == (other.now_ns, len(other.deliveries))
        for mine, its in zip(one.deliveries, other.deliveries, strict=True):
            if isinstance(mine.media, Block):
                assert mine.media.samples == pytest.approx(its.media.samples, abs=1e-5)


def test_another_sound_is_another_message(recording: Path, shipped: Recognizer) -> None:
    def louder(kept: list[Kept]) -> list[Kept]:
        steps = [fields for topic, _, fields in kept if topic == "steps."]
        block = next(one for step in steps for one in step["deliveries"] if one["kind"] == "block")
        samples = np.frombuffer(base64.b64decode(block["samples"]), "<f4").copy()
        samples[100:200] += 0.2
        block["samples"] = base64.b64encode(samples.tobytes()).decode()
        return kept

    change(recording, louder)
    with pytest.raises(FoalError, match=r"^prediction 0 of stream main differs: .* is .*, recorded is "):
        replay(recording).compare(shipped)


def test_another_message_is_named_with_its_field(recording: Path, shipped: Recognizer) -> None:
    def another(kept: list[Kept]) -> list[Kept]:
        fields = next(fields for topic, number, fields in kept if (topic, number) == ("emotion.main.", 2))
        fields["video"]["frames"] += 1
        return kept

    change(recording, another)
    with pytest.raises(FoalError, match=r"^prediction 2 of stream main differs: video\.frames is 8, recorded is 9$"):
        replay(recording).compare(shipped)


def test_a_recording_that_was_killed_is_compared_as_far_as_it_goes(recording: Path, shipped: Recognizer) -> None:
    path, whole = file_of(recording), len(sent_in(recording))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])
    compared = replay(recording).compare(shipped)
    assert 5 < compared.equal < whole
    assert not replay(recording).run(shipped, [].append)
    change(recording, lambda kept: kept[:-1])
    again = replay(recording).compare(shipped)
    assert again.equal + again.unrecorded == compared.equal


def test_beyond_a_gap_nothing_can_be_compared_but_it_is_played(recording: Path, shipped: Recognizer, caplog) -> None:
    def with_gap(kept: list[Kept]) -> list[Kept]:
        steps = [index for index, one in enumerate(kept) if is_step(one)]
        gap = ("recording.", 0, {"kind": "steps_lost", "lost": 3})
        return [*kept[: steps[19] + 1], gap, *kept[steps[22] + 1 :]]

    change(recording, with_gap)
    with pytest.raises(FoalError, match=r"^3 steps are missing from the recording, whose disk was too slow"):
        replay(recording).compare(shipped)
    published = []
    assert replay(recording).run(shipped, published.append)
    assert published[-1].state == "stopped"
    assert [said.getMessage() for said in caplog.records] == [
        "3 records are missing here: the disk was too slow when this was recorded"
    ]


def test_messages_are_published_as_they_were_sent(recording: Path, caplog) -> None:
    published = []
    replay(recording).messages(published.append)
    sent = sent_in(recording)
    assert [encode(message, "json") for message in published] == sent
    gap = ("recording.", 0, {"kind": "messages_lost", "lost": 2})
    change(recording, lambda kept: [gap, *[one for one in kept if one[:2] not in LEFT_OUT]])
    published.clear()
    replay(recording).messages(published.append)
    assert len(published) == len(sent) - 2
    assert caplog.records[0].getMessage().startswith("2 records are missing here")


def test_messages_of_people_are_published_as_they_were_sent(tmp_path: Path) -> None:
    sent = [OF_PEOPLE["prediction"], PERSON, numbered(3, PERSON, person=11), OF_PEOPLE["status"]]
    again: list[Message] = []
    replay(record(tmp_path, [], sent, made_about())).messages(again.append)
    assert again == sent


def test_a_message_of_another_version_is_not_published(tmp_path: Path) -> None:
    folder = record(tmp_path, [], [status(0)], about())
    change(folder, lambda kept: [(topic, number, fields | {"type": "new"}) for topic, number, fields in kept[:1]])
    with pytest.raises(
        SourceError, match=r"topic b'status\.cam1\.' that this program does not know .* foal-edge golden"
    ):
        replay(folder).messages([].append)


def test_in_its_own_time_each_is_waited_for(original: Path, shipped: Recognizer, clock) -> None:
    clock.time_ns = 77
    played = Replay(original, about(), in_its_own_time(clock, NEVER))
    played.messages(lambda _: None)
    sent = [one.mono_ns for one in read_messages(original) if hasattr(one, "body")]
    assert clock.waited == [77 + time_ns - sent[0] for time_ns in sent]
    clock.waited.clear()
    clock.time_ns = 77
    Replay(original, about(), in_its_own_time(clock, NEVER)).run(shipped, lambda _: None)
    assert clock.waited[0] == 77
    assert clock.waited[-1] == pytest.approx(77 + 4.0e9, abs=0.3e9)


def test_a_replay_that_is_stopped_ends(original: Path, shipped: Recognizer) -> None:
    stop, published = threading.Event(), []
    stop.set()
    stopped = Replay(original, about(), at_once(stop))
    stopped.messages(published.append)
    assert not stopped.run(shipped, published.append)
    assert published == []


def hash_without(folder: Path, *fields: str) -> str:
    """Hash of a manifest as an earlier version wrote it, which its recordings name."""
    text = (folder / MANIFEST).read_text()
    for field in fields:
        begin, end = text.index(f',\n  "{field}"'), text.index("\n  }", text.index(f'"{field}"'))
        text = text[:begin] + text[end + len("\n  }") :]
    return hashlib.sha256(text.encode()).hexdigest()


def test_the_recorded_bundle_is_found_and_another_refused(tmp_path: Path, bundle_folder: Path, caplog) -> None:
    of = about()
    assert find_bundle(of, None, exactly=True).folder == SHIPPED
    moved = msgspec.structs.replace(of, bundle=msgspec.structs.replace(of.bundle, folder="/nowhere"))
    assert find_bundle(moved, None, exactly=True).folder == SHIPPED
    assert find_bundle(moved, SHIPPED, exactly=True).folder == SHIPPED
    for fields in (("video_head",), ("video_head", "golden_probabilities")):
        older = msgspec.structs.replace(of.bundle, manifest_sha256=hash_without(SHIPPED, *fields))
        assert find_bundle(msgspec.structs.replace(of, bundle=older), None, exactly=True).folder == SHIPPED
    tiny = msgspec.structs.replace(
        of.bundle, manifest_sha256=sha256(bundle_folder / MANIFEST), folder=str(bundle_folder)
    )
    assert find_bundle(msgspec.structs.replace(of, bundle=tiny), None, exactly=True).folder == bundle_folder
    assert caplog.records == []
    unknown = msgspec.structs.replace(of, bundle=msgspec.structs.replace(of.bundle, manifest_sha256="0" * 64))
    with pytest.raises(
        UsageError, match=r"^what is here is not the recorded bundle foal-nano .*sha256 0{64}; give it by"
    ):
        find_bundle(unknown, None, exactly=False)
    with pytest.raises(UsageError, match=f"^{bundle_folder} is not the recorded bundle foal-nano"):
        find_bundle(of, bundle_folder, exactly=True)
    assert find_bundle(of, bundle_folder, exactly=False).folder == bundle_folder
    recorded = f"{of.bundle.name} {of.bundle.version}"
    assert caplog.records[0].getMessage() == f"{bundle_folder} is another bundle than the recorded {recorded}"
    with pytest.raises(BundleError, match="no bundle at"):
        find_bundle(of, tmp_path / "none", exactly=False)


def test_it_runs_on_what_ran_it() -> None:
    of = msgspec.structs.replace(about(), threads=2)
    recognizer = open_recognizer(of, find_bundle(of, None, exactly=True), None)
    assert recognizer.backend.name == of.backend
    assert recognizer.backend.about.endswith("2 threads")


def test_times_are_those_of_the_recording(original: Path, shipped: Recognizer) -> None:
    published = []
    replay(original).run(shipped, published.append)
    assert {message.session for message in published} == {"golden"}
    assert [message.mono_publish for message in published] == [
        one.mono_ns for one in read_messages(original) if hasattr(one, "body")
    ]
    assert min(message.mono_publish for message in published) > BEGIN_NS
