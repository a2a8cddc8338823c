"""Check of a corpus: its utterances are counted, and each of their files is read."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import RenderableType
from rich.table import Table

from edge.errors import UsageError

from ..log import console, progress
from . import registry, tracks
from .copies import find_copies
from .registry import find
from .tracks import SHORTEST_AUDIO_S, Track
from .utterance import LABELS, Utterance, VideoSegment

MISSING_END_S = 0.5
"""Longest time by which video may end before its utterance: IEMOCAP's dialogs were filmed and transcribed apart."""
LONGEST_S = 60.0
"""Longest utterance: a longer one is a whole dialog, or was never cut (IEMOCAP's longest has 34 s)."""
NAMED = 10
"""Largest number of problems that an error names."""


@dataclass(frozen=True)
class Problem:
    """Fault of one utterance."""

    utterance: str
    """Name of the utterance."""
    path: Path
    """Path of the damaged or missing file."""
    reason: str
    """Description of the fault, the path included."""


@dataclass(frozen=True)
class Report:
    """Result of a check."""

    utterances: list[Utterance]
    expected: Mapping[str, int]
    """Number of utterances of each class in the whole corpus; empty if not known."""
    problems: list[Problem]


def check(name: str, root: Path, deep: bool = False) -> Report:
    """Check every file of the corpus of that name: at its begin, or all of it if `deep`."""
    corpus = find(name)
    utterances = corpus.utterances(root)
    return Report(
        utterances, getattr(corpus, "EXPECTED", {}), examine(utterances, deep, registry.one_track_is_enough(corpus))
    )


def examine(
    utterances: Sequence[Utterance], deep: bool, one_track_is_enough: bool = False, shown: bool = True
) -> list[Problem]:
    """Return all problems of the utterances; shared files are read once, with `shown` under a progress bar."""
    audio_paths = sorted({utterance.path for utterance in utterances})
    video_paths = sorted({utterance.video.path for utterance in utterances if utterance.video})
    audio_tracks = {path: tracks.audio(path, deep) for path in progress(audio_paths, "examining audio", shown)}
    video_tracks = {path: tracks.video(path, deep) for path in progress(video_paths, "examining video", shown)}
    if shown:
        for path, track in (*audio_tracks.items(), *video_tracks.items()):
            if track.left_out:
                console.print(f"{path} {track.left_out}")
    named = Counter(utterance.name for utterance in utterances)
    copied = find_copies(utterances)
    problems = []
    for utterance in utterances:
        faults = list(audio_faults(utterance.path, audio_tracks[utterance.path], one_track_is_enough))
        if cut := utterance.video:
            faults += video_faults(cut, video_tracks[cut.path], one_track_is_enough)
        if named[utterance.name] > 1:
            faults.append((utterance.path, f"{utterance.path}: {named[utterance.name]} utterances have its name"))
        if original := copied.get(utterance.name):
            faults.append((utterance.path, copy_fault(utterance, original)))
        # One file that cannot be opened is one fault, though it should give both audio and video.
        problems += [Problem(utterance.name, path, reason) for path, reason in dict.fromkeys(faults)]
    return problems


def audio_faults(path: Path, audio: Track, may_lack: bool) -> Iterator[tuple[Path, str]]:
    """Yield the faults of an utterance's audio, each with its path."""
    if audio.problem:
        yield path, audio.problem
    elif audio.duration_s is None:
        if not may_lack:
            yield path, f"{path} has no audio"
    elif audio.duration_s <= SHORTEST_AUDIO_S:
        yield path, f"{path} has {audio.duration_s:.2f} s of audio, expected more than {SHORTEST_AUDIO_S} s"
    elif (longest_s := max(audio.duration_s, audio.header_duration_s)) > LONGEST_S:
        yield path, f"{path} has {longest_s:.0f} s of audio, expected at most {LONGEST_S:.0f} s"
    elif audio.is_silent:
        yield path, f"{path} is digital silence: every sample is the same, so nobody can have heard its label"


def video_faults(cut: VideoSegment, video: Track, may_lack: bool) -> Iterator[tuple[Path, str]]:
    """Yield the faults of an utterance's video; a segment up to the file's end needs the duration in the header."""
    needed_s = max(cut.begin_s, video.header_duration_s) if cut.end_s is None else cut.end_s
    if video.problem:
        yield cut.path, video.problem
    elif video.duration_s is None:
        if not may_lack:
            yield cut.path, f"{cut.path} has no video"
    elif not video.duration_s:
        yield cut.path, f"{cut.path} has a video track of which no frame can be decoded"
    elif video.duration_s + MISSING_END_S < needed_s:
        yield cut.path, f"{cut.path} has {video.duration_s:.2f} s of video, expected {needed_s:.2f} s"


