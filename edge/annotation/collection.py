"""Recordings that the user names: files, folders and lists of them, and the files that each is annotated in."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import UsageError
from ..evaluation.csv_table import text_of
from ..sources.location import is_address

MARK = ".emotions"
"""Ending of the names of annotations, before that of their format: no file of others is overwritten."""
SUFFIXES = frozenset(
    (
        *(".3gp", ".asf", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf"),
        *(".ogv", ".ts", ".vob", ".webm", ".wmv"),
        *(".aac", ".aif", ".aiff", ".flac", ".m4a", ".mka", ".mp3", ".oga", ".ogg", ".opus", ".wav", ".wma"),
    )
)
"""Endings of the names of recordings, by which they are found in a folder; a file that is named may have any."""


@dataclass(frozen=True)
class Entry:
    """Recording to annotate."""

    recording: Path
    stem: Path
    """Path of its annotation without the ending."""

    def path(self, suffix: str) -> Path:
        """Return the path of its annotation with that suffix."""
        return self.stem.with_name(f"{self.stem.name}{MARK}.{suffix}")

    @property
    def note(self) -> Path:
        """Path of the note that is written last."""
        return self.path("about.json")


def collect(named: Sequence[str], lists: Sequence[Path], folder: Path) -> list[Entry]:
    """Return the recordings that are named, each once, and where in `folder` each is annotated.

    `@list.txt` names a list, as `lists` do. Recordings of a folder keep their place below it. UsageError where nothing
    is found, or two recordings would be annotated in the same file.
    """
    found: dict[Path, Path] = {}
    for name in [*named, *(f"@{path}" for path in lists)]:
        for recording, place in expand(name):
            found.setdefault(recording, place)
    if not found:
        raise UsageError(f"no recording in {', '.join(named)}; give recordings, or folders that have some")
    return place_apart(found, folder)


def expand(name: str, base: Path | None = None) -> Iterator[tuple[Path, Path]]:
    """Yield the recordings that a name stands for, each with its place below the folder of annotations."""
    if name.startswith("@") and not Path(name).exists():
        yield from read_list(Path(name[1:]))
    elif is_address(name):
        raise UsageError(f"{name} is an address; download the recording and give its file")
    elif (path := base / name if base else Path(name)).is_dir():
        for recording in sorted(path.rglob("*")):
            if is_recording(recording):
                yield recording, recording.relative_to(path)
    else:
        yield path, Path(path.name)


def is_recording(path: Path) -> bool:
    """Return whether a file of a folder is a recording by its name, and no annotation."""
    is_wanted = path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and not path.stem.endswith(MARK)
    return is_wanted and path.is_file()


def read_list(path: Path) -> Iterator[tuple[Path, Path]]:
    """Yield the recordings of a list: a path a line, relative to it; empty lines and those with # do not count."""
    for line in text_of(path).splitlines():
        if line.strip() and not line.startswith("#"):
            yield from expand(line.strip(), path.parent)


def place_apart(found: dict[Path, Path], folder: Path) -> list[Entry]:
    """Return the entries of recordings and their places, with the ending in the name where several share the rest."""
    stems = Counter(place.with_suffix("") for place in found.values())
    entries = [
        Entry(recording, folder / (place if stems[place.with_suffix("")] > 1 else place.with_suffix("")))
        for recording, place in found.items()
    ]
    for stem, count in Counter(entry.stem for entry in entries).items():
        if count > 1:
            same = [str(entry.recording) for entry in entries if entry.stem == stem]
            raise UsageError(
                f"{' and '.join(same)} would be annotated in the same file; give the folder that holds them, or "
                "another -o for each"
            )
    return entries
