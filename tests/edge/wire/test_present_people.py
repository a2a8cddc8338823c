"""People who are there, from the messages alone."""

from edge.wire.present_people import GONE_NS, PresentPeople
from tests.edge.made_messages import EVENT, PERSON, PREDICTION, STATUS, numbered


def people(*messages) -> PresentPeople:
    present = PresentPeople()
    for message in messages:
        present.add(message)
    return present


def test_the_last_prediction_of_each_is_kept_by_number() -> None:
    first, again = numbered(0, PERSON, person=10), numbered(1, PERSON, person=10)
    present = people(first, PERSON, again, PREDICTION, EVENT)
    assert present.all() == [PERSON, again]
    assert (present.of(2), present.of(3)) == (PERSON, None)


def test_a_status_says_who_is_there() -> None:
    others = numbered(0, PERSON, person=1), numbered(0, PERSON, person=3)
    assert people(PERSON, *others, numbered(0, STATUS, people=[1, 4], left=[2, 3])).all() == [others[0]]
    assert people(PERSON, STATUS).all() == []


def test_who_has_no_prediction_while_others_have_is_gone_without_a_status_too() -> None:
    at = PERSON.mono_end + GONE_NS
    assert people(PERSON, numbered(0, PERSON, person=1, mono_end=at)).of(2) == PERSON
    assert people(PERSON, numbered(0, PERSON, person=1, mono_end=at + 1)).of(2) is None
    assert people(PERSON, numbered(0, PREDICTION, mono_end=at + 1)).all() == []
