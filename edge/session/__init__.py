"""One run: from settings to a running pipeline."""
