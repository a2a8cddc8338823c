"""Sources of audio and video: cameras, microphones, recordings and the demo."""
