"""Public face of the clock offset: `from foal_edge.clock_offset import estimate_offset`."""

from .wire.clock_offset import ClockOffset, estimate_offset

__all__ = ["ClockOffset", "estimate_offset"]
