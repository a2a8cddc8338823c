"""Simulated streams for training: voices in rooms, noise, music and other voices, as a live microphone hears them."""
