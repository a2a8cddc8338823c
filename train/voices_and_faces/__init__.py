"""Voices and faces of different people: encoders trained apart, then the fusion on pairs of one label."""
