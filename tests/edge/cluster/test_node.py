"""What tells whether two machines run the same code."""

import sys
from pathlib import Path

import pytest

from edge.cluster import node
from edge.errors import UsageError


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "made_package"
    folder.mkdir()
    (folder / "__init__.py").write_text("ONE = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return folder


def test_one_changed_line_is_another_code(package: Path) -> None:
    before = node.fingerprint.__wrapped__((package.name,))
    assert before == node.fingerprint.__wrapped__((package.name,))
    (package / "more.py").write_text("TWO = 2\n")
    assert before != (more := node.fingerprint.__wrapped__((package.name,)))
    (package / "more.py").write_text("TWO = 3\n")
    assert more != node.fingerprint.__wrapped__((package.name,))
    assert package.name not in sys.modules


def test_versions_of_what_computes_are_named() -> None:
    found = node.installed(["edge"], beside=["click", "not-installed"])
    assert {"numpy", "onnxruntime", "click", "Python"} <= set(found.packages)
    assert "not-installed" not in found.packages
    assert found.code.endswith(node.fingerprint(("edge",)))


def test_a_function_is_called_where_the_code_is_the_same() -> None:
    code = node.installed(["edge"]).code
    assert node.call(code, ["edge"], len, "abc") == (None, 3)
    assert node.call("other", ["edge"], len, "abc") == (code, None)


def test_an_error_says_where_it_was(tmp_path: Path) -> None:
    def fail() -> None:
        raise UsageError("nothing there")

    with pytest.raises(UsageError, match=r"nothing there \(on the worker at .+\)"):
        node.call(node.installed(["edge"]).code, ["edge"], fail)
