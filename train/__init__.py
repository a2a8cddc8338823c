"""From corpora to a checkpoint: Foal-Net and its training."""
