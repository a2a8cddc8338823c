"""The report of two revisions: its text, its regressions, and the page that it is written on."""

from pathlib import Path

import msgspec
import pytest

from benchmarks.commits.report import BEGIN, END, Report, markdown, regressions, split_page, write_on_page
from benchmarks.commits.revisions import Revision
from edge.errors import UsageError
from tests.benchmarks.made_rounds import made_rounds
from tests.edge.bench.made_report import MACHINE, NOISE


def made_report(factor: float = 1.0, dropped: int = 0) -> Report:
    return Report(
        date="2026-11-30T12:00:00+00:00",
        command="python -m benchmarks commits",
        recording="talk.mp4",
        machine=MACHINE,
        noise=NOISE,
        stream_counts=[1, 4],
        seconds=20,
        before=Revision("v0.1.0", "908b201" + 33 * "0", "2026-11-25"),
        after=Revision("HEAD", "0a65c56" + 33 * "0", "2026-11-29"),
        runs_before=[[*runs.values()] for runs in made_rounds()],
        runs_after=[[*runs.values()] for runs in made_rounds(factor=factor, dropped=dropped)],
    )


def test_a_report_says_what_was_compared_and_that_nothing_is_worse() -> None:
    lines = markdown(made_report()).splitlines()
    assert lines[0] == "- Before: v0.1.0 (908b201, 2026-11-25). After: HEAD (0a65c56, 2026-11-29)."
    assert "- No regression beyond the margins." in lines
    ratio = "1.000 | 1.000 to 1.000 | 3% | no difference shown"
    assert f"| CPU time, 4 streams | ms per stream and s | 51.8 | 51.8 | {ratio} |" in lines
    assert lines[-1] == "| dropped, all runs |  | 0 | 0 |  |  |  |  |"
    assert [*regressions(made_report())] == []


def test_regressions_are_named_with_their_interval_and_margin() -> None:
    first, second, drops = regressions(made_report(1.1, dropped=2))
    assert first == "CPU time, 1 stream: 1.100 times that before (1.100 to 1.100; 1 + 0.03 is allowed)"
    assert second.startswith("CPU time, 4 streams: 1.100 times")
    assert drops == "more is dropped in every round: 0 before, 32 after"
    text = markdown(made_report(1.1, dropped=2))
    assert f"- **REGRESSION**: {first}" in text
    assert "- OVERLOADED after: 32 dropped" in text


def test_a_report_is_read_back_from_its_json() -> None:
    report = made_report(1.1)
    assert msgspec.json.decode(msgspec.json.encode(report), type=Report) == report


def test_the_text_replaces_what_the_page_has_between_its_lines(tmp_path: Path) -> None:
    page = tmp_path / "results.md"
    page.write_text(f"# Results\n\n{BEGIN}\nold\n\n{END}\nmore\n")
    for _ in range(2):
        write_on_page(page, "- new\n")
        assert page.read_text() == f"# Results\n\n{BEGIN}\n- new\n\n{END}\nmore\n"


def test_a_page_without_the_lines_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "results.md"
    with pytest.raises(UsageError, match=r"no such page: .*results\.md; give a page that exists"):
        split_page(page)
    page.write_text(BEGIN)
    with pytest.raises(UsageError, match="no lines <!-- commits --> and <!-- end of commits -->"):
        split_page(page)


def test_the_page_of_results_has_the_lines() -> None:
    before, after = split_page(Path(__file__).parents[3] / "docs" / "results.md")
    assert before.startswith("# Results")
    assert "## " in after
