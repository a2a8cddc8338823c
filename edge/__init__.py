"""foal-edge: live audio-visual emotion recognition, published over ZeroMQ."""
