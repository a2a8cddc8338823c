"""The opening lines of a run say what was chosen, why, and what is kept."""

from dataclasses import replace

from edge.cli.opening import opening_lines
from edge.session.start import Start
from edge.sources.caption import Caption

START = Start(
    model="tiny 0.0.1 on onnxruntime-cpu (as asked for)",
    faces="cascade (as asked for)",
    inputs=["camera 0", "microphone 1"],
    address="tcp://127.0.0.1:5556",
    page=None,
    record=None,
    begin_ns={},
    captions=(),
)


def test_a_line_each_says_model_faces_input_and_output() -> None:
    assert list(opening_lines(START)) == [
        "model   tiny 0.0.1 on onnxruntime-cpu (as asked for)",
        "faces   by cascade (as asked for)",
        "input   camera 0, microphone 1",
        "output  nothing is kept, publishing at tcp://127.0.0.1:5556",
    ]


def test_what_is_not_there_is_not_named_and_what_is_kept_is() -> None:
    _, _, output = opening_lines(replace(START, faces="", address=None, record="kept"))
    assert output == "output  recording into kept, not publishing"


def test_a_page_beside_the_run_is_told() -> None:
    *_, output = opening_lines(replace(START, page="http://127.0.0.1:8556/"))
    assert output.endswith("publishing at tcp://127.0.0.1:5556, shown at http://127.0.0.1:8556/")


def test_of_the_demo_it_says_what_the_answers_are_worth() -> None:
    lines = list(opening_lines(replace(START, captions=(Caption(0, "a face"),))))
    assert len(lines) == 5
    assert "drawn and synthesised" in lines[3]