def copy_fault(utterance: Utterance, original: Utterance) -> str:
    """Return the fault of a copy, which must neither be in another fold than the original nor have another label."""
    where = f"{original.name} of fold {original.fold or '-'}, {original.label}"
    return f"{utterance.path} is an exact copy of {where}; this is fold {utterance.fold or '-'}, {utterance.label}"


def usable(utterances: Sequence[Utterance], problems: Sequence[Problem]) -> list[Utterance]:
    """Return the utterances without a problem."""
    damaged = {problem.utterance for problem in problems}
    return [utterance for utterance in utterances if utterance.name not in damaged]


def select_usable(
    utterances: Sequence[Utterance], one_track_is_enough: bool, skip_damaged: bool, shown: bool = True
) -> list[Utterance]:
    """Return the utterances without a problem; UsageError if others exist, unless `skip_damaged`.

    With `skip_damaged` and `shown` those left out are printed.
    """
    problems = examine(utterances, False, one_track_is_enough, shown)
    if not skip_damaged:
        raise_for_problems(problems)
    for problem in problems if shown else ():
        console.print(f"left out: {problem.utterance}: {problem.reason}")
    return usable(utterances, problems)


def raise_for_problems(problems: Sequence[Problem]) -> None:
    """Raise UsageError with the first problems, if there are any."""
    if problems:
        named = "\n".join(f"  {problem.utterance}: {problem.reason}" for problem in problems[:NAMED])
        raise UsageError(
            f"{len(problems)} problems in the corpus, the first {min(NAMED, len(problems))}:\n{named}\n"
            "repair them, or give --skip-damaged to go on without these utterances"
        )


def tables(report: Report) -> list[RenderableType]:
    """Return the report as tables: counts by fold, counts by speaker, and the problems if there are any."""
    shown: list[RenderableType] = [folds_table(report), speakers_table(report.utterances)]
    if report.problems:
        shown.append(problems_table(report.problems))
    return shown


def folds_table(report: Report) -> Table:
    """Return the number of utterances of each class by fold, and below them those of the whole corpus."""
    found = labels_of(report.utterances)
    labels = classes(found)
    table = counts_table("fold", f"{len(report.utterances)} utterances", labels)
    for fold in sorted({utterance.fold for utterance in report.utterances}):
        add_counts(table, fold or "-", labels_of(report.utterances, fold=fold), labels)
    table.add_section()
    add_counts(table, "all", found, labels)
    if report.expected:
        add_counts(table, "expected", report.expected, labels)
        difference = {label: found[label] - report.expected.get(label, 0) for label in labels}
        add_counts(table, "difference", difference, labels, "+d")
    return table


def speakers_table(utterances: Sequence[Utterance]) -> Table:
    """Return the number of utterances of each class by speaker."""
    speakers = sorted({utterance.speaker for utterance in utterances})
    labels = classes(labels_of(utterances))
    table = counts_table("speaker", f"{len(speakers)} speakers", labels)
    for speaker in speakers:
        add_counts(table, speaker, labels_of(utterances, speaker=speaker), labels)
    return table


def problems_table(problems: Sequence[Problem]) -> Table:
    """Return the problems, a row for each utterance and file."""
    table = Table("utterance", "what is wrong", title=f"{len(problems)} problems")
    for problem in problems:
        table.add_row(problem.utterance, problem.reason)
    return table


def labels_of(utterances: Sequence[Utterance], **having: str) -> Counter[str]:
    """Return how many utterances of each class have these field values."""
    return Counter(
        utterance.label
        for utterance in utterances
        if all(getattr(utterance, field) == value for field, value in having.items())
    )


def classes(found: Iterable[str]) -> list[str]:
    """Return the classes of most corpora, then the other classes found, in order of the alphabet."""
    return [*LABELS, *sorted(set(found) - set(LABELS))]


def counts_table(first: str, title: str, labels: Sequence[str]) -> Table:
    """Build an empty table with a column for each class."""
    table = Table(first, title=title)
    for label in (*labels, "total"):
        table.add_column(label, justify="right")
    return table


def add_counts(table: Table, name: str, counts: Mapping[str, int], labels: Sequence[str], form: str = "d") -> None:
    """Add a row of the counts of these classes and their sum."""
    values = [counts.get(label, 0) for label in labels]
    table.add_row(name, *(format(value, form) for value in (*values, sum(values))))
