"""Training on voices and faces of different people: the encoders apart, then the fusion on pairs of one label."""
