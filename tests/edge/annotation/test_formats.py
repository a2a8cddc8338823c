"""Formats, and what has to be installed for them."""

from pathlib import Path

import pytest

from edge.annotation import formats
from edge.annotation.formats import FORMATS, check_formats
from edge.errors import UsageError

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("name", ["vtt", "eaf", "textgrid"])
def test_what_is_not_installed_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(formats, "find_spec", lambda _: None)
    with pytest.raises(UsageError, match=rf"--format {name} needs .*pip install 'foal-edge\[annotate\]'"):
        check_formats(["csv", name])


def test_tables_need_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "find_spec", lambda _: None)
    check_formats(["csv", "jsonl"])


def test_the_extra_has_the_packages() -> None:
    tomllib = pytest.importorskip("tomllib", reason="Python has it from 3.11 on")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extra = project["optional-dependencies"][formats.EXTRA]
    wanted = {each.package for each in FORMATS.values() if each.package}
    assert {line.partition(">")[0] for line in extra} == wanted


def test_every_format_has_its_own_suffix(tmp_path: Path) -> None:
    assert len({each.suffix for each in FORMATS.values()}) == len(FORMATS)
