"""Numbers that have come already, gaps between them, and what is forgotten."""

from edge.wire import sequences
from edge.wire.sequences import Sequences

CAMERA, PERSON = ("ab", "status.cam1."), ("ab", "person.cam1.2.")


def test_a_number_is_new_once_and_gaps_are_counted_by_sequence() -> None:
    numbers = Sequences()
    assert [numbers.is_new(CAMERA, seq) for seq in (5, 5, 6, 9, 8, 10)] == [True, False, True, True, False, True]
    assert [numbers.is_new(PERSON, seq) for seq in (0, 5)] == [True, True]
    assert numbers.missed == {CAMERA: 2, PERSON: 4}


def test_those_who_come_and_go_are_forgotten_but_not_what_goes_on(monkeypatch) -> None:
    monkeypatch.setattr(sequences, "MOST_SEQUENCES", 10)
    numbers = Sequences()
    for number in range(100):
        assert numbers.is_new(CAMERA, number)
        assert numbers.is_new(("ab", f"person.cam1.{number}."), 0)
    assert not numbers.is_new(CAMERA, 99)
    assert not numbers.is_new(("ab", "person.cam1.99."), 0)
    assert numbers.is_new(("ab", "person.cam1.0."), 0), "it was forgotten"
    assert numbers.missed == {}
