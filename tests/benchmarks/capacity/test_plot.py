"""The figure of a fleet shows the latencies of its windows and the nodes that have some."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from benchmarks.capacity import fleet, plot
from benchmarks.capacity.node import NodeResult, NodeSpec
from edge.bench import plot_style
from edge.errors import UsageError


def made(*nodes: tuple[float, list[float]]) -> fleet.Fleet:
    """A fleet of nodes of two streams, each with its speed and its latencies."""
    specs = [
        NodeSpec(2, 10.0, 500_000_000, fleet.FIELD, seed=1, number=number, speed=speed)
        for number, (speed, _) in enumerate(nodes)
    ]
    return fleet.Fleet(specs, [NodeResult(list(latencies)) for _, latencies in nodes])


@pytest.fixture
def drawn(monkeypatch) -> list[Figure]:
    """Figures that are drawn, and not written."""
    figures: list[Figure] = []
    monkeypatch.setattr(plot_style, "save", lambda figure, _path: figures.append(figure))
    return figures


def test_each_speed_has_a_line_of_the_share_of_windows_above_a_latency(drawn: list[Figure]) -> None:
    plot.draw(made((0.6, [400.0, 100.0]), (1.0, [30.0]), (1.0, [10.0, 20.0, 40.0])), Path("fleet.png"))
    left = drawn[0].axes[0]
    fast, slow = left.lines
    assert (fast.get_label(), slow.get_label()) == ("2 nodes at speed 1", "1 nodes at speed 0.6")
    assert (list(fast.get_xdata()), list(fast.get_ydata())) == ([10, 20, 30, 40], [1, 0.75, 0.5, 0.25])
    assert (list(slow.get_xdata()), list(slow.get_ydata())) == ([100, 400], [1, 0.5])
    assert drawn[0].get_suptitle() == "6 cameras on 3 nodes, simulated"


def test_each_node_has_its_median_and_its_99th_percentile(drawn: list[Figure]) -> None:
    latencies = [float(each) for each in range(101)]
    plot.draw(made((1.0, latencies), (1.0, [7.0])), Path("fleet.png"))
    dots, lines = drawn[0].axes[1].lines
    np.testing.assert_allclose(dots.get_ydata(), [50, 7])
    np.testing.assert_allclose(lines.get_ydata(), [99, 7])
    assert list(dots.get_xdata()) == [0, 1]


def test_a_node_that_has_published_nothing_has_no_place_on_the_right(drawn: list[Figure]) -> None:
    plot.draw(made((1.0, [5.0]), (0.6, [])), Path("fleet.png"))
    assert [list(line.get_xdata()) for line in drawn[0].axes[1].lines] == [[0], [0], [], []]


def test_the_figure_is_a_png(tmp_path: Path) -> None:
    plot.draw(made((1.0, [5.0, 6.0])), tmp_path / "fleet.png")
    assert (tmp_path / "fleet.png").read_bytes().startswith(b"\x89PNG")


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="give another folder for the plots"):
        plot.draw(made((1.0, [5.0])), tmp_path / "file" / "fleet.png")
