"""CPU time of whole programs, and the table of it."""

import sys
from pathlib import Path

import pytest

from benchmarks.films.run import Candidate, candidates, markdown, measure
from edge.bench import recording
from edge.errors import FoalError

BUSY = "import time\nwhile time.process_time() < {}: pass"


def test_the_cpu_time_is_that_of_a_program_and_of_what_it_has_started() -> None:
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BUSY.format(0.4)!r}])"
    assert 0.4 <= measure([sys.executable, "-c", code]) < 10


def test_a_program_that_fails_is_quoted() -> None:
    with pytest.raises(FoalError, match=r"ended with status 3: it is broken"):
        measure([sys.executable, "-c", "import sys; sys.stderr.write('it is broken'); sys.exit(3)"])


def test_the_film_is_annotated_by_the_command_that_is_measured(tmp_path: Path) -> None:
    recording.write(tmp_path / "film.mp4", 2)
    for each in candidates(Path("python"))[:2]:
        out = tmp_path / each.name.replace(" ", "-")
        out.mkdir()
        assert measure(each.command(tmp_path / "film.mp4", out)) > 0
        assert (out / "film.emotions.csv").read_text().count("\n") >= 4


def test_the_table_compares_medians_with_the_first() -> None:
    ours = Candidate("ours", "all", lambda film, out: [], [2.0, 3.0, 100.0])
    other = Candidate("other", "half", lambda film, out: [], [6.0, 6.0, 6.0])
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in markdown([ours, other], 60.0).splitlines()
    ]
    assert rows[2:4] == [["ours", "all", "3.00", "20.0", "1.00"], ["other", "half", "6.00", "10.0", "2.00"]]
