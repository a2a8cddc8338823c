"""Captions, ELAN documents and TextGrids, read by the libraries and by readers of the tests' own."""

import re
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import pytest

from edge.annotation.annotate import Annotation
from edge.annotation.rows import Row
from edge.annotation.tiers import write_eaf, write_textgrid, write_vtt
from edge.sources.contents import Contents
from tests.edge.annotation.made_rows import person_rows, steady

pympi = pytest.importorskip("pympi", reason="the extra `annotate` has pympi-ling")
webvtt = pytest.importorskip("webvtt", reason="the extra `annotate` has webvtt-py")

LABELS = ("calm", "calm", "glad & <i>proud</i>", 'the "best" --> x', 'the "best" --> x')
EXPECTED = [(0, 1500, "calm"), (1500, 2000, "glad & <i>proud</i>"), (2000, 2500, 'the "best" --> x')]


def annotation(rows: list[Row], folder: Path, duration_s: float | None = 3.25) -> Annotation:
    return Annotation(folder / "films" / "talk #1.mp4", Contents(True, True, False, duration_s, None), rows)


def captions(path: Path) -> list[tuple[int, int, str]]:
    """A reader by the grammar of WebVTT: blocks apart by empty lines, times to the millisecond, entities."""
    head, *blocks = path.read_text().rstrip("\n").split("\n\n")
    assert head == "WEBVTT"
    found = []
    for block in blocks:
        times, *text = block.split("\n")
        (begin, end) = (
            sum(int(part) * unit for part, unit in zip(time, (3_600_000, 60_000, 1000, 1), strict=True))
            for time in re.findall(r"(\d\d):(\d\d):(\d\d)\.(\d\d\d)", times)
        )
        assert "<" not in "".join(text)
        found.append((begin, end, unescape("\n".join(text))))
    return found


def test_captions_are_the_segments_and_markup_in_a_label_is_text(tmp_path: Path) -> None:
    write_vtt(annotation(steady(*LABELS), tmp_path), tmp_path / "a.vtt")
    assert captions(tmp_path / "a.vtt") == EXPECTED


def test_the_library_reads_its_captions_back(tmp_path: Path) -> None:
    """Its `text` leaves out what stands between < and >, its `start_in_seconds` the milliseconds: neither is used."""
    write_vtt(annotation(steady(*LABELS), tmp_path), tmp_path / "a.vtt")
    read = [(each.start, each.end, unescape(each.raw_text)) for each in webvtt.read(str(tmp_path / "a.vtt"))]
    assert read == [
        ("00:00:00.000", "00:00:01.500", "calm"),
        ("00:00:01.500", "00:00:02.000", "glad & <i>proud</i>"),
        ("00:00:02.000", "00:00:02.500", 'the "best" --> x'),
    ]


def test_a_label_with_an_empty_line_does_not_end_its_caption(tmp_path: Path) -> None:
    write_vtt(annotation(steady("one\n\ntwo"), tmp_path), tmp_path / "a.vtt")
    assert [text for _, _, text in captions(tmp_path / "a.vtt")] == ["one\\u000a\\u000atwo"]


def test_captions_of_long_recordings_keep_their_hours_and_milliseconds(tmp_path: Path) -> None:
    write_vtt(annotation(steady("calm", hop_s=36_061.001), tmp_path), tmp_path / "a.vtt")
    assert "00:00:00.000 --> 10:01:01.001" in (tmp_path / "a.vtt").read_text()


def test_a_tier_of_elan_has_the_segments_in_whole_milliseconds(tmp_path: Path) -> None:
    write_eaf(annotation(steady(*LABELS), tmp_path), tmp_path / "a.eaf")
    document = pympi.Eaf(str(tmp_path / "a.eaf"))
    assert list(document.get_tier_names()) == ["emotion"]
    assert document.get_annotation_data_for_tier("emotion") == EXPECTED


