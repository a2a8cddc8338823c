"""The page of a report: whole, alone, and safe."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from edge.evaluation.metrics import Accuracy
from edge.report.page import make_page
from tests.edge.report.made_report import live, report, section

pytest.importorskip("matplotlib", reason="the extra `report` has matplotlib")
VOID = {"meta", "br", "hr", "img", "link", "input"}


class Reader(HTMLParser):
    """Text, attributes and the nesting of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self._open: list[str] = []
        self.feed(page)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())


def test_a_page_says_what_happened() -> None:
    read = Reader(make_page(report()))
    for text in ("talk.mp4", "it has no audio", "6 windows from 0.0 s to 3.0 s", "Events", "1.5 s", "hop_s", "numpy"):
        assert text in read.texts
    assert "It does not say what a person feels" in " ".join(read.texts)


def test_a_page_loads_nothing() -> None:
    """Neither scripts nor anything by address: references inside the page begin with #."""
    page = make_page(report(section(), live()))
    read = Reader(page)
    assert not read.tags & {"script", "link", "img", "iframe", "object", "embed", "base", "image"}
    loading = [value for name, value in read.attributes if name in ("src", "href", "xlink:href", "data", "action")]
    assert all(value and value.startswith("#") for value in loading)
    assert "@import" not in page
    assert all(target.startswith("#") for target in re.findall(r"url\(['\"]?([^)]*)", page))


def test_what_comes_from_outside_is_text() -> None:
    hostile = replace(report(), title="<script>alert(1)</script>", settings={"<b>": "\x1b[31m&"})
    page = make_page(hostile)
    assert "<script" not in page
    assert "&lt;b&gt;" in page
    assert "\x1b" not in page


def test_labels_of_the_user_give_a_confusion() -> None:
    accuracy = Accuracy(4, 0.75, 0.5, 0.125, [[3, 1], [0, 2]])
    texts = Reader(make_page(report(replace(section(), accuracy=accuracy)))).texts
    at = texts.index("truth \\ predicted")
    assert [text for text in texts[at:] if text][:9] == [
        *("truth \\ predicted", "calm", "glad", "calm", "3", "1", "glad", "0", "2"),
    ]
    assert any("UA 75.0%" in text and "calibration error 12.5%" in text for text in texts)


def test_a_live_run_has_latencies_and_drops() -> None:
    texts = Reader(make_page(report(live()))).texts
    assert {"p50", "p90", "p99", "windows_late", "12.5"} <= set(texts)
    assert "other" not in texts
