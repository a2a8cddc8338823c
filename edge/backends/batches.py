"""Sizes in which batches are run: a device prepares itself for a few, and smaller batches are padded."""

from ..bundle.manifest import Batch


def batch_sizes(batch: Batch) -> list[int]:
    """Return the powers of two below the largest batch, the usual batch and the largest, ascending."""
    powers = {1 << i for i in range((batch.largest - 1).bit_length())}
    return sorted(powers | {batch.usual, batch.largest})