def test_annotations_of_elan_follow_each_other_without_overlap(tmp_path: Path) -> None:
    """The library would keep overlaps; ends are exclusive but for its own search at a point."""
    write_eaf(annotation(steady(*LABELS), tmp_path), tmp_path / "a.eaf")
    root = ElementTree.parse(tmp_path / "a.eaf").getroot()
    times = {slot.attrib["TIME_SLOT_ID"]: int(slot.attrib["TIME_VALUE"]) for slot in root.iter("TIME_SLOT")}
    spans = [
        (times[each.attrib["TIME_SLOT_REF1"]], times[each.attrib["TIME_SLOT_REF2"]])
        for each in root.iter("ALIGNABLE_ANNOTATION")
    ]
    assert spans == [(begin, end) for begin, end, _ in EXPECTED]


def test_an_elan_document_is_linked_to_its_recording(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    write_eaf(annotation(steady("calm"), tmp_path), tmp_path / "out" / "a.eaf")
    media = next(ElementTree.parse(tmp_path / "out" / "a.eaf").getroot().iter("MEDIA_DESCRIPTOR")).attrib
    assert media["MEDIA_URL"] == (tmp_path / "films" / "talk #1.mp4").as_uri()
    assert media["RELATIVE_MEDIA_URL"] == "../films/talk #1.mp4"
    assert media["MIME_TYPE"] == "video/mp4"


def test_an_elan_document_names_its_recording_without_detours(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    write_eaf(annotation(steady("calm"), tmp_path / "out" / ".."), tmp_path / "a.eaf")
    media = next(ElementTree.parse(tmp_path / "a.eaf").getroot().iter("MEDIA_DESCRIPTOR")).attrib
    assert media["MEDIA_URL"] == (tmp_path / "films" / "talk #1.mp4").as_uri()


@pytest.mark.parametrize(("duration_s", "end_s"), [(3.25, 3.25), (None, 2.5), (1.0, 2.5)])
def test_a_textgrid_covers_the_recording_without_gaps(tmp_path: Path, duration_s: float | None, end_s: float) -> None:
    write_textgrid(annotation(steady(*LABELS), tmp_path, duration_s), tmp_path / "a.TextGrid")
    grid = pympi.TextGrid(str(tmp_path / "a.TextGrid"))
    (tier,) = grid.get_tiers()
    intervals = list(tier.get_all_intervals())
    rest = [(2.5, end_s, "")] if end_s > 2.5 else []
    assert (tier.name, grid.xmax) == ("emotion", end_s)
    assert intervals == [*((begin / 1000, end / 1000, label) for begin, end, label in EXPECTED), *rest]


def test_quotes_in_a_label_are_doubled_as_praat_wants_them(tmp_path: Path) -> None:
    write_textgrid(annotation(steady(*LABELS), tmp_path), tmp_path / "a.TextGrid")
    assert 'text = "the ""best"" --> x"' in (tmp_path / "a.TextGrid").read_text()


def test_a_recording_without_rows_has_empty_tiers(tmp_path: Path) -> None:
    empty = annotation([], tmp_path, None)
    write_vtt(empty, tmp_path / "a.vtt")
    write_eaf(empty, tmp_path / "a.eaf")
    write_textgrid(empty, tmp_path / "a.TextGrid")
    assert (tmp_path / "a.vtt").read_text().strip() == "WEBVTT"
    assert pympi.Eaf(str(tmp_path / "a.eaf")).get_annotation_data_for_tier("emotion") == []


def test_each_of_several_people_has_a_tier_and_is_named_in_captions(tmp_path: Path) -> None:
    made = annotation([*person_rows(1, 2, 3, 4, label="calm"), *person_rows(2, 3, 4)], tmp_path)
    write_eaf(made, tmp_path / "a.eaf")
    write_textgrid(made, tmp_path / "a.TextGrid")
    write_vtt(made, tmp_path / "a.vtt")
    document = pympi.Eaf(str(tmp_path / "a.eaf"))
    expected = {"emotion person 1": [(0, 2000, "calm")], "emotion person 2": [(500, 2000, "glad")]}
    assert {name: document.get_annotation_data_for_tier(name) for name in document.get_tier_names()} == expected
    grid = pympi.TextGrid(str(tmp_path / "a.TextGrid"))
    assert [tier.name for tier in grid.get_tiers()] == list(expected)
    assert captions(tmp_path / "a.vtt") == [(0, 2000, "person 1: calm"), (500, 2000, "person 2: glad")]
