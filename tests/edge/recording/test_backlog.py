"""The oldest are kept, in order; what finds no room is counted and leaves its mark."""

import threading

from edge.recording.backlog import Backlog

WAIT_S = 60


def take_all(backlog: Backlog) -> list:
    return list(iter(lambda: backlog.take(0), None))


def test_items_come_out_as_they_went_in() -> None:
    backlog = Backlog(100, ["a", "b"])
    for number in range(6):
        assert backlog.put("ab"[number % 2], f"item {number}", 10, wait=False)
    assert take_all(backlog) == [("ab"[number % 2], f"item {number}") for number in range(6)]
    assert backlog.lost == {"a": 0, "b": 0}


def test_the_oldest_are_kept_and_how_many_are_missing_precedes_the_next_of_their_track() -> None:
    backlog = Backlog(30, ["a", "b"])
    kept = [backlog.put("a", number, 10, wait=False) for number in "01234"]
    assert kept == [True, True, True, False, False]
    assert backlog.take(0) == ("a", "0")
    backlog.put("b", "other", 5, wait=False)
    backlog.put("a", "5", 5, wait=False)
    assert take_all(backlog) == [("a", "1"), ("a", "2"), ("b", "other"), ("a", 2), ("a", "5")]
    assert backlog.lost == {"a": 2, "b": 0}


def test_what_is_missing_at_the_end_is_marked_too() -> None:
    backlog = Backlog(10, ["a"])
    for number in "012":
        backlog.put("a", number, 10, wait=False)
    backlog.close()
    assert not backlog.is_over
    assert take_all(backlog) == [("a", "0"), ("a", 2)]
    assert backlog.is_over


def test_an_item_larger_than_the_bound_goes_alone() -> None:
    backlog = Backlog(10, ["a"])
    assert backlog.put("a", "huge", 1000, wait=False)
    assert not backlog.put("a", "next", 1, wait=False)
    assert backlog.take(0) == ("a", "huge")
    assert backlog.put("a", "next", 1, wait=False)


def test_what_is_forgotten_is_lost() -> None:
    backlog = Backlog(20, ["a", "b"])
    for track, number in ["a0", "a1", "a2"]:
        backlog.put(track, number, 10, wait=False)
    backlog.take(0)
    backlog.put("b", "0", 1, wait=False)
    backlog.close(forget=True)
    assert dict(take_all(backlog)) == {"a": 2, "b": 1}
    assert backlog.lost == {"a": 2, "b": 1}


def test_a_closed_one_takes_nothing_and_says_no_more_of_it() -> None:
    backlog = Backlog(10, ["a"])
    backlog.close()
    assert backlog.put("a", "late", 1, wait=True)
    assert backlog.take(None) is None
    assert backlog.lost == {"a": 0}


def test_who_may_wait_waits_for_room() -> None:
    backlog, put = Backlog(10, ["a"]), threading.Event()
    backlog.put("a", "first", 10, wait=True)

    def put_second() -> None:
        backlog.put("a", "second", 10, wait=True)
        put.set()

    thread = threading.Thread(target=put_second)
    thread.start()
    assert not put.wait(0.05)
    assert backlog.take(0) == ("a", "first")
    assert put.wait(WAIT_S)
    thread.join()
    assert backlog.take(0) == ("a", "second")
    assert backlog.lost == {"a": 0}


def test_who_waits_is_let_go_when_it_closes() -> None:
    backlog = Backlog(10, ["a"])
    backlog.put("a", "first", 10, wait=False)
    thread = threading.Thread(target=backlog.put, args=("a", "second", 10), kwargs={"wait": True})
    thread.start()
    backlog.close(forget=True)
    thread.join(WAIT_S)
    assert not thread.is_alive()


def test_taking_waits_for_the_first() -> None:
    backlog = Backlog(10, ["a"])
    timer = threading.Timer(0.02, backlog.put, args=("a", "late", 1), kwargs={"wait": False})
    timer.start()
    assert backlog.take(WAIT_S) == ("a", "late")
    timer.join()
