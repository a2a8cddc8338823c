"""Sources of pictures and sound: camera, microphone, recording, demo."""
