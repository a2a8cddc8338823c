"""Public face of the message types: `from foal_edge.messages import Prediction`."""

from .wire.drop_reasons import DROP_REASONS
from .wire.messages import Message, PersonPrediction, Prediction, Stats, Status, SteadyState, decode, encode

__all__ = [
    "DROP_REASONS",
    "Message",
    "PersonPrediction",
    "Prediction",
    "Stats",
    "Status",
    "SteadyState",
    "decode",
    "encode",
]
