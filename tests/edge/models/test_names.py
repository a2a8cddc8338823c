"""Bundles by name, and paths that stay what they are."""

from pathlib import Path

import pytest

from edge.backends.onnxruntime import OrtBackend
from edge.backends.proof import prove
from edge.bundle.load import SHIPPED, load
from edge.errors import BundleError
from edge.models.names import find_bundle_folder


def test_a_shipped_bundle_has_its_folders_name(monkeypatch, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_bundle_folder(Path("foal-nano")) == SHIPPED


@pytest.mark.parametrize("name", ["foal-nano", "foal-nano-int8", "foal-nano-seven"])
def test_a_bundle_of_the_package_is_whole_and_small(name: str) -> None:
    folder = find_bundle_folder(Path(name))
    assert load(folder).manifest.name == name
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 8_000_000


@pytest.mark.parametrize("name", ["foal-nano", "foal-nano-int8", "foal-nano-seven"])
def test_a_bundle_of_the_package_computes_its_golden_vectors(name: str) -> None:
    bundle = load(find_bundle_folder(Path(name)))
    proofs = prove(bundle, OrtBackend(bundle, threads=1))
    assert [proof.is_within_tolerance for proof in proofs] == [True] * 3


def test_the_bundle_in_int8_is_the_one_in_fp32_but_for_two_graphs() -> None:
    fp32, int8 = (load(find_bundle_folder(Path(name))).manifest for name in ("foal-nano", "foal-nano-int8"))
    assert [graph.precision for graph in int8.graphs.by_name().values()] == ["int8", "fp32", "int8"]
    assert int8.graphs.audio_encoder == fp32.graphs.audio_encoder
    for field in ("version", "labels", "temperature", "golden", "golden_probabilities", "video_head", "measured"):
        assert getattr(int8, field) == getattr(fp32, field)
    assert int8.compared is not None
    assert abs(int8.compared.ua - int8.compared.ua_fp32) <= 0.003


def test_a_folder_of_that_name_goes_first(monkeypatch, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "foal-nano").mkdir()
    assert find_bundle_folder(Path("foal-nano")) == Path("foal-nano")


@pytest.mark.parametrize("path", ["/nowhere", "./foal-nano/../nothing", "a/foal-nano", "..", ""])
def test_a_path_stays_as_it_is(path: str) -> None:
    assert find_bundle_folder(Path(path)) == Path(path)


@pytest.mark.parametrize("name", ["foal-nan", "__pycache__"])
def test_of_an_unknown_name_the_error_lists_those_that_are_known(monkeypatch, tmp_path, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        BundleError, match=f"no bundle at {name}: .* the package has foal-nano, foal-nano-int8, foal-nano-seven;"
    ):
        find_bundle_folder(Path(name))
