"""Golden vectors and what they say of labels. Damaged files are in `test_hostile_golden.py`."""

from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from edge.bundle import golden
from edge.bundle.load import SHIPPED, Bundle
from edge.bundle.manifest import GraphName
from edge.errors import BundleError

Arrays = dict[str, Any]


def test_every_array_is_read_as_numpy_reads_it(vectors: dict[GraphName, Arrays]) -> None:
    with np.load(SHIPPED / "golden.npz") as expected:
        found = {f"{graph}/{name}": array for graph, arrays in vectors.items() for name, array in arrays.items()}
        assert set(found) == set(expected)
        for name, array in found.items():
            np.testing.assert_array_equal(array, expected[name])
            assert array.dtype == expected[name].dtype


def of(bundle: Bundle, **changes: Any) -> Bundle:
    """The bundle as if its manifest said something else."""
    return replace(bundle, manifest=replace(bundle.manifest, **changes))


def test_the_shipped_labels_have_the_probabilities_that_the_logits_give_them(shipped_bundle, vectors) -> None:
    manifest, logits = shipped_bundle.manifest, vectors["fusion"]["logits"].astype(float)
    powers = np.exp(logits / manifest.temperature)
    for index, label in enumerate(manifest.labels):
        expected = powers[:, index] / powers.sum(axis=1)
        assert manifest.golden_probabilities[label] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("first", "second"), [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)])
def test_two_labels_that_have_changed_places_are_found(shipped_bundle: Bundle, first: int, second: int) -> None:
    labels = list(shipped_bundle.manifest.labels)
    labels[first], labels[second] = labels[second], labels[first]
    with pytest.raises(BundleError, match=r"its labels, in their order, and its temperature give '\w+' the golden pr"):
        golden.load(of(shipped_bundle, labels=labels))


@pytest.mark.parametrize("times", [0.5, 0.999, 1.001, 2.0])
def test_another_temperature_is_found(shipped_bundle: Bundle, times: float) -> None:
    changed = of(shipped_bundle, temperature=shipped_bundle.manifest.temperature * times)
    with pytest.raises(BundleError, match=r"manifest\.json is damaged: .* are expected; take the bundle again"):
        golden.load(changed)


def test_a_bundle_without_golden_probabilities_is_read(shipped_bundle: Bundle) -> None:
    without = of(shipped_bundle, golden_probabilities=None, temperature=7.0)
    assert set(golden.load(without)) == {"image_encoder", "audio_encoder", "fusion"}


@pytest.mark.parametrize("shift", [0.01, -0.01, float("inf")])
def test_a_video_head_that_is_not_the_fusions_is_found(shipped_bundle: Bundle, shift: float) -> None:
    head = shipped_bundle.manifest.video_head
    changed = replace(head, bias=[head.bias[0] + shift, *head.bias[1:]])
    with pytest.raises(BundleError, match=r"its video_head gives the logits \[.*\], the golden ones \[.* are expected"):
        golden.load(of(shipped_bundle, video_head=changed))
