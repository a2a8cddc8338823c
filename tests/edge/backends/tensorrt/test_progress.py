"""A build's share that is done, by hand, and the bar that shows it."""

import io
from typing import Any

import pytest
from rich.console import Console

from edge.backends.tensorrt import progress
from edge.backends.tensorrt.compile import compile_graph
from edge.backends.tensorrt.progress import Phases, progress_bar, quiet_engine_builder


@pytest.fixture
def shown() -> list[tuple[float, str]]:
    return []


@pytest.fixture
def phases(shown: list) -> Phases:
    return Phases(lambda share, phase: shown.append((share, phase)), bool)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the bar was told."""
    updates: list[dict[str, Any]] = []

    class Recorded(progress.Progress):
        def update(self, task_id: Any, **fields: Any) -> None:
            updates.append(fields)
            super().update(task_id, **fields)

    monkeypatch.setattr(progress, "Progress", Recorded)
    return updates


def test_a_phase_counts_as_one_step_of_its_parents(phases: Phases, shown: list) -> None:
    assert phases.share() == 1.0
    phases.begin("a", None, 4)
    phases.step("a", 1)
    phases.begin("b", "a", 2)
    phases.step("b", 1)  # (1 + 1/2) / 4
    phases.begin("c", "b", 4)
    phases.step("c", 2)  # (1 + (1 + 2/4) / 2) / 4
    phases.end("c")
    phases.step("b", 2)  # (1 + 1) / 4
    phases.end("b")
    phases.step("a", 2)
    phases.end("a")
    assert shown == [
        (0.0, "a"), (0.25, "a"), (0.25, "b"), (0.375, "b"), (0.375, "c"), (0.4375, "c"), (0.5, "b"), (0.5, "a"),
    ]  # fmt: skip
    assert phases.share() == 1.0


def test_of_phases_at_once_the_furthest_counts(phases: Phases) -> None:
    phases.begin("a", None, 2)
    phases.begin("slow", "a", 10)
    phases.begin("fast", "a", 4)
    phases.step("slow", 1)
    phases.step("fast", 3)
    assert phases.share() == pytest.approx(0.75 / 2)


@pytest.mark.parametrize("done", [3, 4, 9])
def test_a_share_is_never_more_than_all(phases: Phases, done: int) -> None:
    phases.begin("a", None, 3)
    phases.step("a", done)
    phases.begin("b", "a", 1)
    assert phases.share() == 1.0


def test_a_phase_that_is_not_known_may_end_and_step(phases: Phases) -> None:
    phases.end("never begun")
    assert phases.step("never begun", 3)
    phases.begin("a", None, 2)
    phases.step("a", 1)
    assert phases.share() == 0.5


def test_a_phase_may_have_no_steps(phases: Phases) -> None:
    phases.begin("a", None, 2)
    phases.begin("empty", "a", 0)
    phases.step("a", 1)
    assert phases.share() >= 0.5
    phases.end("empty")
    phases.end("a")
    phases.begin("empty", None, 0)
    assert phases.step("empty", 0)
    assert phases.share() == 0


@pytest.mark.parametrize("stopped", [False, True])
def test_a_step_goes_on_until_it_is_stopped(stopped: bool) -> None:
    phases = Phases(lambda share, phase: None, lambda: stopped)
    phases.begin("a", None, 2)
    assert phases.step("a", 1) is not stopped


def test_the_bar_never_goes_back(drawn: list) -> None:
    with progress_bar("fusion", Console(file=io.StringIO(), force_terminal=True), bool) as watch:
        for phase in ("first", "second"):
            watch.begin(phase, None, 4)
            for done in (1, 2):
                assert watch.step(phase, done)
            watch.end(phase)
    assert [update["completed"] for update in drawn] == [0, 0.25, 0.5, 0.5, 0.5, 0.5]
    assert [update["phase"] for update in drawn] == ["first"] * 3 + ["second"] * 3


def test_a_real_build_draws_the_bar_to_its_end(rtx, copied, drawn: list) -> None:
    entry = copied.manifest.graphs.image_encoder
    with progress_bar("image_encoder", Console(file=io.StringIO(), force_terminal=True), bool) as watch:
        compile_graph(rtx, copied.path(entry.file), entry, "8.6", b"", watch)
    shares = [update["completed"] for update in drawn]
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert 0.8 < shares[-1] <= 1


def test_nothing_is_drawn_where_there_is_no_terminal() -> None:
    screen = io.StringIO()
    with progress_bar("fusion", Console(file=screen), bool) as watch:
        watch.begin("a", None, 2)
        watch.step("a", 1)
        watch.end("a")
    assert screen.getvalue() == ""


def test_titles_and_phases_are_drawn_as_they_are_called() -> None:
    """Square brackets are no markup."""
    screen = io.StringIO()
    with progress_bar("[red]fusion[/]", Console(file=screen, force_terminal=True, width=100), bool) as watch:
        watch.begin("Tactics [bold]", None, 2)
        watch.step("Tactics [bold]", 1)
    assert "Tactics [bold]" in screen.getvalue()
    assert "[red]fusion[/]" in screen.getvalue()


def test_a_quiet_builder_logs_and_draws_nothing(capsys, caplog) -> None:
    builder = quiet_engine_builder()
    caplog.set_level("INFO")
    with builder.show_progress("an engine") as progress:
        progress.begin("phase", None, 2)
        assert progress.step("phase", 1)
    builder.tell("built")
    assert capsys.readouterr() == ("", "")
    assert "built" in caplog.text
    assert not builder.is_stopped()
