"""Pictures: their size, that something is on them, that they repeat, and the numbers written into them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib import image, rcParams
from matplotlib.axes import Axes

from train import plots
from train.intervals import Interval
from train.plots import Embeddings, mean_cosines, principal_components

LABELS = ["angry", "happy", "neutral", "sad"]
COUNTS = np.array([[881, 92, 101, 29], [110, 1244, 250, 32], [60, 203, 1270, 175], [0, 0, 0, 0]])
RATES_HZ = [1, 5, 30]


def made_embeddings(seed: int, count: int = 60, width: int = 8) -> Embeddings:
    rng = np.random.default_rng(seed)
    truth = np.arange(count) % 4
    audio, video = (np.eye(4, width)[truth] + rng.normal(0, 0.4, (count, width)) for _ in range(2))
    return Embeddings(audio, video, truth)


def made_curves(ends: tuple[float, float, float]) -> dict[str, list[Interval]]:
    means = np.array(ends)
    return {
        name: [Interval(float(m), float(m) - 0.02, float(m) + 0.02) for m in means - lower]
        for name, lower in (("both", 0.0), ("audio", 0.1))
    }


DRAW: dict[str, Callable[[Path], None]] = {
    "confusion": lambda path: plots.confusion(path, LABELS, COUNTS, "baseline"),
    "embeddings": lambda path: plots.embeddings(path, LABELS, made_embeddings(0), made_embeddings(1)),
    "curves": lambda path: plots.curves(path, RATES_HZ, made_curves((0.7, 0.75, 0.8)), "frames a second", "UA"),
}
OTHERWISE: dict[str, Callable[[Path], None]] = {
    "confusion": lambda path: plots.confusion(path, LABELS, COUNTS.T, "baseline"),
    "embeddings": lambda path: plots.embeddings(path, LABELS, made_embeddings(0), made_embeddings(2)),
    "curves": lambda path: plots.curves(path, RATES_HZ, made_curves((0.7, 0.72, 0.8)), "frames a second", "UA"),
}


def pixels(path: Path) -> np.ndarray:
    """`[H, W, 3]`, 0 to 1."""
    return image.imread(path)[:, :, :3]


@pytest.mark.parametrize("name", DRAW)
def test_a_picture_is_wide_white_and_not_blank(name: str, tmp_path: Path) -> None:
    DRAW[name](tmp_path / "a.png")
    drawn = pixels(tmp_path / "a.png")
    assert drawn.shape[1] == 1000
    assert 500 <= drawn.shape[0] <= 800
    assert (drawn[[0, 0, -1, -1], [0, -1, 0, -1]] == 1).all()
    inked = (drawn < 0.95).any(axis=2).mean()
    assert 0.02 < inked < 0.98
    assert len(np.unique((drawn * 255).astype(int).reshape(-1, 3), axis=0)) > 50


@pytest.mark.parametrize("name", DRAW)
def test_the_same_figures_make_the_same_bytes_and_others_do_not(name: str, tmp_path: Path) -> None:
    before = dict(rcParams)
    for file, draw in (("a", DRAW[name]), ("b", DRAW[name]), ("c", OTHERWISE[name])):
        draw(tmp_path / file)
    first, again, other = ((tmp_path / file).read_bytes() for file in "abc")
    assert first == again
    assert first != other
    assert b"Software" not in first
    assert dict(rcParams) == before


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is written with `Axes.text` and as titles, while a picture is made."""
    written: list[str] = []
    text, title = Axes.text, Axes.set_title

    def note_text(self: Axes, x: float, y: float, s: str, **options: object) -> object:
        written.append(s)
        return text(self, x, y, s, **options)

    def note_title(self: Axes, label: str, **options: object) -> object:
        written.append(label)
        return title(self, label, **options)

    monkeypatch.setattr(Axes, "text", note_text)
    monkeypatch.setattr(Axes, "set_title", note_title)
    return written


def test_cells_hold_their_rows_percent_and_their_count(texts: list[str], tmp_path: Path) -> None:
    DRAW["confusion"](tmp_path / "a.png")
    assert texts[:8] == ["80%", "881", "8%", "92", "9%", "101", "3%", "29"]
    assert texts[10:12] == ["76%", "1,244"]
    assert texts[24:32] == ["0%", "0"] * 4


