"""Export of a checkpoint to a bundle."""
