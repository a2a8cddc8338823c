"""Settings of the steady state; free of numpy, so that the command line reads them quickly."""

from typing import Annotated

import msgspec
from msgspec import Meta


class SteadyStateConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of the steady state."""

    smoothing_s: Annotated[float, Meta(ge=0, le=60)] = 0.5
    """Time constant, in seconds, of the probabilities' exponential smoothing; 0 for none."""
    enter: Annotated[float, Meta(ge=0, le=1)] = 0.5
    """Smoothed probability from which on a label is taken; where none has it the state is `uncertain`."""
    leave: Annotated[float, Meta(ge=0, le=1)] = 0.3
    """Smoothed probability below which the label held is left, whatever the others'; at most `enter`."""
    dwell_s: Annotated[float, Meta(ge=0, le=600)] = 2.0
    """Seconds for which a label is held at least; `uncertain` may end at once."""
    forget_s: Annotated[float, Meta(gt=0, le=3600)] = 10.0
    """Seconds without a window after which smoothing and dwell begin again; longer than the hop."""

    def __post_init__(self) -> None:
        if not self.leave <= self.enter:
            raise ValueError(f"leave {self.leave} is above enter {self.enter}; give a leave of at most {self.enter}")