def test_the_darkest_cell_of_a_row_is_the_one_most_predicted(tmp_path: Path) -> None:
    plots.confusion(tmp_path / "a.png", LABELS, np.eye(4, dtype=int)[[1, 2, 3, 0]] * 9 + 1, "turned")
    drawn = pixels(tmp_path / "a.png")
    rows, columns = (np.linspace(at, size - at, 9).astype(int)[1::2] for at, size in ((40, 740 - 24), (120, 1000 - 3)))
    red = drawn[rows[:, None] - 60, columns[None], 0]
    assert red.argmin(axis=1).tolist() == [1, 2, 3, 0]


def test_panels_are_titled_with_their_cosines(texts: list[str], tmp_path: Path) -> None:
    before, after = made_embeddings(0), made_embeddings(1)
    plots.embeddings(tmp_path / "a.png", LABELS, before, after)
    for name, points, title in zip(("baseline, before", "Foal-Net, after"), (before, after), texts, strict=True):
        matching, other = mean_cosines(points)
        assert title.startswith(f"{name} alignment\n")
        assert title.endswith(f"same class {matching:+.2f}, other class {other:+.2f}")


def test_mean_cosines_match_going_through_the_pairs() -> None:
    points = made_embeddings(3, count=21)
    pairs: dict[bool, list[float]] = {True: [], False: []}
    for heard, label in zip(points.audio, points.truth, strict=True):
        for seen, other in zip(points.video, points.truth, strict=True):
            cosine = heard @ seen / np.linalg.norm(heard) / np.linalg.norm(seen)
            pairs[bool(label == other)].append(cosine)
    assert mean_cosines(points) == pytest.approx((np.mean(pairs[True]), np.mean(pairs[False])))


def test_principal_components_are_found_where_they_were_put() -> None:
    rng = np.random.default_rng(0)
    turned, _ = np.linalg.qr(rng.normal(size=(6, 6)))
    own = rng.normal(size=(500, 6)) * [5, 2, 0.1, 0.1, 0.1, 0.1]
    own -= own.mean(axis=0)
    places, explained = principal_components(own @ turned + 3)
    for component in range(2):
        assert abs(np.corrcoef(places[:, component], own[:, component])[0, 1]) > 0.99
    np.testing.assert_allclose(explained, places.var(axis=0) / own.var(axis=0).sum(), rtol=1e-9)
    assert explained.sum() > 0.99


def test_components_keep_their_sign_when_points_change_order() -> None:
    points = np.random.default_rng(1).normal(size=(50, 5)) * [3, 2, 1, 1, 1]
    np.testing.assert_allclose(principal_components(points[::-1])[0][::-1], principal_components(points)[0])


def test_many_utterances_are_thinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []
    scatter = Axes.scatter

    def note(self: Axes, x: np.ndarray, y: np.ndarray, **options: object) -> object:
        drawn.append(len(x))
        return scatter(self, x, y, **options)

    monkeypatch.setattr(Axes, "scatter", note)
    plots.embeddings(tmp_path / "a.png", LABELS, made_embeddings(0, count=900), made_embeddings(1, count=40))
    assert drawn == [400, 400, 40, 40]


def test_curves_are_drawn_where_they_belong(tmp_path: Path) -> None:
    """The higher line, blue, lies above the lower one, orange, and each in its band."""
    DRAW["curves"](tmp_path / "a.png")
    drawn = pixels(tmp_path / "a.png")[100:]
    heights = []
    for colour in plots.COLOURS[:2]:
        rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        rows, _ = np.where(np.abs(drawn - rgb).max(axis=2) < 0.02)
        assert len(rows) > 500
        heights.append(rows.mean())
    assert heights[0] < heights[1]


def test_what_cannot_be_drawn_is_refused(tmp_path: Path) -> None:
    points = made_embeddings(0)
    with pytest.raises(ValueError, match="8 colours asked for; 7 are told apart"):
        plots.embeddings(tmp_path / "a.png", [*"abcdefgh"], points, points)
    with pytest.raises(ValueError, match="embeddings of one class"):
        mean_cosines(points._replace(truth=np.zeros(60, dtype=int)))
    with pytest.raises(ValueError, match="no cosine"):
        mean_cosines(points._replace(video=np.zeros((60, 8))))


def test_utterances_that_lack_a_modality_are_left_out() -> None:
    points = made_embeddings(0, count=12)
    lacking = Embeddings(points.audio.copy(), points.video.copy(), points.truth)
    lacking.audio[[0, 5]], lacking.video[[5, 11]] = 0, 0
    found = lacking.with_both()
    kept = [1, 2, 3, 4, 6, 7, 8, 9, 10]
    for whole, part in zip(points, found, strict=True):
        np.testing.assert_array_equal(part, whole[kept])
    assert mean_cosines(found)[0] > mean_cosines(found)[1]
