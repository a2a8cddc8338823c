"""Names of devices that stand for whichever this machine has."""

DEFAULT = "default"
"""The first camera, or the microphone that the sound server takes by default."""
