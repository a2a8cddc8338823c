"""Embeddings are made once, are those of the runtime's frames, and survive a kill."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace as replaced
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from msgspec.structs import replace

from edge.errors import SourceError, UsageError
from edge.preprocess.framing import make_framing
from edge.preprocess.media import Frame
from tests.train import made
from tests.train.clips.conftest import (
    ARCHITECTURE,
    RATE_HZ,
    SIDE,
    WIDTH,
    WINDOW_S,
    Done,
    do,
    elsewhere,
    files,
    train,
    train_and_kill,
)
from tests.train.made_clips import FPS
from tests.train.made_talkers import SECONDS, SIDES, for_people, mouths, one_who_talks, sides_of, two_talkers
from train import config
from train.clips import compare, speaker
from train.clips.embed import EmbeddingStore
from train.config import Config
from train.corpora import iemocap
from train.corpora.utterance import Utterance, VideoSegment
from train.encoders import build
from train.processes import SINGLE_PROCESS

HALF = "speaker-half"


@pytest.fixture(scope="module")
def embedded(dwarf: Config, short_release: Path, tmp_path_factory: pytest.TempPathFactory) -> Done:
    return do("embed", dwarf, short_release, tmp_path_factory.mktemp("embedded"))


@pytest.fixture(scope="module")
def utterances(short_release: Path) -> list[Utterance]:
    return iemocap.utterances(short_release)


def store(chosen: Config, folder: Path, rate_hz: float | None = None) -> EmbeddingStore:
    return compare.make_store(chosen, folder, rate_hz or chosen.video.rate_hz)[1]


def with_half(chosen: Config, speaker_half: bool) -> Config:
    return replace(chosen, recipe=replace(config.clips(chosen), speaker_half=speaker_half))


def followed(chosen: Config, people: int) -> Config:
    """The same with faces of so many people."""
    recipe = replace(config.clips(chosen), speaker_half=False, people=people)
    return replace(chosen, video=replace(chosen.video, framing="face"), recipe=recipe)


def decode_from(utterance: Utterance, rate_hz: float) -> dict[int, np.ndarray]:
    """Of the frames that lie first in their slots, number and speaker's half, decoded from the file's beginning."""
    cut = utterance.video
    assert cut is not None
    assert cut.end_s is not None
    found: dict[int, tuple[int, np.ndarray]] = {}
    with av.open(str(cut.path)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            time_s = number / FPS
            if cut.begin_s <= time_s < min(cut.end_s, cut.begin_s + WINDOW_S):
                drawn = frame.to_ndarray(format="rgb24")
                middle = drawn.shape[1] // 2
                half = drawn[:, :middle] if cut.half == "left" else drawn[:, middle:]
                found.setdefault(int((time_s - cut.begin_s) * rate_hz + 1e-6), (number, half))
    return dict(found.values())


def test_the_size_is_said_before_anything_is_made(embedded: Done, utterances: list[Utterance]) -> None:
    said = embedded.output.replace("\n", " ")
    announced = re.search(
        r"embeddings of 30 of 30 utterances are to be made in (\S+): at most (\S+) MB, \S+ GB are", said
    )
    assert announced
    assert announced.start() < said.index("embedding frames")
    assert announced[1] in said.rpartition("embeddings: ")[2]
    assert float(announced[2]) == round(len(utterances) * RATE_HZ * WINDOW_S * WIDTH * 2 / 1e6, 1)


def test_there_is_one_file_an_utterance(embedded: Done, utterances: list[Utterance]) -> None:
    (folder,) = embedded.embeddings.iterdir()
    assert re.fullmatch(rf"{ARCHITECTURE}-[0-9a-f]{{12}}-whole-{SIDE}x{SIDE}-{HALF}-10hz-2s", folder.name)
    names = [path.stem.rpartition("-") for path in (folder / "iemocap").iterdir()]
    assert sorted(name for name, _, _ in names) == sorted(each.name for each in utterances)
    assert all(re.fullmatch("[0-9a-f]{8}", digest) for _, _, digest in names)
    assert [path.name for path in folder.iterdir()] == ["iemocap"]


def test_another_cut_or_another_file_of_the_name_has_embeddings_of_its_own(
    dwarf: Config, utterances: list[Utterance], tmp_path: Path
) -> None:
    made, first = store(dwarf, tmp_path), utterances[0]
    assert first.video is not None
    other = tmp_path / first.video.path.name
    other.write_bytes(first.video.path.read_bytes() + b"more")
    later = replaced(first.video, begin_s=first.video.begin_s + 0.1)
    elsewhere = replaced(first.video, path=other)
    paths = {made.path(replaced(first, video=cut)) for cut in (first.video, later, elsewhere)}
    assert len(paths) == 3


def test_a_run_makes_nothing_but_embeddings(embedded: Done) -> None:
    assert not embedded.run.exists()


@pytest.mark.parametrize("rate_hz", [RATE_HZ, 4.0])
def test_an_embedding_is_the_encoders_of_the_framed_speaker(
    dwarf: Config, utterances: list[Utterance], tmp_path: Path, rate_hz: float
) -> None:
    made_by = store(dwarf, tmp_path, rate_hz)
    made_by.fill(utterances[:3], SINGLE_PROCESS)
    torch.manual_seed(dwarf.seed)
    encoder = build.image_encoder(dwarf, pretrained=True)
    framing = make_framing("whole", SIDE, SIDE)
    for utterance in utterances[:3]:
        expected = decode_from(utterance, rate_hz)
        assert len(expected) == (6 if rate_hz == RATE_HZ else 3)
        embedding, time_ns = made_by.read(utterance)
        assert (embedding.dtype, time_ns.dtype) == (torch.float16, torch.int64)
        crops = [framing(drawn).crop for drawn in expected.values()]
        one_by_one = torch.cat([encoder(torch.from_numpy(np.stack([crop]))) for crop in crops])
        torch.testing.assert_close(embedding.float(), one_by_one, atol=2e-3, rtol=2e-3)
        assert (embedding[0] - embedding[-1]).abs().max() > 0.02
        begin_s = utterance.video.begin_s if utterance.video else 0.0
        times_s = [number / FPS - begin_s for number in expected]
        np.testing.assert_allclose(time_ns / 1e9, times_s, atol=1e-6)


def test_the_command_takes_another_rate(embedded: Done, utterances: list[Utterance], tmp_path: Path) -> None:
    output = train(*elsewhere(embedded, embeddings=tmp_path), "--rate", "5")
    (folder,) = tmp_path.iterdir()
    assert folder.name == next(embedded.embeddings.iterdir()).name.replace("10hz", "5hz")
    assert "embeddings of 30 of 30" in output
    assert len(files(folder)) == len(utterances)


def test_run_again_nothing_is_made(embedded: Done) -> None:
    before = {path: path.stat().st_mtime_ns for path in embedded.embeddings.rglob("*")}
    output = train(*embedded.command)
    assert "are to be made" not in output
    assert {path: path.stat().st_mtime_ns for path in embedded.embeddings.rglob("*")} == before


def test_killed_only_whole_files_are_left_and_the_rest_is_made_next(
    embedded: Done, architectures: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "embeddings"
    command = elsewhere(embedded, embeddings=folder)
    train_and_kill(architectures, 11, command)
    whole = files(embedded.embeddings)
    left = files(folder)
    assert len(left) == 11
    assert left.items() <= whole.items()
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.safetensors")}
    assert "embeddings of 19 of 30 utterances" in train(*command)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert files(folder, "*.*") == whole


@pytest.mark.parametrize(
    "change", ["framing", "height", "width", "half", "people", "window", "rate", "architecture", "weights"]
)
def test_what_makes_other_embeddings_has_another_folder(dwarf: Config, tmp_path: Path, change: str) -> None:
    video = dwarf.video
    other = {
        "framing": replace(dwarf, video=replace(video, framing="face")),
        "height": replace(dwarf, video=replace(video, height=48)),
        "width": replace(dwarf, video=replace(video, width=48)),
        "half": with_half(dwarf, False),
        "people": followed(dwarf, 3),
        "window": replace(dwarf, audio=replace(dwarf.audio, window_s=2.5)),
        "architecture": replace(dwarf, image_encoder=replace(dwarf.image_encoder, architecture="other/vit")),
    }.get(change, dwarf)
    encoder = torch.nn.Linear(2, 2)
    before = EmbeddingStore(tmp_path, dwarf, encoder, 10.0).folder
    if change == "weights":
        torch.nn.init.zeros_(encoder.bias)
    after = EmbeddingStore(tmp_path, other, encoder, 9.5 if change == "rate" else 10.0).folder
    assert after != before
    assert after.parent == before.parent == tmp_path


def test_what_makes_the_same_embeddings_has_the_same_folder(dwarf: Config, eager: Config, tmp_path: Path) -> None:
    encoder = torch.nn.Linear(2, 2)
    other = replace(eager, seed=5, labels=["sad", "happy"], audio=dwarf.audio)
    assert (
        EmbeddingStore(tmp_path, dwarf, encoder, 10.0).folder == EmbeddingStore(tmp_path, other, encoder, 10.0).folder
    )


def test_the_speakers_half_is_seen_or_all_of_the_picture(
    dwarf: Config, utterances: list[Utterance], tmp_path: Path
) -> None:
    half, whole = (store(with_half(dwarf, speaker_half), tmp_path) for speaker_half in (True, False))
    seen = []
    for each in (half, whole):
        each.fill(utterances[:1], SINGLE_PROCESS)
        seen.append(each.read(utterances[0]))
    assert seen[0].time_ns.tolist() == seen[1].time_ns.tolist()
    assert (seen[0].embedding - seen[1].embedding).abs().max() > 0.02


def test_where_no_face_is_found_there_is_no_embedding(
    dwarf: Config, utterances: list[Utterance], tmp_path: Path
) -> None:
    faces = store(replace(dwarf, video=replace(dwarf.video, framing="face")), tmp_path)
    faces.fill(utterances[:1], SINGLE_PROCESS)
    embedding, time_ns = faces.read(utterances[0])
    assert (embedding.shape, embedding.dtype) == ((0, WIDTH), torch.float16)
    assert (time_ns.shape, time_ns.dtype) == ((0,), torch.int64)


def test_of_several_people_the_embeddings_are_the_speakers_and_clips_without_one_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    two, still = for_people(2), np.zeros_like(mouths()[0])
    clips = [one_who_talks(tmp_path / f"{side}.mp4", side) for side in SIDES]
    clips.append(two_talkers(tmp_path / "nobody.mp4", still, still, mouths()[0]))
    made_by = store(two, tmp_path / "embeddings")
    assert "-speaker-of-2-5hz-" in made_by.folder.name
    for _ in range(2):
        made_by.fill(clips, SINGLE_PROCESS)
        assert "1 of 3 utterances have no frames: of up to 2 people, nobody's mouth is seen to go" in (
            capsys.readouterr().out
        )
    for clip, side in zip(clips, (*SIDES, None), strict=True):
        crops = speaker.speaker_crops(two, clip, two.video.rate_hz)
        embedding, time_ns = made_by.read(clip)
        assert time_ns.tolist() == [crop.time_ns for crop in crops]
        assert len(embedding) == len(crops) == (0 if side is None else round(SECONDS * two.video.rate_hz))
        if crops:
            assert sides_of([crop.image for crop in crops]) == {side}
            expected = made_by.encoder(torch.from_numpy(np.stack([crop.image for crop in crops])))
            torch.testing.assert_close(embedding.float(), expected, atol=2e-3, rtol=2e-3)  # kept in fp16


def test_other_audio_has_embeddings_of_its_own_where_it_says_who_speaks(
    dwarf: Config, utterances: list[Utterance], tmp_path: Path
) -> None:
    first = utterances[0]
    heard = [first, replaced(first, path=utterances[1].path)]
    for people, expected in ((1, 1), (2, 2)):
        made_by = EmbeddingStore(tmp_path, followed(dwarf, people), torch.nn.Linear(2, 2), 10.0)
        assert len({made_by.path(each) for each in heard}) == expected


def test_an_utterance_without_embeddings_is_refused(dwarf: Config, utterances: list[Utterance], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"no embeddings of {utterances[0].name} in .*; python -m train embed"):
        store(dwarf, tmp_path).read(utterances[0])


def test_damaged_files_are_listed_and_left_out_only_where_that_is_said(
    dwarf: Config, short_release: Path, tmp_path: Path
) -> None:
    damaged = Path(shutil.copytree(short_release, tmp_path / "iemocap"))
    waveforms = sorted((damaged / "Session1/sentences/wav").rglob("*_F00[01].wav"))
    waveforms[0].write_bytes(b"no sound at all")
    waveforms[1].unlink()
    command = ["embed", "--config", made.write_config(tmp_path / "c.yaml", dwarf), "--data", damaged]
    command += ["--embeddings", tmp_path / "embeddings"]
    with pytest.raises(UsageError, match="--skip-damaged") as refused:
        train(*command)
    for path in waveforms:
        assert f"{path.stem}: " in str(refused.value)
        assert str(path) in str(refused.value)
    assert not (tmp_path / "embeddings").exists()
    output = train(*command, "--skip-damaged")
    for path in waveforms:
        assert f"left out: {path.stem}: " in output
    assert "28 utterances of iemocap in 3 folds" in output
    names = {Path(name).stem for name in files(tmp_path / "embeddings")}
    assert len(names) == 28
    assert not names & {path.stem for path in waveforms}


def test_whatever_a_decoder_raises_loses_its_utterance_not_the_table(
    dwarf: Config, utterances: list[Utterance], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, *good = utterances[:3]
    real = speaker.decode_frames

    def decode_frames(cut: VideoSegment, rate_hz: float, window_s: float) -> Iterator[Frame]:
        if cut == bad.video:
            raise IndexError("tuple index out of range")
        return real(cut, rate_hz, window_s)

    monkeypatch.setattr(speaker, "decode_frames", decode_frames)
    made_here = store(dwarf, tmp_path)
    with pytest.raises(SourceError, match=rf"1 of 3 utterances could not be embedded:\n  {bad.name} has failed: Index"):
        made_here.fill([bad, *good], SINGLE_PROCESS)
    assert [made_here.has(utterance) for utterance in (bad, *good)] == [False, True, True]
