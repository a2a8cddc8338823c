"""Steady states of a stream and of the people in it."""

from collections.abc import Iterable, Sequence

from .prediction_fields import Part
from .steady_state import Change, SteadyStateFilter
from .steady_state_config import SteadyStateConfig


class SteadyStates:
    """Steady state of each person, and of the stream, whose own is that of its main person."""

    def __init__(self, labels: Sequence[str], config: SteadyStateConfig) -> None:
        self._labels, self._config = labels, config
        self._filters: dict[int | None, SteadyStateFilter] = {}
        self._label: str | None = None

    def keep(self, people: Iterable[int | None]) -> None:
        """Forget whoever is none of these people."""
        self._filters = {person: self._filters[person] for person in people if person in self._filters}

    def update(self, part: Part) -> str:
        """Take what was recognised in a window; return the label that its person, or the stream, has now."""
        found = part.recognition
        state = self._filters.setdefault(part.person, SteadyStateFilter(self._labels, self._config))
        state.update(found.probs, part.window.end_ns, has_evidence=found.has_evidence)
        return state.label

    def change(self, main: int | None, end_ns: int) -> Change | None:
        """Return the change of the stream's steady state, given its main person; None where it stays."""
        change = self._filters[main].change_from(self._label, end_ns)
        self._label = self._filters[main].label
        return change
