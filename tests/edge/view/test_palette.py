"""Looks that nobody needs colours to tell apart."""

import re
from itertools import combinations
from pathlib import Path

import pytest

from edge.bundle.load import SHIPPED, load
from edge.models.names import find_bundle_folder
from edge.view.palette import PATTERNS, STATE_COLOURS, USUAL, looks, text_colour


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", ["foal-nano", "foal-nano-seven"])
def test_the_labels_of_a_shipped_bundle_differ_in_pattern_and_in_colour(name: str):
    labels = load(find_bundle_folder(Path(name))).manifest.labels
    found = looks(labels)
    for one, other in combinations(labels, 2):
        assert found[one].pattern != found[other].pattern
        assert found[one].colour != found[other].colour


def test_unknown_labels_take_colours_that_are_free():
    found = looks(["calm", "x", "y"])
    assert len({look.colour for look in found.values()}) == 4


def test_a_label_keeps_its_colour_whatever_is_beside_it():
    assert looks(["sad"])["sad"].colour == looks(["angry", "sad"])["sad"].colour


@pytest.mark.parametrize("colour", sorted({*USUAL.values(), *STATE_COLOURS.values()}))
def test_text_on_a_colour_can_be_read(colour: str):
    assert contrast(colour, text_colour(colour)) >= 4.5  # WCAG 2, level AA


@pytest.mark.parametrize("pattern", PATTERNS[1:])
def test_every_pattern_is_in_the_style_and_in_the_chart(pattern: str):
    folder = SHIPPED.parents[1] / "view"
    assert re.search(rf"^\.{pattern} {{", (folder / "style.css").read_text(), re.MULTILINE)
    assert re.search(rf"^ +{pattern}: {{", (folder / "chart.js").read_text(), re.MULTILINE)
