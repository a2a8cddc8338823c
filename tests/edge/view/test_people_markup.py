"""The people of a stream, as HTML that trusts nothing it received."""

from edge.view.people_markup import people
from edge.wire.evidence import AudioEvidence, VideoEvidence
from tests.edge.made_messages import OF_PEOPLE, PERSON, PREDICTION, STATUS, numbered
from tests.edge.view.made_markup import EVIL, Text, of, said

LISTENER = numbered(
    0, PERSON, person=1, audio=AudioEvidence("no_speech", -30.0, 0.7, "other"), video=VideoEvidence("ok", 2, None, 9)
)


def test_each_person_has_a_row_that_says_who_is_the_main_one_and_who_speaks():
    html = people(of(OF_PEOPLE["prediction"], PERSON, LISTENER))
    assert said(html) == (
        "People: 2 person seems voice 1 calm steady uncertain, face hidden 62% another speaks "
        "2 main calm steady uncertain 62% ♪ speaks"
    )
    assert html.count('scope="row"') == 2


def test_there_is_no_table_of_nobody():
    assert people(of(PREDICTION)) == ""
    assert people(of(PERSON, STATUS)) == "", "the status says that nobody is there"


def test_what_came_is_text():
    html = people(of(numbered(0, PERSON, label=EVIL, steady=EVIL, labels=[EVIL, "glad"])))
    assert "img" not in Text(html).tags
    assert html.count("&lt;img") == 2
