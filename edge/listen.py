"""Public face of the subscriber: `from foal_edge.listen import Subscriber`.

Importing this module loads ZeroMQ and msgspec, and neither numpy nor OpenCV nor an inference engine.
"""

from .wire.messages import Message, PersonPrediction, Prediction, Stats, Status, SteadyState
from .wire.subscriber import AsyncSubscriber, Subscriber

__all__ = [
    "AsyncSubscriber",
    "Message",
    "PersonPrediction",
    "Prediction",
    "Stats",
    "Status",
    "SteadyState",
    "Subscriber",
]
