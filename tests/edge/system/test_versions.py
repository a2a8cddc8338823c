"""Versions: those that are installed are named, those that are not are left out."""

import platform
from importlib.metadata import version

from edge.system import versions


def test_versions_of_python_and_of_installed_packages_are_named() -> None:
    found = versions.versions()
    assert found["Python"] == platform.python_version()
    assert found["numpy"] == version("numpy")
    assert set(found) <= {"Python", *versions.PACKAGES}


def test_a_program_that_is_not_installed_says_so(monkeypatch) -> None:
    monkeypatch.setattr(versions, "DISTRIBUTION", "never-installed")
    assert versions.program_version() == "source"
    assert versions.version_line() == "foal-edge, run from its source"


def test_the_line_of_an_installed_program_has_its_version(monkeypatch) -> None:
    monkeypatch.setattr(versions, "DISTRIBUTION", "numpy")
    assert versions.version_line() == f"foal-edge {version('numpy')}"
