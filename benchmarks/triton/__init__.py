"""A Triton Inference Server on this machine's CPU, and nodes that share it while it is restarted and slow."""
