"""The picture with its boxes, as HTML."""

from base64 import b64encode

from edge.geometry import Box
from edge.view.picture_markup import picture
from edge.wire.evidence import PersonSeen
from tests.edge.made_messages import OF_PEOPLE, PICTURE, PREDICTION, numbered
from tests.edge.view.made_markup import of, said


def test_a_picture_says_why_it_is_there_and_has_the_box():
    html = picture(of(PICTURE))
    assert said(html) == "Camera picture (--show-picture)"
    assert b64encode(PICTURE.jpeg).decode() in html
    assert '<svg viewBox="0 0 640 480"' in html
    assert '<rect x="1" y="2" width="300" height="4"/>' in html
    assert picture(of(PREDICTION)) == ""


def test_people_have_boxes_with_their_numbers_and_the_speaker_a_mark():
    html = picture(of(OF_PEOPLE["picture"]))
    assert html.count("<rect") == 2
    assert said(html) == "1 2 ♪ Camera picture (--show-picture); ♪ speaks"
    assert '<rect x="400" y="5" width="60" height="70"/><text x="406" y="45" font-size="40">2 ♪</text>' in html


def test_a_number_stands_above_its_box_where_there_is_room():
    low = picture(of(numbered(0, PICTURE, people=[PersonSeen(3, Box(100, 200, 60, 70), None)])))
    assert '<text x="106" y="190" font-size="40">3</text>' in low
    assert "speaks" not in said(low)


def test_a_hidden_face_has_no_box():
    hidden = picture(of(numbered(0, PICTURE, box=None, people=[PersonSeen(3, None, True)])))
    assert "<rect" not in hidden
    assert "<text" not in hidden
