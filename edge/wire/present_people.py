"""People who are there, as a subscriber knows them from the messages of one stream."""

from ..clock import SECOND_NS
from .messages import BasePrediction, PersonPrediction, Status, SteadyState

GONE_NS = 5 * SECOND_NS
"""Time without a prediction, while the stream has others, after which a person has left: statuses may not be heard."""


class PresentPeople:
    """Last prediction of each person of one stream who is there."""

    def __init__(self) -> None:
        self._last: dict[int, PersonPrediction] = {}

    def add(self, message: BasePrediction | SteadyState | Status) -> None:
        """Take a message of the stream: one of a person, or one that tells who has left."""
        if isinstance(message, Status):
            self._last = {person: last for person, last in self._last.items() if person in message.people}
        elif isinstance(message, BasePrediction):
            if isinstance(message, PersonPrediction):
                self._last[message.person] = message
            gone = [person for person, last in self._last.items() if message.mono_end - last.mono_end > GONE_NS]
            for person in gone:
                del self._last[person]

    def of(self, person: int) -> PersonPrediction | None:
        """Return the last prediction of a person; None of one who is not there."""
        return self._last.get(person)

    def all(self) -> list[PersonPrediction]:
        """Return the last prediction of each, by number."""
        return [self._last[person] for person in sorted(self._last)]
